// The building block against the processor's multiply-add peak, measured in the same moments.
//
//   bench_gemm --table [level] [float|double]   a compact table: share of the peak for every shape, geometric means
//   bench_gemm [google-benchmark flags]         the same shapes as benchmarks (--benchmark_filter=avx512/float)
//
// Only useful operations count (2 M N K): what tails of rows and columns waste is loss.
#include <benchmark/benchmark.h>
#include <time.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <functional>
#include <new>
#include <string>
#include <vector>

#include "kernels/table.h"

using namespace tauten;
using namespace tauten::kernels;

namespace {

constexpr Level levels[] = {Level::baseline, Level::avx2, Level::avx512};
constexpr int64 row_counts[] = {8, 14, 28, 32, 64, 100, 128};
constexpr int64 column_counts[] = {10, 32, 48, 100, 128, 256};
constexpr int64 k_counts[] = {5, 25, 64, 100, 160, 288, 512, 800};
constexpr int64 operand_bytes = 700 << 10;  // in L2

struct Shape {
    int64 m, n, k;
};

template <class T>
std::vector<Shape> shapes() {
    std::vector<Shape> list;
    for (const int64 k : k_counts)
        for (const int64 n : column_counts)
            for (const int64 m : row_counts)
                if ((m * k + n * k + m * n) * static_cast<int64>(sizeof(T)) <= operand_bytes) list.push_back({m, n, k});
    return list;
}

// Processor time of this thread: other work on the machine takes wall time, not this.
double now() {
    timespec t{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

// Aligned as the library's arenas are.
template <class T>
struct Aligned {
    using value_type = T;
    Aligned() = default;
    template <class U>
    Aligned(const Aligned<U>&) {}
    T* allocate(std::size_t n) { return static_cast<T*>(::operator new(n * sizeof(T), std::align_val_t(64))); }
    void deallocate(T* p, std::size_t) { ::operator delete(p, std::align_val_t(64)); }
    bool operator==(const Aligned&) const { return true; }
};

// One product with its operands: A by rows against packed B (forward), or A by columns against B that is packed a few
// rows at a time, packing included (weight gradients, as csrc/model/gradients.cpp does it).
template <class T>
class Product {
public:
    Product(const Kernels<T>& kernels, Shape s, bool transposed) : kernels_(kernels), s_(s), transposed_(transposed) {
        const int64 panel = kernels.panel, panels = (s.n + panel - 1) / panel;
        a_.resize(static_cast<std::size_t>(s.m * s.k + slack));
        b_.resize(static_cast<std::size_t>(panels * panel * s.k + slack));
        c_.resize(static_cast<std::size_t>(panels * panel * s.m + slack));
        for (std::size_t i = 0; i < a_.size(); ++i) a_[i] = static_cast<T>(static_cast<int>(i % 17) - 8) / 8;
        for (std::size_t i = 0; i < b_.size(); ++i) b_[i] = static_cast<T>(static_cast<int>(i % 13) - 6) / 8;
        tap_ = {a_.data(), b_.data(), s.k, 1, panel, panel * s.k, s.k};
        packed_.resize(static_cast<std::size_t>(packed_rows * panel + slack));
        g_.taps = &tap_;
        g_.tap_count = 1;
        g_.rows = s.m;
        g_.columns = s.n;
        g_.panel_width = panel;
        g_.c = c_.data();
        g_.c_row = s.n;
        g_.c_panel = panel;
        g_.activation = Activation::linear;
    }
    Product(const Product&) = delete;
    Product& operator=(const Product&) = delete;

    void run() {
        if (!transposed_) {
            kernels_.gemm(g_);
            return;
        }
        // as it lies where few tiles would use the copy
        const int64 panel = kernels_.panel;
        for (int64 n = 0; n < s_.n; n += panel) {
            GemmArguments<T> g = g_;
            g.columns = std::min(panel, s_.n - n);
            const bool pack = g.columns < panel || (s_.n > panel && s_.m > 2 * kernels_.tile);
            g.columns = (g.columns + kernels_.lanes - 1) / kernels_.lanes * kernels_.lanes;
            g.c = c_.data() + n * s_.m;
            g.c_row = panel;
            for (int64 k = 0; k < s_.k; k += packed_rows) {
                const int64 rows = std::min(packed_rows, s_.k - k);
                const T* b = b_.data() + k * s_.n + n;
                if (pack) kernels_.pack(rows, std::min(panel, s_.n - n), panel, b, s_.n, packed_.data(), 0);
                const Tap<T> tap{a_.data() + k * s_.m, pack ? packed_.data() : b, 1, s_.m, pack ? panel : s_.n, 0, rows};
                g.taps = &tap;
                g.accumulate = k > 0;
                kernels_.gemm(g);
            }
        }
    }
    double flops() const { return 2.0 * static_cast<double>(s_.m) * static_cast<double>(s_.n * s_.k); }

private:
    static constexpr int64 packed_rows = 128;

    const Kernels<T>& kernels_;
    Shape s_;
    bool transposed_;
    std::vector<T, Aligned<T>> a_, b_, c_, packed_;
    Tap<T> tap_{};
    GemmArguments<T> g_{};
};

// FLOP/s of one short run of the peak probe.
template <class T>
double peak_once(const Kernels<T>& kernels) {
    int64 flops = 0;
    const double start = now();
    benchmark::DoNotOptimize(kernels.fma_peak(20000, &flops));
    return static_cast<double>(flops) / (now() - start);
}

struct Rate {
    double flops, peak;  // a second
    double share() const { return flops / peak; }
};

// Third best of short runs that alternate with the probe: a disturbed moment, or a tick of the clock, decides neither.
template <class T>
Rate measure(const Kernels<T>& kernels, Product<T>&& product) {
    product.run();
    const double guess = product.flops() / 1e11;
    const int64 calls = std::max<int64>(1, static_cast<int64>(1e-4 / guess));
    std::vector<double> rates, peaks;
    for (int round = 0; round < 25; ++round) {
        peaks.push_back(peak_once(kernels));
        const double start = now();
        for (int64 i = 0; i < calls; ++i) product.run();
        rates.push_back(product.flops() * static_cast<double>(calls) / (now() - start));
    }
    std::sort(rates.begin(), rates.end(), std::greater<>());
    std::sort(peaks.begin(), peaks.end(), std::greater<>());
    return {rates[2], peaks[2]};
}

const char* variant_name(bool transposed) { return transposed ? "a_row=1" : "a_column=1"; }

template <class T>
void print_table(Level l, const char* type) {
    const Kernels<T>& kernels = table<T>(l);
    for (const bool transposed : {false, true}) {
        double log_sum = 0, peak = 0;
        int count = 0;
        struct Entry {
            double share;
            Shape s;
        };
        std::vector<Entry> entries;
        std::printf("\n%s %s %s: %% of the multiply-add peak\n     N    K |", level_name(l), type,
                    variant_name(transposed));
        for (const int64 m : row_counts) std::printf(" M=%-4lld", static_cast<long long>(m));
        int64 n = -1, k = -1;
        for (const Shape s : shapes<T>()) {
            if (s.n != n || s.k != k)
                std::printf("\n%6lld %4lld |", static_cast<long long>(s.n), static_cast<long long>(s.k));
            n = s.n;
            k = s.k;
            const Rate rate = measure<T>(kernels, Product<T>(kernels, s, transposed));
            peak = std::max(peak, rate.peak);
            std::printf(" %6.1f", 100 * rate.share());
            std::fflush(stdout);
            if (s.k >= 64) {
                log_sum += std::log(rate.share());
                ++count;
                entries.push_back({rate.share(), s});
            }
        }
        std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.share < b.share; });
        std::printf("\n%s %s %s: peak %.1f GFLOP/s, geometric mean over K >= 64: %.1f %%; lowest", level_name(l), type,
                    variant_name(transposed), peak / 1e9, 100 * std::exp(log_sum / count));
        for (std::size_t i = 0; i < 5 && i < entries.size(); ++i)
            std::printf(" %lldx%lldx%lld %.0f", static_cast<long long>(entries[i].s.m),
                        static_cast<long long>(entries[i].s.n), static_cast<long long>(entries[i].s.k),
                        100 * entries[i].share);
        std::printf("\n");
    }
}

int print_tables(int count, char** words) {
    for (const Level l : levels)
        for (const char* type : {"float", "double"}) {
            bool wanted = level_available(l);
            for (int i = 2; i < count; ++i)
                wanted = wanted && (std::strcmp(words[i], level_name(l)) == 0 || std::strcmp(words[i], type) == 0);
            if (!wanted) continue;
            if (type[0] == 'f')
                print_table<float>(l, type);
            else
                print_table<double>(l, type);
        }
    return 0;
}

template <class T>
void run_benchmark(benchmark::State& state, Level l, Shape s, bool transposed) {
    const Kernels<T>& kernels = table<T>(l);
    Product<T> product(kernels, s, transposed);
    double peak = 0;
    for (int i = 0; i < 10; ++i) peak = std::max(peak, peak_once(kernels));
    const double start = now();
    for (auto _ : state) {
        product.run();
        benchmark::ClobberMemory();
    }
    const double rate = product.flops() * static_cast<double>(state.iterations()) / (now() - start);
    for (int i = 0; i < 10; ++i) peak = std::max(peak, peak_once(kernels));
    state.counters["GFLOP/s"] = rate / 1e9;
    state.counters["peak%"] = 100 * rate / peak;
}

template <class T>
void register_all(Level l, const char* type) {
    for (const bool transposed : {false, true})
        for (const Shape s : shapes<T>()) {
            const std::string name = std::string("gemm/") + level_name(l) + "/" + type + "/" +
                                     variant_name(transposed) + "/" + std::to_string(s.m) + "x" +
                                     std::to_string(s.n) + "x" + std::to_string(s.k);
            benchmark::RegisterBenchmark(name.c_str(), run_benchmark<T>, l, s, transposed);
        }
}

}  // namespace

int main(int count, char** words) {
    if (count > 1 && std::strcmp(words[1], "--table") == 0) return print_tables(count, words);
    for (const Level l : levels)
        if (level_available(l)) {
            register_all<float>(l, "float");
            register_all<double>(l, "double");
        }
    benchmark::Initialize(&count, words);
    if (benchmark::ReportUnrecognizedArguments(count, words)) return 1;
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
