// Closing a network: which edges lie by time and which by sample, where halos go, in what order nodes run.
#include <algorithm>
#include <map>

#include "core/check.h"
#include "layers/elementwise.h"
#include "layers/merge.h"
#include "model/network.h"

namespace tauten {

namespace {

// Rank-4 and lower shapes map onto up to three spatial extents and channels; higher ones onto positions and channels.
Grid sample_grid(const Shape& shape) {
    Grid grid;
    grid.channels = shape.back();
    const size_t spatial = shape.size() - 1;
    if (spatial <= 3) {
        for (size_t i = 0; i < spatial; ++i) grid.extent[3 - spatial + i] = shape[i];
    } else {
        for (size_t i = 0; i < spatial; ++i) grid.extent[2] *= shape[i];
    }
    grid.lay_out();
    return grid;
}

Grid time_grid(const Shape& shape, int axis) {
    Grid grid;
    grid.time = true;
    grid.axis = axis;
    for (size_t i = 1; i < shape.size(); ++i) grid.channels *= shape[i];
    grid.lay_out();
    return grid;
}

}  // namespace

// A sigmoid at the end becomes a node of its own, so that cross-entropy can start from its logits.
template <class T>
void Network<T>::split_final_sigmoid(int& output) {
    int below = output;  // reshapes and permutes keep values as they are
    for (int next = below; next >= 0; next = same_as_[static_cast<size_t>(below)]) below = below_permutes(next);
    Edge& edge = edges_[static_cast<size_t>(below)];
    if (edge.producer < 0 || edge.activation != Activation::sigmoid) return;
    if (below == output && nodes_[static_cast<size_t>(edge.producer)]->final_activation() == FinalActivation::sigmoid) return;
    if (!nodes_[static_cast<size_t>(edge.producer)]->set_activation(Activation::linear)) return;
    edge.activation = Activation::linear;
    const std::string name = edge.name;
    const int index = static_cast<int>(nodes_.size());
    const int after = add_edge(name, Shape(edges_[static_cast<size_t>(output)].shape), index, Activation::sigmoid);
    nodes_.push_back(std::make_unique<ActivationNode<T>>(Place{name, output, after}, Activation::sigmoid));
    edges_[static_cast<size_t>(output)].reader = index;
    output = after;
}

// Does a sequence on this edge come to a layer that wants it by time?
template <class T>
bool Network<T>::leads_to_time(int e) const {
    const Edge& edge = edges_[static_cast<size_t>(e)];
    if (edge.reader < 0 || edge.shape.size() != (edge.index ? 1u : 2u)) return false;
    const Node<T>& node = *nodes_[static_cast<size_t>(edge.reader)];
    if (node.prefers_time()) return true;
    if (!node.passes_time()) return false;
    const std::vector<int> outputs = node.outputs();
    return std::any_of(outputs.begin(), outputs.end(), [&](int output) { return leads_to_time(output); });
}

// Sequences (steps, features) for recurrent layers lie by time, everything else by sample. What reads several sequences
// does so by time if all of them lie so.
template <class T>
void Network<T>::choose_time_layout() {
    for (int input : inputs_) {
        Edge& in = edge(input);
        if (in.shape[0] != run_time && !leads_to_time(input)) continue;
        in.value = time_grid(in.shape, static_cast<int>(axes_.size()));
        axes_.push_back({input, 0});
    }
    for (const auto& node : nodes_) {
        const Edge& in = edge(node->input);
        const std::vector<int> inputs = node->inputs();
        // a fixed-length sequence that arrives through a reshape lies by sample
        if (node->passes_time() && std::all_of(inputs.begin(), inputs.end(), [&](int i) { return edge(i).value.time; })) {
            for (int output : node->outputs()) edge(output).value = time_grid(edge(output).shape, in.value.axis);
            for (int i : inputs)
                if (edge(i).value.axis != in.value.axis) joined_.push_back({node->name, in.value.axis, edge(i).value.axis});
        }
        if (node->prefers_time()) {
            int axis = in.value.time ? in.value.axis : -1;
            if (axis < 0) {
                axis = static_cast<int>(axes_.size());
                axes_.push_back({-1, in.shape[0]});
                node->set_axis(axis);
            }
            for (int output : node->writes_time() ? node->outputs() : std::vector<int>{})
                if (edge(output).shape.size() == 2) edge(output).value = time_grid(edge(output).shape, axis);
        }
    }
}

// Where a time edge goes into a layer (or a reshape) that reads sample by sample, a node turns it around.
template <class T>
void Network<T>::insert_relayouts() {
    const auto insert = [&](int from) {
        const std::string name = edges_[static_cast<size_t>(from)].name;
        require(edges_[static_cast<size_t>(from)].shape[0] != run_time, name,
                ": what follows needs a number of steps that is known beforehand");
        const int index = static_cast<int>(nodes_.size());
        const int to = add_edge(name, Shape(edges_[static_cast<size_t>(from)].shape), index, Activation::linear);
        nodes_.push_back(std::make_unique<Relayout<T>>(Place{name, from, to}));
        edges_[static_cast<size_t>(to)].reader = edges_[static_cast<size_t>(from)].reader;
        edges_[static_cast<size_t>(from)].reader = index;
        return to;
    };
    const size_t nodes = nodes_.size(), edges = edges_.size();
    for (size_t i = 0; i < nodes; ++i) {
        Node<T>& node = *nodes_[i];
        const std::vector<int> inputs = node.inputs();
        const bool apart = inputs.size() > 1 && node.passes_time() && !edge(node.output).value.time;  // inputs of both kinds
        const bool by_time = node.reads_time() && !apart;
        for (int input : inputs)
            if (edge(input).value.time && !by_time) node.replace_input(input, insert(input));
    }
    for (size_t e = 0; e < edges; ++e) {
        const int from = same_as_[e];
        if (from < 0) continue;
        if (edges_[static_cast<size_t>(from)].value.time) same_as_[e] = insert(from);
        edges_[e].activation = edges_[static_cast<size_t>(same_as_[e])].activation;  // a chain of reshapes is in order
    }
}

// Sums of two edges, of which one comes from a layer that can add the other one on its way: the sum is its output then,
// and costs no memory of its own (a residual block's end).
template <class T>
void Network<T>::fuse_sums() {
    bool any = false;
    for (auto& node : nodes_) {
        const auto* sum = dynamic_cast<const Merge<T>*>(node.get());
        if (!sum || !sum->is_sum() || !add_in_place(sum->inputs(), sum->output, sum->activation())) continue;
        node.reset();
        any = true;
    }
    if (any) order_nodes();
}

// By the producer that runs last, so that no node has to wait for what it adds: a layer that is used twice moves its state
// in the order of its places. What is added gets δ as it is: without a halo, and without an f'.
template <class T>
bool Network<T>::add_in_place(std::vector<int> edges, int sum, Activation f) {
    const auto plain = [&](int e) { return edge(e).activation == Activation::linear && same_as_[static_cast<size_t>(e)] < 0; };
    if (!std::all_of(edges.begin(), edges.end(), plain)) return false;
    if (edge(edges[0]).producer > edge(edges[1]).producer) std::swap(edges[0], edges[1]);
    Edge &addend = edge(edges[0]), &between = edge(edges[1]);
    if (between.producer < 0 || between.value.time || addend.value.time) return false;
    if (addend.producer >= 0) {
        Grid halo;
        nodes_[static_cast<size_t>(addend.producer)]->wanted_gradient_halo(halo);
        if (halo.halo()) return false;
    }
    if (!nodes_[static_cast<size_t>(between.producer)]->take_addend(edges[0], sum, f)) return false;
    edge(sum).producer = between.producer;
    between.producer = between.reader = -1;
    between.unused = true;
    return true;
}

// Edges whose gradient is that of a sum they go into. By time, a simple RNN makes its δ of what stands there.
template <class T>
void Network<T>::share_gradients() {
    for (const auto& node : nodes_)
        for (const int input : node->inputs()) {
            const Edge& out = edge(node->output);
            Edge& in = edge(input);
            const bool alike = !in.gradient.time && !out.gradient.time && !in.gradient.halo() && !out.gradient.halo();
            if (node->passes_gradient(input) && alike && in.activation == Activation::linear &&
                same_as_[static_cast<size_t>(input)] < 0)
                in.gradient_of = node->output;
        }
}

template <class T>
void Network<T>::lay_out_grids() {
    for (Edge& edge : edges_) {
        if (edge.value.time) {
            edge.gradient = edge.value;
            continue;
        }
        edge.value = edge.gradient = sample_grid(edge.shape);
        if (edge.index || edge.shape.size() > 4) continue;
        // Halos where writer and reader agree on them; a convolution copies otherwise.
        const Node<T>* writer = edge.producer >= 0 ? nodes_[static_cast<size_t>(edge.producer)].get() : nullptr;
        const Node<T>* reader = edge.reader >= 0 ? nodes_[static_cast<size_t>(edge.reader)].get() : nullptr;
        const bool by_input = edge.input >= 0, own = !writer || !writer->passes_values();
        if (reader && own && (by_input || (writer && writer->writes_halo()))) reader->wanted_halo(edge.value);
        if (writer && reader && reader->writes_halo()) writer->wanted_gradient_halo(edge.gradient);
        edge.value.lay_out();
        edge.gradient.lay_out();
    }
}

// Inserted nodes stand at the end: back to the order in which edges depend on each other.
template <class T>
void Network<T>::order_nodes() {
    std::vector<std::unique_ptr<Node<T>>> ordered;
    std::vector<bool> ready(edges_.size(), false);
    for (int input : inputs_) ready[static_cast<size_t>(input)] = true;
    for (bool progress = true; progress;) {
        progress = false;
        for (size_t e = 0; e < edges_.size(); ++e)
            if (!ready[e] && same_as_[e] >= 0 && ready[static_cast<size_t>(same_as_[e])]) ready[e] = progress = true;
        for (auto& node : nodes_) {
            if (!node) continue;
            const std::vector<int> inputs = node->inputs();
            if (!std::all_of(inputs.begin(), inputs.end(), [&](int e) { return ready[static_cast<size_t>(e)]; })) continue;
            for (int output : node->outputs()) ready[static_cast<size_t>(output)] = true;
            progress = true;
            ordered.push_back(std::move(node));
        }
    }
    nodes_ = std::move(ordered);
    for (size_t i = 0; i < nodes_.size(); ++i) {
        for (int input : nodes_[i]->inputs()) edge(input).reader = static_cast<int>(i);
        for (int output : nodes_[i]->outputs()) edge(output).producer = static_cast<int>(i);
    }
}

template <class T>
void Network<T>::make_segments(const Call<T>& call, Way way, std::vector<Segment>& segments) const {
    segments.clear();
    const int count = static_cast<int>(nodes_.size()), step = way == Way::forward ? 1 : -1;
    const auto bytes = [&](int edge) { return edges_[static_cast<size_t>(edge)].value.sample * static_cast<int64>(sizeof(T)); };
    for (int n = 0; n < count; ++n) {
        const int i = way == Way::forward ? n : count - 1 - n;
        const Node<T>& node = *nodes_[static_cast<size_t>(i)];
        const int phases = way == Way::forward ? node.forward_phases(call) : node.backward_phases(call);
        const int64 written = bytes(way == Way::forward ? node.output : node.input);
        const int64 all = bytes(node.input) + bytes(node.output);
        for (int phase = 0; phase < std::max(phases, 1); ++phase) {
            const bool last = phase + 1 >= phases, local = node.local() && (phase == 0 || last);
            if (local && phase == 0 && !segments.empty() && segments.back().local()) {
                segments.back().end = i + step;
                segments.back().bytes += last ? written : 0;  // else it only reads
            } else {
                segments.push_back({i, i + step, phase, local ? all : 0});
            }
        }
    }
}

// One parameter a name; where a name comes again, its weights are those of the first place.
template <class T>
void Network<T>::collect_parameters() {
    std::map<std::string, Parameter<T>*> first;
    for (auto& node : nodes_)
        for (auto& parameter : node->parameters) {
            const auto [found, fresh] = first.emplace(parameter->name, parameter.get());
            if (fresh) {
                parameters_.push_back(parameter);
                continue;
            }
            parameter->share(*found->second);
            parameter->reused = found->second->reused = true;
            reuses_.push_back({found->second, parameter.get()});
        }
}

template <class T>
void Network<T>::finalize(const std::vector<int>& wanted) {
    require(!finalized(), "the network is closed already");
    std::vector<int> outputs = wanted;
    require(!outputs.empty() && outputs.size() <= most_outputs, "expected 1 to ", most_outputs, " outputs, got ", outputs.size());
    for (int output : outputs) {
        require(output >= 0 && output < static_cast<int>(edges_.size()), "there is no edge ", output);
        require(edge(output).reader == -1, "the output edge ", output, " is read by a layer");
        require(!edge(output).index, "the output is an input of integers: add a layer");
        require(std::count(outputs.begin(), outputs.end(), output) == 1, "edge ", output, " is an output twice: fork it");
    }
    for (size_t e = 0; e < edges_.size(); ++e) {
        if (edges_[e].reader != -1 || std::count(outputs.begin(), outputs.end(), static_cast<int>(e)) > 0) continue;
        require(edges_[e].optional, "nothing reads the output of ", edges_[e].name);
        ignored_.push_back(static_cast<int>(e));
    }
    for (int& output : outputs) split_final_sigmoid(output);
    outputs_ = outputs;
    cancel_permutes();
    choose_time_layout();
    insert_relayouts();
    order_nodes();
    fuse_sums();
    lay_out_grids();
    share_gradients();
    collect_parameters();
    for (size_t i = nodes_.size(); i-- > 0;)  // tokens that several layers look up are below the least of their limits
        for (int output : nodes_[i]->passes_values() ? nodes_[i]->outputs() : std::vector<int>{}) {
            int64& limit = limits_[static_cast<size_t>(nodes_[i]->input)];
            const int64 own = limits_[static_cast<size_t>(output)];
            if (own > 0) limit = limit > 0 ? std::min(limit, own) : own;
        }
    for (auto& node : nodes_) {
        node->plan(edges_);
        for (Product<T>* product : node->products()) products_.push_back(product);
        for (Scatter<T>* scatter : node->scatters()) scatters_.push_back(scatter);
        const std::vector<int64> widths = node->state_widths();
        for (size_t i = 0; i < widths.size(); ++i)
            states_.push_back({static_cast<int>(&node - nodes_.data()), static_cast<int>(i), widths[i]});
        node->set_first_extra(extras_);
        extras_ += node->extra_count();
    }
    update_trainable();
}

template <class T>
void Network<T>::update_trainable() {
    ++version_;
    for (const Reuse<T>& reuse : reuses_) {
        reuse.again->trainable = reuse.first->trainable;
        reuse.again->moves = reuse.first->moves;
    }
    std::vector<bool> trainable(edges_.size(), false);
    for (auto& node : nodes_) {
        for (size_t e = 0; e < edges_.size(); ++e)
            if (same_as_[e] >= 0) trainable[e] = trainable[static_cast<size_t>(same_as_[e])];
        bool any = false;
        for (int input : node->inputs()) any = any || trainable[static_cast<size_t>(input)];
        node->set_below_trainable(any);
        for (auto& parameter : node->parameters) any = any || parameter->trainable;
        for (int output : node->outputs()) trainable[static_cast<size_t>(output)] = any;
    }
}

template <class T>
std::string Network<T>::describe() const {
    const auto grid = [](const Grid& g) {
        std::string out = g.time ? "by time" : "by sample";
        if (g.halo())
            for (int d = 0; d < 3; ++d)
                if (g.before[d] || g.after[d]) out += text(d == 0 ? " depth" : d == 1 ? " rows" : " columns", "+(", g.before[d], ",", g.after[d], ")");
        return out;
    };
    std::string out;
    for (int input : inputs_) {
        const Edge& e = edges_[static_cast<size_t>(input)];
        out += text("input ", e.name, " ", to_text(e.shape), " ", grid(e.value), "\n");
    }
    for (const auto& node : nodes_) {
        if (node->passes_values()) continue;
        const Edge& e = edges_[static_cast<size_t>(node->output)];
        out += text(node->name, " -> ", to_text(e.shape), " ", grid(e.value), "; gradient ", grid(e.gradient),
                    node->detail().empty() ? "" : "; ", node->detail(), "\n");
    }
    return out;
}

template class Network<float>;
template class Network<double>;

}  // namespace tauten
