// Functions of one value that are nodes of their own, and PReLU, whose slopes are weights.
#include "kernels/fill.h"
#include "simd/pointwise.h"

namespace tauten::kernels {
namespace {

// f(kind as a constant) for a function's kind.
template <class F>
TAUTEN_INLINE void with_kind(Pointwise kind, const F& f) {
#define TAUTEN_KIND(name) \
    case Pointwise::name: return f.template operator()<Pointwise::name>()
    switch (kind) {
        TAUTEN_KIND(rectified);
        TAUTEN_KIND(ramp);
        TAUTEN_KIND(elu);
        TAUTEN_KIND(shrink);
        TAUTEN_KIND(gelu);
        TAUTEN_KIND(silu);
        TAUTEN_KIND(hard_silu);
        TAUTEN_KIND(mish);
        TAUTEN_KIND(softplus);
        TAUTEN_KIND(log_sigmoid);
        TAUTEN_KIND(softsign);
        TAUTEN_KIND(exponential);
        TAUTEN_KIND(tanh_shrink);
        TAUTEN_KIND(sparse_plus);
    }
#undef TAUTEN_KIND
}

template <class T>
Parameters<T> parameters(const PointwiseFunction& f) {
    return {static_cast<T>(f.a), static_cast<T>(f.b), static_cast<T>(f.c), static_cast<T>(f.d)};
}

// body(first, how many are left) for whole vectors and the masked rest by one copy of the body: there are many functions.
template <class T, class Body>
TAUTEN_INLINE void over_once(int64 n, const Body& body) {
    for (int64 i = 0; i < n; i += Vec<T>::lanes) body(i, n - i);
}
template <class T>
TAUTEN_INLINE Native<T> load_some(const T* p, int64 left) {
    return left >= Vec<T>::lanes ? load<T>(p) : load_first(p, left);
}
template <class T>
TAUTEN_INLINE void store_some(T* p, Native<T> v, int64 left) {
    if (left >= Vec<T>::lanes)
        store<T>(p, v);
    else
        store_first(p, v, left);
}

template <class T>
void pointwise(const PointwiseFunction& function, int64 n, const T* x, T* y) {
    const Parameters<T> p = parameters<T>(function);
    with_kind(function.kind, [&]<Pointwise kind>() __attribute__((always_inline)) {
        over_once<T>(n, [&](int64 i, int64 left) __attribute__((always_inline)) {
            store_some<T>(y + i, pointwise_value<T>(kind, p, load_some<T>(x + i, left)), left);
        });
    });
}

template <class T>
void pointwise_gradient(const PointwiseFunction& function, int64 n, const T* x, const T* y_gradient, T* x_gradient) {
    const Parameters<T> p = parameters<T>(function);
    with_kind(function.kind, [&]<Pointwise kind>() __attribute__((always_inline)) {
        over_once<T>(n, [&](int64 i, int64 left) __attribute__((always_inline)) {
            const Native<T> gradient = load_some<T>(y_gradient + i, left);
            store_some<T>(x_gradient + i, through_pointwise<T>(kind, p, gradient, load_some<T>(x + i, left)), left);
        });
    });
}

template <class T>
TAUTEN_INLINE Native<T> slopes(const T* alpha, bool each, int64 column, int64 left) {
    return each ? load_some<T>(alpha + column, left) : broadcast<T>(*alpha);
}

template <class T>
void prelu(int64 rows, int64 columns, const T* x, const T* alpha, bool each, T* y) {
    for (int64 r = 0; r < rows; ++r, x += columns, y += columns)
        over_once<T>(columns, [&](int64 i, int64 left) __attribute__((always_inline)) {
            const Native<T> net = load_some<T>(x + i, left);
            const Native<T> below = net * slopes<T>(alpha, each, i, left);
            store_some<T>(y + i, select<T>(net > static_cast<T>(0), net, below), left);
        });
}

template <class T>
void prelu_gradient(int64 rows, int64 columns, const T* x, const T* alpha, bool each, const T* y_gradient, T* x_gradient,
                    T* alpha_gradient) {
    Native<T> total = zeros<T>();
    for (int64 r = 0; r < rows; ++r, x += columns, y_gradient += columns) {
        over_once<T>(columns, [&](int64 i, int64 left) __attribute__((always_inline)) {
            const Native<T> net = load_some<T>(x + i, left), gradient = load_some<T>(y_gradient + i, left);
            const Bits<T> open = net > static_cast<T>(0);
            if (alpha_gradient != nullptr) {
                const Native<T> share = select<T>(open, zeros<T>(), net * gradient);  // masked lanes are 0
                if (each)
                    store_some<T>(alpha_gradient + i, load_some<T>(alpha_gradient + i, left) + share, left);
                else
                    total += share;
            }
            if (x_gradient != nullptr)
                store_some<T>(x_gradient + i, select<T>(open, gradient, gradient * slopes<T>(alpha, each, i, left)), left);
        });
        if (x_gradient != nullptr) x_gradient += columns;
    }
    if (alpha_gradient != nullptr && !each) *alpha_gradient += sum<T>(total);
}

template <class T>
void fill(Kernels<T>& k) {
    k.pointwise = pointwise<T>;
    k.pointwise_gradient = pointwise_gradient<T>;
    k.prelu = prelu<T>;
    k.prelu_gradient = prelu_gradient<T>;
}

}  // namespace

namespace TAUTEN_LEVEL {
void fill_pointwise(Kernels<float>& k) { fill(k); }
void fill_pointwise(Kernels<double>& k) { fill(k); }
}  // namespace TAUTEN_LEVEL

}  // namespace tauten::kernels
