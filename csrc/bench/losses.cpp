// Losses with their gradients, row by row.
#include "bench/families.h"
#include "bench/measure.h"

namespace tauten::bench {

namespace {

template <class T>
void softmax(benchmark::State& state, int64 rows, int64 columns, bool labels) {
    const Buffer<T> logits = filled<T>(rows * columns, -5, 5), targets = filled<T>(rows * columns, 0, 1);
    const Buffer<int32> classes = filled<int32>(rows, 0, static_cast<double>(columns));
    Buffer<T> delta(rows * columns);
    Buffer<double> loss(rows);
    const kernels::Kernels<T>& k = kernels::table<T>();
    const double bytes = static_cast<double>((labels ? 2 : 3) * rows * columns) * sizeof(T);
    const double seconds = measure<T>(state, {0, bytes}, [&] {
        k.softmax_cross_entropy(rows, columns, logits.data(), columns, labels ? classes.data() : nullptr,
                                labels ? nullptr : targets.data(), columns, nullptr, T(1), nullptr, 0, delta.data(),
                                columns, loss.data());
    });
    state.counters["ns/row"] = seconds / static_cast<double>(rows) * 1e9;
}

template <class T>
void by_element(benchmark::State& state, int64 rows, int64 columns, bool sigmoid) {
    const Buffer<T> y = filled<T>(rows * columns, -5, 5), targets = filled<T>(rows * columns, 0, 1);
    Buffer<T> delta(rows * columns);
    Buffer<double> loss(rows);
    const kernels::Kernels<T>& k = kernels::table<T>();
    const auto kernel = sigmoid ? k.sigmoid_cross_entropy : k.squared_error;
    const double seconds = measure<T>(state, {0, 3.0 * static_cast<double>(rows * columns) * sizeof(T)}, [&] {
        kernel(rows, columns, y.data(), columns, targets.data(), columns, nullptr, T(1), delta.data(), columns,
               loss.data());
    });
    state.counters["ns/row"] = seconds / static_cast<double>(rows) * 1e9;
}

}  // namespace

void add_losses() {
    each_type([]<class T>() {
        for (const int64 columns : {10, 20, 256})
            for (const bool labels : {true, false})
                add<T>("losses", text("softmax_cross_entropy/8192x", columns, labels ? "/labels" : "/targets"),
                       [=](benchmark::State& s) { softmax<T>(s, 8192, columns, labels); });
        for (const bool sigmoid : {true, false})
            for (const int64 columns : {1, 784})
                add<T>("losses", text(sigmoid ? "sigmoid_cross_entropy/64x" : "squared_error/64x", columns),
                       [=](benchmark::State& s) { by_element<T>(s, 64, columns, sigmoid); });
    });
}

}  // namespace tauten::bench
