// Normalization over the rows of a batch, column by column (batch normalization), and over the columns of each row (layer
// normalization). Every sum is one chain of operations in a fixed order, broken off after a few rows, so that its error
// does not grow with the batch.
#include "kernels/fill.h"
#include "simd/loop.h"
#include "simd/activations.h"

namespace tauten::kernels {
namespace {

constexpr int64 stretch_rows = 64;  // rows of a chain in T; chains are put together in double
constexpr int64 wide = 4;           // vectors of columns at a time, so that chains overlap

// f(first column, vectors, lanes) for columns in groups of `wide` vectors, then one by one: body is called with the
// number of vectors as a constant.
template <class T, class Body>
TAUTEN_INLINE void in_groups(int64 columns, const Body& body) {
    constexpr int64 lanes = Vec<T>::lanes;
    int64 n = 0;
    for (; n + wide * lanes <= columns; n += wide * lanes) body.template operator()<wide>(n, Whole<T>{});
    over<T>(columns - n, [&](int64 i, auto part) { body.template operator()<1>(n + i, part); });
}

// -- statistics of columns ---------------------------------------------------------------------------

// A stretch's mean m̃ first, then s = Σ (x - m̃) and q = Σ (x - m̃)²; what m̃ lacks of the mean is s / rows (Chan, Golub &
// LeVeque 1983). Stretches are put together by their means and squared deviations.
template <class T>
void column_moments(int64 rows, int64 columns, const T* x, double* mean, double* squares) {
    constexpr int64 lanes = Vec<T>::lanes;
    for (int64 first = 0; first < rows; first += stretch_rows) {
        const int64 count = rows - first < stretch_rows ? rows - first : stretch_rows;
        const double n = static_cast<double>(count), inverse = 1 / n;
        const double total = static_cast<double>(first) + n, share = n / total;
        in_groups<T>(columns, [&]<int64 vectors>(int64 column, auto part) __attribute__((always_inline)) {
            const T* const top = x + first * columns + column;
            Native<T> centre[vectors], s[vectors], q[vectors];
            for (int64 v = 0; v < vectors; ++v) s[v] = zeros<T>();
            const T* from = top;
            for (int64 r = 0; r < count; ++r, from += columns)
                for (int64 v = 0; v < vectors; ++v) s[v] += part.load(from + v * lanes);
            for (int64 v = 0; v < vectors; ++v) {
                centre[v] = s[v] * static_cast<T>(inverse);
                s[v] = q[v] = zeros<T>();
            }
            from = top;
            for (int64 r = 0; r < count; ++r, from += columns)
                for (int64 v = 0; v < vectors; ++v) {
                    const Native<T> d = part.load(from + v * lanes) - centre[v];
                    s[v] += d;
                    q[v] = fma(d, d, q[v]);
                }
            T of[3][vectors * lanes];
            for (int64 v = 0; v < vectors; ++v) {
                store<T>(of[0] + v * lanes, centre[v]);
                store<T>(of[1] + v * lanes, s[v]);
                store<T>(of[2] + v * lanes, q[v]);
            }
            const int64 wanted = vectors > 1 ? vectors * lanes : part.count;
            for (int64 i = 0; i < wanted; ++i) {
                const double rest = static_cast<double>(of[1][i]) * inverse;
                const double m = static_cast<double>(of[0][i]) + rest;
                const double square = static_cast<double>(of[2][i]) - static_cast<double>(of[1][i]) * rest;
                const double before = first == 0 ? m : mean[column + i];
                const double apart = m - before;
                mean[column + i] = before + apart * share;
                squares[column + i] = (first == 0 ? 0 : squares[column + i]) + square +
                                      apart * apart * static_cast<double>(first) * share;
            }
        });
    }
}

// sums = Σ δ, products = Σ δ (x - shift)
template <class T>
void normalize_sums(int64 rows, int64 columns, const T* x, const T* shift, const T* delta, double* sums,
                    double* products) {
    constexpr int64 lanes = Vec<T>::lanes;
    for (int64 first = 0; first < rows; first += stretch_rows) {
        const int64 count = rows - first < stretch_rows ? rows - first : stretch_rows;
        in_groups<T>(columns, [&]<int64 vectors>(int64 column, auto part) __attribute__((always_inline)) {
            Native<T> centre[vectors], s[vectors], p[vectors];
            for (int64 v = 0; v < vectors; ++v) {
                centre[v] = part.load(shift + column + v * lanes);
                s[v] = p[v] = zeros<T>();
            }
            const T *from = x + first * columns + column, *d = delta + first * columns + column;
            for (int64 r = 0; r < count; ++r, from += columns, d += columns)
                for (int64 v = 0; v < vectors; ++v) {
                    const Native<T> g = part.load(d + v * lanes);
                    s[v] += g;
                    p[v] = fma(g, part.load(from + v * lanes) - centre[v], p[v]);
                }
            T of[2][vectors * lanes];
            for (int64 v = 0; v < vectors; ++v) {
                store<T>(of[0] + v * lanes, s[v]);
                store<T>(of[1] + v * lanes, p[v]);
            }
            const int64 wanted = vectors > 1 ? vectors * lanes : part.count;
            for (int64 i = 0; i < wanted; ++i) {
                sums[column + i] = (first == 0 ? 0 : sums[column + i]) + static_cast<double>(of[0][i]);
                products[column + i] = (first == 0 ? 0 : products[column + i]) + static_cast<double>(of[1][i]);
            }
        });
    }
}

// -- normalization by columns --------------------------------------------------------------------------

template <class T, Activation f, bool adds>
void normalize_as(int64 rows, int64 columns, const T* x, const T* shift, const T* scale, const T* offset, const T* addend,
                  T* y) {
    for (int64 r = 0; r < rows; ++r, x += columns, y += columns, addend += adds ? columns : 0)
        over<T>(columns, [&](int64 i, auto part) __attribute__((always_inline)) {
            const Native<T> centred = part.load(x + i) - part.load(shift + i);
            Native<T> net = fma(centred, part.load(scale + i), part.load(offset + i));
            if constexpr (adds) net += part.load(addend + i);
            part.store(y + i, activation_value<T>(f, net));
        });
}

// y = f((x - shift) scale + offset + addend)
template <class T>
void normalize(Activation f, int64 rows, int64 columns, const T* x, const T* shift, const T* scale, const T* offset,
               const T* addend, T* y) {
    const auto as = [&]<Activation g>() {
        if (addend)
            normalize_as<T, g, true>(rows, columns, x, shift, scale, offset, addend, y);
        else
            normalize_as<T, g, false>(rows, columns, x, shift, scale, offset, addend, y);
    };
    switch (f) {
        case Activation::relu: return as.template operator()<Activation::relu>();
        case Activation::tanh: return as.template operator()<Activation::tanh>();
        case Activation::sigmoid: return as.template operator()<Activation::sigmoid>();
        // linear: no layer has what only cells have
        default: return as.template operator()<Activation::linear>();
    }
}

template <class T, Activation below>
void normalize_gradient_as(int64 rows, int64 columns, const T* x, const T* delta, const T* shift, const T* scale,
                           const T* slope, const T* offset, T* gradient) {
    for (int64 r = 0; r < rows; ++r, x += columns, delta += columns, gradient += columns)
        over<T>(columns, [&](int64 i, auto part) __attribute__((always_inline)) {
            const Native<T> value = part.load(x + i);
            const Native<T> rest = fma(part.load(slope + i), value - part.load(shift + i), part.load(offset + i));
            const Native<T> g = fma(part.load(scale + i), part.load(delta + i), rest);
            part.store(gradient + i, through_activation<T>(below, g, value));
        });
}

// gradient = (scale δ + slope (x - shift) + offset) ⊙ f'(x)
template <class T>
void normalize_gradient(Activation below, int64 rows, int64 columns, const T* x, const T* delta, const T* shift,
                        const T* scale, const T* slope, const T* offset, T* gradient) {
    const auto as = [&]<Activation f>() {
        normalize_gradient_as<T, f>(rows, columns, x, delta, shift, scale, slope, offset, gradient);
    };
    switch (below) {
        case Activation::relu: return as.template operator()<Activation::relu>();
        case Activation::tanh: return as.template operator()<Activation::tanh>();
        case Activation::sigmoid: return as.template operator()<Activation::sigmoid>();
        default: return as.template operator()<Activation::linear>();
    }
}

// -- normalization of rows -----------------------------------------------------------------------------

// Σ body(i, lanes) over a row: `wide` chains, so that they overlap, then one vector after the other.
template <class T, class Body>
TAUTEN_INLINE T row_sum(int64 columns, const Body& body) {
    constexpr int64 lanes = Vec<T>::lanes;
    Native<T> total[wide];
    for (Native<T>& chain : total) chain = zeros<T>();
    int64 n = 0;
    for (; n + wide * lanes <= columns; n += wide * lanes)
        for (int64 v = 0; v < wide; ++v) total[v] += body(n + v * lanes, Whole<T>{});
    over<T>(columns - n, [&](int64 i, auto part) __attribute__((always_inline)) {
        total[0] += part.keep(body(n + i, part), zeros<T>());
    });
    return sum<T>((total[0] + total[1]) + (total[2] + total[3]));
}

// m = Σ x / n, s = 1 / sqrt(Σ (x - m)² / n + epsilon), y = (x - m) s ⊙ gamma + beta. As above, Σ (x - m̃) makes up for the
// rounding of m̃.
template <class T>
void layer_norm(int64 rows, int64 columns, T epsilon, const T* x, const T* gamma, const T* beta, T* moments, T* y) {
    const T inverse = 1 / static_cast<T>(columns);
    for (int64 r = 0; r < rows; ++r, x += columns, y += columns, moments += 2) {
        const Native<T> centre = broadcast<T>(
            inverse * row_sum<T>(columns, [&](int64 i, auto part) __attribute__((always_inline)) { return part.load(x + i); }));
        const T rest = inverse * row_sum<T>(columns, [&](int64 i, auto part) __attribute__((always_inline)) {
            return part.load(x + i) - centre;
        });
        const Native<T> mean = centre + rest;
        const T variance = inverse * row_sum<T>(columns, [&](int64 i, auto part) __attribute__((always_inline)) {
            const Native<T> d = part.load(x + i) - mean;
            return d * d;
        });
        T scale;
        if constexpr (sizeof(T) == 4)
            scale = 1 / __builtin_sqrtf(variance + epsilon);
        else
            scale = 1 / __builtin_sqrt(variance + epsilon);
        moments[0] = mean[0];
        moments[1] = scale;
        over<T>(columns, [&](int64 i, auto part) __attribute__((always_inline)) {
            part.store(y + i, fma((part.load(x + i) - mean) * scale, part.load(gamma + i), part.load(beta + i)));
        });
    }
}

// gradient = s (g - mean(g) - x̂ mean(g ⊙ x̂)), g = δ ⊙ gamma
template <class T>
void layer_norm_gradient(int64 rows, int64 columns, const T* x, const T* moments, const T* gamma, const T* delta,
                         T* gradient) {
    const T inverse = 1 / static_cast<T>(columns);
    for (int64 r = 0; r < rows; ++r, x += columns, delta += columns, gradient += columns, moments += 2) {
        const Native<T> mean = broadcast<T>(moments[0]), scale = broadcast<T>(moments[1]);
        const T of_g = inverse * row_sum<T>(columns, [&](int64 i, auto part) __attribute__((always_inline)) {
            return part.load(delta + i) * part.load(gamma + i);
        });
        const T of_product = inverse * row_sum<T>(columns, [&](int64 i, auto part) __attribute__((always_inline)) {
            return part.load(delta + i) * part.load(gamma + i) * ((part.load(x + i) - mean) * scale);
        });
        over<T>(columns, [&](int64 i, auto part) __attribute__((always_inline)) {
            const Native<T> g = part.load(delta + i) * part.load(gamma + i);
            const Native<T> normalized = (part.load(x + i) - mean) * scale;
            part.store(gradient + i, (g - of_g - normalized * of_product) * scale);
        });
    }
}

// products += Σ δ x̂, sums += Σ δ: one chain a column
template <class T>
void layer_norm_sums(int64 rows, int64 columns, int64 stride, const T* x, const T* moments, const T* delta, T* products,
                     T* sums) {
    constexpr int64 lanes = Vec<T>::lanes;
    in_groups<T>(columns, [&]<int64 vectors>(int64 column, auto part) __attribute__((always_inline)) {
        Native<T> s[vectors], p[vectors];
        for (int64 v = 0; v < vectors; ++v) {
            p[v] = part.load(products + column + v * lanes);
            s[v] = part.load(sums + column + v * lanes);
        }
        const T *from = x + column, *d = delta + column;
        for (int64 r = 0; r < rows; ++r, from += stride, d += stride) {
            const Native<T> mean = broadcast<T>(moments[2 * r]), scale = broadcast<T>(moments[2 * r + 1]);
            for (int64 v = 0; v < vectors; ++v) {
                const Native<T> g = part.load(d + v * lanes);
                s[v] += g;
                p[v] = fma(g, (part.load(from + v * lanes) - mean) * scale, p[v]);
            }
        }
        for (int64 v = 0; v < vectors; ++v) {
            part.store(products + column + v * lanes, p[v]);
            part.store(sums + column + v * lanes, s[v]);
        }
    });
}

template <class T>
void fill(Kernels<T>& k) {
    k.column_moments = column_moments<T>;
    k.normalize = normalize<T>;
    k.normalize_sums = normalize_sums<T>;
    k.normalize_gradient = normalize_gradient<T>;
    k.layer_norm = layer_norm<T>;
    k.layer_norm_gradient = layer_norm_gradient<T>;
    k.layer_norm_sums = layer_norm_sums<T>;
}

}  // namespace

namespace TAUTEN_LEVEL {
void fill_normalization(Kernels<float>& k) { fill(k); }
void fill_normalization(Kernels<double>& k) { fill(k); }
}  // namespace TAUTEN_LEVEL

}  // namespace tauten::kernels
