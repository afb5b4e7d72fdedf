#include "model/engine.h"

#include <cmath>
#include <mutex>
#include <shared_mutex>
#include <stdexcept>
#include <utility>

#include "core/check.h"
#include "model/step.h"

namespace tauten {

// -- workspaces -------------------------------------------------------------------------------------

template <class T>
class Engine<T>::Loan {
public:
    explicit Loan(Engine& engine) : engine_(engine) {
        std::lock_guard lock(engine.workspaces_guard_);
        if (engine.idle_.empty()) {
            work_ = std::make_unique<Workspace<T>>();
        } else {
            work_ = std::move(engine.idle_.back());
            engine.idle_.pop_back();
            engine.idle_bytes_ -= work_->bytes();
        }
        before_ = work_->allocations();
    }
    // Kept for the next call, unless there are enough: small ones for any number of callers at once, large ones for as many
    // as there are threads.
    ~Loan() {
        constexpr int64 small_bytes = int64{32} << 20;  // of all together
        std::lock_guard lock(engine_.workspaces_guard_);
        engine_.allocations_ += work_->allocations() - before_;
        const bool few = engine_.idle_.size() < static_cast<size_t>(threads());
        if (!few && engine_.idle_bytes_ + work_->bytes() > small_bytes) return;
        engine_.idle_bytes_ += work_->bytes();
        engine_.idle_.push_back(std::move(work_));
    }
    Loan(const Loan&) = delete;
    Loan& operator=(const Loan&) = delete;
    Workspace<T>& operator*() const { return *work_; }

private:
    Engine& engine_;
    std::unique_ptr<Workspace<T>> work_;
    int64 before_ = 0;
};

template <class T>
int64 Engine<T>::allocations() const {
    std::lock_guard lock(workspaces_guard_);
    return allocations_;
}

template <class T>
void Engine<T>::share(size_t own, const Engine& other, size_t parameter) {
    require(network.finalized() && other.network.finalized(), "share: a network is not closed yet");
    const auto &mine = network.parameters(), &theirs = other.network.parameters();
    require(own < mine.size() && parameter < theirs.size(), "share: there is no parameter ", own, " here, or ", parameter, " there");
    if (&other != this) guard_.join(other.guard_);
    mine[own]->share(*theirs[parameter]);
    for (const Reuse<T>& reuse : network.reuses())
        if (reuse.first == mine[own].get()) reuse.again->share(*theirs[parameter]);
}

// -- compiling ----------------------------------------------------------------------------------------

template <class T>
int Engine<T>::final_node(int output, FinalActivation wanted) const {
    const int producer = network.edges()[static_cast<size_t>(output)].producer;
    if (producer < 0) return -1;
    const FinalActivation is = network.nodes()[static_cast<size_t>(producer)]->final_activation();
    // none: any that there is
    return (wanted == FinalActivation::none ? is != wanted : is == wanted) ? producer : -1;
}

template <class T>
Head Engine<T>::make_head(size_t output, const HeadRequest& request) const {
    Head head;
    head.output = head.edge = network.outputs()[output];
    const Edge& edge = network.edges()[static_cast<size_t>(head.output)];
    require(std::isfinite(request.weight), "compile: the weight of the loss of ", edge.name, " must be finite, got ", request.weight);
    head.weight = request.weight;
    head.scored = !request.loss.empty();
    if (head.scored) head.loss = parse_loss(request.loss);
    for (const std::string& name : request.metrics) head.metrics.push_back(parse_metric(name));
    const bool categorical = head.loss == Loss::categorical_crossentropy || head.loss == Loss::sparse_categorical_crossentropy;
    if (head.scored && (categorical || head.loss == Loss::binary_crossentropy) && !request.from_logits) {
        head.fused = final_node(head.output, categorical ? FinalActivation::softmax : FinalActivation::sigmoid);
        require(head.fused >= 0, "loss ", request.loss, " with from_logits=False needs a ", categorical ? "softmax" : "sigmoid",
                " as the last activation of ", edge.name, "; add it, or pass from_logits=True");
        head.edge = network.nodes()[static_cast<size_t>(head.fused)]->input;
    }
    if (head.scored && head.loss != Loss::outside) (takes_labels(head.loss) ? head.labels : head.targets) = true;
    for (Metric metric : head.metrics) (takes_labels(metric) ? head.labels : head.targets) = true;
    require(!(head.labels && head.targets),
            "the loss and the metrics read the targets differently: one takes class numbers, another one value an output");
    return head;
}

template <class T>
void Engine<T>::compile(const std::vector<HeadRequest>& requests) {
    require(network.finalized(), "compile: the network is not closed yet");
    require(requests.size() == network.outputs().size(), "compile: expected losses and metrics of ", network.outputs().size(),
            " outputs, got ", requests.size());
    Objective objective;
    size_t metrics = 0;
    bool scored = false;
    for (size_t i = 0; i < requests.size(); ++i) {
        objective.heads.push_back(make_head(i, requests[i]));
        metrics += objective.heads.back().metrics.size();
        scored = scored || objective.heads.back().scored;
    }
    require(scored, "compile: no output has a loss");
    require(metrics <= most_metrics, "compile: at most ", most_metrics, " metrics, got ", metrics);
    std::unique_lock lock(guard_);
    objective.number = objective_.number + 1;
    objective_ = std::move(objective);
    compiled_ = true;
}

template <class T>
template <class F>
void Engine<T>::read(Loan& work, const Request<T>& request, F&& run) {
    {
        std::shared_lock lock(guard_);
        Step<T> step(network, objective_, *work, request, calls);
        if (!step.stale()) return run(step);
    }
    std::unique_lock lock(guard_);
    Step<T> step(network, objective_, *work, request, calls);
    step.refresh();
    run(step);
}

// -- losses computed outside --------------------------------------------------------------------------

template <class T>
std::vector<uint64> Engine<T>::marks() const {
    std::vector<uint64> marks;
    const auto add = [&](const void* address) { marks.push_back(reinterpret_cast<std::uintptr_t>(address)); };
    for (const auto& p : network.parameters()) {
        marks.push_back(p->version);
        marks.push_back((p->trainable ? 1u : 0u) + (p->moves ? 2u : 0u));
        add(p->weights.data());
        for (const Buffer<T>& slot : p->slots) add(slot.data());
    }
    return marks;
}

namespace {

template <class T>
void add_losses(StepResult& result, const std::vector<Outside<T>>& outside) {
    for (size_t h = 0; h < outside.size(); ++h) result.add_loss(h, outside[h].loss);
}

}  // namespace

template <class T>
StepResult Engine<T>::run(Step<T>& step, const Request<T>& request, std::unique_lock<Guards>& lock) {
    step.outputs = request.outputs;
    if (!request.between) {
        step.run();
        return step.result();
    }
    const std::vector<uint64> before = marks();
    const uint64 compiled = objective_.number;
    step.run(Half::forward);
    lock.unlock();
    const std::vector<Outside<T>> outside = request.between();
    lock.lock();
    if (objective_.number != compiled)  // the caller's data are for the objective that was
        throw std::runtime_error("the model was compiled anew while a Python loss was computed");
    if (marks() != before) throw ChangedMeanwhile{};
    step.outside = &outside;
    step.run(Half::backward);
    step.outside = nullptr;
    StepResult result = step.result();
    add_losses(result, outside);
    return result;
}

// -- calls -------------------------------------------------------------------------------------------

template <class T>
StepResult Engine<T>::train(Request<T>& request, bool fused) {
    require(compiled(), "compile the model before training it");
    Loan work(*this);
    std::unique_lock lock(guard_);
    request.training = request.backward = request.loss = true;
    request.input_gradients = false;
    request.sink.settings = request.rule.template settings<T>(steps);
    if (request.rule.by_norm() || request.rule.accumulates()) fused = false;
    request.sink.update = fused;
    request.sink.store = request.update_stored = !fused;
    Step<T> step(network, objective_, *work, request, calls);
    const StepResult result = run(step, request, lock);
    step.update_state();
    ++calls;
    ++steps;
    return result;
}

template <class T>
void Engine<T>::reset_slots() {
    std::unique_lock lock(guard_);
    for (const auto& p : network.parameters())
        for (Buffer<T>& slot : p->slots) slot = {};
    steps = 0;
}

template <class T>
StepResult Engine<T>::test(Request<T>& request) {
    require(compiled(), "compile the model before evaluating it");
    Loan work(*this);
    request.loss = true;
    request.training = request.backward = request.input_gradients = request.update_stored = false;
    StepResult result;
    read(work, request, [&](Step<T>& step) {
        step.outputs = request.outputs;
        step.run();
        result = step.result();
    });
    if (request.between) add_losses(result, request.between());
    return result;
}

template <class T>
void Engine<T>::predict(Request<T>& request, const std::vector<T*>& outputs) {
    Loan work(*this);
    request.loss = request.backward = request.input_gradients = request.update_stored = false;
    read(work, request, [&](Step<T>& step) {
        step.outputs = &outputs;
        step.run();
    });
}

template <class T>
StepResult Engine<T>::gradients(Request<T>& request, const std::vector<T*>& parameter_gradients,
                                const std::vector<T*>& input_gradients) {
    require(compiled(), "compile the model before asking for gradients");
    return gradients_of(objective_, request, true, parameter_gradients, input_gradients);
}

template <class T>
StepResult Engine<T>::pull_back(Request<T>& request, bool below, const std::vector<T*>& parameter_gradients,
                                const std::vector<T*>& input_gradients) {
    require(network.finalized(), "pull_back: the network is not closed yet");
    Objective objective;
    for (size_t i = 0; i < network.outputs().size(); ++i) {
        Head head;
        head.output = head.edge = network.outputs()[i];
        head.loss = Loss::given;
        head.scored = head.targets = i < request.y.size() && request.y[i];
        head.fused = below ? final_node(head.output, FinalActivation::none) : -1;
        if (head.fused >= 0) head.edge = network.nodes()[static_cast<size_t>(head.fused)]->input;
        objective.heads.push_back(head);
    }
    return gradients_of(objective, request, false, parameter_gradients, input_gradients);
}

template <class T>
StepResult Engine<T>::gradients_of(const Objective& objective, Request<T>& request, bool penalties,
                                   const std::vector<T*>& parameter_gradients,
                                   const std::vector<T*>& input_gradients) {
    Loan work(*this);
    std::unique_lock lock(guard_);
    request.backward = request.loss = request.input_gradients = request.sink.store = true;
    request.sink.update = request.update_stored = false;
    Step<T> step(network, objective, *work, request, calls);
    step.input_gradients = &input_gradients;
    const StepResult result = run(step, request, lock);
    if (penalties) step.add_penalties();
    for (size_t i = 0; i < parameter_gradients.size(); ++i) {
        const Parameter<T>& p = *network.parameters()[i];
        if (parameter_gradients[i] && p.trainable) p.read_keras(p.gradient.data(), parameter_gradients[i]);
    }
    return result;
}

// ∂E/∂x is asked for so that δ goes down to the lowest layer, even through frozen ones.
template <class T>
StepResult Engine<T>::deltas(Request<T>& request, std::vector<Trace<T>>& traces) {
    require(compiled(), "compile the model before asking for gradients");
    Loan work(*this);
    std::unique_lock lock(guard_);
    request.backward = request.loss = request.input_gradients = true;
    request.training = request.sink.store = request.sink.update = request.update_stored = false;
    Step<T> step(network, objective_, *work, request, calls);
    const StepResult result = run(step, request, lock);
    traces = read_traces(network, *work, true);
    return result;
}

template <class T>
void Engine<T>::gates(Request<T>& request, std::vector<Trace<T>>& traces) {
    require(network.finalized(), "gates: the network is not closed yet");
    Loan work(*this);
    request.keep = true;
    request.training = request.loss = request.backward = request.input_gradients = request.update_stored = false;
    read(work, request, [&](Step<T>& step) {
        step.run();
        traces = read_traces(network, *work, false);
    });
}

template class Engine<float>;
template class Engine<double>;

}  // namespace tauten
