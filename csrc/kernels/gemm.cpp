// The batch-reduced product (docs/design.md, 2): cuts C into register tiles and finishes each while it is in L1.
//
// Loop order, outermost first: blocks of K (through C, which changes no bit), groups of rows, panels of B, tiles
// of the group. Blocks and groups are such that a group's A stays in L2 while all panels pass over it, and a
// block's panel stays in L1 or L2 while all tiles of the group pass over it. B is read as it lies, in
// panels or not (weight gradients, csrc/model/gradients.cpp).
#include <cassert>

#include "kernels/fill.h"
#include "kernels/tile.h"
#include "simd/activations.h"

namespace tauten::kernels {
namespace {

inline constexpr int64 group_bytes = 256 << 10;   // of A, in L2
inline constexpr int64 group_rows = 64;           // that a group should have at least
inline constexpr int64 panels_bytes = 512 << 10;  // of B, in L2: less than that may be read once a group
inline constexpr int64 least_block = 256;         // of K: C is read and written once a block
inline constexpr int64 block_taps = 32;

constexpr int64 smaller(int64 a, int64 b) { return a < b ? a : b; }

// One block of K: all of C, starting from C unless it is the first, finished if it is the last.
template <class T>
struct Block {
    const Tap<T>* taps;
    int64 tap_count;
    int64 k;  // over all taps
    bool first, last, transposed;
};

// Rows, or groups of them, in tiles as equal as can be, the larger ones first: 32 = 11 + 11 + 10.
struct RowTiles {
    int64 first, tiles, least, larger;  // `larger` tiles of least + 1, the rest of least

    static RowTiles cut(int64 first, int64 rows, int64 most = tile_rows) {
        assert(rows > 0 && most > 0);
        const int64 tiles = (rows + most - 1) / most;
        if (tiles == 1) return {first, 1, rows, 0};
        return {first, tiles, rows / tiles, rows % tiles};
    }
};

// The part of a row group that lies in one vector pair of a panel.
template <class T>
struct Strip {
    int64 column, width;  // of C; width <= 2 * lanes
    int64 panel, offset;  // of B
};

template <class T>
TAUTEN_INLINE void copy_first(T* to, const T* from, int64 count) {
    constexpr int64 lanes = Vec<T>::lanes;
    if (count >= lanes) {
        store<T>(to, load<T>(from));
        to += lanes;
        from += lanes;
        count -= lanes;
    }
    if (count > 0) store_first(to, load<T>(from), count);
}

// C = f(C), or C = C ⊙ f'(outputs), over rows x width of a tile: c may be written up to whole vectors. f is `chosen` where
// it is none of the usual ones.
template <class T, Activation usual>
void finish_tile(Activation chosen, int64 rows, int64 width, T* c, int64 c_row, const T* outputs, int64 outputs_row) {
    constexpr int64 lanes = Vec<T>::lanes;
    const Activation f = usual == Activation::linear ? chosen : usual;
    for (int64 r = 0; r < rows; ++r)
        for (int64 n = 0; n < width; n += lanes) {
            T* p = c + r * c_row + n;
            if (outputs == nullptr) {
                store<T>(p, activation_value<T>(f, load<T>(p)));
            } else {
                const T* y = outputs + r * outputs_row + n;
                const Native<T> out = width - n >= lanes ? load<T>(y) : load_first(y, width - n);
                store<T>(p, load<T>(p) * activation_slope<T>(f, out));
            }
        }
}

// All tiles of a strip. A ragged strip goes through a scratch tile of whole vectors.
template <class T>
void run_tiles(const GemmArguments<T>& g, const Block<T>& block, const Strip<T>& strip, const RowTiles& rows) {
    constexpr int64 lanes = Vec<T>::lanes;
    constexpr int64 scratch_row = 2 * lanes;
    alignas(64) T scratch[tile_rows * scratch_row];
    const int64 vectors = strip.width > lanes ? 2 : 1;
    const bool ragged = strip.width != vectors * lanes;
    const bool from_c = !block.first || g.accumulate;
    const bool derivative = g.outputs != nullptr;
    const bool relu = g.activation == Activation::relu && !derivative && block.last;
    const bool finish = block.last && g.activation != Activation::linear && !relu;

    Tile<T> tile{block.taps, block.tap_count, 0, strip.panel, strip.offset, nullptr, 0, scratch, scratch_row, relu, g.a_group};
    if (!from_c && g.bias != nullptr) tile.start = g.bias + strip.column;

    const int64 unit = g.group_rows > 0 ? g.group_rows : 1;
    int64 row = rows.first;
    for (int64 i = 0; i < rows.tiles; ++i) {
        const int64 units = rows.least + (i < rows.larger ? 1 : 0), count = units * unit;
        T* c = g.c + strip.panel * g.c_panel + row * g.c_row + strip.offset;
        tile.first_row = g.group_rows > 0 ? row / unit * g.a_group : row;
        if (!ragged) {
            tile.c = c;
            tile.c_row = g.c_row;
        }
        if (from_c) {
            if (ragged)
                for (int64 r = 0; r < count; ++r) {
                    T* s = scratch + r * scratch_row;
                    if (strip.width > lanes) {
                        store<T>(s, load<T>(c + r * g.c_row));
                        store<T>(s + lanes, load_first(c + r * g.c_row + lanes, strip.width - lanes));
                    } else {
                        store<T>(s, load_first(c + r * g.c_row, strip.width));
                    }
                }
            tile.start = tile.c;
            tile.start_row = tile.c_row;
            if (ragged) tile.start = scratch;
        }
        const bool grouped = g.group_rows > 0 && units > 1;
        const auto function =
            grouped        ? (vectors == 2 ? group_function<T, 2>(unit, units) : group_function<T, 1>(unit, units))
            : vectors == 2 ? (block.transposed ? tile_function<T, 2, true, tile_rows>(count)
                                             : tile_function<T, 2, false, tile_rows>(count))
                         : (block.transposed ? tile_function<T, 1, true, tile_rows>(count)
                                             : tile_function<T, 1, false, tile_rows>(count));
        function(tile);
        if (finish) {
            const T* y = derivative ? g.outputs + row * g.outputs_row + strip.column : nullptr;
            const auto finish_as = [&]<Activation usual>() {
                finish_tile<T, usual>(g.activation, count, strip.width, tile.c, tile.c_row, y, g.outputs_row);
            };
            switch (g.activation) {
                case Activation::relu: finish_as.template operator()<Activation::relu>(); break;
                case Activation::tanh: finish_as.template operator()<Activation::tanh>(); break;
                case Activation::sigmoid: finish_as.template operator()<Activation::sigmoid>(); break;
                default: finish_as.template operator()<Activation::linear>();
            }
        }
        if (ragged)
            for (int64 r = 0; r < count; ++r) copy_first(c + r * g.c_row, scratch + r * scratch_row, strip.width);
        row += count;
    }
}

template <class T>
void run_block(const GemmArguments<T>& g, const Block<T>& block) {
    constexpr int64 pair = 2 * Vec<T>::lanes;
    const int64 row_bytes = (block.k + 1) * static_cast<int64>(sizeof(T));
    int64 groups = 1;
    if (g.rows * row_bytes > group_bytes && g.rows > 2 * tile_rows && g.group_rows == 0) {
        // whole tiles of rows, as many as keep A within group_bytes, but two at least
        int64 group_tiles = group_bytes / (row_bytes * tile_rows);
        if (group_tiles < 2) group_tiles = 2;
        const int64 tiles = (g.rows + tile_rows - 1) / tile_rows;
        groups = (tiles + group_tiles - 1) / group_tiles;
    }
    for (int64 row = 0; groups > 0; --groups) {
        const int64 count = groups == 1 ? g.rows - row : (g.rows - row + groups - 1) / groups;
        const RowTiles rows = g.group_rows > 0 ? RowTiles::cut(0, count / g.group_rows, most_groups(g.group_rows))
                                               : RowTiles::cut(row, count);
        int64 panel = 0;
        for (int64 start = 0; start < g.columns; start += g.panel_width, ++panel)
            for (int64 offset = 0; offset < g.panel_width && start + offset < g.columns; offset += pair) {
                const int64 column = start + offset, width = smaller(smaller(pair, g.panel_width - offset), g.columns - column);
                run_tiles(g, block, Strip<T>{column, width, panel, offset}, rows);
            }
        row += count;
    }
}

// Elements of K at a time; no bit depends on them.
template <class T>
int64 choose_block(const GemmArguments<T>& g, int64 k) {
    constexpr int64 size = static_cast<int64>(sizeof(T));
    int64 block = k;
    // so long that a group would be few rows, and all of B stream through the cache for each
    if (smaller(g.rows, group_rows) * k * size > group_bytes && g.columns * k * size > panels_bytes) {
        block = group_bytes / (smaller(g.rows, 2 * group_rows) * size);
        if (block < least_block) block = least_block;
    }
    if (block >= k) return k;
    const int64 blocks = (k + block - 1) / block;  // as equal as can be
    return ((k + blocks - 1) / blocks + 3) / 4 * 4;
}

template <class T>
void batch_reduce(const GemmArguments<T>& g) {
    if (g.rows <= 0 || g.columns <= 0) return;
    int64 total = 0;
    bool transposed = false;
    for (int64 t = 0; t < g.tap_count; ++t) {
        total += g.taps[t].k;
        if (g.taps[t].a_column != 1) transposed = true;
    }
    const int64 k_block = choose_block(g, total);
    if (k_block >= total) {
        run_block(g, Block<T>{g.taps, g.tap_count, total, true, true, transposed});
        return;
    }
    int64 t = 0, done = 0;  // next: element `done` of tap t
    for (bool first = true; t < g.tap_count; first = false) {
        Tap<T> taps[block_taps];
        int64 count = 0, k = 0;
        while (t < g.tap_count && count < block_taps && k < k_block) {
            const Tap<T>& tap = g.taps[t];
            const int64 part = smaller(tap.k - done, k_block - k);
            if (part > 0) {
                taps[count] = tap;
                taps[count].a += done * tap.a_column;
                taps[count].b += done * tap.b_row;
                taps[count].k = part;
                ++count;
            }
            k += part;
            done += part;
            if (done >= tap.k) {
                ++t;
                done = 0;
            }
        }
        run_block(g, Block<T>{taps, count, k, first, t == g.tap_count, transposed});
    }
}

// Enough independent chains to hide the latency of a multiply-add (2 a cycle, latency 4 or 5), in 16 registers.
template <class T>
T fma_peak(int64 iterations, int64* flops) {
    constexpr int chains = 12;
    Native<T> x[chains];
    Native<T> factor = broadcast<T>(static_cast<T>(0.999)), term = broadcast<T>(static_cast<T>(0.001));
    TAUTEN_UNROLL(i, chains, { x[i] = broadcast<T>(static_cast<T>(i)); });
    for (int64 n = 0; n < iterations; ++n) TAUTEN_UNROLL(i, chains, { x[i] = fma(x[i], factor, term); });
    Native<T> total = zeros<T>();
    TAUTEN_UNROLL(i, chains, { total += x[i]; });
    *flops = iterations * chains * Vec<T>::lanes * 2;
    return sum<T>(total);
}

template <class T>
void fill(Kernels<T>& k) {
    k.lanes = Vec<T>::lanes;
    k.panel = 2 * Vec<T>::lanes;
    k.tile = tile_rows;
    k.gemm = batch_reduce<T>;
    k.fma_peak = fma_peak<T>;
}

}  // namespace

namespace TAUTEN_LEVEL {
void gemm(const GemmArguments<float>& g) { batch_reduce(g); }
void gemm(const GemmArguments<double>& g) { batch_reduce(g); }
void fill_gemm(Kernels<float>& k) { fill(k); }
void fill_gemm(Kernels<double>& k) { fill(k); }
}  // namespace TAUTEN_LEVEL

}  // namespace tauten::kernels
