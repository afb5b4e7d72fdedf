// Several arrays into one, element by element: what merging layers and forks compute.
#include "kernels/fill.h"
#include "simd/loop.h"

namespace tauten::kernels {
namespace {

// y = f(a, b)
template <class T, class F>
TAUTEN_INLINE void of_two(int64 n, const T* a, const T* b, T* y, const F& f) {
    over<T>(n, [&](int64 i, auto part) { part.store(y + i, f(part.load(a + i), part.load(b + i))); });
}

// A NaN on either side comes out as NaN.
template <class T>
void combine(Combination how, int64 n, const T* a, const T* b, T* y) {
    using V = Native<T>;
    switch (how) {
        case Combination::sum: return of_two(n, a, b, y, [](V p, V q) { return p + q; });
        case Combination::difference: return of_two(n, a, b, y, [](V p, V q) { return p - q; });
        case Combination::product: return of_two(n, a, b, y, [](V p, V q) { return p * q; });
        case Combination::maximum: return of_two(n, a, b, y, [](V p, V q) { return select<T>(~(p <= q) & (q == q), p, q); });
        case Combination::minimum: return of_two(n, a, b, y, [](V p, V q) { return select<T>(~(p >= q) & (q == q), p, q); });
    }
}

template <class T>
void scale(int64 n, T factor, const T* x, T* y) {
    const Native<T> f = broadcast<T>(factor);
    over<T>(n, [&](int64 i, auto part) { part.store(y + i, f * part.load(x + i)); });
}

template <class T>
void claim(int64 n, const T* x, const T* y, T* rest, T* gradient) {
    over<T>(n, [&](int64 i, auto part) {
        const Native<T> left = part.load(rest + i), zero = zeros<T>();
        const Bits<T> mine = part.load(x + i) == part.load(y + i);
        part.store(gradient + i, select<T>(mine, left, zero));
        part.store(rest + i, select<T>(mine, zero, left));
    });
}

template <class T>
void fill(Kernels<T>& k) {
    k.combine = combine<T>;
    k.scale = scale<T>;
    k.claim = claim<T>;
}

}  // namespace

namespace TAUTEN_LEVEL {
void fill_combination(Kernels<float>& k) { fill(k); }
void fill_combination(Kernels<double>& k) { fill(k); }
}  // namespace TAUTEN_LEVEL

}  // namespace tauten::kernels
