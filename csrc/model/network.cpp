#include "model/network.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "layers/aggregate.h"
#include "layers/conv.h"
#include "layers/dense.h"
#include "layers/depthwise.h"
#include "layers/dropout.h"
#include "layers/elementwise.h"
#include "layers/embedding.h"
#include "layers/pointwise.h"
#include "layers/pool.h"
#include "layers/prelu.h"

namespace tauten {

// -- edges and nodes ---------------------------------------------------------------------------------

template <class T>
int Network<T>::add_edge(const std::string& name, const Shape& shape, int producer, Activation activation) {
    Edge edge;
    edge.name = name;
    edge.shape = shape;
    edge.producer = producer;
    edge.activation = activation;
    edges_.push_back(std::move(edge));
    limits_.push_back(0);
    same_as_.push_back(-1);
    return static_cast<int>(edges_.size()) - 1;
}

// Takes the last edge back: the layer that was to write it could not be made.
template <class T>
void Network<T>::drop_edge() {
    edges_.pop_back();
    limits_.pop_back();
    same_as_.pop_back();
}

// The edge that a new layer reads, checked to be there, free and of the right kind.
template <class T>
Edge& Network<T>::read(const std::string& name, int input, bool index) {
    require(!finalized(), name, ": the network is closed, no layer can be added");
    require(input >= 0 && input < static_cast<int>(edges_.size()), name, ": there is no edge ", input);
    Edge& edge = edges_[static_cast<size_t>(input)];
    require(edge.reader == -1, name, ": edge ", input, " of ", edge.name, " is read by another layer already");
    require(edge.index == index, name, index ? ": expected integers (an index input), got values from " : ": expected values, got integers from ",
            edge.name);
    return edge;
}

// What of an activation is not fused into the layer.
template <class T>
int Network<T>::with_activation(const std::string& name, int edge, const LayerActivation& activation) {
    if (activation.pointwise) return add_pointwise(name, edge, *activation.pointwise);
    if (!activation.softmax && !activation.log_softmax) return edge;
    return add_node<Softmax<T>>(name, edge, Shape(edge_shape(edge)), Activation::linear, activation.log_softmax);
}

template <class T>
int Network<T>::add_pointwise(const std::string& name, int input, const PointwiseFunction& function) {
    return add_node<PointwiseNode<T>>(name, input, Shape(read(name, input).shape), Activation::linear, function);
}

template <class T>
const Shape& Network<T>::edge_shape(int edge) const {
    require(edge >= 0 && edge < static_cast<int>(edges_.size()), "there is no edge ", edge);
    return edges_[static_cast<size_t>(edge)].shape;
}

// -- layers ------------------------------------------------------------------------------------------

template <class T>
int Network<T>::add_input(const std::string& name, const Shape& shape, bool index) {
    require(!finalized(), name, ": the network is closed, no input can be added");
    require(!shape.empty(), name, ": an input needs at least one extent besides the batch");
    int64 size = 1;
    const size_t sequence_rank = index ? 1 : 2;
    for (size_t i = 0; i < shape.size(); ++i) {
        require(shape[i] >= 1 || (i == 0 && shape[i] == run_time && shape.size() == sequence_rank), name,
                ": extents must be positive; only the time steps of a sequence, (None, features) or (None,) integers, may be "
                "None; got ",
                to_text(shape));
        if (shape[i] != run_time) size = multiply(size, shape[i], name);
    }
    const int edge = add_edge(name, shape, -1, Activation::linear);
    edges_.back().index = index;
    edges_.back().input = static_cast<int>(inputs_.size());
    inputs_.push_back(edge);
    return edge;
}

template <class T>
int Network<T>::add_dense(const std::string& name, int input, int64 units, const std::string& activation, bool use_bias) {
    const LayerActivation a = parse_activation(name, activation);
    Shape shape = read(name, input).shape;
    require(units >= 1 && units <= largest_size, name, ": units must be from 1 to 2^46, got ", units);
    const int64 features = shape.back();
    shape.back() = units;
    const int edge = add_node<Dense<T>>(name, input, shape, a.f, features, units, a.f, use_bias);
    return with_activation(name, edge, a);
}

template <class T>
int Network<T>::add_activation(const std::string& name, int input, const std::string& activation) {
    const LayerActivation a = parse_activation(name, activation);
    Edge& edge = read(name, input);
    if (a.pointwise || a.softmax || a.log_softmax) return with_activation(name, input, a);
    // Into the layer below, where it can take it.
    Edge& below = edges_[static_cast<size_t>(below_permutes(input))];
    if (below.producer >= 0 && same_as_[static_cast<size_t>(input)] < 0 && edge.activation == Activation::linear &&
        below.activation == Activation::linear && nodes_[static_cast<size_t>(below.producer)]->set_activation(a.f)) {
        below.activation = a.f;
        return input;
    }
    return add_node<ActivationNode<T>>(name, input, Shape(edge.shape), a.f, a.f);
}

template <class T>
int Network<T>::add_relu(const std::string& name, int input, double max_value, double negative_slope, double threshold) {
    read(name, input);
    require(max_value >= 0 && negative_slope >= 0 && threshold >= 0, name,
            ": max_value, negative_slope and threshold must not be negative, got ", max_value, ", ", negative_slope, " and ",
            threshold);
    if (std::isinf(max_value) && negative_slope == 0 && threshold == 0) return add_activation(name, input, "relu");
    return add_pointwise(name, input, {Pointwise::rectified, threshold, max_value, negative_slope});
}

template <class T>
int Network<T>::add_elu(const std::string& name, int input, double alpha) {
    return add_pointwise(name, input, {Pointwise::elu, 1, alpha});
}

template <class T>
int Network<T>::add_prelu(const std::string& name, int input, const std::vector<int64>& shared_axes) {
    const Shape shape = read(name, input).shape;
    const int64 rank = static_cast<int64>(shape.size());
    std::vector<bool> shared(shape.size(), false);
    for (const int64 axis : shared_axes) {
        require(axis >= 1 && axis <= rank, name, ": shared_axes must be from 1 to ", rank, ", the axes of ", to_text(shape),
                " behind the batch, got ", axis);
        shared[static_cast<size_t>(axis) - 1] = true;
    }
    require(shape[0] != run_time || shared[0], name, ": time steps that are known only at run time have no slopes of their own: "
            "got shape ", to_text(shape), "; use shared_axes=[1], one slope a feature for all steps");
    return add_node<Prelu<T>>(name, input, shape, Activation::linear, shape, shared);
}

// The same memory under another shape.
template <class T>
int Network<T>::alias(const std::string& name, int input, const Shape& shape) {
    const Activation activation = edges_[static_cast<size_t>(input)].activation;
    const int edge = add_edge(name, shape, -1, activation);
    same_as_.back() = input;
    edges_[static_cast<size_t>(input)].reader = -2;
    return edge;
}

template <class T>
int Network<T>::add_flatten(const std::string& name, int input, bool channels_first) {
    const Shape shape = read(name, input).shape;
    require(shape[0] != run_time, name, ": needs extents that are known beforehand, got ", to_text(shape));
    return alias(name, last_channels(name, input, channels_first), {elements(shape, name)});
}

template <class T>
int Network<T>::add_reshape(const std::string& name, int input, Shape shape) {
    const Shape& from = read(name, input).shape;
    require(from[0] != run_time, name, ": needs extents that are known beforehand, got ", to_text(from));
    require(!shape.empty(), name, ": target_shape must have at least one extent");
    const int64 total = elements(from, name);
    int64 known = 1, open = -1;
    for (size_t i = 0; i < shape.size(); ++i) {
        require(shape[i] >= 1 || shape[i] == -1, name, ": target_shape extents must be positive, or -1 once, got ", shape[i]);
        if (shape[i] == -1) {
            require(open < 0, name, ": only one extent of target_shape may be -1");
            open = static_cast<int64>(i);
        } else {
            known = multiply(known, shape[i], name);
        }
    }
    if (open >= 0) {
        require(total % known == 0, name, ": ", total, " values of ", to_text(from), " cannot be shared out over ", known);
        shape[static_cast<size_t>(open)] = total / known;
        known = total;
    }
    require(known == total, name, ": ", to_text(from), " has ", total, " values, target_shape ", to_text(shape), " has ", known);
    return alias(name, input, shape);
}

template <class T>
int Network<T>::add_dropout(const std::string& name, int input, double rate, uint64 seed) {
    const Shape shape = read(name, input).shape;
    require(rate >= 0 && rate < 1, name, ": rate must be at least 0 and less than 1, got ", rate);
    return add_node<Dropout<T>>(name, input, shape, Activation::linear, rate, seed, dropouts_++);
}

template <class T>
int Network<T>::add_spatial_dropout(const std::string& name, int input, int64 rank, double rate, uint64 seed) {
    const Shape shape = read(name, input).shape;
    require(static_cast<int64>(shape.size()) == rank + 1, name, ": expected ", rank, rank == 1 ? " dimension" : " dimensions",
            " and channels, got shape ", to_text(shape));
    require(rate >= 0 && rate < 1, name, ": rate must be at least 0 and less than 1, got ", rate);
    return add_node<SpatialDropout<T>>(name, input, shape, Activation::linear, rate, seed, dropouts_++);
}

template <class T>
int Network<T>::add_batch_normalization(const std::string& name, int input, const BatchNormalizationOptions& options) {
    const Shape shape = read(name, input).shape;
    require(options.momentum >= 0 && options.momentum <= 1, name, ": momentum must be from 0 to 1, got ", options.momentum);
    require(options.epsilon >= 0, name, ": epsilon must not be negative, got ", options.epsilon);
    require(shape.back() != run_time, name, ": the number of channels must be known beforehand, got ", to_text(shape));
    return add_node<BatchNormalization<T>>(name, input, shape, Activation::linear, shape.back(), options);
}

template <class T>
int Network<T>::add_layer_normalization(const std::string& name, int input, int64 axes,
                                        const LayerNormalizationOptions& options) {
    const Shape shape = read(name, input).shape;
    require(axes >= 1 && axes <= static_cast<int64>(shape.size()), name, ": expected from 1 to ", shape.size(),
            " axes to normalize over, got ", axes);
    require(options.epsilon >= 0, name, ": epsilon must not be negative, got ", options.epsilon);
    const Shape over(shape.end() - axes, shape.end());
    require(over.front() != run_time, name, ": axes to normalize over must be known beforehand, got ", to_text(shape));
    return add_node<LayerNormalization<T>>(name, input, shape, Activation::linear, over, axes == 1, options);
}

template <class T>
Window Network<T>::convolution_window(const std::string& name, int input, const Shape& kernel_size, const Shape& strides,
                                      const Padding& padding, const Shape& dilation, bool channels_first) {
    require(std::isfinite(static_cast<T>(padding.value)), name, ": padding_value must be a number of the model's float type, got ",
            padding.value);
    return make_window(name, "kernel_size", read(name, input).shape, kernel_size, strides, padding, dilation, channels_first);
}

template <class T>
int Network<T>::add_conv(const std::string& name, int input, int64 filters, const Shape& kernel_size, const Shape& strides,
                         const Padding& padding, const std::string& activation, bool use_bias, const Shape& dilation,
                         int64 groups, bool channels_first) {
    const LayerActivation a = parse_activation(name, activation);
    require(filters >= 1 && filters <= largest_size, name, ": filters must be from 1 to 2^46, got ", filters);
    const Window w = convolution_window(name, input, kernel_size, strides, padding, dilation, channels_first);
    const int64 channels = channels_of(input, channels_first);
    require(groups >= 1 && groups <= largest_size, name, ": groups must be from 1 to 2^46, got ", groups);
    require(channels % groups == 0, name, ": groups must divide the input's channels, got ", groups, " groups of ", channels,
            " channels");
    require(filters % groups == 0, name, ": groups must divide filters, got ", groups, " groups of ", filters, " filters");
    const Shape shape = to_shape(w.output, w.rank, filters);
    const int last = last_channels(name, input, channels_first);
    const int edge =
        groups > 1 && groups == channels
            ? add_node<Depthwise<T>>(name, last, shape, a.f, w, channels, a.f, use_bias,
                                     DepthwiseOptions{filters / channels, padding.value, "kernel", true})
            : add_node<Conv<T>>(name, last, shape, a.f, w, channels, filters, a.f, use_bias,
                                ConvOptions{groups, padding.value, "kernel", winograd});
    return with_activation(name, first_channels(name, edge, channels_first), a);
}

template <class T>
int64 Network<T>::depthwise_width(const std::string& name, int64 channels, int64 multiplier, const Window& w) {
    require(multiplier >= 1 && multiplier <= largest_size, name, ": depth_multiplier must be from 1 to 2^46, got ",
            multiplier);
    const int64 width = multiply(channels, multiplier, name);
    elements({w.input[0] + w.before[0] + w.after[0], w.input[1] + w.before[1] + w.after[1],
              w.input[2] + w.before[2] + w.after[2], width},
             name + ": the padded input");
    return width;
}

template <class T>
int Network<T>::add_depthwise_conv(const std::string& name, int input, int64 multiplier, const Shape& kernel_size,
                                   const Shape& strides, const Padding& padding, const std::string& activation,
                                   bool use_bias, const Shape& dilation, bool channels_first) {
    const LayerActivation a = parse_activation(name, activation);
    const Window w = convolution_window(name, input, kernel_size, strides, padding, dilation, channels_first);
    const int64 width = depthwise_width(name, channels_of(input, channels_first), multiplier, w);
    const int edge = add_node<Depthwise<T>>(name, last_channels(name, input, channels_first),
                                            to_shape(w.output, w.rank, width), a.f, w, width / multiplier, a.f, use_bias,
                                            DepthwiseOptions{multiplier, padding.value});
    return with_activation(name, first_channels(name, edge, channels_first), a);
}

template <class T>
int Network<T>::add_separable_conv(const std::string& name, int input, int64 filters, int64 multiplier,
                                   const Shape& kernel_size, const Shape& strides, const Padding& padding,
                                   const std::string& activation, bool use_bias, const Shape& dilation,
                                   bool channels_first) {
    const LayerActivation a = parse_activation(name, activation);
    require(filters >= 1 && filters <= largest_size, name, ": filters must be from 1 to 2^46, got ", filters);
    const Window w = convolution_window(name, input, kernel_size, strides, padding, dilation, channels_first);
    const int64 width = depthwise_width(name, channels_of(input, channels_first), multiplier, w);
    const Shape between = to_shape(w.output, w.rank, width);
    const int middle = add_node<Depthwise<T>>(name, last_channels(name, input, channels_first), between, Activation::linear,
                                              w, width / multiplier, Activation::linear, false,
                                              DepthwiseOptions{multiplier, padding.value, "depthwise_kernel"});
    const Shape ones(static_cast<size_t>(w.rank), 1);
    const int edge = add_node<Conv<T>>(name, middle, to_shape(w.output, w.rank, filters), a.f,
                                       make_window(name, "pointwise_kernel", between, ones, ones, {}), width, filters, a.f,
                                       use_bias, ConvOptions{1, 0.0, "pointwise_kernel"});
    return with_activation(name, first_channels(name, edge, channels_first), a);
}

template <class T>
int Network<T>::add_pool(const std::string& name, int input, const std::string& kind, const Shape& pool_size,
                         const Shape& strides, const Padding& padding, bool channels_first) {
    require(kind == "max" || kind == "average", name, ": unknown kind of pooling '", kind, "'; expected max or average");
    const Shape from = read(name, input).shape;
    const Window w = make_window(name, "pool_size", from, pool_size, strides, padding, {}, channels_first);
    for (int d = 0; d < 3; ++d)
        require(w.before[d] < w.window[d] && w.after[d] < w.window[d], name, ": padding of (", w.before[d], ", ",
                w.after[d], ") would leave windows of ", w.window[d], " without any input");
    const int64 channels = channels_of(input, channels_first);
    const int edge = add_node<Pool<T>>(name, last_channels(name, input, channels_first), to_shape(w.output, w.rank, channels),
                                       Activation::linear, kind == "max" ? Pool<T>::Kind::max : Pool<T>::Kind::average, w,
                                       channels);
    return first_channels(name, edge, channels_first);
}

template <class T>
int Network<T>::add_aggregate(const std::string& name, int input, const std::string& kind, const Shape& window,
                              const Shape& strides, const Padding& padding) {
    using Kind = typename Aggregate<T>::Kind;
    require(kind == "sum" || kind == "average" || kind == "max", name, ": unknown kind of aggregation '", kind,
            "'; expected sum, average or max");
    const Kind how = kind == "sum" ? Kind::sum : kind == "average" ? Kind::average : Kind::max;
    const Shape from = read(name, input).shape;
    const bool given = padding.kind == Padding::Kind::given;
    require(from.size() <= 4, name, ": expected at most three spatial extents and channels, got shape ", to_text(from));
    require(window.size() == from.size() && strides.size() == from.size() &&
                (!given || padding.amounts.size() == from.size()),
            name, ": expected a window, strides and padding of ", from.size(), " extents, as the input ", to_text(from),
            " has, got a window ", to_text(window), " and strides ", to_text(strides));
    // The extents before the last one, and the last one, as windows of their own.
    const size_t spatial = from.size() - 1;
    Padding before = padding, last;
    if (given) {
        before.amounts.pop_back();
        last.kind = Padding::Kind::given;
        last.amounts = {padding.amounts.back()};
    }
    Window w;
    if (spatial > 0)
        w = make_window(name, "window", from, Shape(window.begin(), window.end() - 1),
                        Shape(strides.begin(), strides.end() - 1), before);
    const Window depth = make_window(name, "window depth", {from.back(), 1}, {window.back()}, {strides.back()}, last);
    for (const Window* each : {static_cast<const Window*>(&w), &depth})
        for (int d = 0; d < 3 && how != Kind::sum; ++d)
            require(each->before[d] < each->window[d] && each->after[d] < each->window[d], name, ": padding of (",
                    each->before[d], ", ", each->after[d], ") would leave windows of ", each->window[d],
                    " without any input");
    require(multiply(w.size(), depth.window[2], name + ": window") < (int64{1} << 31), name,
            ": a window must have less than 2^31 elements, got ", to_text(window));
    Shape shape(w.output + 3 - w.rank, w.output + 3);
    shape.push_back(depth.output[2]);
    return add_node<Aggregate<T>>(name, input, shape, Activation::linear, how, w, depth, window);
}

template <class T>
int Network<T>::add_embedding(const std::string& name, int input, int64 vocabulary, int64 units) {
    Shape shape = read(name, input, true).shape;
    require(vocabulary >= 1 && vocabulary <= (int64{1} << 31) - 1, name, ": input_dim must be from 1 to 2^31 - 1, got ",
            vocabulary);
    require(units >= 1 && units <= largest_size, name, ": output_dim must be from 1 to 2^46, got ", units);
    shape.push_back(units);
    limits_[static_cast<size_t>(input)] = vocabulary;
    return add_node<Embedding<T>>(name, input, shape, Activation::linear, vocabulary, units);
}

template class Network<float>;
template class Network<double>;

}  // namespace tauten
