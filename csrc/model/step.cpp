#include "model/step.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>

#include "core/check.h"
#include "core/crowd.h"
#include "model/blame.h"

namespace tauten {

namespace {

Crowd crowd;

}  // namespace

// -- before the region ----------------------------------------------------------------------------------

template <class T>
Step<T>::Step(Network<T>& network, const Objective& objective, Workspace<T>& work, const Request<T>& request, uint64 number)
    : network_(network), objective_(objective), work_(work), request_(request), call_(work.call),
      k_(kernels::table<T>()) {
    const bool fresh = work.prepare(k_, network, objective, request, threads_);
    work.call.number = number;
    work.call.trouble = &trouble_;
    work.call.stop = &stop_;
    sink_ = request.sink;
    if (sink_.store) sink_.not_finite = &not_finite_;
    if (request.loss) {
        bool given = false;
        for (size_t h = 0; h < objective.heads.size(); ++h) {
            given = given || objective.heads[h].loss == Loss::given;
            check_targets(h);
        }
        for (const auto& p : network.parameters())
            if (p->penalised() && !given) {
                double sums[2];
                k_.penalty_sums(p->size(), p->weights.data(), sums);
                penalty_ += p->l1 * sums[0] + p->l2 * sums[1];
            }
    }
    if (fresh) {
        plan_phases();
        measure();
        work.planned();
    }
    begin_phases();
}

template <class T>
Step<T>::~Step() {
    work_.call.stop = nullptr;
    work_.call.trouble = nullptr;
}

// What the phases after forward and backward have to do, part by part.
template <class T>
void Step<T>::plan_phases() {
    for (Phase* phase : {&work_.gradients, &work_.merge, &work_.reuses, &work_.norms, &work_.update}) phase->parts.clear();
    if (!request_.backward) return;
    for (const auto& p : network_.parameters())
        if (p->trainable && p->reused)
            work_.reuses.add([](void* s, void* of, int64 item, void*) {
                static_cast<Step*>(s)->add_reuses(*static_cast<Parameter<T>*>(of), item * merge_weights);
            }, p.get(), divide_up(p->size(), merge_weights));
    if (request_.update_stored) plan_update();
    for (ProductPlan<T>& product : work_.products) {
        work_.gradients.add([](void* s, void* p, int64 item, void* scratch) {
            const Step& step = *static_cast<Step*>(s);
            static_cast<ProductPlan<T>*>(p)->run(step.k_, step.call_, step.sink_, item, static_cast<T*>(scratch));
        }, &product, product.items());
        work_.merge.add([](void* s, void* p, int64 item, void* scratch) {
            const Step& step = *static_cast<Step*>(s);
            static_cast<ProductPlan<T>*>(p)->merge(step.k_, step.sink_, item, static_cast<T*>(scratch));
        }, &product, product.merge_items());
    }
    for (Scatter<T>* scatter : network_.scatters()) {
        Parameter<T>* const table = scatter->parameter;
        if (!table->trainable) continue;
        work_.gradients.add([](void* s, void* of, int64 item, void*) {
            static_cast<Scatter<T>*>(of)->part(static_cast<Step*>(s)->call_, item);
        }, scatter, scatter->parts());
        work_.merge.add([](void* s, void* p, int64 item, void*) {
            const Step& step = *static_cast<Step*>(s);
            Parameter<T>& of = *static_cast<Parameter<T>*>(p);
            const int64 offset = item * merge_weights;
            step.sink_.finish(step.k_, of, offset, std::min(merge_weights, of.size() - offset),
                                      of.gradient.data() + offset);
        }, table, divide_up(table->size(), merge_weights));
    }
}

// What every call needs, planned anew or not: the phases' first items, panels that are out of date, and memory.
template <class T>
void Step<T>::begin_phases() {
    work_.stale.clear();
    work_.refresh.parts.clear();
    work_.constraints.parts.clear();
    for (Phase* phase : {&work_.refresh, &work_.gradients, &work_.merge, &work_.reuses, &work_.norms, &work_.update, &work_.constraints})
        phase->next.reset();
    if (!request_.backward) return;
    refresh();
    if (changes_weights())
        for (const auto& p : network_.parameters())
            if (p->trainable)
                work_.constraints.add([](void*, void* of, int64 item, void*) { constrain(*static_cast<Parameter<T>*>(of), item); },
                                      p.get(), constraint_items(*p));
    for (const auto& p : network_.parameters()) {
        if (!p->trainable) continue;
        if (sink_.store || p->reused) p->gradient.reserve(p->size());
        if (sink_.update || request_.update_stored) start_slots(*p);
    }
    for (const Reuse<T>& reuse : network_.reuses())
        if (reuse.again->trainable) reuse.again->gradient.reserve(reuse.again->size());
    for (const Scatter<T>* scatter : network_.scatters())
        if (scatter->parameter->trainable) scatter->parameter->gradient.reserve(scatter->parameter->size());
}

// What the nodes of this call cost.
template <class T>
void Step<T>::measure() {
    Effort& effort = work_.effort = {};
    for (const auto& p : network_.parameters()) effort.weight_bytes += p->size() * static_cast<int64>(sizeof(T));
    for (const auto& node : network_.nodes()) {
        effort.flops += node->work(call_);
        const bool back = !request_.backward || node->in_parts(call_, Way::backward);
        if (back && node->in_parts(call_, Way::forward)) effort.in_parts += node->work(call_);
        effort.synchronised = effort.synchronised || node->forward_phases(call_) > 1 || node->backward_phases(call_) > 1;
    }
}

// Whether weights are to be others behind this step: not where it only adds to the accumulators.
template <class T>
bool Step<T>::changes_weights() const {
    return (sink_.update || request_.update_stored) && (!sink_.settings.accumulate || sink_.settings.overwrite);
}

// The gradients of a parameter's further places join the first one's.
template <class T>
void Step<T>::add_reuses(Parameter<T>& p, int64 offset) const {
    const int64 count = std::min(merge_weights, p.size() - offset);
    T* const gradient = p.gradient.data() + offset;
    for (const Reuse<T>& reuse : network_.reuses())
        if (reuse.first == &p) k_.add(count, reuse.again->gradient.data() + offset, gradient);
    sink_.finish_whole(k_, p, offset, count, gradient);
}

// Memory for what the rule keeps, and what it starts from.
template <class T>
void Step<T>::start_slots(Parameter<T>& p) const {
    const Update& rule = request_.rule;
    for (int slot = 0; slot < slot_count; ++slot) {
        if (!rule.uses(static_cast<Slot>(slot)) || !p.slots[slot].reserve(p.size())) continue;
        if (rule.rule == kernels::Rule::adagrad && static_cast<Slot>(slot) == Slot::first)
            std::fill_n(p.slots[slot].data(), p.size(), static_cast<T>(rule.initial_accumulator_value));
        if (static_cast<Slot>(slot) == Slot::average)
            std::memcpy(p.slots[slot].data(), p.weights.data(), static_cast<size_t>(p.size()) * sizeof(T));
    }
}

// Phase 4 in the materialised mode: blocks of stored gradients; and the sums over them that clipping by a norm needs.
template <class T>
void Step<T>::plan_update() {
    const bool by_norm = request_.rule.by_norm() && !sink_.settings.accumulate;
    work_.stored.clear();
    work_.stored.reserve(network_.parameters().size());  // the phases point to its elements
    int64 blocks = 0;
    for (const auto& p : network_.parameters()) {
        if (!p->trainable) continue;
        work_.stored.push_back({p.get(), blocks, T{1}});
        StoredGradient<T>* const stored = &work_.stored.back();
        const int64 items = divide_up(p->size(), merge_weights);
        blocks += items;
        work_.update.add([](void* s, void* of, int64 item, void*) {
            const StoredGradient<T>& own = *static_cast<StoredGradient<T>*>(of);
            Parameter<T>& q = *own.parameter;
            const Step& step = *static_cast<Step*>(s);
            const int64 offset = item * merge_weights, count = std::min(merge_weights, q.size() - offset);
            if (step.work_.norms.parts.empty())
                step.sink_.step(step.k_, q, offset, count, q.gradient.data() + offset);
            else
                step.sink_.step_scaled(step.k_, q, offset, count, own.scale);
        }, stored, items);
        if (!by_norm) continue;
        work_.norms.add([](void* s, void* of, int64 item, void*) {
            const StoredGradient<T>& own = *static_cast<StoredGradient<T>*>(of);
            const Step& step = *static_cast<Step*>(s);
            const int64 offset = item * merge_weights;
            step.work_.squares[static_cast<size_t>(own.first_sum + item)] = step.sink_.finish_stored(
                step.k_, *own.parameter, offset, std::min(merge_weights, own.parameter->size() - offset));
        }, stored, items);
    }
    work_.squares.resize(static_cast<size_t>(by_norm ? blocks : 0));
}

// The factors that clip, from the blocks' sums in order; false if a norm is not finite.
template <class T>
bool Step<T>::find_scales() {
    const Update& rule = request_.rule;
    const auto scale = [](double most, double squares) { return static_cast<T>(most / std::max(most, std::sqrt(squares))); };
    double all = 0;
    for (StoredGradient<T>& stored : work_.stored) {
        double sum = 0;
        for (int64 i = 0, items = divide_up(stored.parameter->size(), merge_weights); i < items; ++i)
            sum += work_.squares[static_cast<size_t>(stored.first_sum + i)];
        if (rule.clipnorm != 0) stored.scale = scale(rule.clipnorm, sum);
        all += sum;
    }
    for (StoredGradient<T>& stored : work_.stored)
        if (rule.global_clipnorm != 0) stored.scale = scale(rule.global_clipnorm, all);
    return std::isfinite(all);
}

template <class T>
bool Step<T>::stale() const {
    if (request_.backward) return false;
    for (const auto& node : network_.nodes())
        if (node->stale_in_prediction(call_)) return true;
    return false;
}

template <class T>
void Step<T>::refresh() {
    for (const auto& node : network_.nodes()) {
        const int64 parts = request_.backward || node->stale_in_prediction(call_) ? node->stale_parts(call_) : 0;
        if (parts == 0) continue;
        work_.stale.push_back(node.get());
        work_.refresh.add([](void* s, void* n, int64 item, void*) {
            static_cast<Node<T>*>(n)->refresh_part(static_cast<Step*>(s)->k_, item);
        }, node.get(), parts);
    }
}

// How many threads are worth it, and what they share out: slices of rows, which they claim one by one, or, where rows are
// fewer than threads, what nodes write.
template <class T>
int Step<T>::team_size() {
    const Effort& effort = work_.effort;
    const double flops = work_flops();
    if (Watch* const watch = Watch::current(); watch && flops > watched_flops) watch->install();
    const double most = flops > 0 ? flops / work_a_thread() : 1;
    const int worth = static_cast<int>(std::clamp(most, 1.0, static_cast<double>(threads_)));
    crowded_out_ = worth > 1 && !crowd.has_room(flops);
    const int team = crowded_out_ ? 1 : worth;
    // With few rows a call waits for its weights: in parts, each member reads its share of them, by rows all of them.
    const bool few = call_.batch < team || (call_.batch <= team * few_rows && effort.weight_bytes > cached_weights);
    in_parts_ = few && team > 1 && effort.in_parts >= effort.flops / 2;
    const int members = in_parts_ || request_.backward ? team : static_cast<int>(std::min<int64>(team, call_.batch));
    slices_ = std::min<int64>(call_.batch, members);
    work_.slices.reset(worth);  // memory for as many, whether there is room for them this time or not
    work_.slices.reset(slices_);
    return members;
}

// Slice `index` of `count`: to each as many time steps, not as many rows. Rows of no steps are the last one's.
template <class T>
Slice Step<T>::deal(int64 index, int64 count) const {
    const int64 batch = call_.batch;
    if (work_.lengths.empty()) return {batch * index / count, batch * (index + 1) / count};
    int64 total = 0, sum = 0;
    for (int64 n : work_.lengths) total += n;
    Slice slice{batch, batch};
    for (int64 r = 0; r < batch; ++r) {
        if (sum * count >= total * index) slice.begin = std::min(slice.begin, r);
        if (index + 1 < count && sum * count >= total * (index + 1)) slice.end = std::min(slice.end, r);
        sum += work_.lengths[static_cast<size_t>(r)];
    }
    return slice;
}

// -- the region -----------------------------------------------------------------------------------------

template <class T>
void Step<T>::run(Half half) {
    half_ = half;
    for (size_t h = 0; h < objective_.heads.size() && half == Half::backward; ++h) {
        const Head& head = objective_.heads[h];
        const bool given = outside && h < outside->size() && (*outside)[h].gradient;
        require(given || !head.scored || head.loss != Loss::outside,
                network_.edges()[static_cast<size_t>(head.output)].name, ": the loss computed outside gave no gradient");
    }
    constexpr const char* unchanged = "; the weights are as before this step";
    if (request_.backward && !std::isfinite(penalty_))
        throw NonFiniteError("the weights' penalty is not finite; the weights are as before this step");
    for (const Head& head : objective_.heads)
        if (request_.loss && head.fused >= 0) work_.unread[static_cast<size_t>(head.fused)] = !outputs && head.metrics.empty();
    run_members(team_size());
    if (half != Half::backward)
        for (Node<T>* node : work_.stale) node->refreshed();
    if (stop_.seen()) throw Interrupted{};
    if (bad_.found) fail(bad_text_, " ", bad_.value, " in sample ", bad_.sample, " is not an integer from 0 to ", bad_limit_ - 1);
    if (request_.backward && failed_.load())
        throw NonFiniteError(text("the loss is not finite: ", blame_forward(network_, work_), unchanged));
    if (const Place* node = trouble_.load(); node && request_.backward)
        throw NonFiniteError(text(node->name, ": the batch's mean or variance is not finite: ", blame_forward(network_, work_),
                                  unchanged));
    if (const Parameter<T>* p = not_finite_.load(); p && request_.update_stored) {
        const std::string blame = blame_backward(network_, work_, objective_);
        throw NonFiniteError(text("the gradient of ", p->name, " is not finite", blame.empty() ? "" : ": ", blame, unchanged));
    }
    if (norm_failed_) throw NonFiniteError(text("the norm of the gradients is not finite", unchanged));
}

// The region, and what it tells about the room there is for the next one.
template <class T>
void Step<T>::run_members(int team) {
    const auto work = [this](const Member& m) { member({m.index, m.count, m.meeting, &stop_}); };
    if (team == 1 && !crowded_out_) return run_team(team, [&](const Member& m) { work(m); });
    std::atomic<double> processor_seconds{0};
    const auto begin = std::chrono::steady_clock::now();
    run_team(team, [&](const Member& m) {
        const double before = m.count > 1 ? thread_seconds() : 0;
        work(m);
        if (m.count > 1) processor_seconds.fetch_add(thread_seconds() - before, std::memory_order_relaxed);
    });
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    if (crowded_out_)
        crowd.worked_alone(seconds);
    else
        crowd.worked_together(work_flops(), seconds, processor_seconds.load());
}

template <class T>
void Step<T>::member(const Member& member) {
    T* scratch = work_.scratch(member.index);
    if (!work_.refresh.parts.empty() && half_ != Half::backward) {
        work_.refresh.work_off(this, scratch);
        member.barrier();
    }
    if (in_parts_) {
        pass_in_parts(member, deal(member.index, member.count), scratch);
    } else if (work_.effort.synchronised) {
        pass(member, deal(member.index, member.count), scratch);
    } else {
        for (int64 i; (i = work_.slices.take(member.index)) >= 0;) pass(member, deal(i, slices_), scratch);
    }
    if (!request_.backward || half_ == Half::forward) return;
    member.barrier();
    if (failed_.load(std::memory_order_relaxed) || trouble_.load(std::memory_order_relaxed)) return;
    // Where gradients are stored, all up to the last barrier can be left out; else they change weights as they come.
    const Stop* const stop = sink_.update ? nullptr : &stop_;
    if (!stop && stop_.agreed()) return;
    work_.gradients.work_off(this, scratch, stop);
    if (!work_.merge.parts.empty()) {
        member.barrier();
        work_.merge.work_off(this, scratch, stop);
    }
    if (!work_.reuses.parts.empty()) {
        member.barrier();
        work_.reuses.work_off(this, scratch);
    }
    if (request_.update_stored && !update_stored(member, scratch)) return;
    if (work_.constraints.parts.empty()) return;
    member.barrier();
    work_.constraints.work_off(this, scratch);
}

// Phase 4 of stored gradients; false if it was left out.
template <class T>
bool Step<T>::update_stored(const Member& member, T* scratch) {
    member.barrier();
    if (not_finite_.load(std::memory_order_relaxed) || stop_.agreed()) return false;
    if (!work_.norms.parts.empty()) {
        work_.norms.work_off(this, scratch);
        member.barrier();
        if (member.index == 0) norm_failed_ = !find_scales();
        member.barrier();
        if (norm_failed_ || stop_.agreed()) return false;
    }
    work_.update.work_off(this, scratch);
    return true;
}

// Phases 1 and 2 for some rows.
template <class T>
void Step<T>::pass(const Member& member, Slice slice, T* scratch) {
    if (half_ != Half::backward) {
        gather_rows(slice);
        forward(member, slice, scratch);
        if (!stop_.now()) finish_forward(slice);
    }
    if (!request_.backward || half_ == Half::forward) return;
    read_gradients(slice);
    backward(member, slice, scratch);
    if (!stop_.now()) write_input_gradients(slice);
}

// The same, all members on all rows, each on its part of what a node writes.
template <class T>
void Step<T>::pass_in_parts(const Member& member, Slice slice, T* scratch) {
    const Slice part{0, call_.batch, member.index, member.count, &member}, whole{0, call_.batch};
    const auto share = [&](const Node<T>& node, Way way, int phases, auto&& run) {
        const bool shared = node.in_parts(call_, way);
        for (int phase = 0; phase < phases; ++phase) {
            if ((shared || member.index == 0) && !stop_.agreed()) run(shared ? part : whole, phase);  // nodes meet inside
            member.barrier();
        }
    };
    const auto& nodes = network_.nodes();
    const int count = static_cast<int>(nodes.size());
    if (half_ != Half::backward) {
        gather_rows(slice);
        member.barrier();
    }
    for (int i = 0; i < count && half_ != Half::backward; ++i) {
        if (work_.unread[static_cast<size_t>(i)]) continue;
        const Node<T>& node = *nodes[static_cast<size_t>(i)];
        share(node, Way::forward, node.forward_phases(call_),
              [&](Slice s, int phase) { node.forward(call_, s, phase, scratch); });
    }
    if (half_ != Half::backward && !stop_.now()) finish_forward(slice);
    if (!request_.backward || half_ == Half::forward) return;
    read_gradients(slice);
    member.barrier();
    for (int i = count - 1; i >= 0; --i) {
        if (work_.scored[static_cast<size_t>(i)]) continue;
        const Node<T>& node = *nodes[static_cast<size_t>(i)];
        share(node, Way::backward, node.backward_phases(call_),
              [&](Slice s, int phase) { node.backward(call_, s, phase, scratch); });
    }
    write_input_gradients(slice);
}

template <class T>
void Step<T>::finish_forward(Slice slice) {
    for (size_t h = 0; h < work_.heads.size(); ++h) {
        if (request_.loss) score(h, slice);
        if (outputs) write_outputs(h, slice);
    }
    write_states(slice);
    if (request_.backward) clear_ignored(slice);
}

// ∂E/∂ what nobody reads.
template <class T>
void Step<T>::clear_ignored(Slice slice) const {
    for (const int e : network_.ignored()) {
        const Grid& grid = network_.edges()[static_cast<size_t>(e)].gradient;
        T* const gradient = call_.gradients[e];
        for_each_run(grid, call_.batch, call_.axes, slice, [&](int64 first, int64 rows) {
            std::fill_n(gradient + first * grid.channels, rows * grid.channels, T{0});
        });
    }
}

// Of a node that takes all rows at once, as far as that does not keep an interrupt waiting. Recurrent ones look at every
// time step; products of fewer rows would load weights more often.
template <class T>
int64 Step<T>::rows_a_pass(const Node<T>& node) const {
    constexpr int64 least_rows = 64;
    const double flops = node.work(call_);
    if (flops <= flops_a_pass || !node.recurrences().empty()) return call_.batch;
    const int64 positions = network_.edges()[static_cast<size_t>(node.output)].value.positions();
    return std::max(static_cast<int64>(flops_a_pass / flops * static_cast<double>(call_.batch)),
                    divide_up(least_rows, positions));
}

template <class T>
void Step<T>::forward(const Member& member, Slice slice, T* scratch) const {
    for (const Segment& segment : work_.forward_segments) {
        if (segment.phase > 0) member.barrier();
        const Node<T>& head = *network_.nodes()[static_cast<size_t>(segment.begin)];
        in_passes(slice, segment.bytes, rows_a_pass(head), [&](Slice pass) {
            for (int i = segment.begin; i < segment.end; ++i)
                if (!work_.unread[static_cast<size_t>(i)] && !stop_.now())
                    network_.nodes()[static_cast<size_t>(i)]->forward(call_, pass, i == segment.begin ? segment.phase : 0, scratch);
        });
    }
}

// Losses, metrics and the gradient they start the backward phase with. An output without a loss has the gradient 0.
template <class T>
void Step<T>::score(size_t h, Slice slice) {
    const Head& head = objective_.heads[h];
    const HeadRows<T>& to = work_.heads[h];
    const Grid& output = network_.edges()[static_cast<size_t>(head.output)].value;
    const Source* const weight = sample_weight(h);
    const T scale = static_cast<T>(head.weight / static_cast<double>(to.rows));
    const int64 c = output.channels;
    const Edge& edge = network_.edges()[static_cast<size_t>(head.edge)];
    T* gradient = request_.backward ? call_.gradients[head.edge] : nullptr;
    for_each_run(output, call_.batch, call_.axes, slice, [&](int64 first, int64 count) {
        if (count == 0) return;
        T* delta = gradient ? gradient + first * c : nullptr;
        if (!head.scored && delta) std::fill_n(delta, count * c, T{0});
        if (!head.reads_targets()) return;
        const TargetRows<T> rows{count, c, head.labels ? to.labels + first : nullptr,
                                 head.targets ? to.targets + first * c : nullptr, weight ? to.weights + first : nullptr};
        for (size_t i = 0; i < head.metrics.size(); ++i)
            metric_rows(head.metrics[i], rows, call_.values[head.output] + first * c,
                        to.metrics + static_cast<int64>(i) * to.rows + first);
        if (!head.scored) return;
        const T* z = call_.values[head.edge] + first * c;
        loss_rows(k_, head.loss, rows, z, scale, delta, to.losses + first);
        if (delta && edge.activation != Activation::linear) k_.activation_gradient(edge.activation, count, c, z, c, delta, c);
        for (int64 i = first; i < first + count; ++i) {
            if (weight) to.losses[i] *= static_cast<double>(to.weights[i]);
            // a gradient that is given is passed on, whatever the values are
            if (head.loss != Loss::given && !std::isfinite(to.losses[i]))
                failed_.store(true, std::memory_order_relaxed);
        }
    });
}

template <class T>
void Step<T>::backward(const Member& member, Slice slice, T* scratch) const {
    for (const Segment& segment : work_.backward_segments) {
        if (segment.phase > 0) member.barrier();
        const Node<T>& head = *network_.nodes()[static_cast<size_t>(segment.begin)];
        in_passes(slice, 2 * segment.bytes, rows_a_pass(head), [&](Slice pass) {
            for (int i = segment.begin; i > segment.end; --i)
                if (!work_.scored[static_cast<size_t>(i)] && !stop_.now())
                    network_.nodes()[static_cast<size_t>(i)]->backward(call_, pass, i == segment.begin ? segment.phase : 0, scratch);
        });
    }
}

// -- after the region ------------------------------------------------------------------------------------

template <class T>
void Step<T>::update_state() {
    for (const auto& node : network_.nodes()) node->update_state(call_);
    if (!changes_weights()) return;
    for (const auto& p : network_.parameters())
        if (p->trainable) ++p->version;
}

template <class T>
void Step<T>::add_penalties() {
    for (const auto& p : network_.parameters()) {
        if (!p->trainable || !p->penalised()) continue;
        T* g = p->gradient.data();
        const T* w = p->weights.data();
        for (int64 i = 0; i < p->size(); ++i)
            g[i] += static_cast<T>(2 * p->l2) * w[i] + static_cast<T>(p->l1) * static_cast<T>((w[i] > 0) - (w[i] < 0));
    }
}

template <class T>
StepResult Step<T>::result() const {
    StepResult result;
    result.samples = request_.batch;
    result.loss = result.penalty = penalty_;
    int next = 0;
    for (size_t h = 0; request_.loss && h < work_.heads.size(); ++h) {
        const Head& head = objective_.heads[h];
        const HeadRows<T>& from = work_.heads[h];
        const auto mean = [&](const double* values) {
            double sum = 0;
            for (int64 r = 0; r < from.rows; ++r) sum += values[r];
            return from.rows > 0 ? sum / static_cast<double>(from.rows) : 0.0;  // every step may be masked
        };
        StepResult::Head& to = result.heads[result.head_count++];
        to.rows = from.rows;
        to.weight = head.weight;
        if (head.scored && head.loss != Loss::outside)
            to.loss = mean(from.losses) * (head.loss == Loss::given ? static_cast<double>(from.rows) : 1.0);
        result.loss += head.weight * to.loss;
        for (size_t i = 0; i < head.metrics.size(); ++i, ++to.metric_count)
            result.metrics[next++] = mean(from.metrics + static_cast<int64>(i) * from.rows);
    }
    return result;
}

template class Step<float>;
template class Step<double>;

}  // namespace tauten
