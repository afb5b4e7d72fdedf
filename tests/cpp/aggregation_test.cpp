// Weighted windows along a line at every level against plain double loops: lengths, strides, ties, NaN.
#include "kernel_test.h"

using namespace check;
using kernels::AggregateArguments;
using kernels::AggregateTap;
using kernels::Index;

namespace {

template <class T>
void check_line(const Kernels<T>& k, int64 n, int64 step, int64 tap_count, int64 shift, bool poison) {
    const int64 width = tap_count + 3, length = (n - 1) * step + width;
    Guarded<T> x(length, shift), y(n, shift + 1), which(n, shift);
    x.fill([] { return static_cast<double>(integer_below(7)) / 4 - 0.75; });  // few distinct values: ties
    if (poison) x[integer_below(length)] = std::numeric_limits<T>::quiet_NaN();
    std::vector<AggregateTap<T>> taps;
    for (int64 t = 0; t < tap_count; ++t)
        taps.push_back({integer_below(width), static_cast<T>(integer_below(5) - 2), static_cast<Index<T>>(10 * t + 3)});
    AggregateArguments<T> a{taps.data(), tap_count, n, step, x.data(), y.data(), static_cast<T>(3), nullptr};

    k.aggregate_sum(a);
    bool same = y.intact();
    for (int64 i = 0; i < n; ++i) {
        double total = 0;
        for (const auto& tap : taps) total += static_cast<double>(tap.weight) * static_cast<double>(x[i * step + tap.offset]);
        same = same && (std::isnan(total) ? std::isnan(y[i]) : std::fabs(y[i] - total / 3) <= roundings<T>(4, total));
    }
    CHECK(same);

    for (const bool kept : {false, true}) {
        a.which = kept ? reinterpret_cast<Index<T>*>(which.data()) : nullptr;
        k.aggregate_max(a);
        same = y.intact() && which.intact();
        for (int64 i = 0; i < n; ++i) {
            double largest = 0;
            Index<T> number = -1;
            for (const auto& tap : taps) {
                const double product = static_cast<double>(tap.weight) * static_cast<double>(x[i * step + tap.offset]);
                if (number < 0 || (!(product <= largest) && !std::isnan(largest))) {
                    largest = product;
                    number = tap.number;
                }
            }
            Index<T> found;
            std::memcpy(&found, which.data() + i, sizeof found);
            same = same && (std::isnan(largest) ? std::isnan(y[i]) : y[i] == static_cast<T>(largest));
            same = same && (!kept || found == number);
        }
        CHECK(same);
    }
}

template <class T>
void check_sums(const Kernels<T>& k, int64 n, int64 step, int64 shift) {
    const int64 length = n > 0 ? (n - 1) * step + 1 : 1;
    Guarded<T> x(n > 0 ? n : 1, shift), y(length, shift + 1);
    x.fill([] { return uniform(); });
    y.fill([] { return uniform(); });
    double expected = 0;
    for (int64 i = 0; i < n; ++i) expected += static_cast<double>(y[i * step]) * static_cast<double>(x[i]);
    CHECK(std::fabs(static_cast<double>(k.dot(n, y.data(), step, x.data())) - expected) <=
          roundings<T>(2 * static_cast<double>(n) + 2));
    std::vector<double> before;
    for (int64 i = 0; i < length; ++i) before.push_back(static_cast<double>(y[i]));
    k.add_scaled(n, static_cast<T>(0.75), x.data(), y.data(), step);
    bool same = x.intact() && y.intact();
    for (int64 i = 0; i < length; ++i) {
        const double added = i % step == 0 && i / step < n ? 0.75 * static_cast<double>(x[i / step]) : 0.0;
        same = same && std::fabs(static_cast<double>(y[i]) - before[static_cast<std::size_t>(i)] - added) <= roundings<T>(2);
    }
    CHECK(same);
}

}  // namespace

TEST(aggregation_along_lines) {
    each_level([](const auto& k) {
        for (int64 n = 1; n <= 8 * k.lanes + 3; ++n) {
            check_line(k, n, 1 + integer_below(3), 1 + integer_below(9), integer_below(5), false);
            check_line(k, n, 1, 1 + integer_below(70), integer_below(5), n % 2 == 0);
            check_sums(k, n, 1 + integer_below(3), integer_below(5));
        }
        check_sums(k, 0, 1, 0);
    });
}

CHECK_MAIN("aggregation_test")
