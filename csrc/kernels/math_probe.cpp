// y = f(x) over arrays: what the kernels inline, for tests and benchmarks.
#include "kernels/fill.h"
#include "simd/math.h"

namespace tauten::kernels {
namespace {

template <class T, Native<T> (*f)(Native<T>)>
void map(int64 n, const T* x, T* y) {
    constexpr int64 lanes = Vec<T>::lanes;
    int64 i = 0;
    for (; i + lanes <= n; i += lanes) store<T>(y + i, f(load<T>(x + i)));
    if (i < n) store_first(y + i, f(load_first(x + i, n - i)), n - i);
}

template <class T>
void fill(Kernels<T>& k) {
    k.exp = map<T, tauten::exp<T>>;
    k.log = map<T, tauten::log<T>>;
    k.tanh = map<T, tauten::tanh<T>>;
    k.sigmoid = map<T, tauten::sigmoid<T>>;
}

}  // namespace

namespace TAUTEN_LEVEL {
void fill_math(Kernels<float>& k) { fill(k); }
void fill_math(Kernels<double>& k) { fill(k); }
}  // namespace TAUTEN_LEVEL

}  // namespace tauten::kernels
