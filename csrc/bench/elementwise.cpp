// Passes over arrays: dropout, sums of columns, activations and their derivatives.
#include "bench/families.h"
#include "bench/measure.h"

namespace tauten::bench {

namespace {

template <class T>
void dropout(benchmark::State& state, int64 n) {
    const Buffer<T> x = filled<T>(n);
    Buffer<T> y(n);
    const kernels::Kernels<T>& k = kernels::table<T>();
    const double seconds = measure<T>(state, {0, 2.0 * static_cast<double>(n) * sizeof(T)}, [&] {
        k.dropout({1, 2, 3}, T(0.5), 4, 0, n, x.data(), y.data());
    });
    state.counters["ns/element"] = seconds / static_cast<double>(n) * 1e9;
}

template <class T>
void column_sums(benchmark::State& state, int64 rows, int64 columns) {
    const Buffer<T> x = filled<T>(rows * columns);
    Buffer<T> sums(columns);
    const kernels::Kernels<T>& k = kernels::table<T>();
    measure<T>(state, {0, static_cast<double>(rows * columns) * sizeof(T)},
               [&] { k.column_sums(rows, columns, x.data(), columns, sums.data(), false); });
}

template <class T>
void activation(benchmark::State& state, Activation f, int64 rows, int64 columns) {
    const Buffer<T> x = filled<T>(rows * columns);
    Buffer<T> y(rows * columns);
    const kernels::Kernels<T>& k = kernels::table<T>();
    measure<T>(state, {0, 2.0 * static_cast<double>(rows * columns) * sizeof(T)},
               [&] { k.activate(f, rows, columns, x.data(), columns, y.data(), columns); });
}

template <class T>
void activation_gradient(benchmark::State& state, Activation f, int64 rows, int64 columns) {
    const Buffer<T> y = filled<T>(rows * columns);
    Buffer<T> gradient = filled<T>(rows * columns);
    const kernels::Kernels<T>& k = kernels::table<T>();
    measure<T>(state, {0, 3.0 * static_cast<double>(rows * columns) * sizeof(T)},
               [&] { k.activation_gradient(f, rows, columns, y.data(), columns, gradient.data(), columns); });
}

}  // namespace

void add_elementwise() {
    const struct {
        const char* name;
        Activation f;
    } activations[] = {{"relu", Activation::relu}, {"tanh", Activation::tanh}, {"sigmoid", Activation::sigmoid}};
    each_type([&]<class T>() {
        for (const int64 n : {128, 20000})
            add<T>("elementwise", text("dropout/", n), [=](benchmark::State& s) { dropout<T>(s, n); });
        for (const int64 columns : {10, 128})
            add<T>("elementwise", text("column_sums/512x", columns),
                   [=](benchmark::State& s) { column_sums<T>(s, 512, columns); });
        for (const auto& [name, f] : activations) {
            add<T>("elementwise", text(name, "/64x128"),
                   [f = f](benchmark::State& s) { activation<T>(s, f, 64, 128); });
            add<T>("elementwise", text(name, "_gradient/64x128"),
                   [f = f](benchmark::State& s) { activation_gradient<T>(s, f, 64, 128); });
        }
    });
}

}  // namespace tauten::bench
