// The kernels beside the product: vector maths, LSTM steps as a share of the multiply-add peak, pooling, losses,
// updates and dropout. The counters come from the fastest of an iteration's short batches, and the peak is probed
// between them, so that a busy machine disturbs them little.
//
//   bench_cells --benchmark_filter=avx512/float/lstm
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <new>
#include <string>
#include <vector>

#include "kernels/table.h"

using namespace tauten;
using namespace tauten::kernels;

namespace {

double now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
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
template <class T>
class Array {
public:
    explicit Array(int64 n, double low = -1, double high = 1) : values_(static_cast<std::size_t>(n + slack)) {
        unsigned state = 1;
        for (T& v : values_) {
            state = state * 1664525u + 1013904223u;
            v = static_cast<T>(low + (high - low) * (state >> 8) * 0x1p-24);
        }
    }
    T* data() { return values_.data(); }

private:
    std::vector<T, Aligned<T>> values_;
};

// The least seconds of one body() over all batches, and the peak in FLOP/s over the same time.
struct Best {
    double seconds = 1e30, peak = 0;
};
template <class T, class Body>
Best run(benchmark::State& state, const Kernels<T>& k, const Body& body) {
    Best best;
    double once = now();
    body();
    once = now() - once;
    const int64 repeats = std::max<int64>(1, static_cast<int64>(50e-6 / once));
    for (auto _ : state) {
        int64 flops = 0;
        double start = now();
        benchmark::DoNotOptimize(k.fma_peak(2000, &flops));
        best.peak = std::max(best.peak, static_cast<double>(flops) / (now() - start));
        start = now();
        for (int64 i = 0; i < repeats; ++i) {
            body();
            benchmark::ClobberMemory();
        }
        best.seconds = std::min(best.seconds, (now() - start) / static_cast<double>(repeats));
    }
    return best;
}

// Cycles are taken from the peak: one multiply-add register a cycle counts as `lanes` * 2 operations here, whatever
// the clock; on a core that issues two they are half-cycles of its clock.
template <class T>
void maths(benchmark::State& state, const Kernels<T>& k, void (*f)(int64, const T*, T*)) {
    const int64 n = 1024;
    Array<T> x(n, 0.1, 5), y(n);
    const Best best = run(state, k, [&] { f(n, x.data(), y.data()); });
    const double each = best.seconds / static_cast<double>(n);
    state.counters["ns/element"] = each * 1e9;
    state.counters["fma-slots/vector"] = each * best.peak / 2;
}

template <class T>
void lstm(benchmark::State& state, const Kernels<T>& k, int64 units, int64 rows, int64 features, bool backward) {
    const int64 panels = (units + k.lanes - 1) / k.lanes, width = 4 * k.lanes, gates_row = panels * width;
    const int64 memory_row = panels * k.lanes, wide_panels = (units + k.panel - 1) / k.panel;
    Array<T> x(rows * features), w(panels * features * width, -0.1, 0.1), u(panels * units * width, -0.1, 0.1),
        ut(wide_panels * gates_row * k.panel, -0.1, 0.1), bias(gates_row), gates(rows * gates_row, 0.1, 0.9),
        delta(rows * gates_row), before(rows * memory_row), memory(rows * memory_row), h0(rows * units),
        h1(rows * units), carried(rows * memory_row);
    Best best;
    double flops;
    if (!backward) {
        const Tap<T> taps[] = {{x.data(), w.data(), features, 1, width, features * width, features},
                               {h0.data(), u.data(), units, 1, width, units * width, units}};
        const LstmForward<T> step{taps, 2, rows, units, bias.data(), gates.data(), gates_row, before.data(), memory_row,
                                  memory.data(), memory_row, h1.data(), units, Activation::tanh, Activation::sigmoid};
        best = run(state, k, [&] { k.lstm_forward(step); });
        flops = 2.0 * static_cast<double>(rows * 4 * units * (features + units));
    } else {
        const Tap<T> tap{delta.data(), ut.data(), gates_row, 1, k.panel, gates_row * k.panel, gates_row};
        const LstmBackward<T> step{&tap, 1, rows, units, h0.data(), units, gates.data(), gates_row, memory.data(),
                                   memory_row, before.data(), memory_row, carried.data(), memory_row,
                                   Activation::tanh, Activation::sigmoid};
        best = run(state, k, [&] { k.lstm_backward(step); });
        flops = 2.0 * static_cast<double>(rows * 4 * units * units);
    }
    state.counters["us"] = best.seconds * 1e6;
    state.counters["GFLOP/s"] = flops / best.seconds / 1e9;
    state.counters["peak%"] = 100 * flops / best.seconds / best.peak;
}

// A sample of side x side x channels, window 2 or 3, stride 2 ("same" for 3).
template <class T>
void pooling(benchmark::State& state, const Kernels<T>& k, int64 side, int64 channels, int64 window, int kind) {
    const int64 out = side / 2, n = side * side * channels, m = out * out * channels;
    Array<T> input(n), output(m), output_gradient(m), input_gradient(n);
    std::vector<uint8> argmax(static_cast<std::size_t>(m) + slack);
    PoolArguments<T> p{};
    p.channels = channels;
    for (int d = 0; d < 3; ++d) {
        p.input_extent[d] = d == 0 ? 1 : side;
        p.output_extent[d] = d == 0 ? 1 : out;
        p.input_stride[d] = p.input_gradient_stride[d] = d == 2 ? channels : d == 1 ? side * channels : n;
        p.output_stride[d] = p.output_gradient_stride[d] = d == 2 ? channels : d == 1 ? out * channels : m;
        p.window[d] = d == 0 ? 1 : window;
        p.step[d] = d == 0 ? 1 : 2;
    }
    p.input = input.data();
    p.output = output.data();
    p.argmax = argmax.data();
    p.output_gradient = output_gradient.data();
    p.input_gradient = input_gradient.data();
    p.below = Activation::relu;
    k.max_pool(p);
    void (*const kernels[])(const PoolArguments<T>&) = {k.max_pool, k.max_pool_gradient, k.average_pool,
                                                        k.average_pool_gradient};
    const Best best = run(state, k, [&] { kernels[kind](p); });
    // read input and write output; or read the gradient and the input, write the input's gradient
    const int64 bytes = (kind % 2 == 0 ? n + m : 2 * n + m) * static_cast<int64>(sizeof(T)) + (kind < 2 ? m : 0);
    state.counters["us"] = best.seconds * 1e6;
    state.counters["GB/s"] = static_cast<double>(bytes) / best.seconds / 1e9;
}

template <class T>
void softmax_loss(benchmark::State& state, const Kernels<T>& k, int64 rows, int64 columns, bool labels) {
    Array<T> logits(rows * columns, -5, 5), targets(rows * columns, 0, 1), delta(rows * columns);
    std::vector<int32> classes(static_cast<std::size_t>(rows));
    for (std::size_t i = 0; i < classes.size(); ++i) classes[i] = static_cast<int32>(static_cast<int64>(i) % columns);
    std::vector<double> loss(static_cast<std::size_t>(rows));
    const Best best = run(state, k, [&] {
        k.softmax_cross_entropy(rows, columns, logits.data(), columns, labels ? classes.data() : nullptr,
                                labels ? nullptr : targets.data(), columns, nullptr, T(1), nullptr, 0, delta.data(),
                                columns, loss.data());
    });
    state.counters["ns/row"] = best.seconds / static_cast<double>(rows) * 1e9;
    state.counters["Mrows/s"] = static_cast<double>(rows) / best.seconds / 1e6;
}

template <class T>
void element_loss(benchmark::State& state, const Kernels<T>& k, int64 rows, int64 columns, bool sigmoid) {
    Array<T> y(rows * columns, -5, 5), targets(rows * columns, 0, 1), delta(rows * columns);
    std::vector<double> loss(static_cast<std::size_t>(rows));
    const auto kernel = sigmoid ? k.sigmoid_cross_entropy : k.squared_error;
    const Best best = run(state, k, [&] {
        kernel(rows, columns, y.data(), columns, targets.data(), columns, nullptr, T(1), delta.data(), columns,
               loss.data());
    });
    state.counters["ns/row"] = best.seconds / static_cast<double>(rows) * 1e9;
}

template <class T>
void update(benchmark::State& state, const Kernels<T>& k, int64 n, bool momentum, bool penalty) {
    Array<T> w(n), g(n), v(n);
    SgdArguments<T> s{};
    s.learning_rate = T(1e-6);
    s.momentum = momentum ? T(0.9) : T(0);
    s.l2 = penalty ? T(1e-6) : T(0);
    s.l1 = penalty ? T(1e-6) : T(0);
    const Best best = run(state, k, [&] { k.sgd(n, w.data(), g.data(), momentum ? v.data() : nullptr, s); });
    const int64 bytes = n * (momentum ? 5 : 3) * static_cast<int64>(sizeof(T));
    state.counters["GB/s"] = static_cast<double>(bytes) / best.seconds / 1e9;
}

template <class T>
void penalty(benchmark::State& state, const Kernels<T>& k, int64 n) {
    Array<T> w(n);
    double sums[2];
    const Best best = run(state, k, [&] { k.penalty_sums(n, w.data(), sums); });
    state.counters["GB/s"] = static_cast<double>(n) * sizeof(T) / best.seconds / 1e9;
}

template <class T>
void dropout(benchmark::State& state, const Kernels<T>& k, int64 n) {
    Array<T> x(n), y(n);
    const Best best = run(state, k, [&] { k.dropout({1, 2, 3}, T(0.5), 4, 0, n, x.data(), y.data()); });
    state.counters["ns/element"] = best.seconds / static_cast<double>(n) * 1e9;
    state.counters["GB/s"] = 2.0 * static_cast<double>(n) * sizeof(T) / best.seconds / 1e9;
}

template <class T>
void sums(benchmark::State& state, const Kernels<T>& k, int64 rows, int64 columns) {
    Array<T> x(rows * columns), s(columns);
    const Best best = run(state, k, [&] { k.column_sums(rows, columns, x.data(), columns, s.data(), false); });
    state.counters["GB/s"] = static_cast<double>(rows * columns) * sizeof(T) / best.seconds / 1e9;
}

template <class T>
void register_all(Level l, const char* type) {
    const Kernels<T>& k = table<T>(l);
    const std::string prefix = std::string(level_name(l)) + "/" + type + "/";
    const auto add = [&](const std::string& name, auto body) {
        benchmark::RegisterBenchmark((prefix + name).c_str(), body)->Iterations(300)->Unit(benchmark::kMicrosecond);
    };
    const struct {
        const char* name;
        void (*f)(int64, const T*, T*);
    } functions[] = {{"exp", k.exp}, {"log", k.log}, {"tanh", k.tanh}, {"sigmoid", k.sigmoid}};
    for (const auto& f : functions) add(f.name, [&k, f](benchmark::State& s) { maths(s, k, f.f); });
    for (const bool backward : {false, true})
        for (const int64 units : {32, 128, 256, 512})
            for (const int64 rows : {8, 32})
                add(std::string("lstm_") + (backward ? "backward/" : "forward/") + std::to_string(units) + "x" +
                        std::to_string(rows),
                    [=, &k](benchmark::State& s) { lstm(s, k, units, rows, 32, backward); });
    const char* const pools[] = {"max_pool", "max_pool_gradient", "average_pool", "average_pool_gradient"};
    for (int kind = 0; kind < 4; ++kind)
        for (const int64 window : {2, 3})
            for (const int64 channels : {1, 10, 32, 64})
                add(std::string(pools[kind]) + std::to_string(window) + "/28x28x" + std::to_string(channels),
                    [=, &k](benchmark::State& s) { pooling(s, k, 28, channels, window, kind); });
    for (const int64 columns : {10, 20, 256})
        for (const bool labels : {true, false})
            add("softmax_cross_entropy/" + std::to_string(columns) + (labels ? "/labels" : "/targets"),
                [=, &k](benchmark::State& s) { softmax_loss(s, k, 8192, columns, labels); });
    add("sigmoid_cross_entropy/1", [&k](benchmark::State& s) { element_loss(s, k, 8192, 1, true); });
    add("sigmoid_cross_entropy/784", [&k](benchmark::State& s) { element_loss(s, k, 64, 784, true); });
    add("squared_error/1", [&k](benchmark::State& s) { element_loss(s, k, 8192, 1, false); });
    for (const int64 n : {20000, 8000000})
        for (const bool momentum : {false, true})
            add("sgd/" + std::to_string(n) + (momentum ? "/momentum" : "/plain"),
                [=, &k](benchmark::State& s) { update(s, k, n, momentum, false); });
    add("sgd/20000/penalty", [&k](benchmark::State& s) { update(s, k, 20000, false, true); });
    add("penalty_sums/20000", [&k](benchmark::State& s) { penalty(s, k, 20000); });
    for (const int64 n : {128, 20000})
        add("dropout/" + std::to_string(n), [=, &k](benchmark::State& s) { dropout(s, k, n); });
    for (const int64 columns : {10, 128})
        add("column_sums/" + std::to_string(columns), [=, &k](benchmark::State& s) { sums(s, k, 512, columns); });
}

}  // namespace

int main(int count, char** words) {
    for (const Level l : {Level::baseline, Level::avx2, Level::avx512})
        if (level_available(l)) {
            register_all<float>(l, "float");
            register_all<double>(l, "double");
        }
    benchmark::Initialize(&count, words);
    if (benchmark::ReportUnrecognizedArguments(count, words)) return 1;
    benchmark::RunSpecifiedBenchmarks();
    return 0;
}
