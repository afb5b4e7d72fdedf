// Passes over weights: the update in its modes, and the penalties' sums; in the caches and in memory.
#include "bench/families.h"
#include "bench/measure.h"

namespace tauten::bench {

namespace {

template <class T>
void sgd(benchmark::State& state, int64 n, bool momentum, bool penalty) {
    Buffer<T> w = filled<T>(n), velocity = filled<T>(n);
    const Buffer<T> gradient = filled<T>(n);
    kernels::SgdArguments<T> s{};
    s.learning_rate = T(1e-6);
    s.momentum = momentum ? T(0.9) : T(0);
    s.l1 = s.l2 = penalty ? T(1e-6) : T(0);
    const kernels::Kernels<T>& k = kernels::table<T>();
    measure<T>(state, {0, static_cast<double>(n * (momentum ? 5 : 3)) * sizeof(T)},
               [&] { k.sgd(n, w.data(), gradient.data(), momentum ? velocity.data() : nullptr, s); });
}

template <class T>
void penalty_sums(benchmark::State& state, int64 n) {
    const Buffer<T> w = filled<T>(n);
    double sums[2];
    const kernels::Kernels<T>& k = kernels::table<T>();
    measure<T>(state, {0, static_cast<double>(n) * sizeof(T)}, [&] { k.penalty_sums(n, w.data(), sums); });
}

}  // namespace

void add_updates() {
    each_type([]<class T>() {
        for (const int64 n : {20000, 8000000}) {
            add<T>("updates", text("sgd/", n), [=](benchmark::State& s) { sgd<T>(s, n, false, false); });
            add<T>("updates", text("sgd_momentum/", n), [=](benchmark::State& s) { sgd<T>(s, n, true, false); });
            add<T>("updates", text("sgd_penalty/", n), [=](benchmark::State& s) { sgd<T>(s, n, false, true); });
            add<T>("updates", text("penalty_sums/", n), [=](benchmark::State& s) { penalty_sums<T>(s, n); });
        }
    });
}

}  // namespace tauten::bench
