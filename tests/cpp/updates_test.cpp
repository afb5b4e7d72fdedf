// The weight update, the penalty sums and the look for what is not finite at every level against double references.
#include <limits>

#include "kernel_test.h"

using namespace check;

namespace {

double sign(double w) { return w > 0 ? 1 : w < 0 ? -1 : 0; }

}  // namespace

TEST(sgd) {
    each_level([]<class T>(const Kernels<T>& k) {
        for (int64 n = 0; n <= 2 * k.lanes + 1; ++n)
            for (const double momentum : {0.0, 0.9})
                for (const bool nesterov : {false, true})
                    for (const double l1 : {0.0, 0.01})
                        for (const double l2 : {0.0, 0.1})
                            for (const bool with_velocity : {false, true}) {
                                if (momentum != 0 && !with_velocity) continue;
                                kernels::SgdArguments<T> s;
                                s.learning_rate = T(0.1);
                                s.momentum = static_cast<T>(momentum);
                                s.nesterov = nesterov;
                                s.l1 = static_cast<T>(l1);
                                s.l2 = static_cast<T>(l2);
                                Guarded<T> w(n, n % 3), g(n, 1), v(n, 2);
                                w.fill([] { return uniform(); });
                                if (n > 1) w[1] = 0;
                                g.fill([] { return uniform(); });
                                if (momentum != 0) v.fill([] { return uniform(); });  // without momentum: assigned
                                const Guarded<T> w0 = w, v0 = v;
                                k.sgd(n, w.data(), g.data(), with_velocity ? v.data() : nullptr, s);
                                CHECK(w.intact() && v.intact());
                                for (int64 i = 0; i < n; ++i) {
                                    const double g1 = g[i] + 2 * l2 * w0[i] + l1 * sign(w0[i]);
                                    const double v1 = (momentum != 0 ? momentum * v0[i] : 0) - 0.1 * g1;
                                    const double step = nesterov ? momentum * v1 - 0.1 * g1 : v1;
                                    CHECK_NEAR(w[i], w0[i] + step, roundings<T>(4));
                                    if (with_velocity) CHECK_NEAR(v[i], v1, roundings<T>(4));
                                }
                            }
    });
}

TEST(penalty_sums) {
    each_level([]<class T>(const Kernels<T>& k) {
        for (int64 n = 0; n <= 300; n += n <= 4 * k.lanes + 1 ? 1 : 37) {
            Guarded<T> w(n, n % 3);
            w.fill([] { return uniform(); });
            double sums[3] = {NAN, NAN, 42}, absolute = 0, square = 0;
            k.penalty_sums(n, w.data(), sums);
            for (int64 i = 0; i < n; ++i) {
                absolute += std::fabs(static_cast<double>(w[i]));
                square += static_cast<double>(w[i]) * w[i];
            }
            CHECK_NEAR(sums[0], absolute, 1e-13 * (1 + absolute));
            CHECK_NEAR(sums[1], square, 1e-13 * (1 + square));
            CHECK_EQUAL(sums[2], 42.0);
            // the same order wherever the weights lie
            Guarded<T> moved(n, 1 + n % 3);
            for (int64 i = 0; i < n; ++i) moved[i] = w[i];
            double again[2];
            k.penalty_sums(n, moved.data(), again);
            CHECK(same_bits(sums, again, 2));
        }
    });
}

TEST(all_finite) {
    each_level([]<class T>(const Kernels<T>& k) {
        for (int64 n = 0; n <= 100; ++n) {
            Guarded<T> x(n, n % 3);
            x.fill([] { return uniform(); });
            CHECK(k.all_finite(n, x.data()));
            for (const double bad : {NAN, -NAN, INFINITY, -INFINITY})
                for (const int64 i : {int64{0}, n / 2, n - 1}) {
                    if (n == 0) continue;
                    const T before = x[i];
                    x[i] = static_cast<T>(bad);
                    CHECK(!k.all_finite(n, x.data()));
                    x[i] = std::numeric_limits<T>::max();
                    CHECK(k.all_finite(n, x.data()));
                    x[i] = before;
                }
        }
    });
}

CHECK_MAIN("updates_test")
