// A network: edges and nodes in the order they run, built one layer at a time, closed once by finalize().
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/check.h"
#include "layers/batch_normalization.h"
#include "layers/layer_normalization.h"
#include "layers/node.h"
#include "layers/permute.h"
#include "layers/recurrent.h"
#include "layers/window.h"
#include "model/activation.h"
#include "training/objective.h"

namespace tauten {

// A number of time steps: that of an input (ragged or known only at run time), or fixed.
struct Axis {
    int input = -1;    // edge of the input that says how many, or -1
    int64 fixed = 0;   // steps if no input does
};

// Nodes that take a few samples at a time through all of them, so that values stay in the cache; or a single phase of a
// node that takes all rows at once.
struct Segment {
    int begin, end;  // nodes in the order they run: end is one further, forwards above begin, backwards below it
    int phase;       // that node `begin` is in; all others are in their first
    int64 bytes;     // of their values, a sample; 0: one node that takes all rows at once
    bool local() const { return bytes > 0; }
};

// Two time axes whose steps layer `name` takes together: they must be the same ones in every call.
struct Junction {
    std::string name;
    int axis, other;
};

// A state that a recurrent layer passes from step to step: its node, its number there, and its values a sample.
struct State {
    int node, number;
    int64 width;
};

// A parameter in a further place: the same weights, and a gradient of its own, which is added to the first one's.
template <class T>
struct Reuse {
    Parameter<T>* first;
    Parameter<T>* again;
};

// A recurrent layer: "simple_rnn", which has no recurrent_activation, "forget_gate_rnn", "lstm", "gru"
// or "reset_first_gru".
// dropout, recurrent_dropout: the share of x_t, and of h_{t-1} as the recurrent product sees it, dropped while training.
struct Cell {
    std::string kind;
    int64 units;
    std::string activation = "tanh", recurrent_activation = "sigmoid";
    bool use_bias = true;
    double dropout = 0, recurrent_dropout = 0;
    uint64 seed = 0;

    Cell(std::string kind_, int64 units_) : kind(std::move(kind_)), units(units_) {}
    Cell(std::string kind_, int64 units_, std::string f, std::string g, bool bias, double of_input, double of_state,
         uint64 seed_)
        : kind(std::move(kind_)), units(units_), activation(std::move(f)), recurrent_activation(std::move(g)), use_bias(bias),
          dropout(of_input), recurrent_dropout(of_state), seed(seed_) {}
};

template <class T>
class Network {
public:
    bool winograd = true;  // of convolutions that are added

    // -- building: each returns the edge it writes and throws std::invalid_argument naming the layer
    int add_input(const std::string& name, const Shape& shape, bool index);
    int add_dense(const std::string& name, int input, int64 units, const std::string& activation, bool use_bias);
    int add_activation(const std::string& name, int input, const std::string& activation);
    // x > threshold ? min(x, max_value) : negative_slope (x - threshold)
    int add_relu(const std::string& name, int input, double max_value, double negative_slope, double threshold);
    // x > 0 ? x : alpha (e^x - 1)
    int add_elu(const std::string& name, int input, double alpha);
    // x > 0 ? x : alpha x, alpha a weight; shared_axes count from 1, 0 is the batch
    int add_prelu(const std::string& name, int input, const std::vector<int64>& shared_axes);
    // channels_first, here and below: the input's first axis is the channels, and so is the output's.
    int add_flatten(const std::string& name, int input, bool channels_first = false);
    int add_reshape(const std::string& name, int input, Shape shape);
    int add_dropout(const std::string& name, int input, double rate, uint64 seed);
    // Whole channels of a sample of `rank` dimensions in front of them.
    int add_spatial_dropout(const std::string& name, int input, int64 rank, double rate, uint64 seed);
    int add_batch_normalization(const std::string& name, int input, const BatchNormalizationOptions& options);
    // Over the last `axes` axes of a sample.
    int add_layer_normalization(const std::string& name, int input, int64 axes, const LayerNormalizationOptions& options);
    // Of convolutions: no dilation stands for 1.
    int add_conv(const std::string& name, int input, int64 filters, const Shape& kernel_size, const Shape& strides,
                 const Padding& padding, const std::string& activation, bool use_bias, const Shape& dilation = {},
                 int64 groups = 1, bool channels_first = false);
    int add_depthwise_conv(const std::string& name, int input, int64 multiplier, const Shape& kernel_size,
                           const Shape& strides, const Padding& padding, const std::string& activation, bool use_bias,
                           const Shape& dilation = {}, bool channels_first = false);
    // Depthwise, then a product over the channels at each position; weights depthwise_kernel, pointwise_kernel, bias.
    int add_separable_conv(const std::string& name, int input, int64 filters, int64 multiplier, const Shape& kernel_size,
                           const Shape& strides, const Padding& padding, const std::string& activation, bool use_bias,
                           const Shape& dilation = {}, bool channels_first = false);
    int add_pool(const std::string& name, int input, const std::string& kind, const Shape& pool_size,
                 const Shape& strides, const Padding& padding, bool channels_first = false);
    // Over all of `rank` spatial extents, or over the steps of a sequence (rank 1): (channels), or (1, ..., channels).
    int add_global_pool(const std::string& name, int input, const std::string& kind, int64 rank, bool keepdims,
                        bool channels_first);
    // Zeros around the spatial extents, (before, after) each; negative amounts cut off.
    int add_margins(const std::string& name, int input, const std::vector<std::pair<int64, int64>>& amounts,
                    bool channels_first);
    // Spatial extents times `size`; interpolation "nearest" or, in two dimensions, "bilinear".
    int add_upsampling(const std::string& name, int input, const Shape& size, const std::string& interpolation,
                       bool channels_first);
    // The output's axis j is the input's axis order[j].
    int add_permute(const std::string& name, int input, const std::vector<int>& order);
    // kind: "sum", "average" or "max" of a weighted window over all extents, channels included. Padding by name is the
    // spatial extents'; amounts are given for all.
    int add_aggregate(const std::string& name, int input, const std::string& kind, const Shape& window,
                      const Shape& strides, const Padding& padding);
    // go_backwards: from the last step to the first, and h of every step come out in that order.
    int add_recurrent(const std::string& name, int input, const Cell& cell, bool return_sequences, bool go_backwards);
    // The same, beginning with the states on the edges `initial` (none, or all, (units) each), and writing further edges
    // for those behind the last step, if asked for. Returns all that it writes; one of them has to be read.
    std::vector<int> add_recurrent_states(const std::string& name, int input, const std::vector<int>& initial,
                                          const Cell& cell, bool return_sequences, bool go_backwards, bool return_state);
    // merge: "concat", "sum", "ave" or "mul"; go_backwards: that of the first cell, the second one runs the other way.
    int add_bidirectional(const std::string& name, int input, const Cell& first, const Cell& second,
                          const std::string& merge, bool return_sequences, bool go_backwards);
    // The first cell's states before the second one's; merge "none": each direction's h, an edge each.
    std::vector<int> add_bidirectional_states(const std::string& name, int input, const std::vector<int>& initial,
                                              const Cell& first, const Cell& second, const std::string& merge,
                                              bool return_sequences, bool go_backwards, bool return_state);
    int add_embedding(const std::string& name, int input, int64 vocabulary, int64 units);
    // An edge has one reader. `count` edges of the same values, for as many readers; index edges too.
    std::vector<int> add_fork(const std::string& name, int input, int64 count);
    // Elementwise over inputs of one shape, or of shapes that differ in extents of 1, which count for all; kind: "add",
    // "subtract" (two), "multiply", "average", "maximum" or "minimum".
    int add_merge(const std::string& name, const std::vector<int>& inputs, const std::string& kind);
    // One behind the other along an axis, counted from 1 (0 is the batch); their other extents are the same.
    int add_concatenate(const std::string& name, const std::vector<int>& inputs, int64 axis);
    // Any node N(place, arguments ...) that writes `shape`; `activation` as Edge::activation. The calls above end here.
    template <class N, class... Arguments>
    int add_node(const std::string& name, int input, const Shape& shape, Activation activation, Arguments&&... arguments);
    // The same for the node that make(place) returns.
    template <class Make>
    int add_made(const std::string& name, int input, const Shape& shape, Activation activation, Make&& make);

    // Chooses layouts, inserts changes of layout, lays out grids, plans every node. Parameters of one name are one
    // parameter in several places.
    void finalize(const std::vector<int>& outputs);
    bool finalized() const { return !outputs_.empty(); }
    // Edges that nobody reads: nothing comes back from them.
    const std::vector<int>& ignored() const { return ignored_; }
    void update_trainable();  // after a parameter was frozen or thawed
    // Grows when that may change how a call works.
    uint64 version() const { return version_; }

    const Shape& edge_shape(int edge) const;
    const std::vector<Edge>& edges() const { return edges_; }
    const std::vector<int>& inputs() const { return inputs_; }
    const std::vector<int>& outputs() const { return outputs_; }
    const std::vector<std::unique_ptr<Node<T>>>& nodes() const { return nodes_; }
    const std::vector<Product<T>*>& products() const { return products_; }
    const std::vector<Scatter<T>*>& scatters() const { return scatters_; }
    const std::vector<Axis>& axes() const { return axes_; }
    const std::vector<Junction>& joined() const { return joined_; }
    // What runs together in a call, one way: batch statistics break segments in training alone.
    void make_segments(const Call<T>& call, Way way, std::vector<Segment>& segments) const;
    const std::vector<State>& states() const { return states_; }
    const std::vector<std::shared_ptr<Parameter<T>>>& parameters() const { return parameters_; }
    // The further places of parameters that are used several times.
    const std::vector<Reuse<T>>& reuses() const { return reuses_; }
    int64 widest_vocabulary(int edge) const { return limits_[static_cast<size_t>(edge)]; }
    int extras() const { return extras_; }
    // The edge whose memory an edge shares (a reshape), or -1.
    int same_as(int edge) const { return same_as_[static_cast<size_t>(edge)]; }
    std::string describe() const;

private:
    int add_edge(const std::string& name, const Shape& shape, int producer, Activation activation);
    void drop_edge();
    int with_activation(const std::string& name, int edge, const LayerActivation& activation);
    int add_pointwise(const std::string& name, int input, const PointwiseFunction& function);
    Window convolution_window(const std::string& name, int input, const Shape& kernel_size, const Shape& strides,
                              const Padding& padding, const Shape& dilation, bool channels_first);
    int64 depthwise_width(const std::string& name, int64 channels, int64 multiplier, const Window& window);
    Edge& read(const std::string& name, int input, bool index = false);
    const Shape& sequence_shape(const std::string& name, int input, int64 units);
    std::unique_ptr<Recurrent<T>> make_cell(const Place& place, int64 features, const Cell& cell, bool return_sequences,
                                            bool reverse, const std::string& prefix);
    int with_order(const std::string& name, int edge, bool reversed);
    // The widths of a cell's states.
    static Shape state_widths(const Cell& cell) { return Shape(cell.kind == "lstm" ? 2 : 1, cell.units); }
    void check_initial(const std::string& name, int input, const std::vector<int>& initial, const Shape& widths);
    void add_ends(const std::string& name, const std::vector<Recurrent<T>*>& cells, std::vector<int>& written);
    int alias(const std::string& name, int input, const Shape& shape);
    void check_spatial(const std::string& name, int input, int64 rank);
    // The last `rank` of the extents, and the channels behind them.
    static Shape to_shape(const int64 (&extents)[3], int64 rank, int64 channels);
    // The Permute that writes an edge, or nullptr; the edge below all of them.
    const Permute<T>* permute_into(int edge) const;
    int below_permutes(int edge) const;
    int64 channels_of(int edge, bool channels_first) const {
        return channels_first ? edge_shape(edge).front() : edge_shape(edge).back();
    }
    int last_channels(const std::string& name, int input, bool channels_first);
    int first_channels(const std::string& name, int input, bool channels_first);

    Edge& edge(int e) { return edges_[static_cast<size_t>(e)]; }
    std::vector<Shape> shapes_of(const std::string& name, const std::vector<int>& inputs);
    void split_final_sigmoid(int& output);
    void cancel_permutes();
    bool leads_to_time(int edge) const;
    void choose_time_layout();
    void insert_relayouts();
    void fuse_sums();
    bool add_in_place(std::vector<int> edges, int sum, Activation f);
    void share_gradients();
    void collect_parameters();
    void lay_out_grids();
    void order_nodes();

    std::vector<Edge> edges_;
    std::vector<int64> limits_;   // by edge: tokens of an index edge are below this
    std::vector<int> same_as_;    // by edge: the edge whose memory a reshape shares, or -1
    std::vector<int> inputs_;
    std::vector<std::unique_ptr<Node<T>>> nodes_;
    std::vector<Product<T>*> products_;
    std::vector<Scatter<T>*> scatters_;
    std::vector<Axis> axes_;
    std::vector<Junction> joined_;
    std::vector<State> states_;
    std::vector<std::shared_ptr<Parameter<T>>> parameters_;
    std::vector<Reuse<T>> reuses_;
    std::vector<int> outputs_;
    std::vector<int> ignored_;
    int extras_ = 0;
    uint32 dropouts_ = 0;
    uint64 version_ = 0;
};

template <class T>
template <class N, class... Arguments>
int Network<T>::add_node(const std::string& name, int input, const Shape& shape, Activation activation,
                         Arguments&&... arguments) {
    return add_made(name, input, shape, activation, [&](Place place) {
        return std::make_unique<N>(std::move(place), std::forward<Arguments>(arguments)...);
    });
}

template <class T>
template <class Make>
int Network<T>::add_made(const std::string& name, int input, const Shape& shape, Activation activation, Make&& make) {
    int64 size = 1;
    for (int64 extent : shape)
        if (extent != run_time) size = multiply(size, extent, name);
    const int index = static_cast<int>(nodes_.size());
    const int output = add_edge(name, shape, index, activation);
    try {
        nodes_.push_back(make(Place{name, input, output}));
    } catch (const std::bad_alloc& error) {
        drop_edge();
        throw OutOfMemory(text(name, ": ", error.what()));
    } catch (...) {
        drop_edge();
        throw;
    }
    for (const int read : nodes_.back()->inputs()) edges_[static_cast<size_t>(read)].reader = index;
    return output;
}

}  // namespace tauten
