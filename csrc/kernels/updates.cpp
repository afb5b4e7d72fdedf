// The weight update, the sums that penalties need, the look for what is not finite: one pass over memory each.
#include <bit>
#include <type_traits>

#include "kernels/fill.h"
#include "simd/loop.h"

namespace tauten::kernels {
namespace {

// g' = g + 2·l2·w + l1·sign(w);  v = momentum·v - η·g';  w += nesterov ? momentum·v - η·g' : v
template <class T, bool kPenalty, bool kMomentum, bool kNesterov>
void sgd_as(int64 n, T* w, const T* gradient, T* velocity, const SgdArguments<T>& s) {
    const Native<T> rate = broadcast<T>(-s.learning_rate), momentum = broadcast<T>(s.momentum);
    const Native<T> l1 = broadcast<T>(s.l1), twice_l2 = broadcast<T>(2 * s.l2), zero = zeros<T>();
    over<T>(n, [&](int64 i, auto part) __attribute__((always_inline)) {
        Native<T> weight = part.load(w + i), g = part.load(gradient + i);
        if constexpr (kPenalty) {
            g = fma(twice_l2, weight, g);
            g += select<T>(weight > zero, l1, select<T>(weight < zero, -l1, zero));
        }
        if constexpr (kMomentum) {
            const Native<T> v = fma(momentum, part.load(velocity + i), rate * g);
            part.store(velocity + i, v);
            if constexpr (kNesterov)
                weight += fma(momentum, v, rate * g);
            else
                weight += v;
        } else {
            const Native<T> v = rate * g;
            if (velocity != nullptr) part.store(velocity + i, v);
            weight += v;
        }
        part.store(w + i, weight);
    });
}

template <class T, bool kPenalty>
void sgd_with(int64 n, T* w, const T* gradient, T* velocity, const SgdArguments<T>& s) {
    if (s.momentum == 0)
        sgd_as<T, kPenalty, false, false>(n, w, gradient, velocity, s);
    else if (s.nesterov)
        sgd_as<T, kPenalty, true, true>(n, w, gradient, velocity, s);
    else
        sgd_as<T, kPenalty, true, false>(n, w, gradient, velocity, s);
}

template <class T>
void sgd(int64 n, T* w, const T* gradient, T* velocity, const SgdArguments<T>& s) {
    if (s.l1 != 0 || s.l2 != 0)
        sgd_with<T, true>(n, w, gradient, velocity, s);
    else
        sgd_with<T, false>(n, w, gradient, velocity, s);
}

// As many elements as a register has doubles, in double.
template <class T>
struct DoubleLanes {
    typedef T Unaligned __attribute__((vector_size(Vec<double>::lanes * sizeof(T)), aligned(sizeof(T)), may_alias));
};
template <class T>
TAUTEN_INLINE Native<double> load_double(const T* p) {
    return __builtin_convertvector(*reinterpret_cast<const typename DoubleLanes<T>::Unaligned*>(p), Native<double>);
}

// sums[0] = Σ|w|, sums[1] = Σw²: four chains each, element i in lane i % lanes of chain i / lanes % 4; then chain by
// chain and lanes folded in halves. The last block is filled up with zeros.
template <class T>
void penalty_sums(int64 n, const T* w, double* sums) {
    constexpr int64 lanes = Vec<double>::lanes, chains = 4, block = chains * lanes;
    Native<double> absolute[chains] = {}, square[chains] = {};
    const auto add_block = [&](const T* p) __attribute__((always_inline)) {
        for (int64 c = 0; c < chains; ++c) {
            const Native<double> v = load_double(p + c * lanes);
            absolute[c] += maximum(v, -v);
            square[c] = fma(v, v, square[c]);
        }
    };
    int64 i = 0;
    for (; i + block <= n; i += block) add_block(w + i);
    if (i < n) {
        T rest[block] = {};
        for (int64 k = 0; i + k < n; ++k) rest[k] = w[i + k];
        add_block(rest);
    }
    sums[0] = sum<double>((absolute[0] + absolute[1]) + (absolute[2] + absolute[3]));
    sums[1] = sum<double>((square[0] + square[1]) + (square[2] + square[3]));
}

// Not finite: an exponent of all ones.
template <class T>
bool all_finite(int64 n, const T* x) {
    using Word = std::conditional_t<sizeof(T) == 4, uint32, uint64>;
    constexpr Word exponent = sizeof(T) == 4 ? Word{0x7f800000u} : static_cast<Word>(0x7ff0000000000000ull);
    Word bad = 0;
    for (int64 i = 0; i < n; ++i) bad |= static_cast<Word>((std::bit_cast<Word>(x[i]) & exponent) == exponent);
    return bad == 0;
}

template <class T>
void fill(Kernels<T>& k) {
    k.sgd = sgd<T>;
    k.penalty_sums = penalty_sums<T>;
    k.all_finite = all_finite<T>;
}

}  // namespace

namespace TAUTEN_LEVEL {
void fill_updates(Kernels<float>& k) { fill(k); }
void fill_updates(Kernels<double>& k) { fill(k); }
}  // namespace TAUTEN_LEVEL

}  // namespace tauten::kernels
