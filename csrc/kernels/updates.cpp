// The weight update, the sums that penalties need, the look for what is not finite: one pass over memory each.
#include <bit>
#include <cassert>
#include <type_traits>

#include "kernels/fill.h"
#include "simd/loop.h"

namespace tauten::kernels {
namespace {

// All of these pass over memory once, a vector at a time. Weight decay comes first: w = w - decay·w, decay = η·wd.

// v = momentum·v - η·g;  w += nesterov ? momentum·v - η·g : v;  without momentum: w -= η·g
template <class T, bool kMomentum, bool kNesterov>
void sgd(int64 n, T* w, const T* gradient, T* velocity, const UpdateSettings<T>& s) {
    const Native<T> rate = broadcast<T>(-s.rate), momentum = broadcast<T>(s.momentum), decay = broadcast<T>(-s.decay);
    over<T>(n, [&](int64 i, auto part) __attribute__((always_inline)) {
        Native<T> weight = part.load(w + i), step = rate * part.load(gradient + i);
        weight = fma(decay, weight, weight);
        if constexpr (kMomentum) {
            const Native<T> v = fma(momentum, part.load(velocity + i), step);
            part.store(velocity + i, v);
            step = kNesterov ? fma(momentum, v, step) : v;
        }
        part.store(w + i, weight + step);
    });
}

// m += (g - m)(1 - β1);  v += (g² - v)(1 - β2);  u = amsgrad ? max(u, v) : v;  w -= η m / (sqrt(u) + ε)
template <class T, bool kLargest>
void adam(int64 n, T* w, const T* gradient, T* mean, T* square, T* largest, const UpdateSettings<T>& s) {
    const Native<T> rate = broadcast<T>(s.rate), decay = broadcast<T>(-s.decay), epsilon = broadcast<T>(s.epsilon);
    const Native<T> take = broadcast<T>(s.take), take_square = broadcast<T>(s.take_square);
    over<T>(n, [&](int64 i, auto part) __attribute__((always_inline)) {
        const Native<T> g = part.load(gradient + i), weight = part.load(w + i);
        Native<T> m = part.load(mean + i), v = part.load(square + i);
        m = fma(g - m, take, m);
        v = fma(fma(g, g, -v), take_square, v);
        part.store(mean + i, m);
        part.store(square + i, v);
        if constexpr (kLargest) {
            v = maximum(part.load(largest + i), v);
            part.store(largest + i, v);
        }
        part.store(w + i, fma(decay, weight, weight) - rate * m / (square_root(v) + epsilon));
    });
}

// v = ρ v + (1 - ρ) g²;  a = ρ a + (1 - ρ) g;  step = η g / sqrt(v - a² + ε), without a where not centered;
// b = momentum·b + step;  w -= b, or step without momentum. v - a² is no less than 0 but for rounding.
template <class T, bool kMomentum, bool kCentered>
void rmsprop(int64 n, T* w, const T* gradient, T* square, T* velocity, T* mean, const UpdateSettings<T>& s) {
    const Native<T> rate = broadcast<T>(s.rate), decay = broadcast<T>(-s.decay), epsilon = broadcast<T>(s.epsilon);
    const Native<T> keep = broadcast<T>(s.keep), take = broadcast<T>(s.take), momentum = broadcast<T>(s.momentum);
    over<T>(n, [&](int64 i, auto part) __attribute__((always_inline)) {
        const Native<T> g = part.load(gradient + i), weight = part.load(w + i);
        Native<T> v = fma(keep, part.load(square + i), take * (g * g));
        part.store(square + i, v);
        if constexpr (kCentered) {
            const Native<T> a = fma(keep, part.load(mean + i), take * g);
            part.store(mean + i, a);
            v = maximum(zeros<T>(), fma(-a, a, v));
        }
        Native<T> step = rate * g / square_root(v + epsilon);
        if constexpr (kMomentum) {
            step = fma(momentum, part.load(velocity + i), step);
            part.store(velocity + i, step);
        }
        part.store(w + i, fma(decay, weight, weight) - step);
    });
}

// a += g²;  w -= η g / sqrt(a + ε)
template <class T>
void adagrad(int64 n, T* w, const T* gradient, T* squares, const UpdateSettings<T>& s) {
    const Native<T> rate = broadcast<T>(s.rate), decay = broadcast<T>(-s.decay), epsilon = broadcast<T>(s.epsilon);
    over<T>(n, [&](int64 i, auto part) __attribute__((always_inline)) {
        const Native<T> g = part.load(gradient + i), weight = part.load(w + i);
        const Native<T> a = fma(g, g, part.load(squares + i));
        part.store(squares + i, a);
        part.store(w + i, fma(decay, weight, weight) - rate * g / square_root(a + epsilon));
    });
}

template <class T>
void apply(const UpdateSettings<T>& s, const UpdateBlock<T>& b, int64 at, int64 n, const T* gradient) {
    T* const w = b.weights + at;
    const auto slot = [&](int i) { return b.slots[i] + at; };
    switch (s.rule) {
        case Rule::sgd:
            if (s.momentum == 0) return sgd<T, false, false>(n, w, gradient, nullptr, s);
            if (s.nesterov) return sgd<T, true, true>(n, w, gradient, slot(0), s);
            return sgd<T, true, false>(n, w, gradient, slot(0), s);
        case Rule::adam:
            if (s.amsgrad) return adam<T, true>(n, w, gradient, slot(0), slot(1), slot(2), s);
            return adam<T, false>(n, w, gradient, slot(0), slot(1), nullptr, s);
        case Rule::rmsprop:
            if (s.momentum == 0 && !s.centered) return rmsprop<T, false, false>(n, w, gradient, slot(0), nullptr, nullptr, s);
            if (s.momentum == 0) return rmsprop<T, false, true>(n, w, gradient, slot(0), nullptr, slot(2), s);
            if (!s.centered) return rmsprop<T, true, false>(n, w, gradient, slot(0), slot(1), nullptr, s);
            return rmsprop<T, true, true>(n, w, gradient, slot(0), slot(1), slot(2), s);
        case Rule::adagrad: return adagrad<T>(n, w, gradient, slot(0), s);
    }
}

// g' = g + 2·l2·w + l1·sign(w);  g'' = (g' + accumulator) / divisor;  then within the bound, times the scale
template <class T>
void finish(const UpdateSettings<T>& s, const UpdateBlock<T>& b, int64 at, int64 n, T* to) {
    const T *w = b.weights + at, *gradient = b.gradient + at;
    const T* const accumulator = !b.finished && s.accumulated ? b.accumulator + at : nullptr;
    const bool penalty = !b.finished && (b.l1 != 0 || b.l2 != 0), bounded = s.bound != 0, scaled = b.scale != 1;
    const Native<T> l1 = broadcast<T>(b.l1), twice_l2 = broadcast<T>(2 * b.l2), zero = zeros<T>();
    const Native<T> bound = broadcast<T>(s.bound), scale = broadcast<T>(b.scale), divisor = broadcast<T>(s.divisor);
    over<T>(n, [&](int64 i, auto part) __attribute__((always_inline)) {
        Native<T> g = part.load(gradient + i);
        if (penalty) {
            const Native<T> weight = part.load(w + i);
            g = fma(twice_l2, weight, g);
            g += select<T>(weight > zero, l1, select<T>(weight < zero, -l1, zero));
        }
        if (accumulator) g = (g + part.load(accumulator + i)) / divisor;
        if (bounded) g = minimum(bound, maximum(-bound, g));  // a NaN stays one
        if (scaled) g *= scale;
        part.store(to + i, g);
    });
}

template <class T>
void finish_gradient(const UpdateSettings<T>& s, const UpdateBlock<T>& b, T* to) {
    finish(s, b, 0, b.n, to);
}

// average = momentum·average + (1 - momentum)·w, and w = average
template <class T>
void average(int64 n, T* w, T* mean, const UpdateSettings<T>& s) {
    const Native<T> keep = broadcast<T>(s.average_momentum), take = broadcast<T>(1 - s.average_momentum);
    over<T>(n, [&](int64 i, auto part) __attribute__((always_inline)) {
        const Native<T> value = fma(keep, part.load(mean + i), take * part.load(w + i));
        part.store(mean + i, value);
        if (s.overwrite) part.store(w + i, value);
    });
}

// What goes before and after the rule is done piece by piece, in L1: memory is still passed over once.
template <class T>
void update(const UpdateSettings<T>& s, const UpdateBlock<T>& b) {
    constexpr int64 piece = 512;
    assert(b.accumulator || !(s.accumulate || s.accumulated));
    const bool accumulated = s.accumulated && !b.finished;
    const bool finished = (b.finished || (b.l1 == 0 && b.l2 == 0)) && !accumulated && s.bound == 0 && b.scale == 1;
    if (finished && !s.accumulate && !s.accumulated && !s.average) return apply(s, b, 0, b.n, b.gradient);
    alignas(64) T made[piece];
    for (int64 at = 0; at < b.n; at += piece) {
        const int64 n = b.n - at < piece ? b.n - at : piece;
        if (s.accumulate) {
            finish(s, b, at, n, b.accumulator + at);
        } else {
            if (!finished) finish(s, b, at, n, made);
            apply(s, b, at, n, finished ? b.gradient + at : made);
            if (s.accumulated) over<T>(n, [&](int64 i, auto part) { part.store(b.accumulator + at + i, zeros<T>()); });
        }
        if (s.average) average(n, b.weights + at, b.average + at, s);
    }
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
    k.update = update<T>;
    k.finish_gradient = finish_gradient<T>;
    k.penalty_sums = penalty_sums<T>;
    k.all_finite = all_finite<T>;
}

}  // namespace

namespace TAUTEN_LEVEL {
void fill_updates(Kernels<float>& k) { fill(k); }
void fill_updates(Kernels<double>& k) { fill(k); }
}  // namespace TAUTEN_LEVEL

}  // namespace tauten::kernels
