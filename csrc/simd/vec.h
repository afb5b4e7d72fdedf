// Vec<T>: one SIMD register of the level that this file is compiled for, on the compiler's vector extensions.
// The only file with intrinsics. Everything is in an anonymous namespace, so that no copy compiled for a
// higher level can be linked into a lower one.
//
// TAUTEN_VECTOR_BYTES (16, 32 or 64) is set per level by CMake.
#pragma once

#include <type_traits>

#include "core/types.h"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#ifndef TAUTEN_VECTOR_BYTES
#error "kernel files are compiled once per level, with TAUTEN_VECTOR_BYTES set"
#endif

#define TAUTEN_INLINE inline __attribute__((always_inline))

namespace tauten {
namespace {

template <class T>
struct IntegerOf;
template <>
struct IntegerOf<float> {
    using type = int32;
    using unsigned_type = uint32;
};
template <>
struct IntegerOf<double> {
    using type = int64;
    using unsigned_type = uint64;
};

// T = float or double. Native arithmetic (+ - * / comparisons ? :) comes from the vector extension.
template <class T>
struct Vec {
    static constexpr int64 lanes = TAUTEN_VECTOR_BYTES / static_cast<int64>(sizeof(T));
    using Integer = typename IntegerOf<T>::type;
    typedef T Native __attribute__((vector_size(TAUTEN_VECTOR_BYTES)));
    typedef T Unaligned __attribute__((vector_size(TAUTEN_VECTOR_BYTES), aligned(sizeof(T)), may_alias));
    typedef Integer Bits __attribute__((vector_size(TAUTEN_VECTOR_BYTES)));  // masks are 0 or -1 a lane
    // Bits for arithmetic that may wrap
    typedef typename IntegerOf<T>::unsigned_type UnsignedBits __attribute__((vector_size(TAUTEN_VECTOR_BYTES)));
};

template <class T>
using Native = typename Vec<T>::Native;
template <class T>
using Bits = typename Vec<T>::Bits;
template <class T>
using UnsignedBits = typename Vec<T>::UnsignedBits;

template <class T>
TAUTEN_INLINE Native<T> load(const T* p) {
    return *reinterpret_cast<const typename Vec<T>::Unaligned*>(p);
}

template <class T>
TAUTEN_INLINE void store(T* p, Native<T> v) {
    *reinterpret_cast<typename Vec<T>::Unaligned*>(p) = v;
}

template <class T>
TAUTEN_INLINE Native<T> broadcast(T x) {
    return x - Native<T>{};
}

template <class T>
TAUTEN_INLINE Native<T> zeros() {
    return Native<T>{};
}

// mask ? a : b, lane by lane; mask is 0 or -1 a lane.
template <class T>
TAUTEN_INLINE Native<T> select(Bits<T> mask, Native<T> a, Native<T> b) {
    return mask ? a : b;
}

// Lane numbers 0, 1, 2, ...
template <class T>
TAUTEN_INLINE Bits<T> lane_numbers() {
    Bits<T> v{};
    for (int64 i = 0; i < Vec<T>::lanes; ++i) v[i] = static_cast<typename Vec<T>::Integer>(i);
    return v;
}

// -1 in the first `count` lanes.
template <class T>
TAUTEN_INLINE Bits<T> first_lanes(int64 count) {
    return lane_numbers<T>() < static_cast<typename Vec<T>::Integer>(count);
}

#if defined(__AVX512F__)

TAUTEN_INLINE Native<float> fma(Native<float> a, Native<float> b, Native<float> c) {
    return (Native<float>)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
}
TAUTEN_INLINE Native<double> fma(Native<double> a, Native<double> b, Native<double> c) {
    return (Native<double>)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
}
TAUTEN_INLINE Native<float> maximum(Native<float> a, Native<float> b) {
    return (Native<float>)_mm512_max_ps((__m512)a, (__m512)b);
}
TAUTEN_INLINE Native<double> maximum(Native<double> a, Native<double> b) {
    return (Native<double>)_mm512_max_pd((__m512d)a, (__m512d)b);
}
TAUTEN_INLINE Native<float> minimum(Native<float> a, Native<float> b) {
    return (Native<float>)_mm512_min_ps((__m512)a, (__m512)b);
}
TAUTEN_INLINE Native<double> minimum(Native<double> a, Native<double> b) {
    return (Native<double>)_mm512_min_pd((__m512d)a, (__m512d)b);
}
TAUTEN_INLINE Native<float> square_root(Native<float> a) { return (Native<float>)_mm512_sqrt_ps((__m512)a); }
TAUTEN_INLINE Native<double> square_root(Native<double> a) { return (Native<double>)_mm512_sqrt_pd((__m512d)a); }
// Nearest integer, ties to even.
TAUTEN_INLINE Native<float> nearest(Native<float> a) {
    return (Native<float>)_mm512_roundscale_ps((__m512)a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
TAUTEN_INLINE Native<double> nearest(Native<double> a) {
    return (Native<double>)_mm512_roundscale_pd((__m512d)a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
TAUTEN_INLINE Native<float> load_first(const float* p, int64 count) {
    return (Native<float>)_mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << count) - 1u), p);
}
TAUTEN_INLINE Native<double> load_first(const double* p, int64 count) {
    return (Native<double>)_mm512_maskz_loadu_pd(static_cast<__mmask8>((1u << count) - 1u), p);
}
TAUTEN_INLINE void store_first(float* p, Native<float> v, int64 count) {
    _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << count) - 1u), (__m512)v);
}
TAUTEN_INLINE void store_first(double* p, Native<double> v, int64 count) {
    _mm512_mask_storeu_pd(p, static_cast<__mmask8>((1u << count) - 1u), (__m512d)v);
}

#elif defined(__AVX2__) && defined(__FMA__)

TAUTEN_INLINE Native<float> fma(Native<float> a, Native<float> b, Native<float> c) {
    return (Native<float>)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
}
TAUTEN_INLINE Native<double> fma(Native<double> a, Native<double> b, Native<double> c) {
    return (Native<double>)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
}
TAUTEN_INLINE Native<float> maximum(Native<float> a, Native<float> b) {
    return (Native<float>)_mm256_max_ps((__m256)a, (__m256)b);
}
TAUTEN_INLINE Native<double> maximum(Native<double> a, Native<double> b) {
    return (Native<double>)_mm256_max_pd((__m256d)a, (__m256d)b);
}
TAUTEN_INLINE Native<float> minimum(Native<float> a, Native<float> b) {
    return (Native<float>)_mm256_min_ps((__m256)a, (__m256)b);
}
TAUTEN_INLINE Native<double> minimum(Native<double> a, Native<double> b) {
    return (Native<double>)_mm256_min_pd((__m256d)a, (__m256d)b);
}
TAUTEN_INLINE Native<float> square_root(Native<float> a) { return (Native<float>)_mm256_sqrt_ps((__m256)a); }
TAUTEN_INLINE Native<double> square_root(Native<double> a) { return (Native<double>)_mm256_sqrt_pd((__m256d)a); }
TAUTEN_INLINE Native<float> nearest(Native<float> a) {
    return (Native<float>)_mm256_round_ps((__m256)a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
TAUTEN_INLINE Native<double> nearest(Native<double> a) {
    return (Native<double>)_mm256_round_pd((__m256d)a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
TAUTEN_INLINE Native<float> load_first(const float* p, int64 count) {
    return (Native<float>)_mm256_maskload_ps(p, (__m256i)first_lanes<float>(count));
}
TAUTEN_INLINE Native<double> load_first(const double* p, int64 count) {
    return (Native<double>)_mm256_maskload_pd(p, (__m256i)first_lanes<double>(count));
}
// In halves, with plain stores: masked ones are microcoded on AMD.
TAUTEN_INLINE void store_first(float* p, Native<float> v, int64 count) {
    if (count == Vec<float>::lanes) return store<float>(p, v);
    __m128 part = _mm256_castps256_ps128((__m256)v);
    if (count & 4) {
        _mm_storeu_ps(p, part);
        part = _mm256_extractf128_ps((__m256)v, 1);
        p += 4;
    }
    if (count & 2) {
        _mm_storel_pi(reinterpret_cast<__m64*>(p), part);
        part = _mm_movehl_ps(part, part);
        p += 2;
    }
    if (count & 1) _mm_store_ss(p, part);
}
TAUTEN_INLINE void store_first(double* p, Native<double> v, int64 count) {
    if (count == Vec<double>::lanes) return store<double>(p, v);
    __m128d part = _mm256_castpd256_pd128((__m256d)v);
    if (count & 2) {
        _mm_storeu_pd(p, part);
        part = _mm256_extractf128_pd((__m256d)v, 1);
        p += 2;
    }
    if (count & 1) _mm_store_sd(p, part);
}

#else

#if defined(__aarch64__)
TAUTEN_INLINE Native<float> fma(Native<float> a, Native<float> b, Native<float> c) {
    return (Native<float>)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
}
TAUTEN_INLINE Native<double> fma(Native<double> a, Native<double> b, Native<double> c) {
    return (Native<double>)vfmaq_f64((float64x2_t)c, (float64x2_t)a, (float64x2_t)b);
}
#else
// This level has no fused multiply-add: a product and a sum, each rounded.
template <class V>
TAUTEN_INLINE V fma(V a, V b, V c) {
    return a * b + c;
}
#endif
// As maxps and minps: the second operand where either is NaN.
template <class V>
TAUTEN_INLINE V maximum(V a, V b) {
    return a > b ? a : b;
}
template <class V>
TAUTEN_INLINE V minimum(V a, V b) {
    return a < b ? a : b;
}
#if defined(__x86_64__)
TAUTEN_INLINE Native<float> square_root(Native<float> a) { return (Native<float>)_mm_sqrt_ps((__m128)a); }
TAUTEN_INLINE Native<double> square_root(Native<double> a) { return (Native<double>)_mm_sqrt_pd((__m128d)a); }
#elif defined(__aarch64__)
TAUTEN_INLINE Native<float> square_root(Native<float> a) { return (Native<float>)vsqrtq_f32((float32x4_t)a); }
TAUTEN_INLINE Native<double> square_root(Native<double> a) { return (Native<double>)vsqrtq_f64((float64x2_t)a); }
#else
template <class V>
TAUTEN_INLINE V square_root(V a) {
    for (int i = 0; i < static_cast<int>(sizeof(V) / sizeof(a[0])); ++i)
        a[i] = static_cast<decltype(a[0] + a[0])>(__builtin_sqrt(static_cast<double>(a[i])));  // right in float, too
    return a;
}
#endif
// Nearest integer, ties to even, for |a| < 2^22 (float) or 2^51 (double).
TAUTEN_INLINE Native<float> nearest(Native<float> a) { return (a + 12582912.0f) - 12582912.0f; }
TAUTEN_INLINE Native<double> nearest(Native<double> a) { return (a + 6755399441055744.0) - 6755399441055744.0; }
template <class T>
TAUTEN_INLINE Native<T> load_first(const T* p, int64 count) {
    Native<T> v{};
    for (int64 i = 0; i < Vec<T>::lanes; ++i)
        if (i < count) v[i] = p[i];
    return v;
}
template <class T, class V>
TAUTEN_INLINE void store_first(T* p, V v, int64 count) {
    for (int64 i = 0; i < Vec<T>::lanes; ++i)
        if (i < count) p[i] = v[i];
}

#endif

// Lanes I of a and b, b's counted on from a's. GCC has __builtin_shufflevector from 12 on.
template <int... I, class V>
TAUTEN_INLINE V shuffled(V a, V b) {
#if defined(__clang__) || __GNUC__ >= 12
    return __builtin_shufflevector(a, b, I...);
#else
    return __builtin_shuffle(a, b, decltype(a < b){I...});
#endif
}

// Half number 0 or 1 of a vector, as a vector of half the size.
template <int number, class V>
TAUTEN_INLINE auto half_of(V v) {
#if defined(__clang__) || __GNUC__ >= 12
    constexpr int count = sizeof v / sizeof v[0] / 2, first = number * count;
    if constexpr (count == 8)
        return __builtin_shufflevector(v, v, first, first + 1, first + 2, first + 3, first + 4, first + 5, first + 6, first + 7);
    if constexpr (count == 4) return __builtin_shufflevector(v, v, first, first + 1, first + 2, first + 3);
    if constexpr (count == 2) return __builtin_shufflevector(v, v, first, first + 1);
#else
    typedef std::remove_reference_t<decltype(v[0])> Half __attribute__((vector_size(sizeof v / 2)));
    Half part;
    __builtin_memcpy(&part, reinterpret_cast<const char*>(&v) + number * sizeof part, sizeof part);
    return part;
#endif
}
// Horizontal sum and maximum, folded in halves: the same tree for any content.
template <int lanes, class V>
TAUTEN_INLINE auto sum_of_lanes(V v) {
    if constexpr (lanes == 2)
        return v[0] + v[1];
    else
        return sum_of_lanes<lanes / 2>(half_of<0>(v) + half_of<1>(v));
}
template <int lanes, class V>
TAUTEN_INLINE auto maximum_of_lanes(V v) {
    if constexpr (lanes == 2) {
        return v[0] > v[1] ? v[0] : v[1];
    } else {
        const auto a = half_of<0>(v), b = half_of<1>(v);
        return maximum_of_lanes<lanes / 2>(a > b ? a : b);
    }
}
template <class T>
TAUTEN_INLINE T sum(Native<T> v) {
    return sum_of_lanes<Vec<T>::lanes>(v);
}
template <class T>
TAUTEN_INLINE T maximum_of(Native<T> v) {
    return maximum_of_lanes<Vec<T>::lanes>(v);
}

// Whether any lane is NaN.
template <class T>
TAUTEN_INLINE bool any_nan(Native<T> v) {
#if defined(__AVX512F__)
    if constexpr (sizeof(T) == 4)
        return _mm512_cmp_ps_mask((__m512)v, (__m512)v, _CMP_UNORD_Q) != 0;
    else
        return _mm512_cmp_pd_mask((__m512d)v, (__m512d)v, _CMP_UNORD_Q) != 0;
#elif defined(__AVX2__)
    if constexpr (sizeof(T) == 4)
        return _mm256_movemask_ps((__m256)(v != v)) != 0;
    else
        return _mm256_movemask_pd((__m256d)(v != v)) != 0;
#elif defined(__x86_64__)
    if constexpr (sizeof(T) == 4)
        return _mm_movemask_ps((__m128)(v != v)) != 0;
    else
        return _mm_movemask_pd((__m128d)(v != v)) != 0;
#else
    const T total = sum<T>(v - v);  // infinities count too: callers treat a true as "look closer"
    return total != total;
#endif
}

// -- bytes, one a lane. (GCC 12 converts them by long chains of shuffles.)

// (GCC loses a dependent vector_size on a typedef inside a function template.)
template <class T>
struct ByteLanes {
    typedef uint8 Type __attribute__((vector_size(Vec<T>::lanes)));
};
template <class T>
TAUTEN_INLINE Bits<T> load_bytes(const uint8* p) {
#if defined(__x86_64__)
    int64 word = 0;
    if constexpr (Vec<T>::lanes <= 8) __builtin_memcpy(&word, p, Vec<T>::lanes);
    [[maybe_unused]] const __m128i bytes = _mm_cvtsi64_si128(word);
#if defined(__AVX512F__)
    if constexpr (sizeof(T) == 4)
        return (Bits<T>)_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
    else
        return (Bits<T>)_mm512_cvtepu8_epi64(bytes);
#elif defined(__AVX2__)
    if constexpr (sizeof(T) == 4)
        return (Bits<T>)_mm256_cvtepu8_epi32(bytes);
    else
        return (Bits<T>)_mm256_cvtepu8_epi64(bytes);
#else
    if constexpr (sizeof(T) == 4)
        return (Bits<T>)_mm_cvtepu8_epi32(bytes);
    else
        return (Bits<T>)_mm_cvtepu8_epi64(bytes);
#endif
#else
    typename ByteLanes<T>::Type bytes;
    __builtin_memcpy(&bytes, p, sizeof bytes);
    return __builtin_convertvector(bytes, Bits<T>);
#endif
}

// Lanes from 0 to 255 to the first `count` bytes at p: all at once, or in pieces of 8, 4, 2, 1.
template <class T>
TAUTEN_INLINE void store_bytes(uint8* p, Bits<T> lanes, int64 count) {
#if defined(__AVX512F__)
    const __m128i bytes = sizeof(T) == 4 ? _mm512_cvtepi32_epi8((__m512i)lanes) : _mm512_cvtepi64_epi8((__m512i)lanes);
    if (count == 16)
        _mm_storeu_si128(reinterpret_cast<__m128i*>(p), bytes);
    else
        _mm_mask_storeu_epi8(p, static_cast<__mmask16>((1u << count) - 1u), bytes);
#else
    uint8 all[16];
#if defined(__AVX2__)
    const __m256i order = _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6);
    const __m256i low = sizeof(T) == 4 ? (__m256i)lanes : _mm256_permutevar8x32_epi32((__m256i)lanes, order);
    const __m128i words = _mm_packus_epi32(_mm256_castsi256_si128(low), _mm256_extracti128_si256(low, 1));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(all), _mm_packus_epi16(words, words));
#else
    const auto bytes = __builtin_convertvector(lanes, typename ByteLanes<T>::Type);
    __builtin_memcpy(all, &bytes, sizeof bytes);
#endif
    if (count == Vec<T>::lanes) {
        __builtin_memcpy(p, all, Vec<T>::lanes);
        return;
    }
    const uint8* from = all;
    const auto piece = [&]<int64 size>() __attribute__((always_inline)) {
        if ((count & size) == 0) return;
        __builtin_memcpy(p, from, size);
        p += size;
        from += size;
    };
    piece.template operator()<8>();
    piece.template operator()<4>();
    piece.template operator()<2>();
    piece.template operator()<1>();
#endif
}

// Unsigned 64-bit lanes, as many as doubles: the low halves of a and b multiplied to 64 bits.
typedef uint64 Words __attribute__((vector_size(TAUTEN_VECTOR_BYTES)));
TAUTEN_INLINE Words multiply_low_halves(Words a, Words b) {
#if defined(__AVX512F__)
    return (Words)_mm512_mul_epu32((__m512i)a, (__m512i)b);
#elif defined(__AVX2__)
    return (Words)_mm256_mul_epu32((__m256i)a, (__m256i)b);
#elif defined(__x86_64__)
    return (Words)_mm_mul_epu32((__m128i)a, (__m128i)b);
#else
    return (a & 0xffffffffu) * (b & 0xffffffffu);
#endif
}

// a[0], b[0], a[1], b[1], ... to memory.
template <class Word>
TAUTEN_INLINE void interleave_store(Word* p, Words a, Words b) {
    typedef uint64 Unaligned __attribute__((vector_size(TAUTEN_VECTOR_BYTES), aligned(4), may_alias));
    Words low, high;
#if TAUTEN_VECTOR_BYTES == 64
    low = shuffled<0, 8, 1, 9, 2, 10, 3, 11>(a, b);
    high = shuffled<4, 12, 5, 13, 6, 14, 7, 15>(a, b);
#elif TAUTEN_VECTOR_BYTES == 32
    low = shuffled<0, 4, 1, 5>(a, b);
    high = shuffled<2, 6, 3, 7>(a, b);
#else
    low = shuffled<0, 2>(a, b);
    high = shuffled<1, 3>(a, b);
#endif
    constexpr int64 words = TAUTEN_VECTOR_BYTES / static_cast<int64>(sizeof(Word));
    *reinterpret_cast<Unaligned*>(p) = low;
    *reinterpret_cast<Unaligned*>(p + words) = high;
}

}  // namespace
}  // namespace tauten
