// Elementwise work over rows x columns: activations, softmax, sums over rows. Dropout is in dropout.h.
#include "kernels/dropout.h"
#include "kernels/fill.h"
#include "simd/activations.h"
#include "simd/loop.h"

namespace tauten::kernels {
namespace {

// y = f(x), f = `chosen` where it is none of the usual ones
template <class T, Activation usual>
void activate_as(Activation chosen, int64 rows, int64 columns, const T* x, int64 x_row, T* y, int64 y_row) {
    if (x_row == columns && y_row == columns) {
        columns *= rows;
        rows = rows > 0;
    }
    const Activation f = usual == Activation::linear ? chosen : usual;
    for (int64 r = 0; r < rows; ++r, x += x_row, y += y_row)
        over<T>(columns, [&](int64 i, auto part) { part.store(y + i, activation_value<T>(f, part.load(x + i))); });
}

template <class T>
void activate(Activation f, int64 rows, int64 columns, const T* x, int64 x_row, T* y, int64 y_row) {
    switch (f) {
        case Activation::relu: return activate_as<T, Activation::relu>(f, rows, columns, x, x_row, y, y_row);
        case Activation::tanh: return activate_as<T, Activation::tanh>(f, rows, columns, x, x_row, y, y_row);
        case Activation::sigmoid: return activate_as<T, Activation::sigmoid>(f, rows, columns, x, x_row, y, y_row);
        default: return activate_as<T, Activation::linear>(f, rows, columns, x, x_row, y, y_row);
    }
}

// gradient ⊙= f'(outputs)
template <class T, Activation usual>
void activation_gradient_as(Activation chosen, int64 rows, int64 columns, const T* outputs, int64 outputs_row, T* gradient,
                            int64 gradient_row) {
    const Activation f = usual == Activation::linear ? chosen : usual;
    if (outputs_row == columns && gradient_row == columns) {
        columns *= rows;
        rows = rows > 0;
    }
    for (int64 r = 0; r < rows; ++r, outputs += outputs_row, gradient += gradient_row)
        over<T>(columns, [&](int64 i, auto part) {
            part.store(gradient + i, through_activation<T>(f, part.load(gradient + i), part.load(outputs + i)));
        });
}

template <class T>
void activation_gradient(Activation f, int64 rows, int64 columns, const T* outputs, int64 outputs_row, T* gradient,
                         int64 gradient_row) {
    const auto run = [&]<Activation usual>() {
        activation_gradient_as<T, usual>(f, rows, columns, outputs, outputs_row, gradient, gradient_row);
    };
    switch (f) {
        case Activation::linear: return;
        case Activation::relu: return run.template operator()<Activation::relu>();
        case Activation::tanh: return run.template operator()<Activation::tanh>();
        case Activation::sigmoid: return run.template operator()<Activation::sigmoid>();
        default: return run.template operator()<Activation::linear>();
    }
}

// y = e^(x - max x) / Σ e^(x - max x). A row with NaN or +inf, or of -inf only, comes out as NaN.
template <class T>
void softmax(int64 rows, int64 columns, const T* x, int64 x_row, T* y, int64 y_row) {
    const Native<T> least = broadcast<T>(-MathConstants<T>::infinity);
    for (int64 r = 0; r < rows; ++r, x += x_row, y += y_row) {
        Native<T> largest = least;
        over<T>(columns, [&](int64 i, auto part) { largest = maximum(part.keep(part.load(x + i), least), largest); });
        const Native<T> top = broadcast<T>(maximum_of<T>(largest));
        Native<T> total = zeros<T>();
        over<T>(columns, [&](int64 i, auto part) {
            const Native<T> e = exp_nonpositive<T>(part.keep(part.load(x + i), least) - top);
            part.store(y + i, e);
            total += e;
        });
        const Native<T> scale = broadcast<T>(1 / sum<T>(total));
        over<T>(columns, [&](int64 i, auto part) { part.store(y + i, part.load(y + i) * scale); });
    }
}

// x_gradient = y ⊙ (y_gradient - Σ y_gradient y)
template <class T>
void softmax_gradient(int64 rows, int64 columns, const T* y, int64 y_row, const T* y_gradient, int64 y_gradient_row,
                      T* x_gradient, int64 x_gradient_row) {
    for (int64 r = 0; r < rows; ++r, y += y_row, y_gradient += y_gradient_row, x_gradient += x_gradient_row) {
        Native<T> product = zeros<T>();
        over<T>(columns, [&](int64 i, auto part) {
            product = fma(part.load(y + i), part.load(y_gradient + i), product);
        });
        const Native<T> total = broadcast<T>(sum<T>(product));
        over<T>(columns, [&](int64 i, auto part) {
            part.store(x_gradient + i, part.load(y + i) * (part.load(y_gradient + i) - total));
        });
    }
}

// y = x - max x - log Σ e^(x - max x). NaN as in softmax.
template <class T>
void log_softmax(int64 rows, int64 columns, const T* x, int64 x_row, T* y, int64 y_row) {
    const Native<T> least = broadcast<T>(-MathConstants<T>::infinity);
    for (int64 r = 0; r < rows; ++r, x += x_row, y += y_row) {
        Native<T> largest = least;
        over<T>(columns, [&](int64 i, auto part) { largest = maximum(part.keep(part.load(x + i), least), largest); });
        const Native<T> top = broadcast<T>(maximum_of<T>(largest));
        Native<T> total = zeros<T>();
        over<T>(columns, [&](int64 i, auto part) {
            total += exp_nonpositive<T>(part.keep(part.load(x + i), least) - top);
        });
        const Native<T> log_total = log<T>(broadcast<T>(sum<T>(total)));
        over<T>(columns, [&](int64 i, auto part) { part.store(y + i, (part.load(x + i) - top) - log_total); });
    }
}

// x_gradient = y_gradient - e^y Σ y_gradient
template <class T>
void log_softmax_gradient(int64 rows, int64 columns, const T* y, int64 y_row, const T* y_gradient, int64 y_gradient_row,
                          T* x_gradient, int64 x_gradient_row) {
    for (int64 r = 0; r < rows; ++r, y += y_row, y_gradient += y_gradient_row, x_gradient += x_gradient_row) {
        Native<T> sums = zeros<T>();
        over<T>(columns, [&](int64 i, auto part) { sums += part.load(y_gradient + i); });
        const Native<T> total = broadcast<T>(sum<T>(sums));
        over<T>(columns, [&](int64 i, auto part) {
            const Native<T> share = exp_nonpositive<T>(part.load(y + i));
            part.store(x_gradient + i, fma(-share, total, part.load(y_gradient + i)));
        });
    }
}

// sums[n] (+)= Σ_rows x[row, n]: one chain of additions a column, from what sums holds or from 0. Several
// vectors of columns at a time, so that the chains overlap.
template <class T>
void column_sums(int64 rows, int64 columns, const T* x, int64 x_row, T* sums, bool accumulate) {
    constexpr int64 lanes = Vec<T>::lanes, wide = 4;
    int64 n = 0;
    for (; n + wide * lanes <= columns; n += wide * lanes) {
        Native<T> total[wide];
        for (int64 v = 0; v < wide; ++v) total[v] = accumulate ? load<T>(sums + n + v * lanes) : zeros<T>();
        const T* from = x + n;
        for (int64 r = 0; r < rows; ++r, from += x_row)
            for (int64 v = 0; v < wide; ++v) total[v] += load<T>(from + v * lanes);
        for (int64 v = 0; v < wide; ++v) store<T>(sums + n + v * lanes, total[v]);
    }
    over<T>(columns - n, [&](int64 i, auto part) {
        Native<T> total = accumulate ? part.load(sums + n + i) : zeros<T>();
        const T* from = x + n + i;
        for (int64 r = 0; r < rows; ++r, from += x_row) total += part.load(from);
        part.store(sums + n + i, total);
    });
}

// y[n] = max_rows x[row, n] and first + the row that reaches it first; a NaN wins. accumulate: over what is there, too.
// Several vectors of columns at a time, so that the chains overlap.
template <class T>
void column_maxima(int64 rows, int64 columns, const T* x, int64 x_row, int64 first, T* y, Index<T>* index, bool accumulate) {
    constexpr int64 lanes = Vec<T>::lanes, wide = 4;
    const auto some = [&]<int64 vectors>(int64 n, auto part) __attribute__((always_inline)) {
        Native<T> largest[vectors];
        Bits<T> where[vectors];
        const std::size_t bytes = static_cast<std::size_t>(part.count) * sizeof(T);
        const T* from = x + n;
        for (int64 v = 0; v < vectors; ++v) {
            largest[v] = part.load((accumulate ? y + n : from) + v * lanes);
            where[v] = Bits<T>{} + static_cast<Index<T>>(first);
            if (accumulate) __builtin_memcpy(&where[v], index + n + v * lanes, bytes);
        }
        for (int64 r = 0; r < rows; ++r, from += x_row)
            for (int64 v = 0; v < vectors; ++v) {
                const Native<T> value = part.load(from + v * lanes);
                const Bits<T> later = ~(value <= largest[v]) & (largest[v] == largest[v]);
                largest[v] = select<T>(later, value, largest[v]);
                where[v] = later ? Bits<T>{} + static_cast<Index<T>>(first + r) : where[v];
            }
        for (int64 v = 0; v < vectors; ++v) {
            part.store(y + n + v * lanes, largest[v]);
            __builtin_memcpy(index + n + v * lanes, &where[v], bytes);
        }
    };
    int64 n = 0;
    for (; n + wide * lanes <= columns; n += wide * lanes) some.template operator()<wide>(n, Whole<T>{});
    over<T>(columns - n, [&](int64 i, auto part) __attribute__((always_inline)) { some.template operator()<1>(n + i, part); });
}

// y += x
template <class T>
void add(int64 n, const T* x, T* y) {
    over<T>(n, [&](int64 i, auto part) { part.store(y + i, part.load(y + i) + part.load(x + i)); });
}

template <class T>
void fill(Kernels<T>& k) {
    k.activate = activate<T>;
    k.activation_gradient = activation_gradient<T>;
    k.softmax = softmax<T>;
    k.softmax_gradient = softmax_gradient<T>;
    k.log_softmax = log_softmax<T>;
    k.log_softmax_gradient = log_softmax_gradient<T>;
    k.dropout = dropout<T>;
    k.column_sums = column_sums<T>;
    k.column_maxima = column_maxima<T>;
    k.add = add<T>;
}

}  // namespace

namespace TAUTEN_LEVEL {
void fill_elementwise(Kernels<float>& k) { fill(k); }
void fill_elementwise(Kernels<double>& k) { fill(k); }
}  // namespace TAUTEN_LEVEL

}  // namespace tauten::kernels
