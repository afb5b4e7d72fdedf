// Losses of rows, with the gradient to their inputs in the same pass. A row's loss is summed in lanes, folded in
// halves and finished in double. Weights of nullptr stand for 1.
#include "kernels/fill.h"
#include "simd/loop.h"
#include "simd/math.h"

namespace tauten::kernels {
namespace {

template <class T>
struct SoftmaxCrossEntropy {
    int64 columns;
    const T* logits;
    const T* targets;  // or nullptr: `label`
    int64 label;
    T scale;           // times the row's weight
    T* probabilities;
    T* delta;
};

// What a row leaves for the loss: Σ target · (log Σ e^z - z), z = x - max x.
template <class T>
struct RowSums {
    T exponentials, targets, products;  // Σ e^z, Σ t, Σ t z
};

// A row of at most one vector stays in registers.
template <class T, class Part>
TAUTEN_INLINE RowSums<T> short_row(const SoftmaxCrossEntropy<T>& s, const Part& part) {
    const Native<T> none = zeros<T>(), one = broadcast<T>(1);
    const Native<T> x = part.keep(part.load(s.logits), broadcast<T>(-MathConstants<T>::infinity));
    const Native<T> z = x - maximum_of<T>(x);
    const Native<T> e = exp_nonpositive<T>(z);
    RowSums<T> sums;
    sums.exponentials = sum<T>(e);
    Native<T> target;
    if (s.targets == nullptr) {
        const Bits<T> here = lane_numbers<T>() == static_cast<typename Vec<T>::Integer>(s.label);
        target = select<T>(here, one, none);
        sums.targets = 1;
        T lanes_of_z[Vec<T>::lanes];
        store<T>(lanes_of_z, z);
        sums.products = lanes_of_z[s.label];
    } else {
        target = part.load(s.targets);
        sums.targets = sum<T>(target);
        sums.products = sum<T>(select<T>(target == none, none, target * z));  // an excluded class: 0 · -inf
    }
    const Native<T> softmax = e * (1 / sums.exponentials);
    if (s.probabilities != nullptr) part.store(s.probabilities, softmax);
    if (s.delta != nullptr) part.store(s.delta, (softmax * sums.targets - target) * s.scale);
    return sums;
}

template <class T>
TAUTEN_INLINE RowSums<T> long_row(const SoftmaxCrossEntropy<T>& s) {
    const Native<T> none = zeros<T>(), least = broadcast<T>(-MathConstants<T>::infinity);
    Native<T> largest = least;
    over<T>(s.columns, [&](int64 i, auto part) {
        largest = maximum(part.keep(part.load(s.logits + i), least), largest);
    });
    const T top = maximum_of<T>(largest);
    const T at_label = s.targets == nullptr ? s.logits[s.label] - top : 0;

    T* kept = s.delta != nullptr ? s.delta : s.probabilities;  // e^z on its way; may be the logits themselves
    Native<T> exponentials = none, targets = none, products = none;
    over<T>(s.columns, [&](int64 i, auto part) {
        const Native<T> z = part.keep(part.load(s.logits + i), least) - top;
        const Native<T> e = exp_nonpositive<T>(z);
        exponentials += e;
        if (s.targets != nullptr) {
            const Native<T> target = part.load(s.targets + i);
            targets += target;
            products += select<T>(target == none, none, target * z);
        }
        if (kept != nullptr) part.store(kept + i, e);
    });
    RowSums<T> sums{sum<T>(exponentials), 1, at_label};
    if (s.targets != nullptr) {
        sums.targets = sum<T>(targets);
        sums.products = sum<T>(products);
    }
    const T inverse = 1 / sums.exponentials;
    if (s.probabilities != nullptr)
        over<T>(s.columns, [&](int64 i, auto part) { part.store(s.probabilities + i, part.load(kept + i) * inverse); });
    if (s.delta != nullptr) {
        over<T>(s.columns, [&](int64 i, auto part) {
            const Native<T> softmax = part.load(s.delta + i) * inverse;
            const Native<T> target = s.targets != nullptr ? part.load(s.targets + i) : none;
            part.store(s.delta + i, (softmax * sums.targets - target) * s.scale);
        });
        if (s.targets == nullptr) {
            // the label's own: not delta - scale, which would differ from the short row in rounding
            const T e = exp_nonpositive<T>(broadcast<T>(at_label))[0];
            s.delta[s.label] = (e * inverse - 1) * s.scale;
        }
    }
    return sums;
}

// loss = -Σ target · log softmax(logits);  delta = scale · weight[row] · (softmax · Σ target - target)
// The logarithms wait until there are as many rows as lanes.
template <class T>
void softmax_cross_entropy(int64 rows, int64 columns, const T* logits, int64 logits_row, const int32* labels,
                           const T* targets, int64 targets_row, const T* weights, T scale, T* probabilities,
                           int64 probabilities_row, T* delta, int64 delta_row, double* loss) {
    constexpr int64 lanes = Vec<T>::lanes;
    T exponentials[lanes], target_sums[lanes], products[lanes];
    for (int64 first = 0; first < rows; first += lanes) {
        const int64 count = rows - first < lanes ? rows - first : lanes;
        store<T>(exponentials, broadcast<T>(1));
        for (int64 i = 0; i < count; ++i) {
            const int64 r = first + i;
            const SoftmaxCrossEntropy<T> row{columns,
                                             logits + r * logits_row,
                                             labels != nullptr ? nullptr : targets + r * targets_row,
                                             labels != nullptr ? labels[r] : 0,
                                             weights != nullptr ? scale * weights[r] : scale,
                                             probabilities != nullptr ? probabilities + r * probabilities_row : nullptr,
                                             delta != nullptr ? delta + r * delta_row : nullptr};
            const RowSums<T> sums = columns > lanes    ? long_row(row)
                                    : columns == lanes ? short_row(row, Whole<T>{})
                                                       : short_row(row, First<T>{columns});
            exponentials[i] = sums.exponentials;
            target_sums[i] = sums.targets;
            products[i] = sums.products;
        }
        T logarithms[lanes];
        store<T>(logarithms, log<T>(load<T>(exponentials)));
        for (int64 i = 0; i < count; ++i)
            loss[first + i] = static_cast<double>(target_sums[i]) * static_cast<double>(logarithms[i]) -
                              static_cast<double>(products[i]);
    }
}

// mean over columns of max(z,0) - z·t + log(1 + e^-|z|)
//   = |z| · (z > 0 ? 1 - t : t) + log(1 + e^-|z|), exact also where z saturates at a target of 0 or 1
// delta = scale · weight[row] · (σ(z) - t) / columns
template <class T>
void sigmoid_cross_entropy(int64 rows, int64 columns, const T* logits, int64 logits_row, const T* targets,
                           int64 targets_row, const T* weights, T scale, T* delta, int64 delta_row, double* loss) {
    const Native<T> one = broadcast<T>(1), none = zeros<T>();
    for (int64 r = 0; r < rows; ++r) {
        const T* x = logits + r * logits_row;
        const T* t = targets + r * targets_row;
        T* d = delta != nullptr ? delta + r * delta_row : nullptr;
        const T factor = (weights != nullptr ? scale * weights[r] : scale) / static_cast<T>(columns);
        Native<T> total = none;
        over<T>(columns, [&](int64 i, auto part) __attribute__((always_inline)) {
            const Native<T> z = part.load(x + i), target = part.load(t + i);
            const Native<T> size = maximum(-z, z);
            const Bits<T> positive = z > none;
            const Native<T> e = exp_nonpositive<T>(-size);
            const Native<T> miss = select<T>(positive, one - target, target);
            const Native<T> linear = select<T>((miss == none) & (z == z), none, size * miss);
            total += part.keep(linear + log1p_unit<T>(e), none);
            if (d != nullptr) {
                const Native<T> probability = select<T>(positive, one, e) / (one + e);
                part.store(d + i, (probability - target) * factor);
            }
        });
        loss[r] = static_cast<double>(sum<T>(total)) / static_cast<double>(columns);
    }
}

// mean over columns of (y - t)²;  gradient = scale · weight[row] · 2 (y - t) / columns
template <class T>
void squared_error(int64 rows, int64 columns, const T* y, int64 y_row, const T* targets, int64 targets_row,
                   const T* weights, T scale, T* gradient, int64 gradient_row, double* loss) {
    for (int64 r = 0; r < rows; ++r) {
        const T* out = y + r * y_row;
        const T* t = targets + r * targets_row;
        T* g = gradient != nullptr ? gradient + r * gradient_row : nullptr;
        const T factor = 2 * (weights != nullptr ? scale * weights[r] : scale) / static_cast<T>(columns);
        Native<T> total = zeros<T>();
        over<T>(columns, [&](int64 i, auto part) __attribute__((always_inline)) {
            const Native<T> difference = part.load(out + i) - part.load(t + i);
            total = fma(difference, difference, total);
            if (g != nullptr) part.store(g + i, difference * factor);
        });
        loss[r] = static_cast<double>(sum<T>(total)) / static_cast<double>(columns);
    }
}

template <class T>
void fill(Kernels<T>& k) {
    k.softmax_cross_entropy = softmax_cross_entropy<T>;
    k.sigmoid_cross_entropy = sigmoid_cross_entropy<T>;
    k.squared_error = squared_error<T>;
}

}  // namespace

namespace TAUTEN_LEVEL {
void fill_losses(Kernels<float>& k) { fill(k); }
void fill_losses(Kernels<double>& k) { fill(k); }
}  // namespace TAUTEN_LEVEL

}  // namespace tauten::kernels
