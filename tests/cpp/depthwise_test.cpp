// Depthwise lines at every level against a plain double reference: positions, channels, strides, taps, epilogues.
#include "kernel_test.h"

using namespace check;
using kernels::DepthwiseArguments;
using kernels::DepthwiseGradient;
using kernels::DepthwiseTap;

namespace {

// Taps that begin `apart` positions after each other in one line of inputs, whose positions are `gap` further apart than
// there are channels.
template <class T>
struct Operands {
    int64 positions, channels, taps, step, apart;
    Guarded<T> x, w, y, bias, outputs, delta, sums;
    std::vector<DepthwiseTap<T>> terms;
    std::vector<const T*> starts;

    Operands(int64 positions_, int64 channels_, int64 taps_, int64 step_, int64 apart_, int64 gap, int64 shift)
        : positions(positions_), channels(channels_), taps(taps_), step(step_), apart(apart_),
          x((positions - 1) * step + taps * apart + 1, channels, channels + gap, shift),
          w(taps, channels, channels, shift + 1), y(positions, channels, channels + gap, shift),
          bias(channels, shift), outputs(positions, channels, channels + 2 * gap, shift + 1),
          delta(positions, channels, channels + gap, shift), sums(taps, channels, channels, shift) {
        for (Guarded<T>* all : {&x, &w, &bias, &outputs, &delta}) all->fill([] { return uniform(); });
        for (int64 t = 0; t < taps; ++t) {
            terms.push_back({&x(t * apart, 0), &w(t, 0)});
            starts.push_back(&x(t * apart, 0));
        }
    }
    bool intact() const {
        return x.intact() && w.intact() && y.intact() && bias.intact() && outputs.intact() && delta.intact() && sums.intact();
    }
};

template <class T>
void test_line(const Kernels<T>& k, Operands<T>& o, Activation f, bool accumulate, bool derivative) {
    if (accumulate) o.y.fill([] { return uniform(); });
    const Guarded<T> before = o.y;
    const bool biased = !accumulate && o.channels % 2 == 1;
    k.depthwise({o.terms.data(), o.taps, o.positions, o.channels, o.step * o.x.row(), o.y.data(), o.y.row(),
                 biased ? o.bias.data() : nullptr, accumulate, f, derivative ? o.outputs.data() : nullptr, o.outputs.row()});
    bool right = true;
    for (int64 i = 0; i < o.positions; ++i)
        for (int64 c = 0; c < o.channels; ++c) {
            double sum = accumulate ? static_cast<double>(before(i, c)) : biased ? static_cast<double>(o.bias[c]) : 0;
            for (int64 t = 0; t < o.taps; ++t)
                sum += static_cast<double>(o.x(i * o.step + t * o.apart, c)) * static_cast<double>(o.w(t, c));
            const double expected =
                derivative ? sum * slope(f, static_cast<double>(o.outputs(i, c))) : activation(f, sum);
            right = right && near(o.y(i, c), expected, roundings<T>(static_cast<double>(4 * o.taps + 8)));
        }
    CHECK(right && o.intact());
}

template <class T>
void test_gradient(const Kernels<T>& k, Operands<T>& o) {
    o.sums.fill([] { return uniform(); });
    const Guarded<T> before = o.sums;
    const DepthwiseGradient<T> d{o.starts.data(), o.taps,         o.positions,   o.channels,
                                 o.step * o.x.row(), o.delta.data(), o.delta.row(), o.sums.data()};
    k.depthwise_gradient(d);
    bool right = true;
    for (int64 t = 0; t < o.taps; ++t)
        for (int64 c = 0; c < o.channels; ++c) {
            double sum = static_cast<double>(before(t, c));
            for (int64 i = 0; i < o.positions; ++i)
                sum += static_cast<double>(o.x(i * o.step + t * o.apart, c)) * static_cast<double>(o.delta(i, c));
            right = right && near(o.sums(t, c), sum, roundings<T>(static_cast<double>(4 * o.positions + 8)));
        }
    CHECK(right && o.intact());
}

}  // namespace

TEST(channels) {
    each_level([]<class T>(const Kernels<T>& k) {
        for (int64 channels = 1; channels <= 2 * k.lanes + 1; ++channels) {
            Operands<T> o(1 + channels % 19, channels, 1 + channels % 11, 1 + channels % 3, 1 + channels % 2, channels % 4,
                          channels % 5);
            for (const Activation f : activations)
                for (const bool derivative : {false, true}) test_line(k, o, f, channels % 3 == 0, derivative);
            test_gradient(k, o);
        }
    });
}

TEST(positions_and_taps) {
    each_level([]<class T>(const Kernels<T>& k) {
        for (int64 positions = 1; positions <= 19; ++positions)
            for (int64 taps = 1; taps <= 20; ++taps) {
                Operands<T> o(positions, k.lanes + 3, taps, 1, 1, 0, positions % 3);
                test_line(k, o, Activation::relu, false, false);
                test_gradient(k, o);
            }
    });
}

// The gradient of input positions that no window reaches.
TEST(no_taps) {
    each_level([]<class T>(const Kernels<T>& k) {
        Operands<T> o(3, k.lanes + 1, 0, 1, 1, 0, 0);
        test_line(k, o, Activation::sigmoid, false, true);
    });
}

// The bits of a position do not depend on how many come with it.
TEST(one_position_alone) {
    each_level([]<class T>(const Kernels<T>& k) {
        Operands<T> o(13, 2 * k.lanes + 3, 5, 1, 1, 0, 0);
        const auto run = [&](int64 first, int64 count, Guarded<T>& y) {
            std::vector<DepthwiseTap<T>> terms = o.terms;
            for (DepthwiseTap<T>& tap : terms) tap.x += first * o.x.row();
            k.depthwise({terms.data(), o.taps, count, o.channels, o.x.row(), y.data(), y.row(), o.bias.data(), false,
                         Activation::tanh, nullptr, 0});
        };
        run(0, o.positions, o.y);
        bool same = true;
        for (int64 i = 0; i < o.positions; ++i) {
            Guarded<T> one(1, o.channels, o.channels, 0);
            run(i, 1, one);
            for (int64 c = 0; c < o.channels; ++c) same = same && one(0, c) == o.y(i, c);
        }
        CHECK(same);
    });
}

CHECK_MAIN("depthwise_test")
