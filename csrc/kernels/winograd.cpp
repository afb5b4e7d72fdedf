// Winograd's minimal filtering (Lavin and Gray 2015): m outputs of a filter of k taps from m + k - 1 products a dimension,
//   y = Aᵀ [(G g) ⊙ (Bᵀ d)]          in two dimensions  Y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A
// and its adjoint for the gradient of g:
//   ∂g = Gᵀ [(A δ) ⊙ (Bᵀ d)]
// The products are the layer's (csrc/layers/winograd.*); here are the five transforms, vectors over channels.
//
// The matrices follow from interpolation at the points 0, ±p, ±q ... and ∞ (Toom and Cook), worked out by the compiler.
// Rows of two points ±p share their even and their odd half. Points were searched for the least error: 5/8 and 3/2
// have half the error of the usual 1 and 2.
#include "kernels/fill.h"
#include "simd/loop.h"

namespace tauten::kernels {
namespace {

// F(m, k) at `count` = m + k - 1 points, the last one ∞.
template <int m, int k>
struct Filtering {
    static constexpr int outputs = m, taps = k, count = m + k - 1;
    static_assert(count == 6 || count == 8);
    // point 0 is 0, points 2i + 1 and 2i + 2 are ±
    static constexpr double point(int i) {
        constexpr double six[] = {0.625, 1.5}, eight[] = {0.5, 1, 2};
        if (i == 0) return 0;
        const double p = count == 6 ? six[(i - 1) / 2] : eight[(i - 1) / 2];
        return i % 2 == 1 ? p : -p;
    }
};

template <int rows_, int columns_>
struct Matrix {
    static constexpr int rows = rows_, columns = columns_;
    double at[rows_][columns_] = {};
};

constexpr double power(double x, int n) {
    double y = 1;
    for (int i = 0; i < n; ++i) y *= x;
    return y;
}

// Π_{l ≠ j} (p_j - p_l) over the finite points
template <class F>
constexpr double distance(int j) {
    double d = 1;
    for (int l = 0; l + 1 < F::count; ++l)
        if (l != j) d *= F::point(j) - F::point(l);
    return d;
}

// Aᵀ
template <class F>
constexpr auto output_matrix() {
    Matrix<F::outputs, F::count> a;
    for (int i = 0; i < F::outputs; ++i)
        for (int j = 0; j + 1 < F::count; ++j) a.at[i][j] = power(F::point(j), i);
    a.at[F::outputs - 1][F::count - 1] = 1;
    return a;
}

// G
template <class F>
constexpr auto weight_matrix() {
    Matrix<F::count, F::taps> g;
    for (int j = 0; j + 1 < F::count; ++j)
        for (int i = 0; i < F::taps; ++i) g.at[j][i] = power(F::point(j), i) / distance<F>(j);
    g.at[F::count - 1][F::taps - 1] = 1;
    return g;
}

// Bᵀ: row j has the coefficients of Π_{l ≠ j} (x - p_l) over the finite points
template <class F>
constexpr auto input_matrix() {
    Matrix<F::count, F::count> b;
    for (int j = 0; j < F::count; ++j) {
        b.at[j][0] = 1;
        int degree = 0;
        for (int l = 0; l + 1 < F::count; ++l) {
            if (l == j) continue;
            ++degree;
            for (int i = degree; i >= 0; --i)
                b.at[j][i] = (i > 0 ? b.at[j][i - 1] : 0) - F::point(l) * (i < degree ? b.at[j][i] : 0);
        }
    }
    return b;
}

template <int rows, int columns>
constexpr auto transposed(const Matrix<rows, columns>& a) {
    Matrix<columns, rows> t;
    for (int i = 0; i < rows; ++i)
        for (int j = 0; j < columns; ++j) t.at[j][i] = a.at[i][j];
    return t;
}

// The five matrices as types. `expands`: from values to points; else from points to values.
template <class F>
struct OfInput {
    static constexpr auto matrix = input_matrix<F>();
    static constexpr bool expands = true;
};
template <class F>
struct OfDelta {
    static constexpr auto matrix = transposed(output_matrix<F>());
    static constexpr bool expands = true;
};
template <class F>
struct OfOutput {
    static constexpr auto matrix = output_matrix<F>();
    static constexpr bool expands = false;
};
template <class F>
struct OfWeights {
    static constexpr auto matrix = weight_matrix<F>();
    static constexpr bool expands = true;
};
template <class F>
struct OfGradient {
    static constexpr auto matrix = transposed(weight_matrix<F>());
    static constexpr bool expands = false;
};

// sum + Σ_{s, s + step, ... < end} M[row, s] x[s], without what is zero
template <class T, class M, int row, int s, int step, int end, bool begun>
TAUTEN_INLINE Native<T> row_sum(const Native<T>* x, Native<T> sum) {
    if constexpr (s >= end) {
        return sum;
    } else {
        constexpr T c = static_cast<T>(M::matrix.at[row][s]);
        if constexpr (c == 0) {
            return row_sum<T, M, row, s + step, step, end, begun>(x, sum);
        } else {
            if constexpr (!begun)
                sum = c == 1 ? x[s] : x[s] * c;
            else if constexpr (c == 1)
                sum += x[s];
            else
                sum = fma(broadcast<T>(c), x[s], sum);
            return row_sum<T, M, row, s + step, step, end, true>(x, sum);
        }
    }
}

// y = M x, from values to points: the rows of ±p are the even half plus and minus the odd one.
template <class T, class M, int row>
TAUTEN_INLINE void expand(const Native<T>* x, Native<T>* y) {
    constexpr int rows = M::matrix.rows, columns = M::matrix.columns;
    if constexpr (row == 0) {
        y[0] = row_sum<T, M, 0, 0, 1, columns, false>(x, zeros<T>());
        y[rows - 1] = row_sum<T, M, rows - 1, 0, 1, columns, false>(x, zeros<T>());
        expand<T, M, 1>(x, y);
    } else if constexpr (row + 1 < rows) {
        const Native<T> even = row_sum<T, M, row, 0, 2, columns, false>(x, zeros<T>());
        const Native<T> odd = row_sum<T, M, row, 1, 2, columns, false>(x, zeros<T>());
        y[row] = even + odd;
        y[row + 1] = even - odd;
        expand<T, M, row + 2>(x, y);
    }
}

// y = M x, from points to values: ±p enter even rows by their sum and odd rows by their difference, x[0] and x[∞] as
// they are.
template <class T, class M, int row>
TAUTEN_INLINE void reduce(const Native<T>* x, const Native<T>* sums, const Native<T>* differences, Native<T>* y) {
    if constexpr (row < M::matrix.rows) {
        constexpr int last = M::matrix.columns - 1;
        constexpr T at_zero = static_cast<T>(M::matrix.at[row][0]), at_infinity = static_cast<T>(M::matrix.at[row][last]);
        static_assert(at_infinity == 0 || at_infinity == 1);
        Native<T> sum = at_zero == 1 ? x[0] : x[0] * at_zero;
        sum = row_sum<T, M, row, 1, 2, last, at_zero != 0>(row % 2 == 0 ? sums : differences, sum);
        if constexpr (at_infinity != 0) sum += x[last];
        y[row] = sum;
        reduce<T, M, row + 1>(x, sums, differences, y);
    }
}

template <class T, class M>
TAUTEN_INLINE void transform(const Native<T>* x, Native<T>* y) {
    if constexpr (M::expands) {
        expand<T, M, 0>(x, y);
    } else {
        constexpr int count = M::matrix.columns;
        Native<T> sums[count], differences[count];
#pragma GCC unroll 8
        for (int j = 1; j + 1 < count; j += 2) {
            sums[j] = x[j] + x[j + 1];
            differences[j] = x[j] - x[j + 1];
        }
        reduce<T, M, 0>(x, sums, differences, y);
    }
}

// One patch after the other: M x Mᵀ in two dimensions, M x in one. finish(patch, row, column, channel, part, value)
// may change a value and says whether it is stored.
template <class T, class M, int dims, class Finish>
TAUTEN_INLINE void patches(const WinogradPatches<T>& p, const Finish& finish) {
    constexpr int rows = M::matrix.rows, columns = M::matrix.columns;
    for (int64 n = 0; n < p.count; ++n) {
        const T* const from = p.from[n];
        T* const to = p.to[n];
        over<T>(p.channels, [&](int64 c, auto part) __attribute__((always_inline)) {
            Native<T> x[columns], y[rows];
            if constexpr (dims == 1) {
#pragma GCC unroll 8
                for (int s = 0; s < columns; ++s) x[s] = part.load(from + s * p.from_column + c);
                transform<T, M>(x, y);
#pragma GCC unroll 8
                for (int r = 0; r < rows; ++r)
                    if (finish(n, 0, r, c, part, y[r])) part.store(to + r * p.to_column + c, y[r]);
            } else {
                Native<T> held[rows][columns];
#pragma GCC unroll 1
                for (int i = 0; i < columns; ++i) {
                    const T* line = from + i * p.from_row + c;
#pragma GCC unroll 8
                    for (int s = 0; s < columns; ++s) x[s] = part.load(line + s * p.from_column);
                    transform<T, M>(x, y);
#pragma GCC unroll 8
                    for (int r = 0; r < rows; ++r) held[r][i] = y[r];
                }
#pragma GCC unroll 1
                for (int j = 0; j < rows; ++j) {
                    transform<T, M>(held[j], y);
                    T* column = to + j * p.to_column + c;
#pragma GCC unroll 8
                    for (int r = 0; r < rows; ++r)
                        if (finish(n, r, j, c, part, y[r])) part.store(column + r * p.to_row, y[r]);
                }
            }
        });
    }
}

template <class T, class M, int dims>
void plain(const WinogradPatches<T>& p) {
    patches<T, M, dims>(p, [](int64, int, int, int64, const auto&, Native<T>&) __attribute__((always_inline)) {
        return true;
    });
}

// Outputs: cut off where they leave the grid, with bias, ReLU, or a ReLU's slope of the layer below.
template <class T, class M, int dims>
void outputs(const WinogradPatches<T>& p) {
    patches<T, M, dims>(p, [&](int64 n, int r, int j, int64 c, const auto& part, Native<T>& y) __attribute__((always_inline)) {
        if (r >= p.rows[n] || j >= p.columns[n]) return false;
        if (p.bias != nullptr) y += part.load(p.bias + c);
        if (p.relu) y = maximum(zeros<T>(), y);  // the second operand where one is NaN
        if (p.below != nullptr) {
            const Native<T> x = part.load(p.below[n] + r * p.below_row + j * p.below_column + c);
            y = select<T>(x > static_cast<T>(0), y, zeros<T>());
        }
        return true;
    });
}

template <class T, class F, int dims>
constexpr WinogradTransforms<T> transforms() {
    return {F::outputs,
            F::taps,
            F::count,
            dims,
            plain<T, OfInput<F>, dims>,
            plain<T, OfDelta<F>, dims>,
            outputs<T, OfOutput<F>, dims>,
            plain<T, OfWeights<F>, dims>,
            plain<T, OfGradient<F>, dims>};
}

// In two dimensions 3 taps at 8 points would be faster still, but with ten times the error of the direct sum.
template <class T>
const WinogradTransforms<T>* winograd(int dims, int64 taps) {
    static constexpr WinogradTransforms<T> all[] = {
        transforms<T, Filtering<6, 3>, 1>(), transforms<T, Filtering<4, 5>, 1>(), transforms<T, Filtering<2, 7>, 1>(),
        transforms<T, Filtering<4, 3>, 2>(), transforms<T, Filtering<4, 5>, 2>(), transforms<T, Filtering<2, 7>, 2>()};
    for (const WinogradTransforms<T>& t : all)
        if (t.dims == dims && t.taps == taps) return &t;
    return nullptr;
}

template <class T>
void fill(Kernels<T>& k) {
    k.winograd = winograd<T>;
}

}  // namespace

namespace TAUTEN_LEVEL {
void fill_winograd(Kernels<float>& k) { fill(k); }
void fill_winograd(Kernels<double>& k) { fill(k); }
}  // namespace TAUTEN_LEVEL

}  // namespace tauten::kernels
