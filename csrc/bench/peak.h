// The probe of the multiply-add peak, which needs no google-benchmark: benchmarks.sweep calls it from Python.
#pragma once

#include <chrono>

#include "core/team.h"
#include "kernels/table.h"

namespace tauten::bench {

inline double now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// FLOP/s of all threads together, multiply-adds in registers.
template <class T>
double probe_peak(const kernels::Kernels<T>& k, int threads) {
    const int64 iterations = threads > 1 ? 20000 : 2000;  // long beside the team's meeting
    double rate = 0;
    run_team(threads, [&](const Member& member) {
        member.barrier();
        const double start = now();
        int64 flops = 0;
        [[maybe_unused]] const volatile T kept = k.fma_peak(iterations, &flops);
        member.barrier();
        if (member.index == 0) rate = static_cast<double>(flops * member.count) / (now() - start);
    });
    return rate;
}

}  // namespace tauten::bench
