#include "training/update.h"

#include <cmath>
#include <limits>

#include "core/check.h"

namespace tauten {

using kernels::Rule;

Rule parse_rule(const std::string& name) {
    if (name == "sgd") return Rule::sgd;
    if (name == "adam") return Rule::adam;
    if (name == "rmsprop") return Rule::rmsprop;
    if (name == "adagrad") return Rule::adagrad;
    fail("unknown rule '", name, "'; expected sgd, adam, rmsprop or adagrad");
}

bool Update::uses(Slot slot) const {
    switch (slot) {
        case Slot::first: return rule != Rule::sgd || momentum != 0;
        case Slot::second: return rule == Rule::adam || (rule == Rule::rmsprop && momentum != 0);
        case Slot::third: return (rule == Rule::adam && amsgrad) || (rule == Rule::rmsprop && centered);
        case Slot::average: return use_ema;
        case Slot::accumulator: return accumulates();
    }
    return false;
}

bool Update::only_adds(uint64 steps) const {
    return accumulates() && (steps + 1) % static_cast<uint64>(gradient_accumulation_steps) != 0;
}

template <class T>
kernels::UpdateSettings<T> Update::settings(uint64 steps) const {
    const auto in = [](double value, double least, double most, const char* name) {
        const T number = static_cast<T>(value);
        if (std::isfinite(number) && value >= least && value <= most) return number;
        fail(name, " must be ", std::isfinite(most) ? text("from ", least, " to ", most) : text("finite and at least ", least),
             ", got ", value);
    };
    constexpr double any = std::numeric_limits<double>::infinity();
    // A 1 would leave a mean nothing to take in.
    const auto below_one = [&](double value, const char* name) {
        in(value, 0, 1, name);
        require(value < 1, name, " must be below 1, got ", value);
    };
    kernels::UpdateSettings<T> s;
    s.rule = rule;
    s.rate = in(learning_rate, 0, any, "learning_rate");
    s.decay = in(weight_decay * learning_rate, 0, any, "weight_decay");
    s.bound = in(clipvalue, 0, any, "clipvalue");
    in(clipnorm, 0, any, "clipnorm");
    in(global_clipnorm, 0, any, "global_clipnorm");
    require((clipvalue != 0) + (clipnorm != 0) + (global_clipnorm != 0) <= 1,
            "of clipvalue, clipnorm and global_clipnorm only one can be set, got ", clipvalue, ", ", clipnorm, " and ",
            global_clipnorm);
    require(gradient_accumulation_steps >= 1, "gradient_accumulation_steps must be at least 1, got ",
            gradient_accumulation_steps);
    require(ema_overwrite_frequency >= 0, "ema_overwrite_frequency must not be negative, got ", ema_overwrite_frequency);
    if (rule == Rule::sgd || rule == Rule::rmsprop) s.momentum = in(momentum, 0, 1, "momentum");
    if (rule != Rule::sgd) {
        s.epsilon = in(epsilon, 0, any, "epsilon");
        // without it, weights of no gradient would become 0 / 0
        require(s.epsilon >= std::numeric_limits<T>::min(), "epsilon must be positive, got ", epsilon);
    }
    // Updates so far: what Keras calls iterations.
    const uint64 updates = steps / static_cast<uint64>(gradient_accumulation_steps);
    s.nesterov = nesterov;
    if (rule == Rule::adam) {
        below_one(beta_1, "beta_1");
        below_one(beta_2, "beta_2");
        const double t = static_cast<double>(updates + 1);
        s.rate = static_cast<T>(learning_rate * std::sqrt(1 - std::pow(beta_2, t)) / (1 - std::pow(beta_1, t)));
        s.take = static_cast<T>(1 - beta_1);
        s.take_square = static_cast<T>(1 - beta_2);
        s.amsgrad = amsgrad;
    } else if (rule == Rule::rmsprop) {
        s.keep = in(rho, 0, 1, "rho");
        s.take = static_cast<T>(1 - rho);
        s.centered = centered;
    } else if (rule == Rule::adagrad) {
        in(initial_accumulator_value, 0, any, "initial_accumulator_value");
    }
    if (accumulates()) {
        s.accumulated = true;
        s.accumulate = only_adds(steps);
        s.divisor = s.accumulate ? T{1} : static_cast<T>(gradient_accumulation_steps);
        if (s.accumulate) s.bound = 0;  // the mean is clipped
    }
    if (use_ema) {
        s.average = true;
        const T keep = in(ema_momentum, 0, 1, "ema_momentum");
        s.average_momentum = updates > 0 ? keep : T{0};
        s.overwrite = ema_overwrite_frequency > 0 && (updates + 1) % static_cast<uint64>(ema_overwrite_frequency) == 0;
    }
    return s;
}

template kernels::UpdateSettings<float> Update::settings<float>(uint64) const;
template kernels::UpdateSettings<double> Update::settings<double>(uint64) const;

}  // namespace tauten
