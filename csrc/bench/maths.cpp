// Vector maths: time of an element in L1, and the largest error over the range where the function lives.
#include <cmath>
#include <limits>

#include "bench/families.h"
#include "bench/measure.h"

namespace tauten::bench {

namespace {

template <class T>
struct Function {
    const char* name;
    void (*kernel)(int64, const T*, T*);
    long double (*exact)(long double);
    double low, high;
};

long double sigmoid(long double x) { return 1 / (1 + std::exp(-x)); }

// In units in the last place of the exact result, which is a normal number.
template <class T>
double largest_error(const Function<T>& f) {
    constexpr int64 n = 20000;
    const Buffer<T> x = filled<T>(n, f.low, f.high);
    Buffer<T> y(n);
    f.kernel(n, x.data(), y.data());
    long double largest = 0;
    for (int64 i = 0; i < n; ++i) {
        const long double exact = f.exact(static_cast<long double>(x[i]));
        const long double unit = std::ldexp(1.0L, std::ilogb(exact) + 1 - std::numeric_limits<T>::digits);
        largest = std::max(largest, std::fabs(static_cast<long double>(y[i]) - exact) / unit);
    }
    return static_cast<double>(largest);
}

// FMA/vector: vector multiply-adds that the processor could have issued in the time of one vector of elements. It
// stands for cycles, whatever the clock: two to a cycle on a core with two units of that width.
template <class T>
void time(benchmark::State& state, const Function<T>& f) {
    constexpr int64 n = 1024;
    const Buffer<T> x = filled<T>(n, f.low, f.high);
    Buffer<T> y(n);
    const double each = measure<T>(state, {}, [&] { f.kernel(n, x.data(), y.data()); }) / static_cast<double>(n);
    state.counters["ns/element"] = each * 1e9;
    state.counters["FMA/vector"] = each * state.counters["peak GFLOP/s"] * 1e9 / 2;
    state.counters["ULP"] = largest_error(f);
}

}  // namespace

void add_maths() {
    each_type([]<class T>() {
        const kernels::Kernels<T>& k = kernels::table<T>();
        for (const Function<T>& f : {Function<T>{"exp", k.exp, std::exp, -80, 80}, {"log", k.log, std::log, 0.01, 10},
                                     {"tanh", k.tanh, std::tanh, -9, 9}, {"sigmoid", k.sigmoid, sigmoid, -20, 20}})
            add<T>("maths", f.name, [f](benchmark::State& state) { time(state, f); });
    });
}

}  // namespace tauten::bench
