// The functions that are nodes of their own, and PReLU, at every level against long double. Prints the largest errors:
// of values in units in the last place of the result, of derivatives in units in the last place of 1.
#include "kernel_test.h"

using namespace check;

namespace {

long double sigma(long double x) { return 1 / (1 + expl(-x)); }
long double normal(long double x) { return erfcl(-x / sqrtl(2.0L)) / 2; }
long double softplus(long double x) { return x > 0 ? x + log1pl(expl(-x)) : log1pl(expl(x)); }

struct Case {
    const char* name;
    PointwiseFunction f;
    long double (*value)(long double);
    long double (*slope)(long double);
    double value_limit, slope_limit;  // in units in the last place
    double from, to;                  // where units in the last place of the value mean something
};
constexpr double inf = HUGE_VAL;
const Case cases[] = {
    {"relu(5, 0.1, 0.5)", {Pointwise::rectified, 0.5, 5, 0.1},
     [](long double x) { return x > 0.5L ? std::fmin(x, 5.0L) : 0.1L * (x - 0.5L); },
     [](long double x) { return x > 0.5L ? (x < 5 ? 1.0L : 0.0L) : 0.1L; }, 2, 1, -90, 0.45},
    {"leaky_relu", {Pointwise::rectified, 0, inf, leaky_slope}, [](long double x) { return x > 0 ? x : 0.2L * x; },
     [](long double x) { return x > 0 ? 1.0L : 0.2L; }, 1.1, 1, -90, 90},
    {"hard_sigmoid", {Pointwise::ramp, 1.0 / 6, 0.5, 0, 1},
     [](long double x) { return std::fmin(1.0L, std::fmax(0.0L, x / 6 + 0.5L)); },
     [](long double x) { return x > -3 && x < 3 ? 1 / 6.0L : 0.0L; }, 2, 1, -2, 90},
    {"elu", {Pointwise::elu, 1, 1}, [](long double x) { return x > 0 ? x : expm1l(x); },
     [](long double x) { return x > 0 ? 1.0L : expl(x); }, 2, 1, -90, 90},
    {"selu", {Pointwise::elu, selu_scale, selu_alpha},
     [](long double x) { return x > 0 ? selu_scale * x : selu_alpha * expm1l(x); },
     [](long double x) { return x > 0 ? static_cast<long double>(selu_scale) : selu_alpha * expl(x); }, 3, 3, -90, 90},
    {"soft_shrink", {Pointwise::shrink, 0.5, 0.5},
     [](long double x) { return x > 0.5L ? x - 0.5L : x < -0.5L ? x + 0.5L : 0; },
     [](long double x) { return std::fabs(x) > 0.5L ? 1.0L : 0.0L; }, 1, 0, -90, 90},
    {"gelu", {Pointwise::gelu}, [](long double x) { return x * normal(x); },
     [](long double x) { return normal(x) + x * expl(-x * x / 2) / sqrtl(2 * acosl(-1.0L)); }, 6, 3, -12, 90},
    {"silu", {Pointwise::silu}, [](long double x) { return x * sigma(x); },
     [](long double x) { return sigma(x) * (1 + x * (1 - sigma(x))); }, 4, 4, -80, 90},
    {"hard_silu", {Pointwise::hard_silu},
     [](long double x) { return x * std::fmin(1.0L, std::fmax(0.0L, x / 6 + 0.5L)); },
     [](long double x) { return x <= -3 ? 0.0L : x >= 3 ? 1.0L : x / 3 + 0.5L; }, 3, 1, -2, 90},
    {"mish", {Pointwise::mish}, [](long double x) { return x * tanhl(softplus(x)); },
     [](long double x) {
         const long double t = tanhl(softplus(x));
         return t + x * (1 - t * t) * sigma(x);
     }, 5, 5, -80, 90},
    {"softplus", {Pointwise::softplus}, softplus, sigma, 4, 3, -80, 90},
    {"log_sigmoid", {Pointwise::log_sigmoid}, [](long double x) { return -softplus(-x); },
     [](long double x) { return sigma(-x); }, 4, 3, -90, 80},
    {"softsign", {Pointwise::softsign}, [](long double x) { return x / (1 + std::fabs(x)); },
     [](long double x) { return 1 / ((1 + std::fabs(x)) * (1 + std::fabs(x))); }, 2, 2, -90, 90},
    {"exponential", {Pointwise::exponential}, [](long double x) { return expl(x); }, [](long double x) { return expl(x); },
     1.3, 1.3, -80, 80},
    {"tanh_shrink", {Pointwise::tanh_shrink}, [](long double x) { return x - tanhl(x); },
     [](long double x) { return tanhl(x) * tanhl(x); }, 5, 4, 1.5, 90},
    {"sparse_plus", {Pointwise::sparse_plus},
     [](long double x) { return x <= -1 ? 0 : x >= 1 ? x : (x + 1) * (x + 1) / 4; },
     [](long double x) { return x <= -1 ? 0 : x >= 1 ? 1.0L : (x + 1) / 2; }, 3, 1, -0.5, 90},
};

template <class T>
double last_place(long double exact, double least) {
    int exponent;
    std::frexp(std::fmax(static_cast<double>(std::fabs(exact)), least), &exponent);
    return std::ldexp(1.0, exponent - std::numeric_limits<T>::digits);
}

}  // namespace

TEST(errors) {
    each_level([]<class T>(const Kernels<T>& k) {
        std::vector<T> x;
        for (double v = -90; v < 90; v += 0.0037) x.push_back(static_cast<T>(v));
        for (double v = -13; v < 13; v += 0.00023) x.push_back(static_cast<T>(v));
        for (double v = 1e-30; v < 1; v *= 1.7) x.push_back(static_cast<T>(v)), x.push_back(static_cast<T>(-v));
        const int64 n = static_cast<int64>(x.size());
        const std::vector<T> ones(x.size(), T(1));
        std::vector<T> y(x.size()), slope(x.size());
        for (const Case& c : cases) {
            k.pointwise(c.f, n, x.data(), y.data());
            k.pointwise_gradient(c.f, n, x.data(), ones.data(), slope.data());
            double values = 0, beyond = 0, slopes = 0;
            for (std::size_t i = 0; i < x.size(); ++i) {
                if (c.f.kind == Pointwise::exponential && x[i] > 85) continue;  // float overflows
                const long double exact = c.value(x[i]), exact_slope = c.slope(x[i]);
                const double error = static_cast<double>(std::fabs(y[i] - exact));
                if (x[i] > c.from && x[i] < c.to)
                    values = std::fmax(values, error / last_place<T>(exact, std::numeric_limits<T>::min()));
                beyond = std::fmax(beyond, error / last_place<T>(exact, 1));
                const double kink = c.f.kind == Pointwise::rectified || c.f.kind == Pointwise::ramp ? 1e-6 : 0;
                if (std::fabs(std::fabs(x[i]) - 3) < kink) continue;
                slopes = std::fmax(slopes, static_cast<double>(std::fabs(slope[i] - exact_slope)) / last_place<T>(exact_slope, 1));
            }
            std::printf("  %s %s: %.2f ULP, %.2f of max(1, |y|), derivative %.2f\n", state().context.c_str(), c.name, values,
                        beyond, slopes);
            // without fused multiply-add t² in e^(-t²/2) is rounded
            const bool rounded = c.f.kind == Pointwise::gelu && state().context.find("baseline") != std::string::npos;
            CHECK(rounded || values <= c.value_limit);
            CHECK(beyond <= std::fmax(3, c.value_limit));
            CHECK(slopes <= c.slope_limit);
        }
    });
}

// Every length, at any alignment, in place: the same bits, nothing outside. NaN stays NaN.
TEST(lengths_and_nan) {
    each_level([]<class T>(const Kernels<T>& k) {
        for (const Case& c : cases) {
            for (int64 n = 0; n <= 2 * k.lanes + 1; ++n) {
                Guarded<T> x(n, n % 3), y(n, 1), dy(n, 2), dx(n, 0);
                x.fill([] { return uniform(-4, 4); });
                dy.fill([] { return uniform(); });
                k.pointwise(c.f, n, x.data(), y.data());
                k.pointwise_gradient(c.f, n, x.data(), dy.data(), dx.data());
                CHECK(y.intact() && dx.intact());
                for (int64 i = 0; i < n; ++i) {
                    T alone, alone_gradient;
                    k.pointwise(c.f, 1, x.data() + i, &alone);
                    k.pointwise_gradient(c.f, 1, x.data() + i, dy.data() + i, &alone_gradient);
                    CHECK(same_bits(&alone, y.data() + i, 1) && same_bits(&alone_gradient, dx.data() + i, 1));
                }
                k.pointwise_gradient(c.f, n, x.data(), dy.data(), dy.data());
                k.pointwise(c.f, n, x.data(), x.data());
                CHECK(x.intact() && dy.intact() && same_bits(x.data(), y.data(), n) && same_bits(dy.data(), dx.data(), n));
            }
            T value = std::numeric_limits<T>::quiet_NaN();
            k.pointwise(c.f, 1, &value, &value);
            CHECK(std::isnan(value));
        }
        // closed: 0 even to an infinite gradient, and of -inf
        const T infinite = std::numeric_limits<T>::infinity(), below = -infinite;
        const PointwiseFunction capped{Pointwise::rectified, 0, 6, 0};
        T out;
        k.pointwise(capped, 1, &below, &out);
        CHECK_EQUAL(out, T(0));
        k.pointwise_gradient(capped, 1, &below, &infinite, &out);
        CHECK_EQUAL(out, T(0));
    });
}

TEST(prelu_and_its_gradients) {
    each_level([]<class T>(const Kernels<T>& k) {
        for (int64 columns = 1; columns <= 2 * k.lanes + 1; ++columns)
            for (const int64 rows : {1, 3})
                for (const bool each : {true, false}) {
                    const int64 n = rows * columns, slopes = each ? columns : 1;
                    Guarded<T> x(n, 1), y(n, 2), dy(n, 0), dx(n, 1), alpha(slopes, 2), dalpha(slopes, 1);
                    x.fill([] { return uniform(); });
                    dy.fill([] { return uniform(); });
                    alpha.fill([] { return uniform(); });
                    dalpha.fill([] { return uniform(); });
                    Guarded<T> only = dalpha;
                    const Guarded<T> before = dalpha;
                    k.prelu(rows, columns, x.data(), alpha.data(), each, y.data());
                    k.prelu_gradient(rows, columns, x.data(), alpha.data(), each, dy.data(), dx.data(), dalpha.data());
                    k.prelu_gradient(rows, columns, x.data(), alpha.data(), each, dy.data(), nullptr, only.data());
                    CHECK(y.intact() && dx.intact() && dalpha.intact() && same_bits(only.data(), dalpha.data(), slopes));
                    std::vector<double> sums(static_cast<std::size_t>(slopes), 0.0);
                    for (int64 i = 0; i < n; ++i) {
                        const int64 a = each ? i % columns : 0;
                        const bool open = x[i] > 0;
                        CHECK_NEAR(y[i], open ? x[i] : alpha[a] * x[i], roundings<T>(1));
                        CHECK_NEAR(dx[i], open ? dy[i] : alpha[a] * dy[i], roundings<T>(1));
                        if (!open) sums[static_cast<std::size_t>(a)] += static_cast<double>(x[i]) * dy[i];
                    }
                    for (int64 a = 0; a < slopes; ++a)
                        CHECK_NEAR(dalpha[a], before[a] + sums[static_cast<std::size_t>(a)],
                                   roundings<T>(static_cast<double>(n)));
                    k.prelu_gradient(rows, columns, x.data(), alpha.data(), each, dy.data(), dy.data(), nullptr);
                    CHECK(dy.intact() && same_bits(dy.data(), dx.data(), n));
                }
    });
}

CHECK_MAIN("pointwise_test")
