// Losses and metrics over rows of outputs and targets. A row is one sample, or one position or time step of it.
#pragma once

#include <string>
#include <vector>

#include "kernels/table.h"

namespace tauten {

// given: E = Σ y ⊙ t, summed over rows, whose gradient to y is t itself. It has no name: Engine::pull_back() alone uses it.
// outside: whoever asks for the step computes loss and gradient from the outputs, between the step's halves.
enum class Loss {
    mean_squared_error,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
    binary_crossentropy,
    outside,
    given
};
enum class Metric {
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
    mean_squared_error,
    mean_absolute_error
};

// Outputs that one network, and metrics that one objective may have.
inline constexpr int most_outputs = 32, most_metrics = 64;

Loss parse_loss(const std::string& name);
Metric parse_metric(const std::string& name);
// Sparse: one class number a row instead of `columns` targets.
inline bool takes_labels(Loss loss) { return loss == Loss::sparse_categorical_crossentropy; }
inline bool takes_labels(Metric metric) { return metric == Metric::sparse_categorical_accuracy; }

// What is asked of one output of a network.
struct Head {
    int output = -1;      // its edge
    bool scored = false;  // it has a loss
    Loss loss = Loss::mean_squared_error;
    double weight = 1;    // of its loss in the sum
    std::vector<Metric> metrics;
    int edge = -1;        // the edge whose values the loss reads (logits or outputs)
    int fused = -1;       // the node between that edge and the output, whose backward the loss includes; -1: none
    bool labels = false, targets = false;  // what loss and metrics read of y
    bool reads_targets() const { return labels || targets; }
};

// One head an output, in order.
struct Objective {
    std::vector<Head> heads;
    uint64 number = 0;  // of those that an engine was compiled with, from 1; 0: of one call alone
};

// Rows of one slice, all arrays at their first row.
template <class T>
struct TargetRows {
    int64 rows, columns;
    const int32* labels;  // for a loss that takes them, else targets
    const T* targets;
    const T* weights;     // one a row, or nullptr
};

// loss[row], and scale · weight · ∂loss/∂z into delta (nullptr: not wanted). `z` are logits for the cross-entropies,
// outputs for the squared error.
template <class T>
void loss_rows(const kernels::Kernels<T>& k, Loss loss, const TargetRows<T>& rows, const T* z, T scale, T* delta,
               double* losses);

// value[row] of one metric from outputs y.
template <class T>
void metric_rows(Metric metric, const TargetRows<T>& rows, const T* y, double* values);

}  // namespace tauten
