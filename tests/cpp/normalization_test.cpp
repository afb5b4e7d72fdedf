// Kernels of batch and layer normalization at every level against double references.
#include "kernel_test.h"

using namespace check;

namespace {

template <class Body>
void each_shape(int64 lanes, const Body& body) {
    for (int64 columns = 1; columns <= 2 * lanes + 1; ++columns)
        for (const int64 rows : {1, 3}) body(rows, columns, columns % 3);
    body(150, 9 * lanes + 3, 1);
    body(64, 4 * lanes, 0);
    body(65, 1, 2);
}

template <class T>
Guarded<T> drawn(int64 rows, int64 columns, int64 shift, double low = -2, double high = 2) {
    Guarded<T> x(rows, columns, columns, shift);
    x.fill([&] { return uniform(low, high); });
    return x;
}

}  // namespace

TEST(moments_of_columns) {
    each_level([]<class T>(const Kernels<T>& k) {
        each_shape(k.lanes, [&](int64 rows, int64 columns, int64 shift) {
            for (const double offset : {0.0, 1e3, -1e5}) {  // far from zero nothing is lost but what x itself lacks
                const Guarded<T> x = drawn<T>(rows, columns, shift, offset - 2, offset + 2);
                Guarded<double> mean(columns, shift), squares(columns, 1);
                k.column_moments(rows, columns, x.data(), mean.data(), squares.data());
                CHECK(mean.intact() && squares.intact());
                for (int64 c = 0; c < columns; ++c) {
                    double m = 0, s = 0;
                    for (int64 r = 0; r < rows; ++r) m += static_cast<double>(x(r, c)) / static_cast<double>(rows);
                    for (int64 r = 0; r < rows; ++r) s += std::pow(static_cast<double>(x(r, c)) - m, 2);
                    CHECK_NEAR(mean[c], m, roundings<T>(4) + roundings<double>(16, offset));
                    CHECK_NEAR(squares[c], s, roundings<T>(8, s) + roundings<double>(64, offset) * static_cast<double>(rows));
                }
            }
        });
    });
}

TEST(normalize_by_columns_and_back) {
    each_level([]<class T>(const Kernels<T>& k) {
        each_shape(k.lanes, [&](int64 rows, int64 columns, int64 shift) {
            const Guarded<T> x = drawn<T>(rows, columns, shift), delta = drawn<T>(rows, columns, 1);
            const Guarded<T> centre = drawn<T>(1, columns, 0), scale = drawn<T>(1, columns, 1);
            const Guarded<T> offset = drawn<T>(1, columns, 2), slopes = drawn<T>(1, columns, 3);
            const Guarded<T> addend = drawn<T>(rows, columns, 2);
            for (const Activation f : activations) {
                Guarded<T> y(rows, columns, columns, 1), sum_y(rows, columns, columns, 0), out(rows, columns, columns, 2);
                Guarded<double> sums(columns, 0), products(columns, 1);
                k.normalize(f, rows, columns, x.data(), centre.data(), scale.data(), offset.data(), nullptr, y.data());
                k.normalize(f, rows, columns, x.data(), centre.data(), scale.data(), offset.data(), addend.data(), sum_y.data());
                k.normalize_gradient(f, rows, columns, x.data(), delta.data(), centre.data(), scale.data(), slopes.data(),
                                     offset.data(), out.data());
                k.normalize_sums(rows, columns, x.data(), centre.data(), delta.data(), sums.data(), products.data());
                CHECK(y.intact() && sum_y.intact() && out.intact() && sums.intact() && products.intact());
                for (int64 c = 0; c < columns; ++c) {
                    double sum = 0, product = 0;
                    for (int64 r = 0; r < rows; ++r) {
                        const double d = static_cast<double>(x(r, c)) - static_cast<double>(centre[c]), g = delta(r, c);
                        CHECK_NEAR(y(r, c), activation(f, d * scale[c] + offset[c]), roundings<T>(24));
                        CHECK_NEAR(sum_y(r, c), activation(f, d * scale[c] + offset[c] + addend(r, c)), roundings<T>(28));
                        CHECK_NEAR(out(r, c), (scale[c] * g + slopes[c] * d + offset[c]) * slope(f, x(r, c)), roundings<T>(80));
                        sum += g;
                        product += g * d;
                    }
                    CHECK_NEAR(sums[c], sum, roundings<T>(static_cast<double>(rows)));
                    CHECK_NEAR(products[c], product, roundings<T>(4 * static_cast<double>(rows)));
                }
                Guarded<T> place = x;
                k.normalize(f, rows, columns, place.data(), centre.data(), scale.data(), offset.data(), nullptr, place.data());
                CHECK(place.intact());
                CHECK(same_bits(place.data(), y.data(), rows * columns));
            }
        });
    });
}

TEST(layer_norm_and_its_gradients) {
    each_level([]<class T>(const Kernels<T>& k) {
        each_shape(k.lanes, [&](int64 rows, int64 columns, int64 shift) {
            for (const double offset : {0.0, 100.0}) {
                const Guarded<T> x = drawn<T>(rows, columns, shift, offset - 2, offset + 2);
                const Guarded<T> gamma = drawn<T>(1, columns, 1), beta = drawn<T>(1, columns, 2);
                const Guarded<T> delta = drawn<T>(rows, columns, 1);
                Guarded<T> moments(rows, 2, 2, 0), y(rows, columns, columns, 1), out(rows, columns, columns, 2);
                Guarded<T> products = drawn<T>(1, columns, 1), sums = drawn<T>(1, columns, 2);
                const Guarded<T> products_before = products, sums_before = sums;
                const T epsilon = static_cast<T>(0.25);
                k.layer_norm(rows, columns, epsilon, x.data(), gamma.data(), beta.data(), moments.data(), y.data());
                k.layer_norm_gradient(rows, columns, x.data(), moments.data(), gamma.data(), delta.data(), out.data());
                k.layer_norm_sums(rows, columns, columns, x.data(), moments.data(), delta.data(), products.data(), sums.data());
                CHECK(moments.intact() && y.intact() && out.intact() && products.intact() && sums.intact());
                const double n = static_cast<double>(columns);
                const double slack = 4 + static_cast<double>(columns) / 8 + offset / 4;
                std::vector<double> product(static_cast<size_t>(columns)), total(static_cast<size_t>(columns));
                for (int64 r = 0; r < rows; ++r) {
                    long double total_x = 0;  // double would lose as much as the kernels
                    for (int64 c = 0; c < columns; ++c) total_x += x(r, c);
                    const double m = static_cast<double>(total_x / static_cast<long double>(columns));
                    double v = 0, g_mean = 0, p_mean = 0;
                    for (int64 c = 0; c < columns; ++c) v += (x(r, c) - m) * (x(r, c) - m) / n;
                    const double s = 1 / std::sqrt(v + static_cast<double>(epsilon));
                    for (int64 c = 0; c < columns; ++c) {
                        const double g = static_cast<double>(delta(r, c)) * gamma[c];
                        g_mean += g / n;
                        p_mean += g * (x(r, c) - m) * s / n;
                    }
                    CHECK_NEAR(moments(r, 0), m, roundings<T>(2, offset));
                    CHECK_NEAR(moments(r, 1), s, roundings<T>(slack));
                    for (int64 c = 0; c < columns; ++c) {
                        const double normal = (x(r, c) - m) * s, g = static_cast<double>(delta(r, c)) * gamma[c];
                        CHECK_NEAR(y(r, c), normal * gamma[c] + beta[c], roundings<T>(8 * slack));
                        CHECK_NEAR(out(r, c), s * (g - g_mean - normal * p_mean), roundings<T>(32 * slack));
                        product[static_cast<size_t>(c)] += delta(r, c) * normal;
                        total[static_cast<size_t>(c)] += delta(r, c);
                    }
                }
                for (int64 c = 0; c < columns; ++c) {
                    const double chains = 4 * slack * static_cast<double>(rows);
                    CHECK_NEAR(products[c], product[static_cast<size_t>(c)] + products_before[c], roundings<T>(chains));
                    CHECK_NEAR(sums[c], total[static_cast<size_t>(c)] + sums_before[c], roundings<T>(chains));
                }
            }
        });
    });
}

// Columns of their own: how many there are beside them changes no bit.
TEST(columns_do_not_depend_on_their_neighbours) {
    each_level([]<class T>(const Kernels<T>& k) {
        const int64 rows = 130, columns = 6 * k.lanes + 1, part = k.lanes + 3;
        const Guarded<T> x = drawn<T>(rows, columns, 1);
        Guarded<T> few(rows, part, part, 0);
        for (int64 r = 0; r < rows; ++r)
            for (int64 c = 0; c < part; ++c) few(r, c) = x(r, c);
        Guarded<double> mean(columns), squares(columns), few_mean(part), few_squares(part);
        k.column_moments(rows, columns, x.data(), mean.data(), squares.data());
        k.column_moments(rows, part, few.data(), few_mean.data(), few_squares.data());
        CHECK(same_bits(mean.data(), few_mean.data(), part) && same_bits(squares.data(), few_squares.data(), part));
    });
}

CHECK_MAIN("normalization_test")
