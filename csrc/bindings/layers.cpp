// Adding layers.
#include "bindings/network.h"

namespace tauten::bindings {

namespace {

Padding padding_from(const py::object& value, const std::string& name, double inside = 0) {
    Padding padding;
    padding.value = inside;
    if (py::isinstance<py::str>(value)) {
        const std::string word = value.cast<std::string>();
        require(word == "valid" || word == "same", name, ": padding must be 'valid', 'same' or (before, after) pairs, got '",
                word, "'");
        padding.kind = word == "same" ? Padding::Kind::same : Padding::Kind::valid;
        return padding;
    }
    padding.kind = Padding::Kind::given;
    padding.amounts = value.cast<std::vector<std::pair<int64, int64>>>();
    return padding;
}

// Layers that treat samples, steps and positions alike.
void bind_plain(py::class_<PyNetwork>& c) {
    using S = const std::string&;
    c.def("add_input", [](PyNetwork& n, S name, const py::sequence& shape, bool index) {
         const Shape extents = shape_from(shape, name);
         return n.build([&](auto& net) { return net.add_input(name, extents, index); });
     }, py::arg("name"), py::arg("shape"), py::arg("index") = false);
    c.def("add_dense", [](PyNetwork& n, S name, int input, int64 units, S activation, bool use_bias) {
         return n.build([&](auto& net) { return net.add_dense(name, input, units, activation, use_bias); });
     }, py::arg("name"), py::arg("input"), py::arg("units"), py::arg("activation") = "linear", py::arg("use_bias") = true);
    c.def("add_activation", [](PyNetwork& n, S name, int input, S activation) {
         return n.build([&](auto& net) { return net.add_activation(name, input, activation); });
     }, py::arg("name"), py::arg("input"), py::arg("activation"));
    c.def("add_relu", [](PyNetwork& n, S name, int input, double max_value, double negative_slope, double threshold) {
         return n.build([&](auto& net) { return net.add_relu(name, input, max_value, negative_slope, threshold); });
     }, py::arg("name"), py::arg("input"), py::arg("max_value"), py::arg("negative_slope"), py::arg("threshold"));
    c.def("add_elu", [](PyNetwork& n, S name, int input, double alpha) {
         return n.build([&](auto& net) { return net.add_elu(name, input, alpha); });
     }, py::arg("name"), py::arg("input"), py::arg("alpha"));
    c.def("add_prelu", [](PyNetwork& n, S name, int input, const Shape& shared_axes) {
         return n.build([&](auto& net) { return net.add_prelu(name, input, shared_axes); });
     }, py::arg("name"), py::arg("input"), py::arg("shared_axes"));
    c.def("add_flatten", [](PyNetwork& n, S name, int input, bool channels_first) {
         return n.build([&](auto& net) { return net.add_flatten(name, input, channels_first); });
     }, py::arg("name"), py::arg("input"), py::arg("channels_first") = false);
    c.def("add_reshape", [](PyNetwork& n, S name, int input, const Shape& shape) {
         return n.build([&](auto& net) { return net.add_reshape(name, input, shape); });
     }, py::arg("name"), py::arg("input"), py::arg("shape"));
    c.def("add_dropout", [](PyNetwork& n, S name, int input, double rate, uint64 seed) {
         return n.build([&](auto& net) { return net.add_dropout(name, input, rate, seed); });
     }, py::arg("name"), py::arg("input"), py::arg("rate"), py::arg("seed"));
    c.def("add_spatial_dropout", [](PyNetwork& n, S name, int input, int64 rank, double rate, uint64 seed) {
         return n.build([&](auto& net) { return net.add_spatial_dropout(name, input, rank, rate, seed); });
     }, py::arg("name"), py::arg("input"), py::arg("rank"), py::arg("rate"), py::arg("seed"));
    c.def("add_batch_normalization", [](PyNetwork& n, S name, int input, double momentum, double epsilon, bool center,
                                        bool scale) {
         const BatchNormalizationOptions options{momentum, epsilon, center, scale};
         return n.build([&](auto& net) { return net.add_batch_normalization(name, input, options); });
     }, py::arg("name"), py::arg("input"), py::arg("momentum") = 0.99, py::arg("epsilon") = 1e-3, py::arg("center") = true,
        py::arg("scale") = true);
    c.def("add_layer_normalization", [](PyNetwork& n, S name, int input, int64 axes, double epsilon, bool center, bool scale) {
         const LayerNormalizationOptions options{epsilon, center, scale};
         return n.build([&](auto& net) { return net.add_layer_normalization(name, input, axes, options); });
     }, py::arg("name"), py::arg("input"), py::arg("axes") = 1, py::arg("epsilon") = 1e-3, py::arg("center") = true,
        py::arg("scale") = true);
    c.def("add_embedding", [](PyNetwork& n, S name, int input, int64 vocabulary, int64 units) {
         return n.build([&](auto& net) { return net.add_embedding(name, input, vocabulary, units); });
     }, py::arg("name"), py::arg("input"), py::arg("vocabulary"), py::arg("units"));
}

void bind_recurrent(py::module_& module, py::class_<PyNetwork>& c) {
    using S = const std::string&;
    py::class_<Cell>(module, "Cell")
        .def(py::init<std::string, int64, std::string, std::string, bool, double, double, uint64>(), py::arg("kind"),
             py::arg("units"), py::arg("activation"), py::arg("recurrent_activation"), py::arg("use_bias"),
             py::arg("dropout") = 0.0, py::arg("recurrent_dropout") = 0.0, py::arg("seed") = 0);
    c.def("add_recurrent", [](PyNetwork& n, S name, int input, const Cell& cell, bool return_sequences,
                              bool go_backwards) {
         return n.build([&](auto& net) { return net.add_recurrent(name, input, cell, return_sequences, go_backwards); });
     }, py::arg("name"), py::arg("input"), py::arg("cell"), py::arg("return_sequences"), py::arg("go_backwards"));
    c.def("add_recurrent_states", [](PyNetwork& n, S name, int input, const std::vector<int>& initial, const Cell& cell,
                                     bool return_sequences, bool go_backwards, bool return_state) {
         return n.build([&](auto& net) {
             return net.add_recurrent_states(name, input, initial, cell, return_sequences, go_backwards, return_state);
         });
     }, py::arg("name"), py::arg("input"), py::arg("initial"), py::arg("cell"), py::arg("return_sequences"),
        py::arg("go_backwards"), py::arg("return_state"));
    c.def("add_bidirectional_states", [](PyNetwork& n, S name, int input, const std::vector<int>& initial, const Cell& first,
                                         const Cell& second, S merge, bool return_sequences, bool go_backwards,
                                         bool return_state) {
         return n.build([&](auto& net) {
             return net.add_bidirectional_states(name, input, initial, first, second, merge, return_sequences, go_backwards,
                                                 return_state);
         });
     }, py::arg("name"), py::arg("input"), py::arg("initial"), py::arg("first"), py::arg("second"), py::arg("merge"),
        py::arg("return_sequences"), py::arg("go_backwards"), py::arg("return_state"));
    c.def("add_bidirectional", [](PyNetwork& n, S name, int input, const Cell& first, const Cell& second, S merge,
                                  bool return_sequences, bool go_backwards) {
         return n.build([&](auto& net) {
             return net.add_bidirectional(name, input, first, second, merge, return_sequences, go_backwards);
         });
     }, py::arg("name"), py::arg("input"), py::arg("first"), py::arg("second"), py::arg("merge"),
        py::arg("return_sequences"), py::arg("go_backwards"));
}

// Layers over windows of positions, and layers that move positions.
void bind_grid(py::class_<PyNetwork>& c) {
    using S = const std::string&;
    c.def("add_conv", [](PyNetwork& n, S name, int input, int64 filters, const Shape& kernel_size, const Shape& strides,
                         const py::object& padding, S activation, bool use_bias, const Shape& dilation, int64 groups,
                         double padding_value, bool channels_first) {
         const Padding p = padding_from(padding, name, padding_value);
         return n.build([&](auto& net) {
             return net.add_conv(name, input, filters, kernel_size, strides, p, activation, use_bias, dilation, groups,
                                 channels_first);
         });
     }, py::arg("name"), py::arg("input"), py::arg("filters"), py::arg("kernel_size"), py::arg("strides"),
        py::arg("padding"), py::arg("activation") = "linear", py::arg("use_bias") = true, py::arg("dilation") = Shape{},
        py::arg("groups") = 1, py::arg("padding_value") = 0.0, py::arg("channels_first") = false);
    c.def("add_depthwise_conv", [](PyNetwork& n, S name, int input, int64 multiplier, const Shape& kernel_size,
                                   const Shape& strides, const py::object& padding, S activation, bool use_bias,
                                   const Shape& dilation, double padding_value, bool channels_first) {
         const Padding p = padding_from(padding, name, padding_value);
         return n.build([&](auto& net) {
             return net.add_depthwise_conv(name, input, multiplier, kernel_size, strides, p, activation, use_bias, dilation,
                                           channels_first);
         });
     }, py::arg("name"), py::arg("input"), py::arg("multiplier"), py::arg("kernel_size"), py::arg("strides"),
        py::arg("padding"), py::arg("activation") = "linear", py::arg("use_bias") = true, py::arg("dilation") = Shape{},
        py::arg("padding_value") = 0.0, py::arg("channels_first") = false);
    c.def("add_separable_conv", [](PyNetwork& n, S name, int input, int64 filters, int64 multiplier,
                                   const Shape& kernel_size, const Shape& strides, const py::object& padding,
                                   S activation, bool use_bias, const Shape& dilation, double padding_value,
                                   bool channels_first) {
         const Padding p = padding_from(padding, name, padding_value);
         return n.build([&](auto& net) {
             return net.add_separable_conv(name, input, filters, multiplier, kernel_size, strides, p, activation, use_bias,
                                           dilation, channels_first);
         });
     }, py::arg("name"), py::arg("input"), py::arg("filters"), py::arg("multiplier"), py::arg("kernel_size"),
        py::arg("strides"), py::arg("padding"), py::arg("activation") = "linear", py::arg("use_bias") = true,
        py::arg("dilation") = Shape{}, py::arg("padding_value") = 0.0, py::arg("channels_first") = false);
    c.def("add_pool", [](PyNetwork& n, S name, int input, S kind, const Shape& pool_size, const Shape& strides,
                         const py::object& padding, bool channels_first) {
         const Padding p = padding_from(padding, name);
         return n.build([&](auto& net) { return net.add_pool(name, input, kind, pool_size, strides, p, channels_first); });
     }, py::arg("name"), py::arg("input"), py::arg("kind"), py::arg("pool_size"), py::arg("strides"), py::arg("padding"),
        py::arg("channels_first") = false);
    c.def("add_aggregate", [](PyNetwork& n, S name, int input, S kind, const Shape& window, const Shape& strides,
                              const py::object& padding) {
         const Padding p = padding_from(padding, name);
         return n.build([&](auto& net) { return net.add_aggregate(name, input, kind, window, strides, p); });
     }, py::arg("name"), py::arg("input"), py::arg("kind"), py::arg("window"), py::arg("strides"), py::arg("padding"));
    c.def("add_global_pool", [](PyNetwork& n, S name, int input, S kind, int64 rank, bool keepdims, bool channels_first) {
         return n.build([&](auto& net) { return net.add_global_pool(name, input, kind, rank, keepdims, channels_first); });
     }, py::arg("name"), py::arg("input"), py::arg("kind"), py::arg("rank"), py::arg("keepdims") = false,
        py::arg("channels_first") = false);
    c.def("add_margins", [](PyNetwork& n, S name, int input, const std::vector<std::pair<int64, int64>>& amounts,
                            bool channels_first) {
         return n.build([&](auto& net) { return net.add_margins(name, input, amounts, channels_first); });
     }, py::arg("name"), py::arg("input"), py::arg("amounts"), py::arg("channels_first") = false);
    c.def("add_upsampling", [](PyNetwork& n, S name, int input, const Shape& size, S interpolation, bool channels_first) {
         return n.build([&](auto& net) { return net.add_upsampling(name, input, size, interpolation, channels_first); });
     }, py::arg("name"), py::arg("input"), py::arg("size"), py::arg("interpolation") = "nearest",
        py::arg("channels_first") = false);
    c.def("add_permute", [](PyNetwork& n, S name, int input, const std::vector<int>& order) {
         return n.build([&](auto& net) { return net.add_permute(name, input, order); });
     }, py::arg("name"), py::arg("input"), py::arg("order"));
}

// Layers that read or write several edges.
void bind_merging(py::class_<PyNetwork>& c) {
    using S = const std::string&;
    c.def("add_fork", [](PyNetwork& n, S name, int input, int64 count) {
         return n.build([&](auto& net) { return net.add_fork(name, input, count); });
     }, py::arg("name"), py::arg("input"), py::arg("count"));
    c.def("add_merge", [](PyNetwork& n, S name, const std::vector<int>& inputs, S kind) {
         return n.build([&](auto& net) { return net.add_merge(name, inputs, kind); });
     }, py::arg("name"), py::arg("inputs"), py::arg("kind"));
    c.def("add_concatenate", [](PyNetwork& n, S name, const std::vector<int>& inputs, int64 axis) {
         return n.build([&](auto& net) { return net.add_concatenate(name, inputs, axis); });
     }, py::arg("name"), py::arg("inputs"), py::arg("axis"));
}

}  // namespace

void bind_layers(py::module_& module, py::class_<PyNetwork>& c) {
    bind_plain(c);
    bind_recurrent(module, c);
    bind_grid(c);
    bind_merging(c);
}

}  // namespace tauten::bindings
