// The register tile of the batch-reduced product: acc[MR][NV] += Σ_taps A_tap[MR x K] · B_tap[K x NV vectors].
//
// Everything else in gemm.cpp and the cells feeds this. An element of acc is one chain of fused
// multiply-adds over the taps in order and k ascending, whatever MR, NV and the variant: bits do not
// depend on how the rows and columns of a product were cut into tiles.
//
// For the LSTM:  gate_tile<T>(taps, tap_count, first_row, rows, panel, bias, scratch)  with rows <= tile_rows.
#pragma once

#include <cassert>

#include "kernels/table.h"
#include "simd/unroll.h"
#include "simd/vec.h"

namespace tauten::kernels {
namespace {

// MR x NV accumulators + NV vectors of B + one broadcast of A have to fit the registers.
#if defined(__AVX512F__)
inline constexpr int tile_rows = 14;  // 28 of 32 registers
#elif defined(__AVX2__)
inline constexpr int tile_rows = 6;  // 12 of 16 registers
#elif defined(__x86_64__)
inline constexpr int tile_rows = 4;  // 8 of 16: a product of its own needs a register, and movaps copies
#else
inline constexpr int tile_rows = 12;  // 24 of 32 registers (aarch64)
#endif

// Rows of a tile that takes all four vectors of a gate panel.
inline constexpr int gate_rows = tile_rows / 2;

// Rows of B and columns of A (where rows are neighbours) are fetched so many k ahead. Measured: products that stream
// from L3 or memory gain 10 %; tiles of few rows and shorter vectors, whose k is over in a few cycles, lose.
inline constexpr int64 prefetch_b = 16, prefetch_a = 8;
template <int MR>
inline constexpr bool prefetches = TAUTEN_VECTOR_BYTES == 64 && MR >= 4;

// Steps of k in one turn of the loop. A sanitizer's checks multiply the code: compiling it would take minutes.
#if defined(__SANITIZE_ADDRESS__)
inline constexpr int k_unroll = 1;
#else
inline constexpr int k_unroll = 4;
#endif

// The operand *(p + kScale * stride + kOffset), all in bytes. Compilers turn a tile's row addresses into one
// pointer a row and run out of registers; writing the address out keeps to x86's base + index * scale + constant.
// What is read lies somewhere behind p: "m" says so with an array longer than any (clang wants a length).
#if defined(__x86_64__) && defined(__AVX__)
#define TAUTEN_AT(instruction, before, after, output, ...)                                                 \
    if constexpr (kScale == 0)                                                                             \
        asm(instruction " " before "%c[offset](%[p])" after                                                \
            : output                                                                                       \
            : [p] "r"(p), [offset] "i"(kOffset), "m"(*(const T(*)[1 << 28])p) __VA_OPT__(, ) __VA_ARGS__); \
    else                                                                                                   \
        asm(instruction " " before "%c[offset](%[p],%[stride],%c[scale])" after                            \
            : output                                                                                       \
            : [p] "r"(p), [stride] "r"(stride), [offset] "i"(kOffset), [scale] "i"(kScale),                \
              "m"(*(const T(*)[1 << 28])p) __VA_OPT__(, ) __VA_ARGS__)

// in every lane
template <class T, int kScale, int kOffset>
TAUTEN_INLINE Native<T> broadcast_at(const T* p, int64 stride) {
    Native<T> v;
    if constexpr (sizeof(T) == 4) {
        TAUTEN_AT("vbroadcastss", "", ", %[v]", [v] "=v"(v));
    } else {
        TAUTEN_AT("vbroadcastsd", "", ", %[v]", [v] "=v"(v));
    }
    return v;
}
#else
template <class T, int kScale, int kOffset>
TAUTEN_INLINE Native<T> broadcast_at(const T* p, int64 stride) {
    return broadcast<T>(*reinterpret_cast<const T*>(reinterpret_cast<const char*>(p) + kScale * stride + kOffset));
}
#endif

template <class T>
TAUTEN_INLINE int64 bytes_ahead(int64 steps, int64 stride) {
    return steps * stride * static_cast<int64>(sizeof(T));
}
// The line of p + ahead bytes + kOffset on its way into L1; written out for the same reason.
template <int kOffset, class T>
TAUTEN_INLINE void fetch_at(const T* p, int64 ahead) {
#if defined(__x86_64__)
    asm volatile("prefetcht0 %c[offset](%[p],%[ahead])" : : [p] "r"(p), [ahead] "r"(ahead), [offset] "i"(kOffset));
#else
    __builtin_prefetch(reinterpret_cast<const char*>(p) + ahead + kOffset);
#endif
}

// c += a · b. GCC is free to put the sum into the register of a factor, then copies and spills; tying it to c is
// what keeps 28 sums in place. fma_from reads b from memory: a gate panel's fourth vector has no register left.
#if defined(__x86_64__) && defined(__FMA__)
#define TAUTEN_FMA(kind, b)                                            \
    if constexpr (sizeof(T) == 4)                                      \
        asm("vfmadd231ps %2, %1, %0" : "+v"(c) : "v"(a), kind(b));     \
    else                                                               \
        asm("vfmadd231pd %2, %1, %0" : "+v"(c) : "v"(a), kind(b))
template <class T>
TAUTEN_INLINE void fma_into(Native<T>& c, Native<T> a, Native<T> b) {
    TAUTEN_FMA("v", b);
}
template <class T>
TAUTEN_INLINE void fma_from(Native<T>& c, Native<T> a, const T* b) {
    TAUTEN_FMA("m", *reinterpret_cast<const typename Vec<T>::Unaligned*>(b));
}
#undef TAUTEN_FMA
#else
template <class T>
TAUTEN_INLINE void fma_into(Native<T>& c, Native<T> a, Native<T> b) {
    c = fma(a, b, c);
}
template <class T>
TAUTEN_INLINE void fma_from(Native<T>& c, Native<T> a, const T* b) {
    c = fma(a, load<T>(b), c);
}
#endif

// c += *(p + ...) · b, for the tile of one vector, whose limit is loads and not multiply-adds: AVX-512 broadcasts
// within the instruction.
template <class T, int kScale, int kOffset>
TAUTEN_INLINE void fma_at(Native<T>& c, const T* p, int64 stride, Native<T> b) {
#if defined(__AVX512F__)
    if constexpr (sizeof(T) == 4) {
        TAUTEN_AT("vfmadd231ps", "", "%{1to16%}, %[b], %[c]", [c] "+v"(c), [b] "v"(b));
    } else {
        TAUTEN_AT("vfmadd231pd", "", "%{1to8%}, %[b], %[c]", [c] "+v"(c), [b] "v"(b));
    }
#else
    fma_into<T>(c, broadcast_at<T, kScale, kOffset>(p, stride), b);
#endif
}

// acc[first + v] += A[m, k] · B[k, v], v < NV, for one row, A[m, k] = *(p + ...).
template <class T, int NV, int kFirst, int kScale, int kOffset, int all, int held>
TAUTEN_INLINE void multiply_add(Native<T> (&acc)[all], const T* p, int64 stride, const Native<T> (&bs)[held],
                                const T* b) {
    if constexpr (NV == 1) {
        fma_at<T, kScale, kOffset>(acc[kFirst], p, stride, bs[0]);
    } else {
        const Native<T> a = broadcast_at<T, kScale, kOffset>(p, stride);
        TAUTEN_UNROLL(v, held, { fma_into<T>(acc[kFirst + v], a, bs[v]); });
        if constexpr (NV > held) fma_from<T>(acc[kFirst + held], a, b + held * Vec<T>::lanes);
    }
}

// The vectors of B[k] that are held in registers: all but a gate panel's fourth.
template <class T, int held>
TAUTEN_INLINE void load_all(Native<T> (&bs)[held], const T* b) {
    TAUTEN_UNROLL(v, held, { bs[v] = load<T>(b + v * Vec<T>::lanes); });
}

// One tap into NV vectors of the accumulators, A[m, k] = a[m * a_row + k]: five rows a base pointer, at 0, 1, 2, 4 times
// a_row and 1 times 3 a_row.
template <class T, int MR, int NV, int kFirst = 0, int all>
TAUTEN_INLINE void reduce_rows(const Tap<T>& tap, int64 first_row, const T* b, Native<T> (&acc)[MR][all]) {
    const T* a0 = tap.a + first_row * tap.a_row;
    const T* a1 = a0 + 5 * tap.a_row;
    const T* a2 = a1 + 5 * tap.a_row;
    const int64 one = tap.a_row * static_cast<int64>(sizeof(T)), three = 3 * one;
    const int64 b_row = tap.b_row, ahead = bytes_ahead<T>(prefetch_b, b_row);
    const auto step = [&]<int u>() __attribute__((always_inline)) {
        constexpr int offset = u * static_cast<int>(sizeof(T)), held = NV < 4 ? NV : 3;
        Native<T> bs[held];
        load_all<T>(bs, b);
        TAUTEN_UNROLL(r, MR, {
            const T* base = r < 5 ? a0 : r < 10 ? a1 : a2;
            if constexpr (r % 5 == 3)
                multiply_add<T, NV, kFirst, 1, offset>(acc[r], base, three, bs, b);
            else
                multiply_add<T, NV, kFirst, r % 5, offset>(acc[r], base, one, bs, b);
        });
        if constexpr (prefetches<MR>) TAUTEN_UNROLL(v, NV, { fetch_at<v * TAUTEN_VECTOR_BYTES>(b, ahead); });
        b += b_row;
    };
    int64 k = tap.k;
    for (; k >= k_unroll; k -= k_unroll) {
        TAUTEN_UNROLL(u, k_unroll, { step.template operator()<u>(); });
        a0 += k_unroll;
        a1 += k_unroll;
        a2 += k_unroll;
    }
    if constexpr (k_unroll > 1)
        for (; k > 0; --k) {
            step.template operator()<0>();
            ++a0;
            ++a1;
            ++a2;
        }
}

// One tap, A[m, k] = a[m + k * a_column]: the rows of a tile are neighbours.
template <class T, int MR, int NV>
TAUTEN_INLINE void reduce_columns(const Tap<T>& tap, int64 first_row, const T* b, Native<T> (&acc)[MR][NV]) {
    const T* a = tap.a + first_row;
    const int64 a_column = tap.a_column, b_row = tap.b_row;
    const int64 a_ahead = bytes_ahead<T>(prefetch_a, a_column), b_ahead = bytes_ahead<T>(prefetch_b, b_row);
    const auto step = [&]() __attribute__((always_inline)) {
        constexpr int held = NV < 4 ? NV : 3;
        Native<T> bs[held];
        load_all<T>(bs, b);
        TAUTEN_UNROLL(r, MR, { multiply_add<T, NV, 0, 0, r * static_cast<int>(sizeof(T))>(acc[r], a, 0, bs, b); });
        if constexpr (prefetches<MR>) {
            fetch_at<0>(a, a_ahead);
            fetch_at<(MR - 1) * static_cast<int>(sizeof(T))>(a, a_ahead);
            TAUTEN_UNROLL(v, NV, { fetch_at<v * TAUTEN_VECTOR_BYTES>(b, b_ahead); });
        }
        a += a_column;
        b += b_row;
    };
    int64 k = tap.k;
    for (; k >= k_unroll; k -= k_unroll) TAUTEN_UNROLL(u, k_unroll, { step(); });
    if constexpr (k_unroll > 1)
        for (; k > 0; --k) step();
}

// The same for kGroups groups of kRows neighbours, a_group apart: a convolution's few columns and channels of several
// kernel rows, which alone would be too few chains to keep the multiply-adds busy.
template <class T, int kRows, int kGroups, int NV>
TAUTEN_INLINE void reduce_groups(const Tap<T>& tap, int64 first, int64 a_group, const T* b,
                                 Native<T> (&acc)[kRows * kGroups][NV]) {
    const T* a = tap.a + first;
    const int64 a_column = tap.a_column, b_row = tap.b_row;
    const int64 one = a_group * static_cast<int64>(sizeof(T)), three = 3 * one;
    const auto step = [&]() __attribute__((always_inline)) {
        Native<T> bs[NV];
        load_all<T>(bs, b);
        TAUTEN_UNROLL(g, kGroups, {
            TAUTEN_UNROLL(r, kRows, {
                constexpr int offset = r * static_cast<int>(sizeof(T));
                if constexpr (g == 3)
                    multiply_add<T, NV, 0, 1, offset>(acc[g * kRows + r], a, three, bs, b);
                else
                    multiply_add<T, NV, 0, g, offset>(acc[g * kRows + r], a, one, bs, b);
            });
        });
        a += a_column;
        b += b_row;
    };
    int64 k = tap.k;
    for (; k >= k_unroll; k -= k_unroll) TAUTEN_UNROLL(u, k_unroll, { step(); });
    if constexpr (k_unroll > 1)
        for (; k > 0; --k) step();
}

// A tile of C: rows first_row .. first_row + MR, NV whole vectors from `offset` within panel `panel`.
//   c[r * c_row + ..] = relu?( start[r * start_row + ..] + Σ_taps A · B );  start == nullptr stands for zeros
template <class T>
struct Tile {
    const Tap<T>* taps;
    int64 tap_count;
    int64 first_row, panel, offset;  // first_row: of A in groups, elements to the first group
    const T* start;
    int64 start_row;
    T* c;
    int64 c_row;
    bool relu;
    int64 a_group = 0;
};

// MR rows of A as kTransposed says; in kGroups groups if those are more than one.
template <class T, int MR, int NV, bool kTransposed, int kGroups = 1>
void run_tile(const Tile<T>& tile) {
    constexpr int lanes = static_cast<int>(Vec<T>::lanes);
    Native<T> acc[MR][NV];
    if (tile.start == nullptr) {
        TAUTEN_UNROLL(r, MR, { TAUTEN_UNROLL(v, NV, { acc[r][v] = zeros<T>(); }); });
    } else {
        const T* start = tile.start;
        const int64 start_row = tile.start_row;
        TAUTEN_UNROLL(r, MR, {
            TAUTEN_UNROLL(v, NV, { acc[r][v] = load<T>(start + v * lanes); });
            start += start_row;
        });
    }
    for (int64 t = 0; t < tile.tap_count; ++t) {
        const Tap<T>& tap = tile.taps[t];
        const T* b = tap.b + tile.panel * tap.b_panel + tile.offset;
        if constexpr (kGroups > 1)
            reduce_groups<T, MR / kGroups, kGroups, NV>(tap, tile.first_row, tile.a_group, b, acc);
        else if constexpr (kTransposed)
            reduce_columns<T, MR, NV>(tap, tile.first_row, b, acc);
        else
            reduce_rows<T, MR, NV>(tap, tile.first_row, b, acc);
    }
    // maximum() yields its second operand where either is NaN: a poisoned value stays visible.
    if (tile.relu)
        TAUTEN_UNROLL(r, MR, {
            TAUTEN_UNROLL(v, NV, { acc[r][v] = maximum(zeros<T>(), acc[r][v]); });
        });
    T* c = tile.c;
    const int64 c_row = tile.c_row;
    TAUTEN_UNROLL(r, MR, {
        TAUTEN_UNROLL(v, NV, { store<T>(c + v * lanes, acc[r][v]); });
        c += c_row;
    });
}

template <class T>
using TileFunction = void (*)(const Tile<T>&);

// functions[rows - 1] of NV vectors, for 1 .. kRows rows.
template <class T, int NV, bool kTransposed, int kRows, int... MR>
struct TileFunctions : TileFunctions<T, NV, kTransposed, kRows - 1, kRows, MR...> {};
template <class T, int NV, bool kTransposed, int... MR>
struct TileFunctions<T, NV, kTransposed, 0, MR...> {
    static constexpr TileFunction<T> functions[] = {run_tile<T, MR, NV, kTransposed>...};
};
template <class T, int NV, bool kTransposed, int kRows>
TAUTEN_INLINE TileFunction<T> tile_function(int64 rows) {
    assert(0 < rows && rows <= kRows);
    return TileFunctions<T, NV, kTransposed, kRows>::functions[rows - 1];
}

// Groups of `rows` rows that a tile of groups takes at most: 1, there is none.
inline int64 most_groups(int64 rows) {
    const int64 fitting = tile_rows / rows;
    return rows != 3 && rows != 5 && rows != 7 ? 1 : fitting > 4 ? 4 : fitting;
}
// Of groups (> 1) of 3, 5 or 7 rows: kernels of one channel.
template <class T, int NV>
TAUTEN_INLINE TileFunction<T> group_function(int64 rows, int64 groups) {
    if constexpr (tile_rows >= 14) {
        if (rows == 7) return run_tile<T, 14, NV, true, 2>;
        if (rows == 5) return run_tile<T, 10, NV, true, 2>;
        if (groups == 4) return run_tile<T, 12, NV, true, 4>;
        if (groups == 3) return run_tile<T, 9, NV, true, 3>;
    } else if constexpr (tile_rows >= 12) {
        if (rows == 5) return run_tile<T, 10, NV, true, 2>;
        if (groups == 4) return run_tile<T, 12, NV, true, 4>;
        if (groups == 3) return run_tile<T, 9, NV, true, 3>;
    }
    if constexpr (tile_rows >= 6)
        return run_tile<T, 6, NV, true, 2>;
    else
        return nullptr;
}

// net = bias + Σ_taps A · B of one gate panel (4 vectors) for `rows` <= tile_rows rows from first_row;
// net is rows x (4 * lanes), dense. A lies by rows (a_column == 1); bias is the panel's own, of the first row, or nullptr.
template <class T>
TAUTEN_INLINE void gate_tile(const Tap<T>* taps, int64 tap_count, int64 first_row, int64 rows, int64 panel,
                             const T* bias, int64 bias_row, T* net) {
    constexpr int64 lanes = Vec<T>::lanes;
    Tile<T> tile{taps, tap_count, first_row, panel, 0, bias, bias_row, net, 4 * lanes, false};
    if (rows <= gate_rows) return tile_function<T, 4, false, gate_rows>(rows)(tile);
    // More rows take two vectors and then the other two: the panel, often more than L1 holds, is read half as often.
    const auto two = tile_function<T, 2, false, tile_rows>(rows);
    two(tile);
    tile.offset = 2 * lanes;
    tile.c += 2 * lanes;
    if (bias != nullptr) tile.start += 2 * lanes;
    two(tile);
}

}  // namespace
}  // namespace tauten::kernels
