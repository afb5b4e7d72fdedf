// How a training step changes the weights: a rule, and what goes before and after it. Keras' names and formulas.
#pragma once

#include <string>

#include "layers/parameter.h"

namespace tauten {

kernels::Rule parse_rule(const std::string& name);

struct Update {
    kernels::Rule rule = kernels::Rule::sgd;
    double learning_rate = 0.01;
    double momentum = 0;  // of SGD and RMSprop
    bool nesterov = false;
    double beta_1 = 0.9, beta_2 = 0.999;
    bool amsgrad = false;
    double rho = 0.9;
    bool centered = false;
    double epsilon = 1e-7;
    double initial_accumulator_value = 0.1;
    double weight_decay = 0;
    double clipvalue = 0, clipnorm = 0, global_clipnorm = 0;  // at most one; 0: none
    bool use_ema = false;
    double ema_momentum = 0.99;
    int64 ema_overwrite_frequency = 0;      // 0: never
    int64 gradient_accumulation_steps = 1;  // the weights change with every so manieth step

    // Whether the step needs all gradients before the first weight changes.
    bool by_norm() const { return clipnorm != 0 || global_clipnorm != 0; }
    bool accumulates() const { return gradient_accumulation_steps > 1; }
    bool uses(Slot slot) const;
    // Whether step number `steps` (from 0) only adds to the accumulator.
    bool only_adds(uint64 steps) const;

    // Of step number `steps`, counted from when the slots were empty. Throws std::invalid_argument for numbers out of range,
    // also for such as are beyond T.
    template <class T>
    kernels::UpdateSettings<T> settings(uint64 steps) const;
};

}  // namespace tauten
