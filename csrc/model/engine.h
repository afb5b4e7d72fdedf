// The engine: a closed network, its objective, the memory that its calls borrow, and who may run when.
#pragma once

#include <algorithm>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/guard.h"
#include "model/network.h"
#include "model/step.h"
#include "model/trace.h"

namespace tauten {

// What compile() is told of one output; loss "": none.
struct HeadRequest {
    std::string loss;
    bool from_logits = false;
    double weight = 1;
    std::vector<std::string> metrics;
};

// Thrown by a call whose losses are computed outside: meanwhile somebody has changed what it had read. It has changed
// nothing, and can begin again.
struct ChangedMeanwhile {};

// Who may read weights (shared) and who may change them (exclusive). Networks that share weights hold each other's.
class Guards {
public:
    Guards() : all_{std::make_shared<Guard>()} {}
    // The other's too, from now on; in the order in which they were made, which is a fork's, so that nobody waits for
    // somebody who waits for him.
    void join(const Guards& other) {
        all_.insert(all_.end(), other.all_.begin(), other.all_.end());
        std::sort(all_.begin(), all_.end(), [](const auto& a, const auto& b) { return a->number() < b->number(); });
        all_.erase(std::unique(all_.begin(), all_.end()), all_.end());
    }
    void lock() { take(&Guard::lock, &Guard::unlock); }
    void unlock() { leave(all_.size(), &Guard::unlock); }
    void lock_shared() { take(&Guard::lock_shared, &Guard::unlock_shared); }
    void unlock_shared() { leave(all_.size(), &Guard::unlock_shared); }

private:
    void take(void (Guard::*one)(), void (Guard::*back)()) {
        for (size_t i = 0; i < all_.size(); ++i) {
            try {
                ((*all_[i]).*one)();
            } catch (...) {  // interrupted
                leave(i, back);
                throw;
            }
        }
    }
    void leave(size_t count, void (Guard::*back)()) {
        for (size_t i = 0; i < count; ++i) ((*all_[i]).*back)();
    }

    std::vector<std::shared_ptr<Guard>> all_;
};

template <class T>
class Engine {
public:
    Network<T> network;
    uint64 calls = 0;  // training steps so far
    uint64 steps = 0;  // those since the optimizer's slots were empty

    // One an output, in order.
    void compile(const std::vector<HeadRequest>& heads);
    bool compiled() const { return compiled_; }
    const Objective& objective() const { return objective_; }

    // The calls set what they are in the request; data, and `training` of predict() and gradients(), are the caller's.
    // One training step by the request's rule; fused where the rule can be. Of several calls at once one runs after the
    // other.
    StepResult train(Request<T>& request, bool fused);
    // Optimizers start anew: slots are empty and take no memory.
    void reset_slots();
    StepResult test(Request<T>& request);
    // Outputs in the user's order, one array each; for an output a step of unequal lengths, one sample after the other.
    void predict(Request<T>& request, const std::vector<T*>& outputs);
    // Gradients of parameters in Keras' shapes, penalties included, and of inputs, laid out as the samples; nullptr: not
    // wanted.
    StepResult gradients(Request<T>& request, const std::vector<T*>& parameter_gradients,
                         const std::vector<T*>& input_gradients);
    // The same for E = Σ y ⊙ t, where t are the request's targets: ∂E/∂y is given (nullptr: zeros). No compile() needed,
    // no penalties. below: y are the values that a softmax or sigmoid at the end of the network reads, if it ends in one.
    StepResult pull_back(Request<T>& request, bool below, const std::vector<T*>& parameter_gradients,
                         const std::vector<T*>& input_gradients);

    // δ of all recurrent layers at every step; and their gates' values, with dropout off, for which no loss is needed.
    // Nothing changes but the gradients' memory.
    StepResult deltas(Request<T>& request, std::vector<Trace<T>>& traces);
    void gates(Request<T>& request, std::vector<Trace<T>>& traces);

    int64 allocations() const;
    Guards& guard() { return guard_; }
    // From now on parameter `own` has the weights of the other network's parameter: what changes one changes the other.
    // For networks that no thread is using.
    void share(size_t own, const Engine& other, size_t parameter);

private:
    // Lends a workspace for one call.
    class Loan;
    // run(step) with the weights shared, or, where copies of them are out of date, to itself.
    template <class F>
    void read(Loan& work, const Request<T>& request, F&& run);

    // step.run(), for a call that has the weights to itself. Where losses are computed outside it runs in two halves and
    // gives the weights back in between, so that nobody waits for the caller's code, which may itself predict.
    StepResult run(Step<T>& step, const Request<T>& request, std::unique_lock<Guards>& lock);
    // What both halves of a step must find.
    std::vector<uint64> marks() const;

    Head make_head(size_t output, const HeadRequest& request) const;
    // The node that writes an output, if it does nothing but make probabilities of what it reads; else -1.
    int final_node(int output, FinalActivation wanted) const;
    StepResult gradients_of(const Objective& objective, Request<T>& request, bool penalties,
                            const std::vector<T*>& parameter_gradients, const std::vector<T*>& input_gradients);

    Objective objective_;
    bool compiled_ = false;
    Guards guard_;
    mutable ForkMutex workspaces_guard_;
    std::vector<std::unique_ptr<Workspace<T>>> idle_;
    int64 idle_bytes_ = 0;
    int64 allocations_ = 0;
};

}  // namespace tauten
