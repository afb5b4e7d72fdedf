// Pooling at every level against a plain double reference: windows, strides, padding, 1D to 3D, channel counts.
#include "kernel_test.h"

using namespace check;
using kernels::PoolArguments;

namespace {

struct Geometry {
    int64 channels, extent[3], window[3], step[3], before[3], output[3];
};

// One set of operands, channels `gap` apart from position to position.
template <class T>
struct Operands {
    Geometry g;
    int64 positions, outputs, gap;
    Guarded<T> input, output, output_gradient, input_gradient;
    std::vector<uint8> argmax;
    PoolArguments<T> p{};

    Operands(const Geometry& geometry, int64 gap_, int64 shift)
        : g(geometry), positions(g.extent[0] * g.extent[1] * g.extent[2]),
          outputs(g.output[0] * g.output[1] * g.output[2]), gap(gap_),
          input(positions, g.channels, g.channels + gap, shift), output(outputs, g.channels, g.channels, shift + 1),
          output_gradient(outputs, g.channels, g.channels + 2 * gap, shift),
          input_gradient(positions, g.channels, g.channels + 2 * gap, shift + 2),
          argmax(static_cast<std::size_t>(outputs * g.channels + 64), uint8{255}) {
        // few distinct values: ties
        input.fill([] { return static_cast<double>(integer_below(7)) / 4 - 0.75; });
        output_gradient.fill([] { return uniform(); });
        p.channels = g.channels;
        int64 from = input.row(), to = output.row(), gradient = output_gradient.row(), back = input_gradient.row();
        for (int d = 2; d >= 0; --d) {
            p.input_extent[d] = g.extent[d];
            p.output_extent[d] = g.output[d];
            p.window[d] = g.window[d];
            p.step[d] = g.step[d];
            p.before[d] = g.before[d];
            p.input_stride[d] = from;
            p.input_gradient_stride[d] = back;
            p.output_stride[d] = to;
            p.output_gradient_stride[d] = gradient;
            from *= g.extent[d];
            back *= g.extent[d];
            to *= g.output[d];
            gradient *= g.output[d];
        }
        p.input = input.data();
        p.output = output.data();
        p.argmax = argmax.data();
        p.argmax_stride = g.channels;
        p.output_gradient = output_gradient.data();
        p.input_gradient = input_gradient.data();
    }

    // body(output position, input position, index in the window) over every pair inside the input, in window order
    template <class Body>
    void each_pair(const Body& body) const {
        int64 o = 0;
        for (int64 a = 0; a < g.output[0]; ++a)
            for (int64 b = 0; b < g.output[1]; ++b)
                for (int64 c = 0; c < g.output[2]; ++c, ++o)
                    for (int64 k = 0; k < g.window[0] * g.window[1] * g.window[2]; ++k) {
                        const int64 z = a * g.step[0] - g.before[0] + k / (g.window[1] * g.window[2]);
                        const int64 y = b * g.step[1] - g.before[1] + k / g.window[2] % g.window[1];
                        const int64 x = c * g.step[2] - g.before[2] + k % g.window[2];
                        if (z < 0 || y < 0 || x < 0 || z >= g.extent[0] || y >= g.extent[1] || x >= g.extent[2]) continue;
                        body(o, (z * g.extent[1] + y) * g.extent[2] + x, k);
                    }
    }
};

// Everything once for this geometry; `again`: without argmax.
template <class T>
void check_geometry(const Kernels<T>& k, const Geometry& g, int64 gap, int64 shift, bool poison) {
    Operands<T> s(g, gap, shift);
    if (poison)
        s.input(integer_below(s.positions), integer_below(g.channels)) = std::numeric_limits<T>::quiet_NaN();
    const auto size = static_cast<std::size_t>(s.outputs * g.channels);
    std::vector<double> largest(size), total(size), count(static_cast<std::size_t>(s.outputs));
    std::vector<int64> index(size, -1), place(size, -1);
    s.each_pair([&](int64 o, int64 i, int64 n) {
        ++count[static_cast<std::size_t>(o)];
        for (int64 c = 0; c < g.channels; ++c) {
            const auto at = static_cast<std::size_t>(o * g.channels + c);
            const double x = s.input(i, c);
            total[at] += x;
            if (index[at] < 0 || x > largest[at] || (std::isnan(x) && !std::isnan(largest[at]))) {
                largest[at] = x;
                index[at] = n;
                place[at] = i;
            }
        }
    });

    k.max_pool(s.p);
    bool same = s.output.intact();
    for (int64 o = 0; o < s.outputs; ++o)
        for (int64 c = 0; c < g.channels; ++c) {
            const auto at = static_cast<std::size_t>(o * g.channels + c);
            same = same && near(s.output(o, c), largest[at], 0) && s.argmax[at] == static_cast<uint8>(index[at]);
        }
    for (std::size_t i = size; i < s.argmax.size(); ++i) same = same && s.argmax[i] == 255;
    CHECK(same);
    const Guarded<T> with_argmax = s.output;
    s.output.fill([] { return NAN; });
    s.p.argmax = nullptr;
    k.max_pool(s.p);
    for (int64 o = 0; o < s.outputs; ++o)
        CHECK(same_bits(&s.output(o, 0), with_argmax.data() + o * g.channels, g.channels));

    k.average_pool(s.p);
    same = s.output.intact();
    for (int64 o = 0; o < s.outputs; ++o)
        for (int64 c = 0; c < g.channels; ++c) {
            const double mean = total[static_cast<std::size_t>(o * g.channels + c)] / count[static_cast<std::size_t>(o)];
            same = same && near(s.output(o, c), mean, roundings<T>(4));
        }
    CHECK(same);

    s.p.argmax = s.argmax.data();
    k.max_pool(s.p);  // its gradient reads the output
    for (const Activation below : activations) {
        s.p.below = below;
        std::vector<double> of_max(static_cast<std::size_t>(s.positions * g.channels)), of_mean = of_max;
        for (int64 o = 0; o < s.outputs; ++o)
            for (int64 c = 0; c < g.channels; ++c)
                of_max[static_cast<std::size_t>(place[static_cast<std::size_t>(o * g.channels + c)] * g.channels + c)] +=
                    s.output_gradient(o, c);
        s.each_pair([&](int64 o, int64 i, int64) {
            for (int64 c = 0; c < g.channels; ++c)
                of_mean[static_cast<std::size_t>(i * g.channels + c)] +=
                    s.output_gradient(o, c) / count[static_cast<std::size_t>(o)];
        });
        const auto check_gradient = [&](const std::vector<double>& expected) {
            bool right = s.input_gradient.intact();
            for (int64 i = 0; i < s.positions; ++i)
                for (int64 c = 0; c < g.channels; ++c) {
                    if (std::isnan(s.input(i, c)) && below != Activation::linear) continue;  // its slope is anyone's
                    const double e = expected[static_cast<std::size_t>(i * g.channels + c)] * slope(below, s.input(i, c));
                    right = right && near(s.input_gradient(i, c), e, roundings<T>(16));
                }
            CHECK(right);
            s.input_gradient.fill([] { return NAN; });
        };
        s.p.argmax = s.argmax.data();
        k.max_pool_gradient(s.p);
        check_gradient(of_max);
        s.p.argmax = nullptr;
        k.max_pool_gradient(s.p);
        check_gradient(of_max);
        k.average_pool_gradient(s.p);
        check_gradient(of_mean);
    }
}

}  // namespace

TEST(two_dimensions) {
    each_level([]<class T>(const Kernels<T>& k) {
        int64 n = 0;
        for (int64 window = 1; window <= 4; ++window)
            for (int64 step = 1; step <= 5; ++step)
                for (int64 before = 0; before < window; ++before)
                    for (int64 after = 0; after < window; ++after)
                        for (const int64 extent : {1, 4, 7}) {
                            const int64 room = extent + before + after - window;
                            // "same" never leaves a whole window outside the input
                            if (room < 0 || room / step * step - before >= extent) continue;
                            const int64 out = room / step + 1;
                            const Geometry g{1 + n % (2 * k.lanes + 1), {1, extent, extent}, {1, window, window},
                                             {1, step, step},           {0, before, before}, {1, out, out}};
                            check_geometry(k, g, n % 3, n % 2, n % 4 == 0);
                            ++n;
                        }
    });
}

TEST(one_and_three_dimensions) {
    each_level([]<class T>(const Kernels<T>& k) {
        for (const int64 channels : {int64{1}, int64{3}, k.lanes - 1, k.lanes, 2 * k.lanes + 3}) {
            check_geometry(k, {channels, {1, 1, 9}, {1, 1, 2}, {1, 1, 2}, {0, 0, 0}, {1, 1, 4}}, 0, 1, false);
            check_geometry(k, {channels, {1, 1, 9}, {1, 1, 2}, {1, 1, 2}, {0, 0, 0}, {1, 1, 5}}, 1, 0, false);
            check_geometry(k, {channels, {4, 5, 6}, {2, 2, 2}, {2, 2, 2}, {0, 0, 0}, {2, 2, 3}}, 0, 0, false);
            check_geometry(k, {channels, {4, 5, 6}, {3, 2, 1}, {1, 2, 3}, {1, 0, 0}, {4, 2, 2}}, 2, 1, true);
            // more lines of outputs over one line of inputs than are gathered at a time
            check_geometry(k, {channels, {6, 7, 2}, {7, 6, 1}, {1, 1, 1}, {3, 3, 0}, {6, 7, 2}}, 1, 0, false);
            check_geometry(k, {channels, {5, 5, 5}, {5, 5, 5}, {1, 1, 1}, {0, 0, 0}, {1, 1, 1}}, 0, 0, false);
        }
    });
}

// The largest window with bytes for its indices, and -inf alone in a window.
TEST(window_limits) {
    each_level([]<class T>(const Kernels<T>& k) {
        check_geometry(k, {k.lanes + 1, {1, 16, 16}, {1, 16, 16}, {1, 16, 16}, {0, 0, 0}, {1, 1, 1}}, 0, 0, false);
        check_geometry(k, {3, {1, 20, 20}, {1, 15, 17}, {1, 3, 2}, {0, 0, 0}, {1, 2, 2}}, 0, 0, true);
        check_geometry(k, {k.lanes + 1, {1, 33, 16}, {1, 16, 11}, {1, 16, 12}, {0, 0, 3}, {1, 2, 1}}, 1, 0, true);
        Operands<T> s(Geometry{3, {1, 1, 4}, {1, 1, 2}, {1, 1, 2}, {0, 0, 0}, {1, 1, 2}}, 0, 0);
        s.input.fill([] { return -std::numeric_limits<T>::infinity(); });
        k.max_pool(s.p);
        for (int64 c = 0; c < 6; ++c) {
            CHECK_EQUAL(s.output[c], -std::numeric_limits<T>::infinity());
            CHECK_EQUAL(int{s.argmax[static_cast<std::size_t>(c)]}, 0);
        }
    });
}

// Windows of more than 256 positions have no argmax.
TEST(large_windows) {
    each_level([]<class T>(const Kernels<T>& k) {
        Operands<T> s(Geometry{k.lanes + 2, {1, 20, 18}, {1, 20, 17}, {1, 1, 1}, {0, 0, 0}, {1, 1, 2}}, 0, 0);
        s.p.argmax = nullptr;
        k.max_pool(s.p);
        k.max_pool_gradient(s.p);
        bool right = s.output.intact() && s.input_gradient.intact();
        std::vector<double> expected(static_cast<std::size_t>(s.positions));
        for (int64 c = 0; c < s.g.channels; ++c) {
            std::fill(expected.begin(), expected.end(), 0.0);
            for (int64 o = 0; o < 2; ++o) {
                double largest = -1e9;
                int64 place = -1;
                s.each_pair([&](int64 at, int64 i, int64) {
                    if (at == o && s.input(i, c) > largest) {
                        largest = s.input(i, c);
                        place = i;
                    }
                });
                right = right && s.output(o, c) == static_cast<T>(largest);
                expected[static_cast<std::size_t>(place)] += s.output_gradient(o, c);
            }
            for (int64 i = 0; i < s.positions; ++i)
                right = right && near(s.input_gradient(i, c), expected[static_cast<std::size_t>(i)], roundings<T>(4));
        }
        CHECK(right);
    });
}

CHECK_MAIN("pooling_test")
