// Activations, softmax, sums and dropout at every level against double references.
#include "core/philox.h"
#include "kernel_test.h"

using namespace check;

namespace {

// rows x columns at any row distance and alignment.
struct Shape {
    int64 rows, columns, gap, shift;
};
template <class Body>
void each_shape(int64 lanes, const Body& body) {
    for (int64 columns = 0; columns <= 2 * lanes + 1; ++columns)
        for (const int64 rows : {1, 3})
            for (const int64 gap : {0, 3}) body(Shape{rows, columns, gap, columns % 3});
    body(Shape{2, 9 * lanes + 3, 1, 1});
    body(Shape{0, 5, 0, 0});
}

}  // namespace

TEST(activate_and_its_gradient) {
    each_level([]<class T>(const Kernels<T>& k) {
        each_shape(k.lanes, [&](Shape s) {
            for (const Activation f : cell_activations) {
                Guarded<T> x(s.rows, s.columns, s.columns + s.gap, s.shift), y(s.rows, s.columns, s.columns, 0),
                    g(s.rows, s.columns, s.columns + 2 * s.gap, 1);
                x.fill([] { return uniform(-4, 4); });
                g.fill([] { return uniform(); });
                const Guarded<T> before = g;
                k.activate(f, s.rows, s.columns, x.data(), x.row(), y.data(), y.row());
                k.activation_gradient(f, s.rows, s.columns, y.data(), y.row(), g.data(), g.row());
                CHECK(y.intact() && g.intact());
                for (int64 r = 0; r < s.rows; ++r)
                    for (int64 c = 0; c < s.columns; ++c) {
                        CHECK_NEAR(y(r, c), activation(f, x(r, c)), roundings<T>(4, x(r, c)));
                        CHECK_NEAR(g(r, c), before(r, c) * slope(f, y(r, c)), roundings<T>(4));
                    }
                k.activate(f, s.rows, s.columns, x.data(), x.row(), x.data(), x.row());
                CHECK(x.intact());
                for (int64 r = 0; r < s.rows; ++r) CHECK(same_bits(&x(r, 0), &y(r, 0), s.columns));
            }
        });
        const T nan = std::numeric_limits<T>::quiet_NaN(), inf = std::numeric_limits<T>::infinity();
        T out;
        k.activate(Activation::relu, 1, 1, &nan, 1, &out, 1);
        CHECK(std::isnan(out));
        const T closed = 0;
        out = inf;
        k.activation_gradient(Activation::relu, 1, 1, &closed, 1, &out, 1);
        CHECK_EQUAL(out, T(0));
    });
}

TEST(softmax_and_its_gradient) {
    each_level([]<class T>(const Kernels<T>& k) {
        each_shape(k.lanes, [&](Shape s) {
            if (s.columns == 0) return;
            for (const double offset : {0.0, 1000.0, -1000.0}) {
                Guarded<T> x(s.rows, s.columns, s.columns + s.gap, s.shift), y(s.rows, s.columns, s.columns, 0),
                    dy(s.rows, s.columns, s.columns + s.gap, 2), dx(s.rows, s.columns, s.columns + 1, 1);
                x.fill([&] { return offset + uniform(-8, 8); });
                dy.fill([] { return uniform(); });
                k.softmax(s.rows, s.columns, x.data(), x.row(), y.data(), y.row());
                k.softmax_gradient(s.rows, s.columns, y.data(), y.row(), dy.data(), dy.row(), dx.data(), dx.row());
                CHECK(y.intact() && dx.intact());
                for (int64 r = 0; r < s.rows; ++r) {
                    double top = -1e300, total = 0, product = 0;
                    for (int64 c = 0; c < s.columns; ++c) top = std::fmax(top, x(r, c));
                    for (int64 c = 0; c < s.columns; ++c) total += std::exp(x(r, c) - top);
                    for (int64 c = 0; c < s.columns; ++c) product += static_cast<double>(y(r, c)) * dy(r, c);
                    for (int64 c = 0; c < s.columns; ++c) {
                        CHECK_NEAR(y(r, c), std::exp(x(r, c) - top) / total, roundings<T>(8));
                        CHECK_NEAR(dx(r, c), y(r, c) * (dy(r, c) - product), roundings<T>(8));
                    }
                }
                k.softmax(s.rows, s.columns, x.data(), x.row(), x.data(), x.row());
                k.softmax_gradient(s.rows, s.columns, y.data(), y.row(), dy.data(), dy.row(), dy.data(), dy.row());
                for (int64 r = 0; r < s.rows; ++r)
                    CHECK(same_bits(&x(r, 0), &y(r, 0), s.columns) && same_bits(&dx(r, 0), &dy(r, 0), s.columns));
            }
        });
        const T inf = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
        const T masked[] = {1, -inf, 1};
        T y[3];
        k.softmax(1, 3, masked, 3, y, 3);
        CHECK(y[0] == T(0.5) && y[1] == 0 && y[2] == T(0.5));
        for (const T bad : {inf, nan}) {
            const T x[] = {0, bad, 1};
            k.softmax(1, 3, x, 3, y, 3);
            CHECK(std::isnan(y[0]) && std::isnan(y[1]) && std::isnan(y[2]));
        }
    });
}

TEST(log_softmax_and_its_gradient) {
    each_level([]<class T>(const Kernels<T>& k) {
        each_shape(k.lanes, [&](Shape s) {
            if (s.columns == 0) return;
            for (const double offset : {0.0, 1000.0}) {
                Guarded<T> x(s.rows, s.columns, s.columns + s.gap, s.shift), y(s.rows, s.columns, s.columns, 0),
                    dy(s.rows, s.columns, s.columns + s.gap, 2), dx(s.rows, s.columns, s.columns + 1, 1);
                x.fill([&] { return offset + uniform(-8, 8); });
                dy.fill([] { return uniform(); });
                k.log_softmax(s.rows, s.columns, x.data(), x.row(), y.data(), y.row());
                k.log_softmax_gradient(s.rows, s.columns, y.data(), y.row(), dy.data(), dy.row(), dx.data(), dx.row());
                CHECK(y.intact() && dx.intact());
                for (int64 r = 0; r < s.rows; ++r) {
                    double top = -1e300, total = 0, sum = 0;
                    for (int64 c = 0; c < s.columns; ++c) top = std::fmax(top, x(r, c));
                    for (int64 c = 0; c < s.columns; ++c) total += std::exp(x(r, c) - top), sum += dy(r, c);
                    for (int64 c = 0; c < s.columns; ++c) {
                        const double exact = x(r, c) - top - std::log(total);
                        CHECK_NEAR(y(r, c), exact, roundings<T>(4, exact));
                        CHECK_NEAR(dx(r, c), dy(r, c) - std::exp(exact) * sum, roundings<T>(30, sum));
                    }
                }
            }
        });
    });
}

TEST(column_sums_and_add) {
    each_level([]<class T>(const Kernels<T>& k) {
        for (int64 columns = 0; columns <= 9 * k.lanes + 1; columns += columns <= 2 * k.lanes ? 1 : 7)
            for (const int64 rows : {0, 1, 5, 33})
                for (const bool accumulate : {false, true}) {
                    Guarded<T> x(rows, columns, columns + 3, columns % 3), sums(columns, 1);
                    x.fill([] { return uniform(); });
                    if (accumulate) sums.fill([] { return uniform(); });
                    Guarded<T> expected = sums;
                    for (int64 c = 0; c < columns; ++c) {
                        if (!accumulate) expected[c] = 0;
                        for (int64 r = 0; r < rows; ++r) expected[c] += x(r, c);
                    }
                    k.column_sums(rows, columns, x.data(), x.row(), sums.data(), accumulate);
                    CHECK(sums.intact() && same_bits(sums.data(), expected.data(), columns));
                    if (rows == 0) continue;
                    k.add(columns, x.data(), sums.data());
                    for (int64 c = 0; c < columns; ++c) expected[c] += x[c];
                    CHECK(sums.intact() && same_bits(sums.data(), expected.data(), columns));
                }
    });
}

TEST(column_maxima) {
    each_level([]<class T>(const Kernels<T>& k) {
        using kernels::Index;
        for (int64 columns = 0; columns <= 5 * k.lanes + 1; columns += columns <= 2 * k.lanes ? 1 : 7)
            for (const int64 rows : {1, 2, 5, 33})
                for (const bool accumulate : {false, true}) {
                    Guarded<T> x(rows, columns, columns + 3, columns % 3), largest(columns, 1);
                    x.fill([] { return static_cast<double>(integer_below(5)) - 2; });  // ties
                    if (columns > 0)
                        x(integer_below(rows), integer_below(columns)) = std::numeric_limits<T>::quiet_NaN();
                    largest.fill([] { return static_cast<double>(integer_below(5)) - 2; });
                    std::vector<Index<T>> index(static_cast<std::size_t>(columns + 8), -7);
                    std::vector<T> expected(static_cast<std::size_t>(columns));
                    std::vector<Index<T>> where(index);
                    for (int64 c = 0; c < columns; ++c) {
                        const auto at = static_cast<std::size_t>(c);
                        T best = largest[c];
                        for (int64 r = 0; r < rows; ++r) {
                            const bool first = r == 0 && !accumulate;
                            if (first || x(r, c) > best || (std::isnan(x(r, c)) && !std::isnan(best))) {
                                best = x(r, c);
                                where[at] = static_cast<Index<T>>(100 + r);
                            }
                        }
                        expected[at] = best;
                    }
                    k.column_maxima(rows, columns, x.data(), x.row(), 100, largest.data(), index.data(), accumulate);
                    CHECK(largest.intact() && same_bits(largest.data(), expected.data(), columns) && index == where);
                }
    });
}

// Known answers of the paper's own library, Random123 (kat_vectors, philox4x32 10).
TEST(philox_known_answers) {
    const auto equal = [](PhiloxBlock a, PhiloxBlock b) { return std::memcmp(&a, &b, sizeof a) == 0; };
    const uint32 ones = 0xffffffffu;
    CHECK(equal(philox({{0, 0, 0, 0}}, 0, 0), {{0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u}}));
    CHECK(equal(philox({{ones, ones, ones, ones}}, ones, ones), {{0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu}}));
    CHECK(equal(philox({{0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u}}, 0xa4093822u, 0x299f31d0u),
                {{0xd16cfe09u, 0x94fdcceb, 0x5001e420u, 0x24126ea1u}}));
}

TEST(dropout_agrees_with_the_scalar_generator) {
    const kernels::DropoutKey keys[] = {{0, 0, 0}, {0x123456789abcdef0u, 0xfedcba9876543210u, 77}};
    each_level([&]<class T>(const Kernels<T>& k) {
        for (const kernels::DropoutKey& key : keys)
            for (const uint64 first : {0ull, 1ull, 2ull, 3ull, 1001ull, 0x3ffffffeeull, 0x3fffffffdull, 0x123456789abcull})
                for (const uint64 sample : {0ull, 0x900000005ull})
                    for (const double keep : {0.0, 1e-12, 0.25, 0.8, 1.0})
                        for (int64 n = 0; n <= 700; n += n <= 2 * k.lanes ? 1 : 163) {
                            Guarded<T> x(n, n % 3), y(n, 1);
                            x.fill([] { return uniform(); });
                            k.dropout(key, static_cast<T>(keep), sample, first, n, x.data(), y.data());
                            bool same = y.intact();
                            const double threshold = static_cast<double>(static_cast<T>(keep)) * 0x1p32;
                            for (int64 i = 0; i < n; ++i) {
                                const uint32 word = dropout_word(key.seed, key.call, key.layer, sample,
                                                                 first + static_cast<uint64>(i));
                                const bool kept = static_cast<double>(word) < threshold;
                                same = same && y[i] == (kept ? x[i] / static_cast<T>(keep) : T(0));
                            }
                            CHECK(same);
                            k.dropout(key, static_cast<T>(keep), sample, first, n, x.data(), x.data());
                            CHECK(x.intact() && same_bits(x.data(), y.data(), n));
                        }
        // the share that stays, over many elements
        const int64 n = 100000;
        Guarded<T> x(n), y(n);
        x.fill([] { return 1; });
        k.dropout(keys[1], T(0.3), 0, 0, n, x.data(), y.data());
        int64 kept = 0;
        for (int64 i = 0; i < n; ++i) kept += y[i] != 0;
        CHECK_NEAR(static_cast<double>(kept) / static_cast<double>(n), 0.3, 0.005);
        // a poisoned element that is dropped is gone
        const T nan = std::numeric_limits<T>::quiet_NaN();
        T out = 1;
        k.dropout(keys[0], T(0), 0, 0, 1, &nan, &out);
        CHECK_EQUAL(out, T(0));
    });
}

CHECK_MAIN("elementwise_test")
