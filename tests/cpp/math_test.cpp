// exp, log, tanh and sigmoid at every level against long double: a sweep over all exponents and densely where the
// functions live, special values, every length, in place. Prints the largest error in units in the last place.
#include "kernel_test.h"

using namespace check;

namespace {

long double sigmoid(long double x) { return 1 / (1 + expl(-x)); }

template <class T>
struct Function {
    const char* name;
    void (*kernel)(int64, const T*, T*);
    long double (*exact)(long double);
    double limit;  // in ULP
};
template <class T>
std::vector<Function<T>> functions(const Kernels<T>& k) {
    return {{"exp", k.exp, expl, 1.3}, {"log", k.log, logl, 1.0}, {"tanh", k.tanh, tanhl, 2.2},
            {"sigmoid", k.sigmoid, sigmoid, 2.5}};
}

// Error in units in the last place of the exact result; results in the denormal range may be 0.
template <class T>
double error(T got, long double exact) {
    constexpr double wrong = 1e9;
    using Limits = std::numeric_limits<T>;
    if (std::isnan(exact)) return std::isnan(got) ? 0 : wrong;
    const T rounded = static_cast<T>(exact);
    if (std::isinf(rounded) || std::isinf(got)) return rounded == got ? 0 : wrong;
    int exponent;
    std::frexp(exact, &exponent);
    if (exponent < Limits::min_exponent) {
        const long double difference = std::fabs(static_cast<long double>(got) - exact);
        return got == 0 || difference <= std::ldexp(2.0L, Limits::min_exponent - Limits::digits) ? 0 : wrong;
    }
    return static_cast<double>(std::fabs(static_cast<long double>(got) - exact) /
                               std::ldexp(1.0L, exponent - Limits::digits));
}

std::vector<float> sweep(float) {
    std::vector<float> x;
    for (std::uint64_t bits = 0; bits <= 0xffffffffu; bits += 4093) {
        const std::uint32_t word = static_cast<std::uint32_t>(bits);
        float value;
        std::memcpy(&value, &word, 4);
        x.push_back(value);
    }
    for (double v = -110; v < 110; v += 0.00037) x.push_back(static_cast<float>(v));
    for (double v = -2; v < 2; v += 0.000011) x.push_back(static_cast<float>(v));
    for (const float v : {88.72283f, 88.72284f, -87.33654f, -87.33655f}) x.push_back(v);
    return x;
}
std::vector<double> sweep(double) {
    std::vector<double> x;
    std::mt19937_64 g(5);
    for (int i = 0; i < 500000; ++i) {
        const std::uint64_t word = g();
        double value;
        std::memcpy(&value, &word, 8);
        x.push_back(value);
    }
    for (int i = 0; i < 300000; ++i)
        for (const double range : {2.0, 40.0, 1460.0}) x.push_back((static_cast<double>(g() >> 11) * 0x1p-53 - 0.5) * range);
    for (const double v : {709.782712893384, 709.7827128933841, -708.3964185322641, -708.3964185322642}) x.push_back(v);
    return x;
}

}  // namespace

TEST(errors) {
    each_level([]<class T>(const Kernels<T>& k) {
        const std::vector<T> x = sweep(T());
        std::vector<T> y(x.size());
        for (const Function<T>& f : functions(k)) {
            f.kernel(static_cast<int64>(x.size()), x.data(), y.data());
            double largest = 0;
            T where = 0;
            for (std::size_t i = 0; i < x.size(); ++i) {
                const double e = error(y[i], f.exact(static_cast<long double>(x[i])));
                if (e > largest) {
                    largest = e;
                    where = x[i];
                }
            }
            std::printf("  %s %s: %.2f ULP at %.9g\n", state().context.c_str(), f.name, largest,
                        static_cast<double>(where));
            CHECK(largest <= f.limit);
        }
    });
}

TEST(special_values) {
    each_level([]<class T>(const Kernels<T>& k) {
        const T inf = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
        const T x[] = {0, static_cast<T>(-0.0), inf, -inf, nan, -1, 1, -nan};
        const int64 n = 8;
        T y[8];
        const auto same = [&](int i, T expected) {
            CHECK_EQUAL(std::signbit(y[i]), std::signbit(expected));
            CHECK_EQUAL(y[i], expected);
        };
        k.exp(n, x, y);
        same(0, 1), same(1, 1), same(2, inf), same(3, 0);
        CHECK(std::isnan(y[4]) && std::isnan(y[7]));
        k.log(n, x, y);
        same(0, -inf), same(1, -inf), same(2, inf), same(6, 0);
        CHECK(std::isnan(y[3]) && std::isnan(y[4]) && std::isnan(y[5]) && std::isnan(y[7]));
        k.tanh(n, x, y);
        same(0, 0), same(1, static_cast<T>(-0.0)), same(2, 1), same(3, -1);
        CHECK(std::isnan(y[4]) && std::isnan(y[7]));
        k.sigmoid(n, x, y);
        same(0, T(0.5)), same(1, T(0.5)), same(2, 1), same(3, 0);
        CHECK(std::isnan(y[4]) && std::isnan(y[7]));
    });
}

TEST(bounds) {
    each_level([]<class T>(const Kernels<T>& k) {
        for (const Function<T>& f : functions(k)) {
            if (f.kernel != k.tanh && f.kernel != k.sigmoid) continue;
            std::vector<T> x, y;
            for (double v = -30; v < 30; v += 0.0011) x.push_back(static_cast<T>(v));
            y.resize(x.size());
            f.kernel(static_cast<int64>(x.size()), x.data(), y.data());
            bool inside = true;
            for (const T v : y) inside = inside && std::fabs(v) <= 1;
            CHECK(inside);
        }
    });
}

TEST(lengths) {
    each_level([]<class T>(const Kernels<T>& k) {
        for (const Function<T>& f : functions(k))
            for (int64 n = 0; n <= 2 * k.lanes + 1; ++n)
                for (int64 shift = 0; shift < 3; ++shift) {
                    Guarded<T> x(n, shift), y(n, 2 - shift);
                    x.fill([] { return uniform(0.1, 3); });
                    f.kernel(n, x.data(), y.data());
                    CHECK(y.intact());
                    for (int64 i = 0; i < n; ++i) {
                        // the same bits wherever an element lies
                        T alone;
                        f.kernel(1, x.data() + i, &alone);
                        CHECK(same_bits(&alone, y.data() + i, 1));
                    }
                    f.kernel(n, x.data(), x.data());
                    CHECK(x.intact() && same_bits(x.data(), y.data(), n));
                }
    });
}

CHECK_MAIN("math_test")
