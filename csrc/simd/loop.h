// Loops over arrays in whole vectors with one masked vector at the end: the same code for both.
#pragma once

#include "simd/vec.h"

namespace tauten {
namespace {

// How a vector of the loop touches memory: all lanes, or the first `count`.
template <class T>
struct Whole {
    static constexpr bool whole = true;
    static constexpr int64 count = Vec<T>::lanes;
    TAUTEN_INLINE Native<T> load(const T* p) const { return tauten::load<T>(p); }
    TAUTEN_INLINE void store(T* p, Native<T> v) const { tauten::store<T>(p, v); }
    // v in the lanes of the loop, `other` in the rest
    TAUTEN_INLINE Native<T> keep(Native<T> v, Native<T>) const { return v; }
};
template <class T>
struct First {
    static constexpr bool whole = false;
    int64 count;
    TAUTEN_INLINE Native<T> load(const T* p) const { return load_first(p, count); }
    TAUTEN_INLINE void store(T* p, Native<T> v) const { store_first(p, v, count); }
    TAUTEN_INLINE Native<T> keep(Native<T> v, Native<T> other) const {
        return select<T>(first_lanes<T>(count), v, other);
    }
};

// body(i, lanes) for i = 0, lanes, 2 lanes, ... < n.
template <class T, class Body>
TAUTEN_INLINE void over(int64 n, const Body& body) {
    int64 i = 0;
    for (; i + Vec<T>::lanes <= n; i += Vec<T>::lanes) body(i, Whole<T>{});
    if (i < n) body(i, First<T>{n - i});
}

}  // namespace
}  // namespace tauten
