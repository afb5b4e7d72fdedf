// The engine: a closed network, its objective, the memory that its calls borrow, and who may run when.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/guard.h"
#include "model/network.h"
#include "model/step.h"
#include "model/trace.h"

namespace tauten {

template <class T>
class Engine {
public:
    Network<T> network;
    uint64 calls = 0;  // training steps so far

    void compile(const std::string& loss, bool from_logits, const std::vector<std::string>& metrics);
    bool compiled() const { return compiled_; }
    const Objective& objective() const { return objective_; }

    // The calls set what they are in the request; data, and `training` of predict() and gradients(), are the caller's.
    // One training step. Of several calls at once one runs after the other.
    StepResult train(Request<T>& request, bool fused);
    StepResult test(Request<T>& request);
    // Outputs in the user's order; for an output a step of unequal lengths, one sample after the other.
    void predict(Request<T>& request, T* outputs);
    // Gradients of parameters in Keras' shapes, penalties included, and of inputs, laid out as the samples; nullptr: not
    // wanted.
    StepResult gradients(Request<T>& request, const std::vector<T*>& parameter_gradients,
                         const std::vector<T*>& input_gradients);
    // The same for E = Σ y ⊙ t, where t are the request's targets: ∂E/∂y is given. No compile() needed, no penalties.
    // below: y are the values that a softmax or sigmoid at the end of the network reads, if it ends in one.
    StepResult pull_back(Request<T>& request, bool below, const std::vector<T*>& parameter_gradients,
                         const std::vector<T*>& input_gradients);

    // δ of all recurrent layers at every step; and their gates' values, with dropout off, for which no loss is needed.
    // Nothing changes but the gradients' memory.
    StepResult deltas(Request<T>& request, std::vector<Trace<T>>& traces);
    void gates(Request<T>& request, std::vector<Trace<T>>& traces);

    int64 allocations() const;
    Guard& guard() { return guard_; }  // weights: shared for reading, exclusive for changing

private:
    // Lends a workspace for one call.
    class Loan;
    // run(step) with the weights shared, or, where copies of them are out of date, to itself.
    template <class F>
    void read(Loan& work, const Request<T>& request, F&& run);

    StepResult gradients_of(const Objective& objective, Request<T>& request, bool penalties,
                            const std::vector<T*>& parameter_gradients, const std::vector<T*>& input_gradients);

    Objective objective_;
    bool compiled_ = false;
    Guard guard_;
    mutable ForkMutex workspaces_guard_;
    std::vector<std::unique_ptr<Workspace<T>>> idle_;
    int64 idle_bytes_ = 0;
    int64 allocations_ = 0;
};

}  // namespace tauten
