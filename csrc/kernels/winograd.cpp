// Winograd's minimal filtering (Lavin and Gray 2015): m outputs of a filter of k taps from m + k - 1 products a dimension,
//   y = Aᵀ [(G g) ⊙ (Bᵀ d)]          in two dimensions  Y = Aᵀ [(G g Gᵀ) ⊙ (Bᵀ d B)] A
// and its adjoint for the gradient of g:
//   ∂g = Gᵀ [(A δ) ⊙ (Bᵀ d)]
// The products are the layer's (csrc/layers/winograd.*); here are the five transforms, vectors over channels.
//
// The matrices follow from interpolation at the points 0, ±p, ±q ... and ∞ (Toom and Cook), worked out by the compiler.
// Rows of two points ±p share their even and their odd half. Points were chosen by trial for the least error.
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

[[maybe_unused]] constexpr double power(double x, int n) {
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

// Without the columns of -p, whose values are added to or taken from those of p before.
template <int rows, int columns>
constexpr auto halved(Matrix<rows, columns> a) {
    for (int i = 0; i < rows; ++i)
        for (int j = 2; j + 1 < columns; j += 2) a.at[i][j] = 0;
    return a;
}

// The five matrices as types. `expands`: from values to points; else from points to values.
template <class F>
struct OfInput : F {
    static constexpr auto matrix = input_matrix<F>();
    static constexpr bool expands = true;
};
template <class F>
struct OfDelta : F {
    static constexpr auto matrix = transposed(output_matrix<F>());
    static constexpr bool expands = true;
};
template <class F>
struct OfOutput : F {
    static constexpr auto matrix = halved(output_matrix<F>());
    static constexpr bool expands = false;
};
template <class F>
struct OfWeights : F {
    static constexpr auto matrix = weight_matrix<F>();
    static constexpr bool expands = true;
};
template <class F>
struct OfGradient : F {
    static constexpr auto matrix = halved(transposed(weight_matrix<F>()));
    static constexpr bool expands = false;
};

// Σ_{s = first, first + step, ... < end} M[row, s] x[s], without what is zero: from the first term whose factor is 1, if
// there is one, since that costs nothing.
template <class M, int row, int first, int step, int end>
constexpr int free_term() {
    for (int s = first; s < end; s += step)
        if (M::matrix.at[row][s] == 1) return s;
    for (int s = first; s < end; s += step)
        if (M::matrix.at[row][s] != 0) return s;
    return -1;
}
template <class T, class M, int row, int s, int step, int end, int begun>
TAUTEN_INLINE Native<T> add_terms(const Native<T>* x, Native<T> sum) {
    if constexpr (s >= end) {
        return sum;
    } else {
        constexpr T c = static_cast<T>(M::matrix.at[row][s]);
        if constexpr (s == begun || c == 0) {
        } else if constexpr (c == 1) {
            sum += x[s];
        } else if constexpr (c == -1) {
            sum -= x[s];
        } else {
            sum = fma(broadcast<T>(c), x[s], sum);
        }
        return add_terms<T, M, row, s + step, step, end, begun>(x, sum);
    }
}
template <class T, class M, int row, int first, int step, int end>
TAUTEN_INLINE Native<T> row_sum(const Native<T>* x) {
    constexpr int s = free_term<M, row, first, step, end>();
    if constexpr (s < 0) {
        return zeros<T>();
    } else {
        constexpr T c = static_cast<T>(M::matrix.at[row][s]);
        return add_terms<T, M, row, first, step, end, s>(x, c == 1 ? x[s] : x[s] * c);
    }
}

// The rows of M in groups that share work: expanding, ±p, which are the even half plus and minus the odd one, and the two of 0 and ∞; else the even rows, which take ±p by their sum, and the odd ones, by their
// difference.
template <class M>
[[maybe_unused]] constexpr int groups = M::expands ? M::matrix.rows / 2 : 2;
template <class M, int group>
[[maybe_unused]] constexpr int group_rows = M::expands ? 2 : (M::matrix.rows + 1 - group) / 2;
template <class M>
constexpr int group_row(int group, int i) {
    return !M::expands ? 2 * i + group : group > 0 ? 2 * group - 1 + i : i * (M::matrix.rows - 1);
}

// y[i] = row i of the group, times x
template <class T, class M, int group>
TAUTEN_INLINE void multiply(const Native<T>* x, Native<T>* y) {
    constexpr int columns = M::matrix.columns, rows = M::matrix.rows;
    if constexpr (!M::expands) {
        Native<T> pairs[columns];
        pairs[0] = x[0];
        pairs[columns - 1] = x[columns - 1];
#pragma GCC unroll 8
        for (int i = 1; i + 1 < columns; i += 2) pairs[i] = group == 0 ? x[i] + x[i + 1] : x[i] - x[i + 1];
        y[0] = row_sum<T, M, group, 0, 1, columns>(pairs);
        if constexpr (group + 2 < rows) y[1] = row_sum<T, M, group + 2, 0, 1, columns>(pairs);
        if constexpr (group + 4 < rows) y[2] = row_sum<T, M, group + 4, 0, 1, columns>(pairs);
        if constexpr (group + 6 < rows) y[3] = row_sum<T, M, group + 6, 0, 1, columns>(pairs);
    } else if constexpr (group == 0) {
        y[0] = row_sum<T, M, 0, 0, 1, columns>(x);
        y[1] = row_sum<T, M, rows - 1, 0, 1, columns>(x);
    } else {
        const Native<T> even = row_sum<T, M, 2 * group - 1, 0, 2, columns>(x);
        const Native<T> odd = row_sum<T, M, 2 * group - 1, 1, 2, columns>(x);
        y[0] = even + odd;
        y[1] = even - odd;
    }
}

// y = M x
template <class T, class M, int group = 0>
TAUTEN_INLINE void multiply_all(const Native<T>* x, Native<T>* y) {
    if constexpr (group < groups<M>) {
        constexpr int count = group_rows<M, group>;
        Native<T> some[count + 1];
        multiply<T, M, group>(x, some);
#pragma GCC unroll 8
        for (int i = 0; i < count; ++i) y[group_row<M>(group, i)] = some[i];
        multiply_all<T, M, group + 1>(x, y);
    }
}

// Wide registers are many: rows of M x, a group at a time, never leave them, which loads x once a group. That gains a
// fifth where x is small; elsewhere M x goes through memory.
#if defined(__AVX512F__)
inline constexpr bool many_registers = true;
#else
inline constexpr bool many_registers = false;
#endif

// Compilers would rather read memory again for every use of a value.
template <class T>
TAUTEN_INLINE Native<T> in_register(Native<T> v) {
#if defined(__x86_64__)
    asm("" : "+v"(v));
#endif
    return v;
}

template <class T>
[[maybe_unused]] inline constexpr int64 points_ahead = 2 * Vec<T>::lanes;

// M x Mᵀ for the rows of one group after the other.
template <class T, class M, int group, class Part, class Finish>
TAUTEN_INLINE void by_groups(const T* from, int64 from_row, int64 from_column, const Part& part, const Finish& finish) {
    if constexpr (group < groups<M>) {
        constexpr int rows = M::matrix.rows, columns = M::matrix.columns, count = group_rows<M, group>;
        Native<T> held[count + 1][columns];
#pragma GCC unroll 8
        for (int j = 0; j < columns; ++j) {
            Native<T> x[columns], y[count + 1];
#pragma GCC unroll 8
            for (int s = 0; s < columns; ++s) x[s] = in_register<T>(part.load(from + s * from_row + j * from_column));
            multiply<T, M, group>(x, y);
#pragma GCC unroll 8
            for (int i = 0; i < count; ++i) held[i][j] = y[i];
        }
#pragma GCC unroll 8
        for (int i = 0; i < count; ++i) {
            Native<T> y[rows];
            multiply_all<T, M>(held[i], y);
#pragma GCC unroll 8
            for (int r = 0; r < rows; ++r) finish(group_row<M>(group, i), r, y[r]);
        }
        by_groups<T, M, group + 1>(from, from_row, from_column, part, finish);
    }
}

// A vector of a patch: M x Mᵀ in two dimensions, M x in one. finish(row, column, value) stores.
template <class T, class M, int dims, bool in_registers, class Part, class Finish>
TAUTEN_INLINE void patch(const T* from, int64 from_row, int64 from_column, const Part& part, const Finish& finish) {
    constexpr int rows = M::matrix.rows, columns = M::matrix.columns;
    Native<T> x[columns], y[rows];
    if constexpr (dims == 1) {
#pragma GCC unroll 8
        for (int s = 0; s < columns; ++s) x[s] = in_register<T>(part.load(from + s * from_column));
        multiply_all<T, M>(x, y);
#pragma GCC unroll 8
        for (int r = 0; r < rows; ++r) finish(0, r, y[r]);
    } else if constexpr (in_registers) {
        by_groups<T, M, 0>(from, from_row, from_column, part, finish);
    } else {
        Native<T> held[rows][columns];
#pragma GCC unroll 1
        for (int j = 0; j < columns; ++j) {
            const T* top = from + j * from_column;
#pragma GCC unroll 8
            for (int s = 0; s < columns; ++s) {
                x[s] = in_register<T>(part.load(top + s * from_row));
                // Points are too many streams for the processor to fetch ahead.
                if constexpr (!M::expands) __builtin_prefetch(top + s * from_row + points_ahead<T>);
            }
            multiply_all<T, M>(x, y);
#pragma GCC unroll 8
            for (int r = 0; r < rows; ++r) held[r][j] = y[r];
        }
#pragma GCC unroll 1
        for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 8
            for (int s = 0; s < columns; ++s) x[s] = in_register<T>(held[i][s]);
            multiply_all<T, M>(x, y);
#pragma GCC unroll 8
            for (int r = 0; r < rows; ++r) finish(i, r, y[r]);
        }
    }
}

// One patch after the other. finish(patch, row, column, channel, part, value) stores.
template <class T, class M, int dims, bool in_registers, class Finish>
TAUTEN_INLINE void patches(const WinogradPatches<T>& p, const Finish& finish) {
    const int64 count = p.count, channels = p.channels, from_row = p.from_row, from_column = p.from_column;
    for (int64 n = 0; n < count; ++n) {
        const T* const from = p.from[n];
        over<T>(channels, [&](int64 c, auto part) __attribute__((always_inline)) {
            patch<T, M, dims, in_registers && decltype(part)::whole>(
                from + c, from_row, from_column, part,
                [&](int r, int j, Native<T> y) __attribute__((always_inline)) { finish(n, r, j, c, part, y); });
        });
    }
}

template <class T, class M, int dims, bool in_registers>
void plain(const WinogradPatches<T>& p) {
    T* const* const to = p.to;
    const int64 to_row = p.to_row, to_column = p.to_column;
    patches<T, M, dims, in_registers>(
        p, [=](int64 n, int r, int j, int64 c, const auto& part, Native<T> y) __attribute__((always_inline)) {
            part.store(to[n] + r * to_row + j * to_column + c, y);
        });
}

// Outputs: cut off where they leave the grid, with bias, ReLU, or a ReLU's slope of the layer below.
template <class T, class M, int dims>
void outputs(const WinogradPatches<T>& patch) {
    const WinogradPatches<T> p = patch;  // a copy: stores cannot change it
    patches<T, M, dims, false>(
        p, [&](int64 n, int r, int j, int64 c, const auto& part, Native<T> y) __attribute__((always_inline)) {
            if (r >= p.rows[n] || j >= p.columns[n]) return;
            if (p.bias != nullptr) y += part.load(p.bias + c);
            if (p.relu) y = maximum(zeros<T>(), y);  // the second operand where one is NaN
            if (p.below != nullptr) {
                const Native<T> x = part.load(p.below[n] + r * p.below_row + j * p.below_column + c);
                y = select<T>(x > static_cast<T>(0), y, zeros<T>());
            }
            part.store(p.to[n] + r * p.to_row + j * p.to_column + c, y);
        });
}

template <class T, class F, int dims>
constexpr WinogradTransforms<T> transforms() {
    return {F::outputs,
            F::taps,
            F::count,
            dims,
            plain<T, OfInput<F>, dims, many_registers && F::count == 6>,
            plain<T, OfDelta<F>, dims, many_registers>,
            outputs<T, OfOutput<F>, dims>,
            plain<T, OfWeights<F>, dims, false>,
            plain<T, OfGradient<F>, dims, false>};
}

// In two dimensions 3 taps at 8 points would be faster still, but with ten times the error of the direct sum. x86 without
// AVX2 does without: what few such processors gain would cost everybody a minute of compiling.
template <class T>
const WinogradTransforms<T>* winograd(int dims, int64 taps) {
#if !defined(__x86_64__) || defined(__AVX2__)
    static constexpr WinogradTransforms<T> all[] = {
        transforms<T, Filtering<6, 3>, 1>(), transforms<T, Filtering<4, 5>, 1>(), transforms<T, Filtering<2, 7>, 1>(),
        transforms<T, Filtering<4, 3>, 2>(), transforms<T, Filtering<4, 5>, 2>()};
    for (const WinogradTransforms<T>& t : all)
        if (t.dims == dims && t.taps == taps) return &t;
#else
    (void)dims; (void)taps;
#endif
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
