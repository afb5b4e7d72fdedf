// The few names that every part of the core uses. No standard library function may be instantiated
// from here: the kernels, compiled for one instruction set each, include this file.
#pragma once

#include <cstdint>

namespace tauten {

using int64 = std::int64_t;
using uint64 = std::uint64_t;
using int32 = std::int32_t;
using uint32 = std::uint32_t;
using uint8 = std::uint8_t;

// f in the chapter. Every one of these has a derivative that follows from its output y = f(net):
//   linear 1,  relu y > 0,  tanh 1 - y²,  sigmoid y (1 - y)
// Softmax couples its outputs and is a node of its own (§26.1.3, "not independent").
// Those of the second line are the recurrent cells' alone; everywhere else they are nodes (Pointwise).
enum class Activation : int {
    linear, relu, tanh, sigmoid,
    hard_sigmoid, hard_tanh, relu6, leaky_relu, elu, selu, softsign
};

// Functions of one value that are nodes of their own: their derivatives follow from the net value x. Parameters a to d:
//   rectified    x > a ? min(x, b) : c (x - a)
//   ramp         a x + b, not below c and not above d
//   elu          x > 0 ? a x : b (e^x - 1)
//   shrink       |x| > a ? x - b sign(x) : 0
//   gelu         x Φ(x), Φ the normal distribution
//   silu         x σ(x)                              hard_silu    x · ramp(x / 6 + 1/2) in [0, 1]
//   mish         x tanh(softplus(x))                 softplus     log(1 + e^x)
//   log_sigmoid  -softplus(-x)                       softsign     x / (1 + |x|)
//   exponential  e^x                                 tanh_shrink  x - tanh(x)
//   sparse_plus  0 below -1, x above 1, between them (x + 1)² / 4
enum class Pointwise : int {
    rectified, ramp, elu, shrink, gelu, silu, hard_silu, mish, softplus, log_sigmoid, softsign, exponential, tanh_shrink,
    sparse_plus
};
struct PointwiseFunction {
    Pointwise kind = Pointwise::ramp;
    double a = 0, b = 0, c = 0, d = 0;
};

// selu: λ and λα of Klambauer et al. 2017; leaky_relu by name: Keras' slope.
inline constexpr double selu_scale = 1.0507009873554805, selu_alpha = 1.0507009873554805 * 1.6732632423543772;
inline constexpr double leaky_slope = 0.2;

}  // namespace tauten
