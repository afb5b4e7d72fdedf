// Loops unrolled at compile time.
#pragma once

#include "simd/vec.h"

namespace tauten {
namespace {

// The block once for each compile-time index 0 .. count - 1, so that arrays of accumulators stay in registers.
template <int I, int N, class F>
TAUTEN_INLINE void unrolled(const F& f) {
    if constexpr (I < N) {
        f.template operator()<I>();
        unrolled<I + 1, N>(f);
    }
}
#define TAUTEN_UNROLL(index, count, ...) \
    unrolled<0, count>([&]<int index>() __attribute__((always_inline)) __VA_ARGS__)

}  // namespace
}  // namespace tauten
