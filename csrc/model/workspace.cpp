#include "model/workspace.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "core/check.h"

namespace tauten {

namespace {

// What a source must look like to feed an edge; run-time extents fit any number.
void check_shape(const Source& source, const Shape& expected, const std::string& name, const std::string& what) {
    bool fits = source.shape.size() == expected.size();
    for (size_t i = 0; fits && i < expected.size(); ++i)
        fits = expected[i] == run_time || source.shape[i] == run_time || source.shape[i] == expected[i];
    if (!fits) fail(name, ": expected ", what, " of shape ", to_text(expected), " a sample, got ", to_text(source.shape));
}

}  // namespace

void Phase::work_off(void* context, void* scratch, const Stop* stop) {
    size_t part = 0;
    int64 before = 0;  // items of earlier parts
    for (;;) {
        const int64 item = next.take();
        while (part < parts.size() && item - before >= parts[part].items) before += parts[part++].items;
        if (part == parts.size() || (stop && stop->now())) return;
        parts[part].run(context, parts[part].what, item - before, scratch);
    }
}

// Looks at the sources and orders rows by length, longest first, equal lengths in the user's order.
template <class T>
void Workspace<T>::read_rows(const Network<T>& network, const Request<T>& request) {
    const int64 batch = request.batch;
    if (!lengths.empty() || static_cast<int64>(order.size()) != batch) {  // else they are in the user's order
        order.resize(static_cast<size_t>(batch));
        std::iota(order.begin(), order.end(), int64{0});
        lengths.clear();
    }
    for (size_t i = 0; i < request.x.size(); ++i) {
        const Source& source = *request.x[i];
        const Edge& edge = network.edges()[static_cast<size_t>(network.inputs()[i])];
        check_shape(source, edge.shape, edge.name, "an input");
        for (int64 b = 0; b < batch; ++b)
            require(request.index[b] >= 0 && request.index[b] < source.samples, edge.name, ": sample ", request.index[b],
                    " asked for, but the input has ", source.samples);
        if (!source.ragged()) continue;
        int64 shortest = largest_size, longest = 0;
        for (int64 b = 0; b < batch; ++b) {
            const int64 n = source.length(request.index[b]);
            require(n >= 1 || source.may_be_empty, edge.name, ": sample ", request.index[b], " has no time steps");
            shortest = std::min(shortest, n);
            longest = std::max(longest, n);
        }
        if (!edge.value.time || edge.shape[0] != run_time) {
            const int64 wanted = edge.shape[0];
            if (shortest != longest || (wanted != run_time && longest != wanted))
                fail(edge.name, ": got samples of ", shortest, " to ", longest, " steps where the model takes exactly ",
                     wanted, "; declare the input with None steps for any length");
        }
        if (shortest == longest && shortest > 0) continue;
        if (!lengths.empty()) {
            for (int64 r = 0; r < batch; ++r) {
                const int64 sample = request.index[order[static_cast<size_t>(r)]];
                require(source.length(sample) == lengths[static_cast<size_t>(r)], edge.name, ": sample ", sample, " has ",
                        source.length(sample), " steps, but ", lengths[static_cast<size_t>(r)],
                        " in another input; samples of unequal length must have the same lengths in all inputs");
            }
            continue;
        }
        lengths.resize(static_cast<size_t>(batch));
        std::sort(order.begin(), order.end(), [&](int64 a, int64 b) {
            const int64 x = source.length(request.index[a]), y = source.length(request.index[b]);
            return x != y ? x > y : a < b;
        });
        for (int64 r = 0; r < batch; ++r)
            lengths[static_cast<size_t>(r)] = source.length(request.index[order[static_cast<size_t>(r)]]);
    }
}

// Whether the plan that stands is this call's. Everything that it follows from is in the key: a node's virtual functions
// ask for nothing else of a call. Rows of unequal length, and objectives of one call, have no key: they are planned anew.
template <class T>
bool Workspace<T>::same_plan(const Network<T>& network, const Objective& objective, const Request<T>& request, int threads) {
    fresh_key_.clear();
    if (!lengths.empty() || (request.loss && objective.number == 0)) return false;
    fresh_key_.assign({request.batch, threads, static_cast<int64>(network.version()),
                       request.loss ? static_cast<int64>(objective.number) : 0, request.training, request.backward,
                       request.input_gradients, request.loss, request.keep, request.update_stored, request.sink.store,
                       request.sink.update, request.rule.by_norm() && !request.sink.settings.accumulate,
                       !request.initial_states.empty(), !request.final_states.empty()});
    for (const Source* x : request.x) fresh_key_.push_back(x->length(request.index[0]));
    return planned_ && fresh_key_ == key_;
}

// Time axes.
template <class T>
void Workspace<T>::make_axes(const Network<T>& network, const Request<T>& request) {
    const int64 batch = request.batch;
    axes.assign(network.axes().size(), {});
    int64 numbers = 0;
    for (size_t a = 0; a < axes.size(); ++a) {
        const Axis& axis = network.axes()[a];
        Steps& steps = axes[a];
        steps.steps = axis.fixed;
        if (axis.input >= 0) {
            const int number = network.edges()[static_cast<size_t>(axis.input)].input;
            const Source& source = *request.x[static_cast<size_t>(number)];
            steps.full = !source.ragged() || lengths.empty();
            steps.steps = steps.full ? source.length(request.index[0]) : lengths[0];
            require(steps.steps >= 1 || source.may_be_empty, network.edges()[static_cast<size_t>(axis.input)].name, ": no time steps");
        }
        numbers += 2 * (steps.steps + 1);
    }
    if (numbers > static_cast<int64>(axis_numbers_.size())) axis_numbers_.resize(static_cast<size_t>(numbers));
    int64* next = axis_numbers_.data();
    for (Steps& steps : axes) {
        int64 *active = next, *offset = next + steps.steps + 1;
        next += 2 * (steps.steps + 1);
        int64 alive = batch, total = 0;
        for (int64 t = 0; t < steps.steps; ++t) {
            if (!steps.full)
                while (alive > 0 && lengths[static_cast<size_t>(alive - 1)] <= t) --alive;
            active[t] = alive;
            offset[t] = total;
            total += alive;
        }
        active[steps.steps] = 0;
        offset[steps.steps] = total;
        steps.active = active;
        steps.offset = offset;
        steps.total = total;
    }
    for (const Junction& joined : network.joined()) {
        const Steps &a = axes[static_cast<size_t>(joined.axis)], &b = axes[static_cast<size_t>(joined.other)];
        require(a.full == b.full && a.steps == b.steps, joined.name, ": expected inputs of the same steps, got ", a.steps,
                a.full ? " steps" : " steps at most", " and ", b.steps, b.full ? " steps" : " steps at most");
    }
    if (!lengths.empty()) {
        first_rows_.resize(static_cast<size_t>(batch));
        for (int64 r = 0; r < batch; ++r)
            first_rows_[static_cast<size_t>(order[static_cast<size_t>(r)])] = lengths[static_cast<size_t>(r)];
        std::exclusive_scan(first_rows_.begin(), first_rows_.end(), first_rows_.begin(), int64{0});
    }
}

// Every buffer of the call in one arena. When an extent changes everything moves, and what has a halo is cleared.
template <class T>
void Workspace<T>::lay_out(const Network<T>& network, const Objective& objective, const Request<T>& request) {
    const auto& edges = network.edges();
    const int64 size = static_cast<int64>(sizeof(T));
    blocks_.clear();
    values_.assign(edges.size(), nullptr);
    gradients_.assign(edges.size(), nullptr);
    extra_.assign(static_cast<size_t>(network.extras()), nullptr);
    std::vector<int64>& bytes = extra_bytes_;
    for (size_t e = 0; e < edges.size(); ++e) {
        if (network.same_as(static_cast<int>(e)) >= 0 || edges[e].unused) continue;
        const Edge& edge = edges[e];
        const Node<T>* writer = edge.producer >= 0 ? network.nodes()[static_cast<size_t>(edge.producer)].get() : nullptr;
        const bool skipped = writer && (writer->passes_values() || (!request.training && writer->identity_in_inference()));
        if (!edge.value.time) multiply(multiply(request.batch, edge.value.sample, edge.name), size, edge.name);
        if (!skipped) place(edge.value.size(request.batch, axes.data()) * size, edge.value.halo(), &values_[e]);
        if (request.backward && !edge.index && (edge.input < 0 || request.input_gradients) && edge.gradient_of < 0)
            place(edge.gradient.size(request.batch, axes.data()) * size, edge.gradient.halo(), &gradients_[e]);
    }
    for (const auto& node : network.nodes()) {
        bytes.clear();
        node->extra_bytes(call, bytes);
        for (size_t i = 0; i < bytes.size(); ++i)
            if (bytes[i] > 0) place(bytes[i], node->extra_zeroed(), &extra_[static_cast<size_t>(node->first_extra()) + i]);
    }
    head_blocks_.assign(heads.size(), {});
    for (size_t h = 0; request.loss && h < heads.size(); ++h) {
        const Head& head = objective.heads[h];
        if (!head.reads_targets()) continue;
        HeadBlocks& blocks = head_blocks_[h];
        const int64 rows = heads[h].rows, channels = edges[static_cast<size_t>(head.output)].value.channels;
        if (head.targets) place(rows * channels * size, false, &blocks.targets);
        if (head.labels) place(rows * static_cast<int64>(sizeof(int32)), false, &blocks.labels);
        place(rows * size, false, &blocks.weights);
        place(rows * static_cast<int64>(sizeof(double)), false, &blocks.losses);
        place(rows * static_cast<int64>(head.metrics.size() * sizeof(double)), false, &blocks.metrics);
    }
    partials_.assign(products.size(), nullptr);
    for (size_t i = 0; i < products.size(); ++i)
        if (products[i].stretches > 1) place(products[i].partial_size() * size, false, &partials_[i]);
    place(scratch_size_ * size, false, &scratch_block_);

    int64 total = 0;
    fresh_signature_.assign({request.training, request.backward, request.input_gradients, request.loss});
    for (Block& block : blocks_) {
        fresh_signature_.push_back(block.bytes);
        fresh_signature_.push_back(reinterpret_cast<std::intptr_t>(block.where));  // sizes alone may not tell what moved
        total += round_up(block.bytes + kernels::slack * size, 64);
        require(total <= largest_size, "a batch of ", request.batch, " needs more memory than can be addressed");
    }
    const bool grown = arena_.reserve(total);
    allocations_ += grown;
    char* next = static_cast<char*>(arena_.data());
    const bool moved = grown || fresh_signature_ != signature_;
    for (Block& block : blocks_) {
        *block.where = next;
        if (moved && !grown && block.halo) std::memset(next, 0, static_cast<size_t>(block.bytes));
        next += round_up(block.bytes + kernels::slack * size, 64);
    }
    std::swap(signature_, fresh_signature_);

    // Reshapes share memory, and so do forks, and dropout when it is off.
    for (bool again = true; again;) {
        again = false;
        for (size_t e = 0; e < edges.size(); ++e) {
            if (values_[e] || edges[e].unused) continue;
            const int from = network.same_as(static_cast<int>(e)) >= 0
                                 ? network.same_as(static_cast<int>(e))
                                 : network.nodes()[static_cast<size_t>(edges[e].producer)]->input;
            values_[e] = values_[static_cast<size_t>(from)];
            if (network.same_as(static_cast<int>(e)) >= 0) gradients_[e] = gradients_[static_cast<size_t>(from)];
            again = again || !values_[e];
        }
    }
    for (size_t e = edges.size(); e-- > 0 && request.backward;) {
        if (edges[e].gradient_of < 0 || (edges[e].input >= 0 && !request.input_gradients)) continue;
        int of = edges[e].gradient_of;
        while (edges[static_cast<size_t>(of)].gradient_of >= 0) of = edges[static_cast<size_t>(of)].gradient_of;
        gradients_[e] = gradients_[static_cast<size_t>(of)];
    }
    for (size_t i = 0; i < products.size(); ++i) products[i].partials = static_cast<T*>(partials_[i]);
    for (size_t h = 0; h < heads.size(); ++h) {
        const HeadBlocks& blocks = head_blocks_[h];
        heads[h].targets = static_cast<T*>(blocks.targets);
        heads[h].labels = static_cast<int32*>(blocks.labels);
        heads[h].weights = static_cast<T*>(blocks.weights);
        heads[h].losses = static_cast<double*>(blocks.losses);
        heads[h].metrics = static_cast<double*>(blocks.metrics);
    }
    call.values = reinterpret_cast<T* const*>(values_.data());
    call.gradients = reinterpret_cast<T* const*>(gradients_.data());
    call.extra = extra_.data();
}

template <class T>
bool Workspace<T>::prepare(const kernels::Kernels<T>& k, const Network<T>& network, const Objective& objective,
                           const Request<T>& request, int threads) {
    require(request.batch >= 1, "an empty batch");
    require(request.x.size() == network.inputs().size(), "the model has ", network.inputs().size(), " input(s), got ",
            request.x.size());
    call.trouble = nullptr;
    call.stop = nullptr;
    read_rows(network, request);
    call.order = order.data();
    if (same_plan(network, objective, request, threads)) return false;
    planned_ = false;
    std::swap(key_, fresh_key_);
    make_axes(network, request);
    call.kernels = &k;
    call.batch = request.batch;
    call.axes = axes.data();
    call.training = request.training;
    call.backward = request.backward || request.keep;
    call.input_gradients = request.input_gradients;
    call.initial_states = !request.initial_states.empty();
    call.final_states = !request.final_states.empty();
    heads.assign(network.outputs().size(), {});
    for (size_t h = 0; h < heads.size(); ++h) {
        const Grid& grid = network.edges()[static_cast<size_t>(network.outputs()[h])].value;
        heads[h].rows = grid.rows(request.batch, axes.data());
        heads[h].axis = grid.time ? &axes[static_cast<size_t>(grid.axis)] : nullptr;
    }
    unread.assign(network.nodes().size(), 0);
    scored.assign(network.nodes().size(), 0);
    for (const Head& head : objective.heads)
        if (request.loss && head.fused >= 0) scored[static_cast<size_t>(head.fused)] = 1;

    network.make_segments(call, Way::forward, forward_segments);
    network.make_segments(call, Way::backward, backward_segments);
    products.clear();
    int64 largest = 0;
    for (const auto& node : network.nodes()) largest = std::max(largest, node->scratch(call));
    if (request.backward)
        for (size_t i = 0; i < network.products().size(); ++i) {
            Product<T>* product = network.products()[i];
            if (!product->wanted()) continue;
            if (!products.empty() && products.back().add(product, network.products()[i - 1])) continue;
            products.emplace_back();
            products.back().add(product, nullptr);
        }
    for (ProductPlan<T>& product : products) {
        product.cut(k, call);
        largest = std::max(largest, product.scratch());
    }
    const int64 one = round_up(std::max(largest, merge_weights) + 64, 64);
    scratch_size_ = one * threads;
    lay_out(network, objective, request);
    scratch_ = static_cast<T*>(scratch_block_);
    scratch_size_ = one;
    return true;
}

template class Workspace<float>;
template class Workspace<double>;

}  // namespace tauten
