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
enum class Activation : int { linear, relu, tanh, sigmoid };

}  // namespace tauten
