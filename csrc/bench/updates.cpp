// Passes over weights: the update in its modes, and the penalties' sums; in the caches and in memory.
#include <algorithm>

#include "bench/families.h"
#include "bench/measure.h"
#include "model/gradients.h"
#include "training/update.h"

namespace tauten::bench {

namespace {

// A rule's step over n weights, as a training step does it: by blocks of stored gradients.
template <class T>
void step(benchmark::State& state, int64 n, const Update& rule, bool penalty) {
    Buffer<T> w = filled<T>(n), slots[slot_count];
    const Buffer<T> gradient = filled<T>(n);
    double arrays = 3;
    for (int slot = 0; slot < slot_count; ++slot) {
        if (!rule.uses(static_cast<Slot>(slot))) continue;
        slots[slot].reserve(n);
        arrays += 2;
    }
    const kernels::UpdateSettings<T> s = rule.settings<T>(0);
    const kernels::Kernels<T>& k = kernels::table<T>();
    const T weight = penalty ? T(1e-6) : T(0);
    measure<T>(state, {0, static_cast<double>(n) * arrays * sizeof(T)}, [&] {
        for (int64 at = 0; at < n; at += merge_weights) {
            const auto part = [&](int slot) { return slots[slot].data() ? slots[slot].data() + at : nullptr; };
            k.update(s, {std::min(merge_weights, n - at), w.data() + at, gradient.data() + at, {part(0), part(1), part(2)},
                         part(3), part(4), weight, weight, T(1), false});
        }
    });
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
            const auto row = [&](const char* name, bool penalty, auto&& set) {
                Update rule;
                rule.learning_rate = 1e-6;
                set(rule);
                add<T>("updates", text(name, "/", n), [=](benchmark::State& s) { step<T>(s, n, rule, penalty); });
            };
            row("sgd", false, [](Update&) {});
            row("sgd_penalty", true, [](Update&) {});
            row("sgd_momentum", false, [](Update& u) { u.momentum = 0.9; });
            row("sgd_clipvalue", false, [](Update& u) { u.clipvalue = 1; });
            row("sgd_ema", false, [](Update& u) { u.use_ema = true; });
            row("adam", false, [](Update& u) { u.rule = kernels::Rule::adam; });
            row("adam_amsgrad", false, [](Update& u) { u.rule = kernels::Rule::adam, u.amsgrad = true; });
            row("rmsprop", false, [](Update& u) { u.rule = kernels::Rule::rmsprop; });
            row("adagrad", false, [](Update& u) { u.rule = kernels::Rule::adagrad; });
            add<T>("updates", text("penalty_sums/", n), [=](benchmark::State& s) { penalty_sums<T>(s, n); });
        }
    });
}

}  // namespace tauten::bench
