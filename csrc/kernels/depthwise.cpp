// Depthwise convolution of one line of positions, vectors over channels: every channel has filters of its own, so there is
// no product over channels, and a tap is one multiply-add a channel (csrc/layers/depthwise.h).
//
//   depthwise:           y[i, c] = f(start[c] + Σ_t x_t[i, c] · w_t[c])
//   depthwise_gradient:  sums[t, c] += Σ_i x_t[i, c] · δ[i, c]
#include "kernels/fill.h"
#include "kernels/tile.h"
#include "simd/loop.h"
#include "simd/activations.h"

namespace tauten::kernels {
namespace {

constexpr int64 tile_positions = 8;  // chains that hide the latency of a multiply-add
constexpr int64 tile_taps = 9;       // the same for weight gradients: a 3x3 window in one pass

template <class T, Activation f>
void finish_line(const DepthwiseArguments<T>& d) {
    for (int64 i = 0; i < d.positions; ++i)
        over<T>(d.channels, [&](int64 c, auto part) __attribute__((always_inline)) {
            T* y = d.y + i * d.y_row + c;
            const Native<T> value = part.load(y);
            part.store(y, d.outputs == nullptr
                              ? activation_value<T>(f, value)
                              : through_activation<T>(f, value, part.load(d.outputs + i * d.outputs_row + c)));
        });
}

// `positions` of them from `first` on, all taps, before f; ReLU is finished in registers.
template <class T, int positions>
void depthwise_tile(const DepthwiseArguments<T>& d, int64 first) {
    const bool relu = d.activation == Activation::relu && d.outputs == nullptr;
    over<T>(d.channels, [&](int64 c, auto part) __attribute__((always_inline)) {
        T* y = d.y + first * d.y_row + c;
        Native<T> sums[positions];
        const Native<T> start = d.bias ? load<T>(d.bias + c) : zeros<T>();
        TAUTEN_UNROLL(i, positions, { sums[i] = d.accumulate ? part.load(y + i * d.y_row) : start; });
        const int64 from = first * d.x_row + c, row = d.x_row;
        for (int64 t = 0; t < d.tap_count; ++t) {
            const T* x = d.taps[t].x + from;
            const Native<T> w = load<T>(d.taps[t].w + c);
            TAUTEN_UNROLL(i, positions, { sums[i] = fma(load<T>(x + i * row), w, sums[i]); });
        }
        if (relu) TAUTEN_UNROLL(i, positions, { sums[i] = activation_value<T>(Activation::relu, sums[i]); });
        TAUTEN_UNROLL(i, positions, { part.store(y + i * d.y_row, sums[i]); });
    });
}

template <class T>
using LineFunction = void (*)(const DepthwiseArguments<T>&, int64);
template <class T>
constexpr LineFunction<T> line_functions[tile_positions] = {
    depthwise_tile<T, 1>, depthwise_tile<T, 2>, depthwise_tile<T, 3>, depthwise_tile<T, 4>,
    depthwise_tile<T, 5>, depthwise_tile<T, 6>, depthwise_tile<T, 7>, depthwise_tile<T, 8>};

template <class T>
void depthwise(const DepthwiseArguments<T>& d) {
    // tiles as equal as can be
    for (int64 first = 0, tiles = (d.positions + tile_positions - 1) / tile_positions; tiles > 0; --tiles) {
        const int64 count = (d.positions - first + tiles - 1) / tiles;
        line_functions<T>[count - 1](d, first);
        first += count;
    }
    if (d.activation == Activation::tanh) finish_line<T, Activation::tanh>(d);
    if (d.activation == Activation::sigmoid) finish_line<T, Activation::sigmoid>(d);
    if (d.activation == Activation::relu && d.outputs != nullptr) finish_line<T, Activation::relu>(d);
}

template <class T, int taps>
void gradient_tile(const DepthwiseGradient<T>& d, int64 first) {
    const int64 row = d.x_row, delta_row = d.delta_row, positions = d.positions;
    over<T>(d.channels, [&](int64 c, auto part) __attribute__((always_inline)) {
        T* to = d.sums + first * d.channels + c;
        const T* x[taps];
        Native<T> sums[taps];
        TAUTEN_UNROLL(t, taps, { x[t] = d.x[first + t] + c; });
        TAUTEN_UNROLL(t, taps, { sums[t] = part.load(to + t * d.channels); });
        const T* delta = d.delta + c;
        for (int64 i = 0; i < positions; ++i) {
            const Native<T> g = load<T>(delta + i * delta_row);
            TAUTEN_UNROLL(t, taps, { sums[t] = fma(load<T>(x[t] + i * row), g, sums[t]); });
        }
        TAUTEN_UNROLL(t, taps, { part.store(to + t * d.channels, sums[t]); });
    });
}

template <class T>
using GradientFunction = void (*)(const DepthwiseGradient<T>&, int64);
template <class T>
constexpr GradientFunction<T> gradient_functions[tile_taps] = {
    gradient_tile<T, 1>, gradient_tile<T, 2>, gradient_tile<T, 3>, gradient_tile<T, 4>, gradient_tile<T, 5>,
    gradient_tile<T, 6>, gradient_tile<T, 7>, gradient_tile<T, 8>, gradient_tile<T, 9>};

template <class T>
void depthwise_gradient(const DepthwiseGradient<T>& d) {
    for (int64 first = 0, tiles = (d.tap_count + tile_taps - 1) / tile_taps; tiles > 0; --tiles) {
        const int64 count = (d.tap_count - first + tiles - 1) / tiles;
        gradient_functions<T>[count - 1](d, first);
        first += count;
    }
}

template <class T>
void fill(Kernels<T>& k) {
    k.depthwise = depthwise<T>;
    k.depthwise_gradient = depthwise_gradient<T>;
}

}  // namespace

namespace TAUTEN_LEVEL {
void fill_depthwise(Kernels<float>& k) { fill(k); }
void fill_depthwise(Kernels<double>& k) { fill(k); }
}  // namespace TAUTEN_LEVEL

}  // namespace tauten::kernels
