// Weighted windows that slide along a line (§26.3.1, §26.3.4), vectors over the outputs of the line:
//   sum, average:  y[i] = 1/divisor Σ_taps w_tap · x[i · step + offset_tap]
//   maximum:       y[i] = max_taps w_tap · x[i · step + offset_tap]
// The first in window order wins a tie; NaN wins over numbers (and takes the gradient).
#include "kernels/fill.h"
#include "simd/loop.h"

namespace tauten::kernels {
namespace {

// x[0], x[step], x[2 step], ...
template <class T, bool kDense, class Part>
TAUTEN_INLINE Native<T> load_every(const Part& part, const T* x, int64 step) {
    if constexpr (kDense) {
        return part.load(x);
    } else {
        T lanes[Vec<T>::lanes] = {};
        for (int64 i = 0; i < part.count; ++i) lanes[i] = x[i * step];
        return load<T>(lanes);
    }
}

template <class T, bool kDense>
void aggregate_sum_as(const AggregateArguments<T>& a) {
    constexpr int64 block = 4, lanes = Vec<T>::lanes;
    const Native<T> divisor = broadcast<T>(a.divisor);
    int64 i = 0;
    for (; i + block * lanes <= a.n; i += block * lanes) {
        Native<T> total[block] = {};
        for (int64 t = 0; t < a.tap_count; ++t) {
            const AggregateTap<T>& tap = a.taps[t];
            const T* x = a.input + tap.offset + i * a.step;
            const Native<T> weight = broadcast<T>(tap.weight);
            for (int64 v = 0; v < block; ++v)
                total[v] = fma(weight, load_every<T, kDense>(Whole<T>{}, x + v * lanes * a.step, a.step), total[v]);
        }
        for (int64 v = 0; v < block; ++v) store<T>(a.output + i + v * lanes, total[v] / divisor);
    }
    over<T>(a.n - i, [&](int64 j, auto part) __attribute__((always_inline)) {
        Native<T> total = zeros<T>();
        for (int64 t = 0; t < a.tap_count; ++t) {
            const AggregateTap<T>& tap = a.taps[t];
            const T* x = a.input + tap.offset + (i + j) * a.step;
            total = fma(broadcast<T>(tap.weight), load_every<T, kDense>(part, x, a.step), total);
        }
        part.store(a.output + i + j, total / divisor);
    });
}

template <class T>
void aggregate_sum(const AggregateArguments<T>& a) {
    a.step == 1 ? aggregate_sum_as<T, true>(a) : aggregate_sum_as<T, false>(a);
}

template <class T, bool kDense>
void aggregate_max_as(const AggregateArguments<T>& a) {
    using Integer = typename Vec<T>::Integer;
    over<T>(a.n, [&](int64 i, auto part) __attribute__((always_inline)) {
        Native<T> largest = zeros<T>();
        Bits<T> which{};
        for (int64 t = 0; t < a.tap_count; ++t) {
            const AggregateTap<T>& tap = a.taps[t];
            const Native<T> x = load_every<T, kDense>(part, a.input + tap.offset + i * a.step, a.step);
            const Native<T> product = broadcast<T>(tap.weight) * x;
            const Bits<T> number = Bits<T>{} + static_cast<Integer>(tap.number);
            const Bits<T> later = t == 0 ? ~Bits<T>{} : ~(product <= largest) & (largest == largest);
            largest = select<T>(later, product, largest);
            which = later ? number : which;
        }
        part.store(a.output + i, largest);
        // the bits of an integer vector, lane by lane as wide as T
        if (a.which != nullptr) part.store(reinterpret_cast<T*>(a.which) + i, (Native<T>)which);
    });
}

template <class T>
void aggregate_max(const AggregateArguments<T>& a) {
    a.step == 1 ? aggregate_max_as<T, true>(a) : aggregate_max_as<T, false>(a);
}

// y[i · y_step] += factor · x[i]
template <class T>
void add_scaled(int64 n, T factor, const T* x, T* y, int64 y_step) {
    if (y_step != 1) {
        for (int64 i = 0; i < n; ++i) y[i * y_step] += factor * x[i];
        return;
    }
    const Native<T> f = broadcast<T>(factor);
    over<T>(n, [&](int64 i, auto part) { part.store(y + i, fma(f, part.load(x + i), part.load(y + i))); });
}

// Σ x[i · x_step] y[i]
template <class T, bool kDense>
T dot_as(int64 n, const T* x, int64 x_step, const T* y) {
    Native<T> total = zeros<T>();
    over<T>(n, [&](int64 i, auto part) {
        total = fma(load_every<T, kDense>(part, x + i * x_step, x_step), part.load(y + i), total);
    });
    return sum<T>(total);
}
template <class T>
T dot(int64 n, const T* x, int64 x_step, const T* y) {
    return x_step == 1 ? dot_as<T, true>(n, x, x_step, y) : dot_as<T, false>(n, x, x_step, y);
}

template <class T>
void fill(Kernels<T>& k) {
    k.aggregate_sum = aggregate_sum<T>;
    k.aggregate_max = aggregate_max<T>;
    k.add_scaled = add_scaled<T>;
    k.dot = dot<T>;
}

}  // namespace

namespace TAUTEN_LEVEL {
void fill_aggregation(Kernels<float>& k) { fill(k); }
void fill_aggregation(Kernels<double>& k) { fill(k); }
}  // namespace TAUTEN_LEVEL

}  // namespace tauten::kernels
