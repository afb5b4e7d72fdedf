// exp, log, tanh, sigmoid and the normal distribution of whole vectors. Straight-line code on explicit fused
// multiply-adds: results depend on the level only. Errors, measured against long double (tests/cpp/math_test.cpp):
//
//              float   double   (either, at a level without fused multiply-add)
//   exp        0.9     0.9      (1.2)  ULP
//   log        0.9     0.8      (0.9)
//   tanh       1.9     2.1      (2.1)
//   sigmoid    2.3     2.3      (2.3)
//
// NaN gives NaN, and results in the denormal range may come out as 0. Division is true division: the
// reciprocal approximations differ between vendors.
// Coefficients: Remez exchange in mpmath on the reduced range, rounded to T one by one, low orders first, the rest
// refitted after each.
#pragma once

#include "simd/vec.h"

namespace tauten {
namespace {

template <class T>
struct MathConstants;

template <>
struct MathConstants<float> {
    static constexpr float infinity = __builtin_inff();
    static constexpr float not_a_number = __builtin_nanf("");
    static constexpr int mantissa_bits = 23;
    static constexpr float log2_e = 0x1.715476p+0f;
    // ln 2 in two parts; the product of the first with an exponent is exact
    static constexpr float ln2_high = 0x1.62ep-1f, ln2_low = 0x1.0bfbe8p-15f;
    static constexpr float integer_maker = 12582912.0f;  // 1.5 · 2^23: adding it rounds to an integer
    static constexpr float bias = 127.0f;
    static constexpr float smallest_normal = 0x1p-126f, denormal_scale = 0x1p23f;
    static constexpr float exp_overflow = 0x1.62e42ep+6f;     // largest x with finite e^x
    static constexpr float exp_underflow = -0x1.5d589ep+6f;   // smallest x with normal e^x
    static constexpr float exp_zero = -88.0f;                 // 2^n is 0 from here on
    static constexpr float tanh_one = 20.0f;
    static constexpr int32 sqrt_half_bits = 0x3f3504f3;
    // e^r = 1 + r + r² q(r), |r| <= ln 2 / 2
    static constexpr float exp_q[] = {0x1.fffffcp-2f, 0x1.555488p-3f, 0x1.555842p-5f, 0x1.1240ep-7f, 0x1.6ae862p-10f};
    // log(1 + f) = 2s + s³ R(s²), s = f / (2 + f)
    static constexpr float log_r[] = {0x1.555554p-1f, 0x1.999c26p-2f, 0x1.23d3ep-2f, 0x1.f13bp-3f};
    // Φ(-t) = e^(-t²/2) normal_middle / (t + normal_middle) P(q), q = (t - normal_middle) / (t + normal_middle)
    static constexpr float normal_middle = 3, normal_zero = 13.5;
    static constexpr float normal_p[] = {0x1.f1b89cp-3f, -0x1.5bb438p-3f, 0x1.3a0d02p-4f, -0x1.021e0ep-6f, -0x1.c91b54p-9f, 0x1.30811cp-9f,
                                        0x1.65fef4p-12f, -0x1.693a1ap-12f, -0x1.55bc8p-14f, 0x1.723a22p-15f, 0x1.33405ap-16f};
};

template <>
struct MathConstants<double> {
    static constexpr double infinity = __builtin_inf();
    static constexpr double not_a_number = __builtin_nan("");
    static constexpr int mantissa_bits = 52;
    static constexpr double log2_e = 0x1.71547652b82fep+0;
    static constexpr double ln2_high = 0x1.62e42fefa4p-1, ln2_low = -0x1.8432a1b0e2634p-43;
    static constexpr double integer_maker = 6755399441055744.0;  // 1.5 · 2^52
    static constexpr double bias = 1023.0;
    static constexpr double smallest_normal = 0x1p-1022, denormal_scale = 0x1p52;
    static constexpr double exp_overflow = 0x1.62e42fefa39efp+9;
    static constexpr double exp_underflow = -0x1.6232bdd7abcd2p+9;
    static constexpr double exp_zero = -709.0;
    static constexpr double tanh_one = 40.0;
    static constexpr int64 sqrt_half_bits = 0x3fe6a09e667f3bcd;
    static constexpr double exp_q[] = {0x1p-1,
                                       0x1.5555555555556p-3,
                                       0x1.5555555555557p-5,
                                       0x1.1111111110d4ap-7,
                                       0x1.6c16c16c1554p-10,
                                       0x1.a01a01a1d1208p-13,
                                       0x1.a01a01ac9167ep-16,
                                       0x1.71de35062dfabp-19,
                                       0x1.27e4cc6e00517p-22,
                                       0x1.ae72e26ba5a55p-26,
                                       0x1.1fe8819cec6a6p-29,
                                       0x1.635dbec56317ep-33};
    static constexpr double log_r[] = {0x1.5555555555555p-1, 0x1.9999999999d16p-2, 0x1.2492492438dcbp-2,
                                       0x1.c71c724c5981cp-3, 0x1.745ce1713ab3p-3,  0x1.3b2034ff666aep-3,
                                       0x1.0f65b48762179p-3, 0x1.0f1cd44e34df8p-3};
    static constexpr double normal_middle = 5, normal_zero = 38.5;
    static constexpr double normal_p[] = {0x1.3b0fbcb4c77bep-3, -0x1.108a698eca1acp-3, 0x1.95c11dc6c593ep-4,
                                          -0x1.00d8ab2d2aec3p-4, 0x1.0e5e8ee59adb8p-5, -0x1.c4f9d5475d594p-7,
                                          0x1.1090aa5d58eaep-8, -0x1.39e0d8889ee1dp-11, -0x1.4ea692fec000ap-13,
                                          0x1.c9182ede26108p-14, -0x1.8e76bc8546b28p-17, -0x1.4df3ddb5d1c0ep-17,
                                          0x1.bfc89e14bb64dp-19, 0x1.ab72954df5391p-21, -0x1.295ac90cb27dep-21,
                                          -0x1.2131762f75155p-24, 0x1.742340accc832p-24, 0x1.23250ed8f6529p-27,
                                          -0x1.c581ed739a52fp-27, -0x1.0269072c7f6efp-29, 0x1.a53fee69f8f64p-30,
                                          0x1.88e9febf61284p-32, -0x1.033f0932696d9p-35};
};

// c[0] + c[1] x + ... + c[n-1] x^(n-1)
template <class T, int n>
TAUTEN_INLINE Native<T> polynomial(const T (&c)[n], Native<T> x) {
    Native<T> y = broadcast<T>(c[n - 1]);
    for (int i = n - 2; i >= 0; --i) y = fma(y, x, broadcast<T>(c[i]));
    return y;
}

// x = n ln 2 + r: r, and 2^n as a number or as an exponent to add to.
template <class T>
struct ExpReduced {
    Native<T> r;
    Bits<T> biased;  // n + bias in the low bits

    TAUTEN_INLINE explicit ExpReduced(Native<T> x) {
        using M = MathConstants<T>;
        constexpr T maker = M::integer_maker + M::bias;
        const Native<T> t = fma(x, broadcast<T>(M::log2_e), broadcast<T>(maker));
        const Native<T> n = t - maker;
        r = fma(n, broadcast<T>(-M::ln2_high), x);
        r = fma(n, broadcast<T>(-M::ln2_low), r);
        biased = (Bits<T>)t;
    }
    // e^r
    TAUTEN_INLINE Native<T> mantissa() const {
        const Native<T> one = broadcast<T>(1);
        return fma(r, fma(r, polynomial(MathConstants<T>::exp_q, r), one), one);
    }
    // 2^n, 0 for n = -bias
    TAUTEN_INLINE Native<T> power() const { return (Native<T>)(biased << MathConstants<T>::mantissa_bits); }
};

// e^x for x <= 0 (up to some 88 in fact), as softmax and sigmoid need it.
template <class T>
TAUTEN_INLINE Native<T> exp_nonpositive(Native<T> x) {
    const ExpReduced<T> e(maximum(broadcast<T>(MathConstants<T>::exp_zero), x));  // NaN passes
    return e.mantissa() * e.power();
}

template <class T>
TAUTEN_INLINE Native<T> exp(Native<T> x) {
    using M = MathConstants<T>;
    const ExpReduced<T> e(x);
    // n reaches bias + 1, where 2^n overflows though e^x does not: add n to the exponent of e^r.
    constexpr auto bias = static_cast<typename IntegerOf<T>::unsigned_type>(M::bias);
    const UnsignedBits<T> power = ((UnsignedBits<T>)e.biased - bias) << M::mantissa_bits;
    Native<T> y = (Native<T>)((UnsignedBits<T>)e.mantissa() + power);
    y = select<T>(x > M::exp_overflow, broadcast<T>(M::infinity), y);
    y = select<T>(x < M::exp_underflow, zeros<T>(), y);
    return select<T>(x == x, y, x);
}

// x = 2^k m, sqrt(1/2) <= m < sqrt(2), f = m - 1:  log x = k ln 2 + f - s (f - s² R(s²))
template <class T>
TAUTEN_INLINE Native<T> log(Native<T> x) {
    using M = MathConstants<T>;
    using Integer = typename Vec<T>::Integer;
    const Bits<T> denormal = x < M::smallest_normal;
    const UnsignedBits<T> bits = (UnsignedBits<T>)select<T>(denormal, x * M::denormal_scale, x);
    const UnsignedBits<T> above = bits - static_cast<typename IntegerOf<T>::unsigned_type>(M::sqrt_half_bits);
    const UnsignedBits<T> power = (UnsignedBits<T>)((Bits<T>)above >> M::mantissa_bits);
    const Native<T> f = (Native<T>)(bits - (power << M::mantissa_bits)) - static_cast<T>(1);
    // an integer to T: put it into the low bits of 1.5 · 2^mantissa_bits
    const UnsignedBits<T> maker = (UnsignedBits<T>)broadcast<T>(M::integer_maker);
    Native<T> k = (Native<T>)(maker + power) - M::integer_maker;
    k = select<T>(denormal, k - static_cast<T>(static_cast<Integer>(M::mantissa_bits)), k);
    const Native<T> s = f / (f + static_cast<T>(2));
    const Native<T> z = s * s;
    const Native<T> tail = f - z * polynomial(M::log_r, z);
    Native<T> y = f - fma(s, tail, k * -M::ln2_low);
    y = fma(k, broadcast<T>(M::ln2_high), y);
    y = select<T>(x == M::infinity, x, y);
    const Native<T> outside =
        select<T>(x == static_cast<T>(0), broadcast<T>(-M::infinity), broadcast<T>(M::not_a_number));
    return select<T>(x > static_cast<T>(0), y, outside);
}

// e = e^(-2|x|) = 2^n e^r, p = 1 - e^r:  tanh |x| = (1 - e) / (1 + e) = ((1 - 2^n) + 2^n p) / ((1 + 2^n) - 2^n p)
// free of cancellation near 0, where n = 0.
template <class T>
TAUTEN_INLINE Native<T> tanh(Native<T> x) {
    using M = MathConstants<T>;
    const Native<T> one = broadcast<T>(1);
    const Bits<T> sign = (Bits<T>)x & (Bits<T>)broadcast<T>(static_cast<T>(-0.0));
    const Native<T> magnitude = (Native<T>)((Bits<T>)x ^ sign);
    const Native<T> clamped = minimum(broadcast<T>(M::tanh_one), magnitude);
    const ExpReduced<T> e(clamped * static_cast<T>(-2));
    const Native<T> p = -fma(e.r * e.r, polynomial(M::exp_q, e.r), e.r);
    const Native<T> power = e.power();
    const Native<T> y = fma(power, p, one - power) / fma(power, -p, one + power);
    return (Native<T>)((Bits<T>)y | sign);
}

// log(1 + x) for 0 <= x <= 1, without loss for small x. f = x or (x - 1) / 2, as in log.
template <class T>
TAUTEN_INLINE Native<T> log1p_unit(Native<T> x) {
    using M = MathConstants<T>;
    const Bits<T> large = x > static_cast<T>(0.41421356);
    const Native<T> f = select<T>(large, (x - static_cast<T>(1)) * static_cast<T>(0.5), x);
    const Native<T> s = f / (f + static_cast<T>(2));
    const Native<T> z = s * s;
    const Native<T> tail = f - z * polynomial(M::log_r, z);
    const Native<T> low = select<T>(large, broadcast<T>(-M::ln2_low), zeros<T>());
    return (f - fma(s, tail, low)) + select<T>(large, broadcast<T>(M::ln2_high), zeros<T>());
}

// 1 / (1 + e^-x), by e = e^-|x|: 1 / (1 + e) or e / (1 + e). The relative error is small for all x.
template <class T>
TAUTEN_INLINE Native<T> sigmoid(Native<T> x) {
    const Native<T> one = broadcast<T>(1);
    const Bits<T> minus = (Bits<T>)broadcast<T>(static_cast<T>(-0.0));
    const Native<T> e = exp_nonpositive<T>((Native<T>)((Bits<T>)x | minus));
    return select<T>(x < static_cast<T>(0), e, one) / (one + e);
}

// e^x - 1 for x <= 0, without loss near 0: e^x = 2^n (1 + p).
template <class T>
TAUTEN_INLINE Native<T> expm1_nonpositive(Native<T> x) {
    using M = MathConstants<T>;
    const ExpReduced<T> e(maximum(broadcast<T>(M::exp_zero), x));
    const Native<T> p = fma(e.r * e.r, polynomial(M::exp_q, e.r), e.r);
    const Native<T> power = e.power();
    return fma(power, p, power - static_cast<T>(1));
}

// The normal distribution: Φ(x) = (1 + erf(x / √2)) / 2, and e^(-x²/2). The lower tail's relative error is small as well.
template <class T>
struct Normal {
    Native<T> below, density;  // density without 1 / √(2π)

    TAUTEN_INLINE explicit Normal(Native<T> x) {
        using M = MathConstants<T>;
        const Native<T> magnitude = (Native<T>)((Bits<T>)x & ~(Bits<T>)broadcast<T>(static_cast<T>(-0.0)));
        const Native<T> t = minimum(broadcast<T>(M::normal_zero), magnitude);  // NaN passes
        const Native<T> square = t * t;
        const Native<T> rest = fma(t, t, -square);  // e^(-t²/2) multiplies t²'s rounding error
        const Native<T> e = exp_nonpositive<T>(square * static_cast<T>(-0.5));
        density = fma(e, rest * static_cast<T>(-0.5), e);
        const Native<T> inverse = static_cast<T>(1) / (t + M::normal_middle);
        const Native<T> q = (t - M::normal_middle) * inverse;
        const Native<T> tail = density * (inverse * M::normal_middle) * polynomial(M::normal_p, q);
        below = select<T>(x > static_cast<T>(0), static_cast<T>(1) - tail, tail);
    }
};

}  // namespace
}  // namespace tauten
