// The Winograd transforms of every level against sums over the window, one vector of channels and ragged ones.
#include <vector>

#include "kernel_test.h"

using namespace check;

namespace {

int64 power(int64 x, int dims) { return dims == 2 ? x * x : x; }

// Patches side by side in memory: element (i, j) of patch n, `channels` values each.
template <class T>
struct Patches {
    Patches(int64 count_, int64 size_, int dims_, int64 channels_)
        : count(count_), size(size_), dims(dims_), channels(channels_),
          values(count_ * power(size_, dims_), channels_, channels_ + 3, 1) {
        values.fill([] { return uniform(); });
        for (int64 n = 0; n < count; ++n) {
            from.push_back(&at(n, 0, 0, 0));
            to.push_back(&at(n, 0, 0, 0));
        }
    }
    T& at(int64 n, int64 i, int64 j, int64 c) { return values(n * power(size, dims) + i * size * (dims - 1) + j, c); }
    int64 column() const { return values.row(); }
    int64 row() const { return size * values.row(); }
    int64 lines() const { return dims == 2 ? size : 1; }

    int64 count, size;
    int dims;
    int64 channels;
    Guarded<T> values;
    std::vector<const T*> from;
    std::vector<T*> to;
};

template <class T>
kernels::WinogradPatches<T> arguments(const Patches<T>& from, Patches<T>& to) {
    kernels::WinogradPatches<T> p{};
    p.count = from.count;
    p.channels = from.channels;
    p.from = from.from.data();
    p.from_row = from.row();
    p.from_column = from.column();
    p.to = to.to.data();
    p.to_row = to.row();
    p.to_column = to.column();
    return p;
}

// y[o] = Σ_k d[o + k] g[k] for o < outputs, and both of its gradients, by transforms and one product a point.
template <class T>
void filtering(const Kernels<T>& k, int dims, int64 taps, int64 channels) {
    const kernels::WinogradTransforms<T>* t = k.winograd(dims, taps);
    CHECK(t != nullptr);
    if (t == nullptr) return;
    CHECK_EQUAL(t->taps, taps);
    CHECK_EQUAL(t->points, t->outputs + taps - 1);
    const int64 count = 3, m = t->outputs, points = t->points;
    Patches<T> d(count, points, dims, channels), g(count, taps, dims, channels), delta(count, m, dims, channels);
    Patches<T> v(count, points, dims, channels), u(count, points, dims, channels), e(count, points, dims, channels);
    Patches<T> y(count, m, dims, channels), dg(count, taps, dims, channels);
    t->input(arguments(d, v));
    t->weights(arguments(g, u));
    t->delta(arguments(delta, e));
    CHECK(v.values.intact() && u.values.intact() && e.values.intact());

    // ReLU, bias, a closed ReLU below, and outputs cut off
    std::vector<T> bias(static_cast<std::size_t>(channels) + 16);
    for (T& b : bias) b = static_cast<T>(uniform());
    Patches<T> below(count, m, dims, channels);
    const std::vector<int32> rows{1, static_cast<int32>(below.lines()), 1}, columns{static_cast<int32>(m), 1, static_cast<int32>(m)};
    Patches<T> products(count, points, dims, channels), weighted(count, points, dims, channels);
    for (int64 n = 0; n < count; ++n)
        for (int64 i = 0; i < products.lines(); ++i)
            for (int64 j = 0; j < points; ++j)
                for (int64 c = 0; c < channels; ++c) {
                    products.at(n, i, j, c) = v.at(n, i, j, c) * u.at(n, i, j, c);
                    weighted.at(n, i, j, c) = v.at(n, i, j, c) * e.at(n, i, j, c);
                }
    auto output = arguments(products, y);
    output.rows = rows.data();
    output.columns = columns.data();
    output.bias = bias.data();
    output.relu = true;
    output.below = below.from.data();
    output.below_row = below.row();
    output.below_column = below.column();
    const Patches<T> before = y;
    t->output(output);
    t->gradient(arguments(weighted, dg));
    CHECK(y.values.intact() && dg.values.intact());

    const double tolerance = roundings<T>(dims == 2 ? 4000 : 300);
    const auto untouched = [&](int64 n, int64 i, int64 j, int64 c) {
        return y.at(n, i, j, c) == before.values(n * power(m, dims) + i * m * (dims - 1) + j, c);
    };
    for (int64 n = 0; n < count; ++n)
        for (int64 c = 0; c < channels; ++c) {
            for (int64 i = 0; i < y.lines(); ++i)
                for (int64 j = 0; j < m; ++j) {
                    if (i >= rows[static_cast<std::size_t>(n)] || j >= columns[static_cast<std::size_t>(n)]) {
                        CHECK(untouched(n, i, j, c));
                        continue;
                    }
                    double sum = static_cast<double>(bias[static_cast<std::size_t>(c)]);
                    for (int64 a = 0; a < g.lines(); ++a)
                        for (int64 b = 0; b < taps; ++b)
                            sum += static_cast<double>(d.at(n, i + a, j + b, c)) * static_cast<double>(g.at(n, a, b, c));
                    const double wanted = below.at(n, i, j, c) > 0 && sum > 0 ? sum : 0;
                    CHECK_NEAR(y.at(n, i, j, c), wanted, tolerance);
                }
            for (int64 a = 0; a < g.lines(); ++a)
                for (int64 b = 0; b < taps; ++b) {
                    double sum = 0;
                    for (int64 i = 0; i < delta.lines(); ++i)
                        for (int64 j = 0; j < m; ++j)
                            sum += static_cast<double>(d.at(n, i + a, j + b, c)) * static_cast<double>(delta.at(n, i, j, c));
                    CHECK_NEAR(dg.at(n, a, b, c), sum, tolerance);
                }
        }
}

}  // namespace

TEST(every_filtering) {
    each_level([](const auto& k) {
        if (k.winograd(1, 3) == nullptr) return;  // x86 without AVX2
        for (const int dims : {1, 2})
            for (const int64 taps : {3, 5, 7})
                for (const int64 channels : {int64{1}, k.lanes, k.lanes + 3, 3 * k.lanes})
                    if (dims == 1 || taps < 7) filtering(k, dims, taps, channels);
    });
}

TEST(no_other_filtering) {
    each_level([](const auto& k) {
        for (const int64 taps : {0, 1, 2, 4, 6, 8, 9}) CHECK(k.winograd(2, taps) == nullptr);
        CHECK(k.winograd(2, 7) == nullptr);
        CHECK(k.winograd(3, 3) == nullptr);
    });
}

CHECK_MAIN("winograd_test")
