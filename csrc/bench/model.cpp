#include "bench/model.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <numeric>

namespace tauten::bench {

namespace {

// Small steps: the loss stays finite however often they are repeated.
constexpr double learning_rate = 1e-6;

template <class T>
bool is_final(const Node<T>& node) {  // its backward is part of the loss
    return node.final_activation() == FinalActivation::softmax;
}

// f(offset, count): the stretches of weights that a step shares out.
template <class T, class F>
void for_each_stretch(const Parameter<T>& p, const F& f) {
    for (int64 offset = 0; offset < p.size(); offset += merge_weights)
        f(offset, std::min(merge_weights, p.size() - offset));
}

}  // namespace

const char* part_name(Part part) {
    constexpr const char* names[] = {"forward", "backward", "gradients", "update", "refresh"};
    return names[static_cast<int>(part)];
}

template <class T>
Model<T>::Model(const Description& d) {
    Network<T>& net = engine_.network;
    build(d, net);
    engine_.compile({{"sparse_categorical_crossentropy", false, 1, {}}});
    for (const auto& p : net.parameters()) {
        const int64 gate = p->columns / p->gates;
        const double limit = std::sqrt(6.0 / static_cast<double>(p->rows + gate));
        const Buffer<T> w = filled<T>(p->rows * p->columns, -limit, limit);
        p->write_keras(w.data(), p->weights.data());
        ++p->version;
        no_gradient_.reserve(p->size());
    }

    const int64 size = elements(d.shape, d.name), tokens_below = vocabulary(d);
    const Shape& output = net.edge_shape(net.outputs().front());
    index_.resize(static_cast<size_t>(d.batch));
    std::iota(index_.begin(), index_.end(), int64{0});
    source_.shape = d.shape;
    target_.shape = Shape(output.begin(), output.end() - 1);
    const int64 labels = elements(target_.shape, d.name);
    labels_.resize(static_cast<size_t>(d.batch * labels));
    fill(labels_.data(), d.batch * labels, 0, static_cast<double>(output.back()));
    target_.type = Scalar::i64;
    target_.data = reinterpret_cast<const char*>(labels_.data());
    target_.stride = labels * size_of(target_.type);
    if (tokens_below > 0) {
        tokens_.resize(static_cast<size_t>(d.batch * size));
        fill(tokens_.data(), d.batch * size, 0, static_cast<double>(tokens_below));
        source_.type = Scalar::i64;
        source_.data = reinterpret_cast<const char*>(tokens_.data());
    } else {
        x_ = filled<T>(d.batch * size);
        source_.type = sizeof(T) == 4 ? Scalar::f32 : Scalar::f64;
        source_.data = reinterpret_cast<const char*>(x_.data());
    }
    source_.stride = size * size_of(source_.type);
    source_.samples = target_.samples = d.batch;
    outputs_.reserve(d.batch * elements(output, d.name));

    request_.x = {&source_};
    request_.y = {&target_};
    request_.index = index_.data();
    request_.batch = d.batch;
    request_.rule.learning_rate = learning_rate;
    Request<T> whole = request_;
    whole.training = whole.backward = whole.loss = whole.sink.store = true;
    Step<T>(net, engine_.objective(), work_, whole, 0).run();
}

template <class T>
bool Model<T>::has_part(int i, Part part) {
    Node<T>& node = this->node(i);
    switch (part) {
        case Part::forward: return true;
        // a recurrent layer, which has two products, goes back through time whatever is below it
        case Part::backward: return !is_final(node) && (node.below_trainable() || node.products().size() > 1);
        case Part::gradients: return !node.products().empty() || !node.scatters().empty();
        case Part::update: return !node.parameters.empty();
        case Part::refresh: return stale_parts(node) > 0;
    }
    return false;
}

template <class T>
int64 Model<T>::stale_parts(Node<T>& node) {
    for (const auto& p : node.parameters) ++p->version;
    return node.stale_parts(work_.call);
}

template <class T>
void Model<T>::run(int i, Part part, const kernels::Kernels<T>& k) {
    Node<T>& node = this->node(i);
    Call<T> call = work_.call;
    call.kernels = &k;
    const Slice all{0, call.batch};
    T* const scratch = work_.scratch(0);
    switch (part) {
        case Part::forward:
            for (int phase = 0; phase < node.forward_phases(call); ++phase) node.forward(call, all, phase, scratch);
            break;
        case Part::backward:
            for (int phase = 0; phase < node.backward_phases(call); ++phase) node.backward(call, all, phase, scratch);
            break;
        case Part::gradients: run_gradients(node, call); break;
        case Part::update: run_update(node, k); break;
        case Part::refresh:
            for (int64 item = 0, items = stale_parts(node); item < items; ++item) node.refresh_part(k, item);
            break;
    }
}

template <class T>
void Model<T>::run_gradients(Node<T>& node, const Call<T>& call) {
    std::atomic<const Parameter<T>*> not_finite{nullptr};
    Sink<T> sink;
    sink.store = true;
    sink.not_finite = &not_finite;
    const std::vector<Product<T>*> products = node.products();
    for (ProductPlan<T>& plan : work_.products) {
        if (std::find(products.begin(), products.end(), plan.products[0]) == products.end()) continue;
        for (int64 item = 0; item < plan.items(); ++item) plan.run(*call.kernels, call, sink, item, work_.scratch(0));
        for (int64 item = 0; item < plan.merge_items(); ++item) plan.merge(*call.kernels, sink, item, work_.scratch(0));
    }
    for (const Scatter<T>* scatter : node.scatters()) {
        Parameter<T>& table = *scatter->parameter;
        for (int64 item = 0; item < scatter->parts(); ++item) scatter->part(call, item);
        for_each_stretch(table, [&](int64 offset, int64 count) {
            sink.finish(*call.kernels, table, offset, count, table.gradient.data() + offset);
        });
    }
}

template <class T>
void Model<T>::run_update(Node<T>& node, const kernels::Kernels<T>& k) {
    Sink<T> sink;
    sink.settings = request_.rule.template settings<T>(0);
    for (const auto& p : node.parameters)
        for_each_stretch(*p, [&](int64 offset, int64 count) {
            sink.step(k, *p, offset, count, no_gradient_.data() + offset);
        });
}

template <class T>
double Model<T>::product_flops(const Product<T>& product) const {
    int64 depth = 0;
    for (int64 line = 0; line < product.lines(work_.call); ++line) depth += product.line(work_.call, line).k;
    return 2.0 * static_cast<double>(product.kernel->rows * product.kernel->columns) * static_cast<double>(depth);
}

// Forward and gradients take every product once; backward all but the first, which it takes where layers below want it.
template <class T>
Work Model<T>::work(int i, Part part) const {
    Node<T>& node = this->node(i);
    Work work;
    const std::vector<Product<T>*> products = node.products();
    const size_t first = part == Part::backward && !node.below_trainable() ? 1 : 0;
    if (part == Part::forward || part == Part::backward || part == Part::gradients)
        for (size_t p = first; p < products.size(); ++p) work.flops += product_flops(*products[p]);

    const Edge& in = network().edges()[static_cast<size_t>(node.input)];
    const Edge& out = network().edges()[static_cast<size_t>(node.output)];
    const auto bytes = [&](const Edge& edge, const Grid& grid) {
        const int64 values = grid.size(work_.call.batch, work_.call.axes);
        return static_cast<double>(values) * (edge.index ? sizeof(int32) : sizeof(T));
    };
    double weights = 0;
    for (const auto& p : node.parameters) weights += static_cast<double>(p->size()) * sizeof(T);
    const double read = node.products().empty() ? 0 : weights;  // of a table, forward reads no more than it writes
    switch (part) {
        case Part::forward: work.bytes = bytes(in, in.value) + bytes(out, out.value) + read; break;
        case Part::backward: work.bytes = bytes(in, in.gradient) + bytes(out, out.gradient) + read; break;
        case Part::gradients: work.bytes = bytes(in, in.value) + bytes(out, out.gradient) + weights; break;
        case Part::update: work.bytes = 3 * weights; break;
        case Part::refresh: work.bytes = 2 * weights; break;
    }
    return work;
}

template <class T>
double Model<T>::flops(bool training) const {
    double sum = 0;
    for (int i = 0; i < static_cast<int>(network().nodes().size()); ++i)
        for (const Part part : all_parts)
            if (training || part == Part::forward) sum += work(i, part).flops;
    return sum;
}

template <class T>
Model<T>& model(const Description& d) {
    static std::map<std::string, std::unique_ptr<Model<T>>> models;
    std::unique_ptr<Model<T>>& found = models[d.name];
    if (!found) found = std::make_unique<Model<T>>(d);
    return *found;
}

template class Model<float>;
template class Model<double>;
template Model<float>& model(const Description&);
template Model<double>& model(const Description&);

}  // namespace tauten::bench
