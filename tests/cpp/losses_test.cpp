// The losses at every level against double references and their own limits.
#include "kernel_test.h"

using namespace check;

namespace {

template <class Body>
void each_shape(int64 lanes, const Body& body) {
    for (int64 columns = 1; columns <= 2 * lanes + 1; ++columns)
        for (const int64 rows : {int64{1}, int64{3}, lanes, 2 * lanes + 1}) body(rows, columns);
    body(3, 9 * lanes + 3);
    body(0, 4);
}

}  // namespace

TEST(softmax_cross_entropy) {
    each_level([]<class T>(const Kernels<T>& k) {
        int64 n = 0;
        each_shape(k.lanes, [&](int64 rows, int64 columns) {
            for (const bool with_labels : {true, false})
                for (const int outputs : {0, 1, 2, 3}) {  // delta, probabilities, both, neither
                    ++n;
                    const T scale = T(0.125);
                    const double offset = n % 5 == 0 ? 500 : 0;
                    const bool weighted = n % 2 == 0;
                    Guarded<T> x(rows, columns, columns + n % 3, n % 2), t(rows, columns, columns + 1, 0),
                        p(rows, columns, columns + 2, 1), d(rows, columns, columns, n % 3), w(rows, 1);
                    Guarded<double> loss(rows, 0);
                    x.fill([&] { return offset + uniform(-9, 9); });
                    t.fill([] { return uniform(0, 0.5); });  // their sum is not 1
                    if (columns > 1) t(0, 0) = 0;
                    w.fill([] { return uniform(0, 2); });
                    std::vector<int32> labels(static_cast<std::size_t>(rows));
                    for (int32& l : labels) l = static_cast<int32>(integer_below(columns));
                    const bool delta = outputs == 0 || outputs == 2, probabilities = outputs == 1 || outputs == 2;
                    k.softmax_cross_entropy(rows, columns, x.data(), x.row(), with_labels ? labels.data() : nullptr,
                                            with_labels ? nullptr : t.data(), t.row(), weighted ? w.data() : nullptr,
                                            scale, probabilities ? p.data() : nullptr, p.row(),
                                            delta ? d.data() : nullptr, d.row(), loss.data());
                    CHECK(p.intact() && d.intact() && loss.intact());
                    for (int64 r = 0; r < rows; ++r) {
                        double top = -1e300, total = 0, expected = 0, sum_t = 0, magnitude = 0;
                        for (int64 c = 0; c < columns; ++c) top = std::fmax(top, x(r, c));
                        for (int64 c = 0; c < columns; ++c) total += std::exp(x(r, c) - top);
                        const auto target = [&](int64 c) -> double {
                            return with_labels ? c == labels[static_cast<std::size_t>(r)] : t(r, c);
                        };
                        for (int64 c = 0; c < columns; ++c) {
                            const double l = -target(c) * (x(r, c) - top - std::log(total));
                            expected += l;
                            magnitude += std::fabs(l);
                            sum_t += target(c);
                        }
                        CHECK_NEAR(loss[r], expected, roundings<T>(8, magnitude));
                        for (int64 c = 0; c < columns; ++c) {
                            const double softmax = std::exp(x(r, c) - top) / total;
                            const double factor = static_cast<double>(scale) * (weighted ? w[r] : T(1));
                            if (probabilities) CHECK_NEAR(p(r, c), softmax, roundings<T>(8));
                            if (delta) CHECK_NEAR(d(r, c), factor * (softmax * sum_t - target(c)), roundings<T>(8, sum_t));
                        }
                    }
                    if (delta) {  // in place of the logits, the same bits
                        k.softmax_cross_entropy(rows, columns, x.data(), x.row(), with_labels ? labels.data() : nullptr,
                                                with_labels ? nullptr : t.data(), t.row(),
                                                weighted ? w.data() : nullptr, scale, nullptr, 0, x.data(), x.row(),
                                                loss.data());
                        for (int64 r = 0; r < rows; ++r) CHECK(same_bits(&x(r, 0), &d(r, 0), columns));
                    }
                }
        });
    });
}

TEST(softmax_cross_entropy_at_the_limits) {
    each_level([]<class T>(const Kernels<T>& k) {
        const T inf = std::numeric_limits<T>::infinity();
        for (const int64 columns : {int64{3}, 2 * k.lanes + 3}) {
            const auto n = static_cast<std::size_t>(columns);
            std::vector<T> x(n, -inf), d(n), p(n), t(n, T(0));
            const int32 label = 1;
            double loss;
            const auto run = [&](bool labels) {
                k.softmax_cross_entropy(1, columns, x.data(), columns, labels ? &label : nullptr,
                                        labels ? nullptr : t.data(), columns, nullptr, 1, p.data(), columns, d.data(),
                                        columns, &loss);
            };
            // classes ruled out by -inf cost nothing unless they are the target
            x[0] = x[1] = 3;
            t[1] = 1;
            for (const bool labels : {true, false}) {
                run(labels);
                CHECK_NEAR(loss, std::log(2.0), roundings<T>(2));
                CHECK(p[0] == T(0.5) && p[2] == 0 && d[0] == T(0.5) && d[1] == T(-0.5) && d[2] == 0);
            }
            x[1] = -inf;
            for (const bool labels : {true, false}) {
                run(labels);
                CHECK_EQUAL(loss, HUGE_VAL);
                CHECK(d[0] == 1 && d[1] == -1);
            }
            // a certain and right answer; a certain and wrong one
            std::fill(x.begin(), x.end(), T(-10000));
            x[1] = 10000;
            run(true);
            CHECK(loss == 0 && d[1] == 0 && d[0] == 0);
            x[0] = 30000;
            run(true);
            CHECK_NEAR(loss, 20000, roundings<T>(1, 20000));
            // a diverged one must show
            x[0] = inf;
            run(true);
            CHECK(std::isnan(loss) && std::isnan(d[0]) && std::isnan(d[1]));
        }
    });
}

TEST(sigmoid_cross_entropy) {
    each_level([]<class T>(const Kernels<T>& k) {
        int64 n = 0;
        each_shape(k.lanes, [&](int64 rows, int64 columns) {
            for (const bool delta : {true, false}) {
                ++n;
                const T scale = T(0.125);
                const bool weighted = n % 2 == 0;
                Guarded<T> z(rows, columns, columns + n % 3, n % 2), t(rows, columns, columns + 1, 0),
                    d(rows, columns, columns, n % 3), w(rows, 1);
                Guarded<double> loss(rows, 0);
                z.fill([] { return uniform(-30, 30); });
                t.fill([] { return integer_below(3) == 0 ? uniform(0, 1) : static_cast<double>(integer_below(2)); });
                w.fill([] { return uniform(0, 2); });
                k.sigmoid_cross_entropy(rows, columns, z.data(), z.row(), t.data(), t.row(),
                                        weighted ? w.data() : nullptr, scale, delta ? d.data() : nullptr, d.row(),
                                        loss.data());
                CHECK(d.intact() && loss.intact());
                for (int64 r = 0; r < rows; ++r) {
                    double expected = 0;
                    for (int64 c = 0; c < columns; ++c) {
                        const double v = z(r, c);
                        expected += std::fmax(v, 0.0) - v * t(r, c) + std::log1p(std::exp(-std::fabs(v)));
                        if (!delta) continue;
                        const double slope_of_loss = activation(Activation::sigmoid, v) - t(r, c);
                        const double factor = static_cast<double>(scale) * (weighted ? w[r] : T(1));
                        CHECK_NEAR(d(r, c), factor * slope_of_loss / static_cast<double>(columns), roundings<T>(4, 0));
                    }
                    expected /= static_cast<double>(columns);
                    CHECK_NEAR(loss[r], expected, roundings<T>(8, expected));
                }
            }
        });
        // relative precision where the loss is tiny, and the limits
        const T inf = std::numeric_limits<T>::infinity();
        const auto single = [&](T z, T t) {
            double loss;
            T d;
            k.sigmoid_cross_entropy(1, 1, &z, 1, &t, 1, nullptr, 1, &d, 1, &loss);
            return loss;
        };
        for (const T z : {T(5), T(10), T(20), T(40)}) {
            const double exact = std::log1p(std::exp(-static_cast<double>(z)));
            CHECK_NEAR(single(z, 1) / exact, 1, roundings<T>(4));
            CHECK_NEAR(single(-z, 0) / exact, 1, roundings<T>(4));
        }
        CHECK(single(inf, 1) == 0 && single(-inf, 0) == 0);
        CHECK(single(inf, 0) == HUGE_VAL && single(-inf, 1) == HUGE_VAL);
        CHECK(std::isnan(single(std::numeric_limits<T>::quiet_NaN(), 0)));
        CHECK(std::isnan(single(std::numeric_limits<T>::quiet_NaN(), 1)));
    });
}

TEST(squared_error) {
    each_level([]<class T>(const Kernels<T>& k) {
        int64 n = 0;
        each_shape(k.lanes, [&](int64 rows, int64 columns) {
            for (const bool gradient : {true, false}) {
                ++n;
                const T scale = T(0.5);
                const bool weighted = n % 2 == 0;
                Guarded<T> y(rows, columns, columns + n % 3, n % 2), t(rows, columns, columns + 1, 0),
                    g(rows, columns, columns, n % 3), w(rows, 1);
                Guarded<double> loss(rows, 0);
                y.fill([] { return uniform(); });
                t.fill([] { return uniform(); });
                w.fill([] { return uniform(0, 2); });
                k.squared_error(rows, columns, y.data(), y.row(), t.data(), t.row(), weighted ? w.data() : nullptr,
                                scale, gradient ? g.data() : nullptr, g.row(), loss.data());
                CHECK(g.intact() && loss.intact());
                for (int64 r = 0; r < rows; ++r) {
                    double expected = 0;
                    for (int64 c = 0; c < columns; ++c) {
                        const double e = static_cast<double>(y(r, c)) - t(r, c);
                        expected += e * e / static_cast<double>(columns);
                        const double factor = 0.5 * (weighted ? w[r] : T(1)) * 2 / static_cast<double>(columns);
                        if (gradient) CHECK_NEAR(g(r, c), factor * e, roundings<T>(4));
                    }
                    CHECK_NEAR(loss[r], expected, roundings<T>(8, expected));
                }
            }
        });
    });
}

CHECK_MAIN("losses_test")
