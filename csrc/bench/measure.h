// What every benchmark shares: data, the measurement beside the machine's limits, registration.
//
// One repetition of a benchmark is a series of rounds: a probe of the multiply-add peak, a probe of the bandwidth, a
// short batch of calls. The fastest round of each counts, so that a busy machine disturbs them little, and a share of
// a limit compares two figures of the same moments.
#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <string>

#include "bench/peak.h"
#include "core/check.h"
#include "core/memory.h"
#include "core/team.h"
#include "kernels/table.h"

namespace tauten::bench {

// Numbers that repeat, in [low, high).
template <class T>
void fill(T* x, int64 n, double low, double high) {
    uint32 state = 1;
    for (int64 i = 0; i < n; ++i) {
        state = state * 1664525u + 1013904223u;
        x[i] = static_cast<T>(low + (high - low) * (state >> 8) * 0x1p-24);
    }
}
template <class T>
Buffer<T> filled(int64 n, double low = -1, double high = 1) {
    Buffer<T> x(n);
    fill(x.data(), n, low, high);
    return x;
}

// Of one call: useful operations (what tails waste is loss), and bytes, every operand counted once. 0: not compared.
struct Work {
    double flops = 0, bytes = 0;
};

// Seconds that one repetition takes at the least; --seconds.
inline double repetition_seconds = 0.02;

// Bytes a second of y += x in as much memory as the operands fill: of the cache, or the main memory, that holds them.
template <class T>
double probe_bandwidth(const kernels::Kernels<T>& k, double operand_bytes) {
    static Buffer<T> x, y;
    constexpr double most_bytes = 128 << 20;  // no cache of one processor holds more
    const int64 n = std::max<int64>(k.lanes, static_cast<int64>(std::min(operand_bytes, most_bytes) / (2 * sizeof(T))));
    x.reserve(n);
    y.reserve(n);
    int64 passes = 0;
    const double start = now();
    double seconds;
    do {
        k.add(n, x.data(), y.data());
        ++passes;
        seconds = now() - start;
    } while (seconds < 20e-6);
    return static_cast<double>(3 * n * passes) * sizeof(T) / seconds;
}

// Times body() and returns the seconds of one call. The counters are rates, and their shares of the peak of so many
// threads and of the bandwidth.
template <class T, class Body>
double measure(benchmark::State& state, Work work, const Body& body, int threads = 1) {
    const kernels::Kernels<T>& k = kernels::table<T>();
    const auto batch = [&](int64 calls) {
        const auto all = [&] {
            for (int64 i = 0; i < calls; ++i) {
                body();
                benchmark::ClobberMemory();
            }
        };
        const double start = now();
        if (threads == 1)
            run_team(1, [&](const Member&) { all(); });  // denormals are flushed, as in the engine
        else
            all();  // inside a team the body's own would have one member
        return (now() - start) / static_cast<double>(calls);
    };
    batch(1);
    const int64 calls = std::max<int64>(1, static_cast<int64>(100e-6 / batch(1)));
    double seconds = 1e30, peak = 0, bandwidth = 0;
    for (auto _ : state) {
        const double start = now();
        for (int round = 0; round < 3 || now() - start < repetition_seconds; ++round) {
            for (int i = 0; i < 3; ++i) peak = std::max(peak, probe_peak(k, threads));  // the first finds cold caches
            if (work.bytes > 0) bandwidth = std::max(bandwidth, probe_bandwidth(k, work.bytes));
            seconds = std::min(seconds, batch(calls));
        }
        state.SetIterationTime(seconds);
    }
    state.counters["peak GFLOP/s"] = peak / 1e9;
    if (work.flops > 0) {
        state.counters["GFLOP/s"] = work.flops / seconds / 1e9;
        state.counters["peak%"] = 100 * work.flops / seconds / peak;
    }
    if (work.bytes > 0) {
        state.counters["GB/s"] = work.bytes / seconds / 1e9;
        state.counters["bandwidth%"] = 100 * work.bytes / seconds / bandwidth;
    }
    return seconds;
}

// body.operator()<float>() and <double>().
template <class Body>
void each_type(const Body& body) {
    body.template operator()<float>();
    body.template operator()<double>();
}

// The benchmark family/level/type/name, for the level in use (TAUTEN_ISA).
template <class T, class Body>
void add(const std::string& family, const std::string& name, const Body& body) {
    const char* const type = sizeof(T) == 4 ? "float" : "double";
    const std::string full = text(family, '/', kernels::level_name(kernels::level()), '/', type, '/', name);
    benchmark::RegisterBenchmark(full.c_str(), body)->Iterations(1)->UseManualTime()->Unit(benchmark::kMicrosecond);
}

}  // namespace tauten::bench
