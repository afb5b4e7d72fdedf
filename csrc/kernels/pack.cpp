// Transposed weights into panels, the order in which the register tile reads them.
#include "kernels/fill.h"
#include "simd/vec.h"

namespace tauten::kernels {
namespace {

constexpr int64 smaller(int64 a, int64 b) { return a < b ? a : b; }

template <int... I>
struct Numbers {};
template <int count, int... I>
struct UpTo : UpTo<count - 1, count - 1, I...> {};
template <int... I>
struct UpTo<0, I...> {
    using type = Numbers<I...>;
};

// a and b exchange their off-diagonal blocks of `half` lanes: lane i of a with bit `half` set for lane i - half of b.
template <class T, int half, int... I>
TAUTEN_INLINE void exchange(Native<T>& a, Native<T>& b, Numbers<I...>) {
    constexpr int lanes = static_cast<int>(Vec<T>::lanes);
    const Native<T> low = shuffled<((I & half) == 0 ? I : lanes + I - half)...>(a, b);
    b = shuffled<((I & half) == 0 ? I + half : lanes + I)...>(a, b);
    a = low;
}

// x := xᵀ, lanes x lanes, in log2(lanes) rounds of exchanges across the diagonal.
template <class T, int half>
TAUTEN_INLINE void transpose(Native<T> (&x)[Vec<T>::lanes]) {
    constexpr int lanes = static_cast<int>(Vec<T>::lanes);
    if constexpr (half < lanes) {
#pragma GCC unroll 16
        for (int i = 0; i < lanes; ++i)
            if ((i & half) == 0) exchange<T, half>(x[i], x[i + half], typename UpTo<lanes>::type{});
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
    k.pack_transposed = pack_transposed<T>;
}

}  // namespace

namespace TAUTEN_LEVEL {
void fill_pack(Kernels<float>& k) { fill(k); }
void fill_pack(Kernels<double>& k) { fill(k); }
}  // namespace TAUTEN_LEVEL

}  // namespace tauten::kernels
