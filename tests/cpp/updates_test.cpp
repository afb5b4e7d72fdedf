// The weight update, the penalty sums and the look for what is not finite at every level against double references.
#include <algorithm>
#include <limits>
#include <vector>

#include "kernel_test.h"

using namespace check;

namespace {

double sign(double w) { return w > 0 ? 1 : w < 0 ? -1 : 0; }

// What a step does to one weight, as the equations have it.
struct Weight {
    double w = 0, slots[3] = {}, average = 0, accumulator = 0;
};

template <class T>
Weight stepped(const kernels::UpdateSettings<T>& s, const kernels::UpdateBlock<T>& b, double g, Weight at) {
    using kernels::Rule;
    const double rate = s.rate, momentum = s.momentum, w = at.w * (1 - static_cast<double>(s.decay));
    if (!b.finished) {
        g += 2.0 * b.l2 * at.w + b.l1 * sign(at.w);
        if (s.accumulate) {
            at.accumulator += g;
        } else if (s.accumulated) {
            g = (g + at.accumulator) / s.divisor;
        }
    }
    if (s.bound != 0) g = std::min<double>(s.bound, std::max<double>(-s.bound, g));
    g *= b.scale;
    auto& [first, second, third] = at.slots;
    if (s.accumulate) {
    } else if (s.rule == Rule::sgd) {
        double step = -rate * g;
        if (momentum != 0) {
            first = momentum * first + step;
            step = s.nesterov ? momentum * first + step : first;
        }
        at.w = w + step;
    } else if (s.rule == Rule::adam) {
        first += (g - first) * s.take;
        second += (g * g - second) * s.take_square;
        if (s.amsgrad) third = std::max(third, second);
        at.w = w - rate * first / (std::sqrt(s.amsgrad ? third : second) + s.epsilon);
    } else if (s.rule == Rule::rmsprop) {
        first = s.keep * first + s.take * g * g;
        if (s.centered) third = s.keep * third + s.take * g;
        double step = rate * g / std::sqrt(first - (s.centered ? third * third : 0) + s.epsilon);
        if (momentum != 0) step = second = momentum * second + step;
        at.w = w - step;
    } else {
        first += g * g;
        at.w = w - rate * g / std::sqrt(first + s.epsilon);
    }
    if (s.accumulated && !s.accumulate) at.accumulator = 0;
    if (s.average) at.average = s.average_momentum * at.average + (1.0 - s.average_momentum) * at.w;
    if (s.overwrite) at.w = at.average;
    return at;
}

template <class T>
void compare(const Kernels<T>& k, kernels::UpdateSettings<T> s, int64 n, T penalty, T scale, bool finished) {
    Guarded<T> w(n, n % 3), g(n, 1), first(n, 2), second(n, 0), third(n, 1), average(n, 2), accumulator(n, 0);
    for (Guarded<T>* values : {&w, &g, &average, &accumulator}) values->fill([] { return uniform(); });
    for (Guarded<T>* values : {&first, &second, &third}) values->fill([] { return std::fabs(uniform()); });
    if (s.centered) third.fill([] { return T(0.1) * uniform(); });  // a mean's square is below the mean square
    if (s.rule == kernels::Rule::rmsprop) first.fill([] { return T(0.1) + std::fabs(uniform()); });
    if (n > 1) w[1] = 0;
    const Guarded<T> w0 = w, g0 = g, first0 = first, second0 = second, third0 = third, average0 = average,
                     accumulator0 = accumulator;
    const kernels::UpdateBlock<T> b{n,       w.data(), g.data(), {first.data(), second.data(), third.data()}, average.data(),
                                    accumulator.data(), penalty, penalty, scale, finished};
    k.update(s, b);
    for (const Guarded<T>* values : {&w, &g, &first, &second, &third, &average, &accumulator}) CHECK(values->intact());
    for (int64 i = 0; i < n; ++i) {
        const Weight wanted = stepped(s, b, g0[i], {w0[i], {first0[i], second0[i], third0[i]}, average0[i], accumulator0[i]});
        CHECK_EQUAL(g[i], g0[i]);
        CHECK_NEAR(w[i], wanted.w, roundings<T>(20));
        CHECK_NEAR(first[i], wanted.slots[0], roundings<T>(8));
        CHECK_NEAR(second[i], wanted.slots[1], roundings<T>(20));
        CHECK_NEAR(third[i], wanted.slots[2], roundings<T>(8));
        CHECK_NEAR(average[i], wanted.average, roundings<T>(20));
        CHECK_NEAR(accumulator[i], wanted.accumulator, roundings<T>(8));
    }
}

// Every rule in its forms.
template <class T>
std::vector<kernels::UpdateSettings<T>> rules() {
    using kernels::Rule;
    std::vector<kernels::UpdateSettings<T>> all;
    for (const Rule rule : {Rule::sgd, Rule::adam, Rule::rmsprop, Rule::adagrad})
        for (const double momentum : {0.0, 0.9})
            for (const bool other : {false, true}) {
                kernels::UpdateSettings<T> s;
                s.rule = rule;
                s.nesterov = s.amsgrad = s.centered = other;
                s.rate = T(0.1);
                s.momentum = static_cast<T>(momentum);
                s.keep = T(0.75);
                s.take = T(0.25);
                s.take_square = T(0.125);
                s.epsilon = T(0.01);
                all.push_back(s);
            }
    return all;
}

}  // namespace

TEST(rules) {
    each_level([]<class T>(const Kernels<T>& k) {
        for (const auto& rule : rules<T>())
            for (int64 n = 0; n <= 2 * k.lanes + 1; ++n)
                for (const T penalty : {T(0), T(0.1)}) {
                    compare<T>(k, rule, n, penalty, T(1), false);
                    auto s = rule;
                    s.decay = T(0.05);
                    compare<T>(k, s, n, penalty, T(1), false);
                }
    });
}

// What stands before and after the rule, alone and together, in pieces too.
TEST(around_the_rule) {
    each_level([]<class T>(const Kernels<T>& k) {
        for (auto s : rules<T>())
            for (const int64 n : {int64{0}, int64{1}, k.lanes, 2 * k.lanes - 1, int64{511}, int64{512}, int64{1030}})
                for (int options = 0; options < 32; ++options) {
                    s.bound = options & 1 ? T(0.25) : T(0);
                    s.accumulated = options & 2;
                    s.accumulate = s.accumulated && (options & 4);
                    s.divisor = s.accumulated && !s.accumulate ? T(3) : T(1);
                    if (s.accumulate) s.bound = 0;
                    s.average = options & 8;
                    s.average_momentum = T(0.75);
                    s.overwrite = s.average && (options & 16);
                    compare<T>(k, s, n, T(0.1), T(1), false);
                    if (!s.accumulate) compare<T>(k, s, n, T(0.1), T(0.5), true);
                }
    });
}

// Penalty and accumulator put into a stored gradient, then the step: the same bits as at once.
TEST(finish_gradient) {
    each_level([]<class T>(const Kernels<T>& k) {
        for (auto s : rules<T>())
            for (const int64 n : {int64{1}, 2 * k.lanes + 1, int64{1030}}) {
                s.accumulated = true;
                s.divisor = T(3);
                Guarded<T> w(n, 1), g(n, 1), first(n, 2), second(n, 0), third(n, 1), accumulator(n, 0);
                for (Guarded<T>* values : {&w, &g, &accumulator}) values->fill([] { return uniform(); });
                for (Guarded<T>* values : {&first, &second, &third}) values->fill([] { return std::fabs(uniform()); });
                Guarded<T> w2 = w, g2 = g, first2 = first, second2 = second, third2 = third, accumulator2 = accumulator;
                k.update(s, {n, w.data(), g.data(), {first.data(), second.data(), third.data()}, nullptr, accumulator.data(),
                             T(0.1), T(0.1), T(1), false});
                kernels::UpdateBlock<T> b{n, w2.data(), g2.data(), {first2.data(), second2.data(), third2.data()}, nullptr,
                                          accumulator2.data(), T(0.1), T(0.1), T(1), false};
                k.finish_gradient(s, b, g2.data());
                CHECK(g2.intact());
                b.finished = true;
                k.update(s, b);
                CHECK(same_bits(w.data(), w2.data(), n));
                CHECK(same_bits(first.data(), first2.data(), n));
                for (int64 i = 0; i < n; ++i) CHECK_EQUAL(accumulator2[i], T(0));
            }
    });
}

// A gradient that is not a number is not cut to a number; a mean square below its mean's square by rounding is no NaN.
TEST(not_a_number) {
    each_level([]<class T>(const Kernels<T>& k) {
        kernels::UpdateSettings<T> s;
        s.rate = T(0.1);
        s.bound = T(0.5);
        T w = T(1), g = static_cast<T>(NAN), square = T(1), mean = T(2);
        k.update(s, {1, &w, &g, {}, nullptr, nullptr, T(0), T(0), T(1), false});
        CHECK(std::isnan(w));
        s.rule = kernels::Rule::rmsprop;
        s.centered = true;
        s.keep = T(1);
        s.epsilon = T(0.25);
        w = T(1), g = T(1);
        k.update(s, {1, &w, &g, {&square, nullptr, &mean}, nullptr, nullptr, T(0), T(0), T(1), false});
        CHECK_NEAR(w, 1 - 0.1 * 0.5 / 0.5, roundings<T>(4));
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
