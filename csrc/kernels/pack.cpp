// Weights into panels, the order in which the register tile reads them.
#include "kernels/fill.h"
#include "simd/vec.h"

namespace tauten::kernels {
namespace {

constexpr int64 smaller(int64 a, int64 b) { return a < b ? a : b; }

// panels[p][k][j] = w[k, p * width + j], 0 beyond columns
template <class T>
void pack(int64 k, int64 columns, int64 width, const T* w, int64 w_row, T* panels, int64 panel_stride) {
    constexpr int64 lanes = Vec<T>::lanes;
    for (int64 first = 0; first < columns; first += width, panels += panel_stride) {
        const int64 here = smaller(width, columns - first);
        for (int64 i = 0; i < k; ++i) {
            const T* from = w + i * w_row + first;
            T* to = panels + i * width;
            int64 j = 0;
            for (; j + lanes <= here; j += lanes) store<T>(to + j, load<T>(from + j));
            if (j < here) {
                store<T>(to + j, load_first(from + j, here - j));
                j += lanes;
            }
            for (; j < width; j += lanes) store<T>(to + j, zeros<T>());
        }
    }
}

// x := xᵀ, lanes x lanes: blocks of `half` change places across the diagonal, half = 1, 2, 4, ...
template <class T, int half>
TAUTEN_INLINE void transpose(Native<T> (&x)[Vec<T>::lanes]) {
    constexpr int lanes = static_cast<int>(Vec<T>::lanes);
    if constexpr (half < lanes) {
        Bits<T> low, high;
        for (int i = 0; i < lanes; ++i) {
            low[i] = (i & half) == 0 ? i : lanes + i - half;
            high[i] = (i & half) == 0 ? i + half : lanes + i;
        }
#pragma GCC unroll 16
        for (int i = 0; i < lanes; ++i)
            if ((i & half) == 0) {
                const Native<T> a = x[i], b = x[i + half];
                x[i] = __builtin_shuffle(a, b, low);
                x[i + half] = __builtin_shuffle(a, b, high);
            }
        transpose<T, 2 * half>(x);
    }
}

// panels[p][n][j] = w[p * panel + j, n], 0 beyond k
template <class T>
void pack_transposed(int64 k, int64 columns, const T* w, int64 w_row, T* panels, int64 panel_stride) {
    constexpr int64 lanes = Vec<T>::lanes, panel = 2 * lanes;
    for (int64 first = 0; first < k; first += panel, panels += panel_stride)
        for (int64 part = 0; part < panel; part += lanes) {
            const int64 here = k - first - part;  // rows of w for these lanes, may be <= 0
            for (int64 n = 0; n < columns; n += lanes) {
                const int64 count = smaller(lanes, columns - n);
                Native<T> x[lanes];
#pragma GCC unroll 16
                for (int64 i = 0; i < lanes; ++i) {
                    const T* from = w + (first + part + i) * w_row + n;
                    x[i] = i >= here ? zeros<T>() : count == lanes ? load<T>(from) : load_first(from, count);
                }
                transpose<T, 1>(x);
                T* to = panels + n * panel + part;
#pragma GCC unroll 16
                for (int64 i = 0; i < lanes; ++i)
                    if (i < count) store<T>(to + i * panel, x[i]);
            }
        }
}

template <class T>
void fill(Kernels<T>& k) {
    k.pack = pack<T>;
    k.pack_transposed = pack_transposed<T>;
}

}  // namespace

namespace TAUTEN_LEVEL {
void fill_pack(Kernels<float>& k) { fill(k); }
void fill_pack(Kernels<double>& k) { fill(k); }
}  // namespace TAUTEN_LEVEL

}  // namespace tauten::kernels
