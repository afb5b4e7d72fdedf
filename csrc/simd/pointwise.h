// The functions of whole vectors that are nodes of their own (PointwiseFunction, core/types.h), each with its derivative,
// which follows from the net value x. Errors of the values, measured against long double (tests/cpp/pointwise_test.cpp),
// in units in the last place: 1 to 2, silu 3, mish 4, gelu 5 (its far negative tail 60 at a level without fused
// multiply-add); hard_sigmoid, hard_silu, tanh_shrink and sparse_plus where they are not near 0. Those of the derivatives
// are below 2 units in the last place of 1.
#pragma once

#include "simd/activations.h"

namespace tauten {
namespace {

template <class T>
TAUTEN_INLINE Native<T> softplus(Native<T> x) {
    return maximum(zeros<T>(), x) + log1p_unit<T>(exp_nonpositive<T>(-absolute<T>(x)));
}

// σ(x) and 1 - σ(x), neither of them by a difference.
template <class T>
struct Sigmoids {
    Native<T> value, rest;

    TAUTEN_INLINE explicit Sigmoids(Native<T> x) {
        const Native<T> one = broadcast<T>(1);
        const Native<T> e = exp_nonpositive<T>(-absolute<T>(x)), inverse = one / (one + e);
        const Bits<T> below = x < static_cast<T>(0);
        value = select<T>(below, e, one) * inverse;
        rest = select<T>(below, one, e) * inverse;
    }
};

// tanh(softplus(x)) by m = e^-|x|: (1 + 2m) / (1 + 2m + 2m²) for x > 0, else m (m + 2) / (m (m + 2) + 2); and 1 minus it.
template <class T>
struct TanhSoftplus {
    Native<T> value, rest;

    TAUTEN_INLINE explicit TanhSoftplus(Native<T> x) {
        const Native<T> m = exp_nonpositive<T>(-absolute<T>(x));
        const Bits<T> above = x > static_cast<T>(0);
        const Native<T> two = broadcast<T>(2), square = m * m * static_cast<T>(2);
        const Native<T> n = select<T>(above, fma(m, two, broadcast<T>(1)), m * (m + two));
        const Native<T> other = select<T>(above, square, two);
        const Native<T> inverse = static_cast<T>(1) / (n + other);
        value = n * inverse;
        rest = other * inverse;
    }
};

template <class T>
struct Parameters {
    T a, b, c, d;
};

// f(x); NaN stays NaN.
template <class T>
TAUTEN_INLINE Native<T> pointwise_value(Pointwise f, const Parameters<T>& p, Native<T> x) {
    const Native<T> one = broadcast<T>(1);
    switch (f) {
        case Pointwise::rectified: {
            // with a slope of 0, -inf comes out as 0
            const T least = p.c == static_cast<T>(0) ? static_cast<T>(0) : -MathConstants<T>::infinity;
            const Native<T> below = maximum(broadcast<T>(least), x - p.a) * p.c;
            return select<T>(x > p.a, minimum(broadcast<T>(p.b), x), below);
        }
        case Pointwise::ramp: return ramp<T>(x, p.a, p.b, p.c, p.d);
        case Pointwise::elu: return elu<T>(x, p.a, p.b);
        case Pointwise::shrink: {
            const Native<T> shift = select<T>(x > static_cast<T>(0), broadcast<T>(p.b), broadcast<T>(-p.b));
            return select<T>(absolute<T>(x) <= p.a, zeros<T>(), x - shift);
        }
        case Pointwise::gelu: return x * Normal<T>(x).below;
        case Pointwise::silu: return x * sigmoid<T>(x);
        case Pointwise::hard_silu: return x * hard_sigmoid<T>(x);
        case Pointwise::mish: return x * TanhSoftplus<T>(x).value;
        case Pointwise::softplus: return softplus<T>(x);
        case Pointwise::log_sigmoid: return -softplus<T>(-x);
        case Pointwise::softsign: return x / (one + absolute<T>(x));
        case Pointwise::exponential: return exp<T>(x);
        case Pointwise::tanh_shrink: return x - tanh<T>(x);
        case Pointwise::sparse_plus: {
            const Native<T> half = ramp<T>(x, static_cast<T>(0.5), static_cast<T>(0.5), 0, 1);
            return select<T>(x > one, x, half * half);
        }
    }
    return x;
}

// gradient ⊙ f'(x): where f' is 0 over a stretch, even an infinite gradient gives 0.
template <class T>
TAUTEN_INLINE Native<T> through_pointwise(Pointwise f, const Parameters<T>& p, Native<T> gradient, Native<T> x) {
    const Native<T> one = broadcast<T>(1);
    switch (f) {
        case Pointwise::rectified: {
            const Native<T> below = p.c == static_cast<T>(0) ? zeros<T>() : gradient * p.c;
            return select<T>(x > p.a, select<T>(x < p.b, gradient, zeros<T>()), below);
        }
        case Pointwise::ramp: {
            const Native<T> y = fma(x, broadcast<T>(p.a), broadcast<T>(p.b));
            return select<T>((y > p.c) & (y < p.d), gradient * p.a, zeros<T>());
        }
        case Pointwise::elu: {
            const Native<T> below = exp_nonpositive<T>(minimum(zeros<T>(), x)) * p.b;
            return gradient * select<T>(x > static_cast<T>(0), broadcast<T>(p.a), below);
        }
        case Pointwise::shrink: return select<T>(absolute<T>(x) > p.a, gradient, zeros<T>());
        case Pointwise::gelu: {
            const Normal<T> normal(x);
            return gradient * fma(x * static_cast<T>(0.3989422804014327), normal.density, normal.below);
        }
        case Pointwise::silu: {
            const Sigmoids<T> s(x);
            return gradient * (s.value * fma(x, s.rest, one));
        }
        case Pointwise::hard_silu: {
            const Native<T> between = fma(x, broadcast<T>(static_cast<T>(1.0 / 3)), broadcast<T>(static_cast<T>(0.5)));
            const Native<T> rising = select<T>(x < static_cast<T>(3), gradient * between, gradient);
            return select<T>(x > static_cast<T>(-3), rising, zeros<T>());
        }
        case Pointwise::mish: {
            const TanhSoftplus<T> t(x);
            return gradient * fma(x * Sigmoids<T>(x).value, t.rest * (one + t.value), t.value);
        }
        case Pointwise::softplus: return gradient * sigmoid<T>(x);
        case Pointwise::log_sigmoid: return gradient * sigmoid<T>(-x);
        case Pointwise::softsign: {
            const Native<T> y = one / (one + absolute<T>(x));
            return gradient * (y * y);
        }
        case Pointwise::exponential: return gradient * exp<T>(x);
        case Pointwise::tanh_shrink: {
            const Native<T> y = tanh<T>(x);
            return gradient * (y * y);
        }
        case Pointwise::sparse_plus:
            return gradient * ramp<T>(x, static_cast<T>(0.5), static_cast<T>(0.5), 0, 1);
    }
    return gradient;
}

}  // namespace
}  // namespace tauten
