// The activations of whole vectors that kernels fuse and recurrent cells use: their derivatives follow from the output
// y = f(net). The others are in simd/pointwise.h.
#pragma once

#include "simd/math.h"

namespace tauten {
namespace {

template <class T>
TAUTEN_INLINE Native<T> absolute(Native<T> x) {
    return (Native<T>)((Bits<T>)x & ~(Bits<T>)broadcast<T>(static_cast<T>(-0.0)));
}

// a x + b between low and high; NaN passes.
template <class T>
TAUTEN_INLINE Native<T> ramp(Native<T> x, T a, T b, T low, T high) {
    return minimum(broadcast<T>(high), maximum(broadcast<T>(low), fma(x, broadcast<T>(a), broadcast<T>(b))));
}

// x > 0 ? a x : b (e^x - 1)
template <class T>
TAUTEN_INLINE Native<T> elu(Native<T> x, T a, T b) {
    const Native<T> below = expm1_nonpositive<T>(minimum(zeros<T>(), x)) * b;
    return select<T>(x > static_cast<T>(0), x * a, below);
}

// x / 6 + 1/2 between 0 and 1, that is relu6(x + 3) / 6.
template <class T>
TAUTEN_INLINE Native<T> hard_sigmoid(Native<T> x) {
    return ramp<T>(x, static_cast<T>(1.0 / 6), static_cast<T>(0.5), static_cast<T>(0), static_cast<T>(1));
}

// The cells' further activations: one copy a kernel file, called, since nobody's hot path is here.
template <class T>
__attribute__((noinline)) Native<T> cell_activation_value(Activation f, Native<T> net) {
    switch (f) {
        case Activation::hard_sigmoid: return hard_sigmoid<T>(net);
        case Activation::hard_tanh: return ramp<T>(net, 1, 0, -1, 1);
        case Activation::relu6: return ramp<T>(net, 1, 0, 0, 6);
        case Activation::leaky_relu:
            return select<T>(net > static_cast<T>(0), net, net * static_cast<T>(leaky_slope));
        case Activation::elu: return elu<T>(net, 1, 1);
        case Activation::selu: return elu<T>(net, static_cast<T>(selu_scale), static_cast<T>(selu_alpha));
        case Activation::softsign: return net / (static_cast<T>(1) + absolute<T>(net));
        default: return net;
    }
}
template <class T>
__attribute__((noinline)) Native<T> cell_activation_slope(Activation f, Native<T> y) {
    const Native<T> one = broadcast<T>(1);
    const Bits<T> positive = y > static_cast<T>(0);
    switch (f) {
        case Activation::hard_sigmoid:
            return select<T>(positive & (y < static_cast<T>(1)), broadcast<T>(static_cast<T>(1.0 / 6)), zeros<T>());
        case Activation::hard_tanh: return select<T>(absolute<T>(y) < static_cast<T>(1), one, zeros<T>());
        case Activation::relu6: return select<T>(positive & (y < static_cast<T>(6)), one, zeros<T>());
        case Activation::leaky_relu: return select<T>(positive, one, broadcast<T>(static_cast<T>(leaky_slope)));
        case Activation::elu: return select<T>(positive, one, y + one);
        case Activation::selu:
            return select<T>(positive, broadcast<T>(static_cast<T>(selu_scale)), y + static_cast<T>(selu_alpha));
        case Activation::softsign: {
            const Native<T> rest = one - absolute<T>(y);
            return rest * rest;
        }
        default: return one;
    }
}

// f(net); NaN stays NaN under every f.
template <class T>
TAUTEN_INLINE Native<T> activation_value(Activation f, Native<T> net) {
    switch (f) {
        case Activation::relu: return maximum(zeros<T>(), net);  // the second operand where one is NaN
        case Activation::tanh: return tanh<T>(net);
        case Activation::sigmoid: return sigmoid<T>(net);
        case Activation::linear: return net;
        default: return cell_activation_value<T>(f, net);
    }
}

// f'(net) from y = f(net).
template <class T>
TAUTEN_INLINE Native<T> activation_slope(Activation f, Native<T> y) {
    const Native<T> one = broadcast<T>(1);
    switch (f) {
        case Activation::relu: return select<T>(y > static_cast<T>(0), one, zeros<T>());
        case Activation::tanh: return fma(-y, y, one);
        case Activation::sigmoid: return y * (one - y);
        case Activation::linear: return one;
        default: return cell_activation_slope<T>(f, y);
    }
}

// gradient ⊙ f'(net) from y = f(net): a closed ReLU gives 0 even to an infinite gradient.
template <class T>
TAUTEN_INLINE Native<T> through_activation(Activation f, Native<T> gradient, Native<T> y) {
    if (f == Activation::linear) return gradient;
    if (f == Activation::relu) return select<T>(y > static_cast<T>(0), gradient, zeros<T>());
    return gradient * activation_slope<T>(f, y);
}

}  // namespace
}  // namespace tauten
