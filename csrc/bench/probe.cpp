// The shared library tauten_probe: the machine's limit for a Python process that times whole steps (benchmarks.sweep).
#include "bench/peak.h"

// FLOP/s of float32 multiply-adds on so many threads; 0 if the kernels' level cannot be had.
extern "C" __attribute__((visibility("default"))) double tauten_probe_peak(int threads) try {
    return tauten::bench::probe_peak(tauten::kernels::table<float>(), threads);
} catch (const std::exception&) {
    return 0;
}
