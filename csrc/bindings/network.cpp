// Network: one Python class over the engines of both scalar types.
#include <memory>
#include <variant>

#include "bindings/arrays.h"
#include "model/engine.h"

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

class PyNetwork {
public:
    PyNetwork(const std::string& dtype, bool winograd) {
        if (dtype == "float32")
            engine_ = std::make_unique<Engine<float>>();
        else if (dtype == "float64")
            engine_ = std::make_unique<Engine<double>>();
        else
            fail("dtype must be float32 or float64, got '", dtype, "'");
        std::visit([&](const auto& engine) { engine->network.winograd = winograd; }, engine_);
    }

    // f(engine) for the engine there is.
    template <class F>
    auto with(F&& f) const {
        return std::visit([&](const auto& engine) { return f(*engine); }, engine_);
    }
    // f(network), while building.
    template <class F>
    auto build(F&& f) {
        return with([&](auto& engine) { return f(engine.network); });
    }

private:
    std::variant<std::unique_ptr<Engine<float>>, std::unique_ptr<Engine<double>>> engine_;
};

template <class E>
struct ScalarOf;
template <class T>
struct ScalarOf<Engine<T>> {
    using type = T;
};

// Everything a call reads, kept alive and in the core's types while the GIL is released.
template <class T>
struct Inputs {
    std::vector<const ArraySource*> x;
    const ArraySource* y = nullptr;
    Index index;
    std::optional<ArraySource> own_weight;
    const Source* weight = nullptr;

    Inputs(const py::sequence& sources, const ArraySource* targets, Index samples, const py::object& sample_weight)
        : y(targets), index(std::move(samples)) {
        for (const py::handle& source : sources) x.push_back(source.cast<const ArraySource*>());
        require(index.ndim() == 1, "index must be one-dimensional");
        if (py::isinstance<ArraySource>(sample_weight)) {
            weight = &sample_weight.cast<const ArraySource&>().source();
        } else if (!sample_weight.is_none()) {
            own_weight.emplace(sample_weight.cast<py::array_t<T, py::array::c_style | py::array::forcecast>>());
            weight = &own_weight->source();
        }
    }

    Request<T> request() const {
        Request<T> r;
        for (const ArraySource* source : x) r.x.push_back(&source->source());
        r.y = y ? &y->source() : nullptr;
        r.index = index.data();
        r.batch = index.shape(0);
        r.sample_weight = weight;
        return r;
    }
};

// States that a call begins with (None: zeros), and those that it leaves, as arrays (batch, units).
template <class T>
struct States {
    std::vector<py::array_t<T, py::array::c_style | py::array::forcecast>> before;
    std::vector<py::array_t<T>> after;

    States(const Network<T>& network, const py::object& initial, bool kept, Request<T>& request) {
        const auto& states = network.states();
        if (!initial.is_none()) {
            const auto given = initial.cast<py::sequence>();
            require(py::len(given) == states.size(), "expected ", states.size(), " initial states, got ", py::len(given));
            for (size_t i = 0; i < states.size(); ++i) {
                const py::object state = given[i];
                request.initial_states.push_back(nullptr);
                if (state.is_none()) continue;
                before.push_back(state.cast<py::array_t<T, py::array::c_style | py::array::forcecast>>());
                const auto& array = before.back();
                const std::string& layer = network.nodes()[static_cast<size_t>(states[i].node)]->name;
                require(array.ndim() == 2 && array.shape(0) == request.batch && array.shape(1) == states[i].width, layer,
                        ": expected an initial state of shape ", to_text(Shape{request.batch, states[i].width}), ", got ",
                        to_text(Shape(array.shape(), array.shape() + array.ndim())));
                request.initial_states.back() = array.data();
            }
        }
        for (size_t i = 0; kept && i < states.size(); ++i) {
            after.emplace_back(std::vector<py::ssize_t>{static_cast<py::ssize_t>(request.batch),
                                                        static_cast<py::ssize_t>(states[i].width)});
            request.final_states.push_back(after.back().mutable_data());
        }
    }

    // What a call returns: its result, or with states kept (result, states).
    py::object with(py::object result) const { return after.empty() ? result : py::make_tuple(result, after); }
};

// Python's handle of a parameter: what does not change of it is copied, the rest asked for.
struct PyParameter {
    std::string name;
    Shape shape;
    bool trainable;
};

template <class T>
Parameter<T>& parameter(Engine<T>& engine, int64 i) {
    const auto& all = engine.network.parameters();
    require(i >= 0 && i < static_cast<int64>(all.size()), "there is no parameter ", i, "; the network has ", all.size());
    return *all[static_cast<size_t>(i)];
}

template <class T>
py::array_t<T> to_keras(const Parameter<T>& p, const T* packed) {
    py::array_t<T> out(std::vector<py::ssize_t>(p.shape.begin(), p.shape.end()));
    if (packed)
        p.read_keras(packed, out.mutable_data());
    else
        std::fill(out.mutable_data(), out.mutable_data() + out.size(), T{0});
    return out;
}

template <class T>
py::array_t<T, py::array::c_style | py::array::forcecast> from_keras(const Parameter<T>& p, const py::object& value) {
    auto array = value.cast<py::array_t<T, py::array::c_style | py::array::forcecast>>();
    const Shape shape(array.shape(), array.shape() + array.ndim());
    require(shape == p.shape, p.name, ": expected an array of shape ", to_text(p.shape), ", got ", to_text(shape));
    return array;
}

py::object outputs_of(const PyNetwork& network, const py::sequence& x, const Index& index, bool training,
                      const py::object& initial_states, bool keep_states) {
    return network.with([&](auto& engine) -> py::object {
        using T = typename ScalarOf<std::remove_reference_t<decltype(engine)>>::type;
        require(engine.network.finalized(), "predict: the network is not closed yet");
        const Inputs<T> inputs(x, nullptr, index, py::none());
        Request<T> request = inputs.request();
        request.training = training;
        const Edge& edge = engine.network.edges()[static_cast<size_t>(engine.network.output())];
        Shape shape = edge.shape;
        int64 rows = request.batch;
        if (edge.value.time) {
            // (samples, steps, ...) for equal steps, (Σ steps, ...) for unequal ones
            const Axis& axis = engine.network.axes()[static_cast<size_t>(edge.value.axis)];
            shape[0] = axis.fixed;
            if (axis.input >= 0) {
                const int number = engine.network.edges()[static_cast<size_t>(axis.input)].input;
                require(number < static_cast<int>(request.x.size()), "the model has ", engine.network.inputs().size(),
                        " input(s), got ", request.x.size());
                const Source& source = *request.x[static_cast<size_t>(number)];
                require(request.batch == 0 || source.samples > 0, edge.name, ": no samples");
                if (source.ragged()) {
                    rows = 0;
                    for (int64 b = 0; b < request.batch; ++b) {
                        require(request.index[b] >= 0 && request.index[b] < source.samples, "sample ", request.index[b],
                                " asked for, but the input has ", source.samples);
                        rows += source.length(request.index[b]);
                    }
                    shape.erase(shape.begin());
                } else {
                    require(!source.shape.empty(), edge.name, ": expected an input with time steps");
                    shape[0] = source.shape[0];
                }
            }
        }
        int64 size = rows;
        std::vector<py::ssize_t> extents{static_cast<py::ssize_t>(rows)};
        for (int64 extent : shape) {
            size = multiply(size, extent, edge.name);
            extents.push_back(static_cast<py::ssize_t>(extent));
        }
        py::array_t<T> out(extents);
        T* to = out.mutable_data();
        const States<T> states(engine.network, initial_states, keep_states, request);
        {
            py::gil_scoped_release release;
            engine.predict(request, to);
        }
        return states.with(std::move(out));
    });
}

// call(engine, request, where parameter gradients go, where input gradients go), and arrays for both.
template <class F>
py::tuple gradients_by(const PyNetwork& network, const py::sequence& x, const ArraySource& y, const Index& index,
                       const py::object& sample_weight, bool training, const py::object& initial_states, F&& call) {
    return network.with([&](auto& engine) -> py::tuple {
        using T = typename ScalarOf<std::remove_reference_t<decltype(engine)>>::type;
        const Inputs<T> inputs(x, &y, index, sample_weight);
        Request<T> request = inputs.request();
        request.training = training;
        const States<T> states(engine.network, initial_states, false, request);
        py::list input_gradients;
        std::vector<T*> pointers;
        for (size_t i = 0; i < request.x.size() && i < engine.network.inputs().size(); ++i) {
            const Edge& edge = engine.network.edges()[static_cast<size_t>(engine.network.inputs()[i])];
            const Source& source = *request.x[i];
            if (edge.index) {
                input_gradients.append(py::none());
                pointers.push_back(nullptr);
                continue;
            }
            std::vector<py::ssize_t> extents;
            if (source.ragged()) {
                py::ssize_t rows = 0;
                for (int64 b = 0; b < request.batch; ++b)
                    if (request.index[b] >= 0 && request.index[b] < source.samples) rows += source.length(request.index[b]);
                extents.push_back(rows);
                extents.insert(extents.end(), source.shape.begin() + 1, source.shape.end());
            } else {
                extents.push_back(request.batch);
                extents.insert(extents.end(), source.shape.begin(), source.shape.end());
            }
            py::array_t<T> array(extents);
            pointers.push_back(array.mutable_data());
            input_gradients.append(array);
        }
        py::list parameter_gradients;
        std::vector<T*> parameter_pointers;
        for (const auto& p : engine.network.parameters()) {
            if (!p->trainable) {
                parameter_gradients.append(py::none());
                parameter_pointers.push_back(nullptr);
                continue;
            }
            auto array = to_keras<T>(*p, nullptr);
            parameter_pointers.push_back(array.mutable_data());
            parameter_gradients.append(array);
        }
        StepResult result;
        {
            py::gil_scoped_release release;
            result = call(engine, request, parameter_pointers, pointers);
        }
        return py::make_tuple(result, parameter_gradients, input_gradients);
    });
}

py::tuple gradients_of(const PyNetwork& network, const py::sequence& x, const ArraySource& y, const Index& index,
                       const py::object& sample_weight, bool training, const py::object& initial_states) {
    return gradients_by(network, x, y, index, sample_weight, training, initial_states,
                        [](auto& engine, auto& request, const auto& parameters, const auto& inputs) {
                            return engine.gradients(request, parameters, inputs);
                        });
}

py::tuple pull_back(const PyNetwork& network, const py::sequence& x, const ArraySource& y, const Index& index, bool below) {
    return gradients_by(network, x, y, index, py::none(), false, py::none(),
                        [&](auto& engine, auto& request, const auto& parameters, const auto& inputs) {
                            return engine.pull_back(request, below, parameters, inputs);
                        });
}

// (name of the recurrent kernel, steps of each sample, values (Σ steps, gates, units)) for each trace.
template <class T>
py::list to_list(const std::vector<Trace<T>>& traces) {
    py::list out;
    for (const Trace<T>& trace : traces) {
        const auto rows = static_cast<py::ssize_t>(trace.values.size()) / (trace.gates * trace.units);
        py::array_t<T> values(std::vector<py::ssize_t>{rows, trace.gates, trace.units}, trace.values.data());
        py::array_t<int64> steps(static_cast<py::ssize_t>(trace.steps.size()), trace.steps.data());
        out.append(py::make_tuple(trace.weight, steps, values));
    }
    return out;
}

py::tuple deltas_of(const PyNetwork& network, const py::sequence& x, const ArraySource& y, const Index& index,
                    const py::object& sample_weight) {
    return network.with([&](auto& engine) -> py::tuple {
        using T = typename ScalarOf<std::remove_reference_t<decltype(engine)>>::type;
        const Inputs<T> inputs(x, &y, index, sample_weight);
        Request<T> request = inputs.request();
        std::vector<Trace<T>> traces;
        StepResult result;
        {
            py::gil_scoped_release release;
            result = engine.deltas(request, traces);
        }
        return py::make_tuple(result, to_list(traces));
    });
}

py::list gates_of(const PyNetwork& network, const py::sequence& x, const Index& index) {
    return network.with([&](auto& engine) -> py::list {
        using T = typename ScalarOf<std::remove_reference_t<decltype(engine)>>::type;
        const Inputs<T> inputs(x, nullptr, index, py::none());
        Request<T> request = inputs.request();
        std::vector<Trace<T>> traces;
        {
            py::gil_scoped_release release;
            engine.gates(request, traces);
        }
        return to_list(traces);
    });
}

py::object train_step(const PyNetwork& network, const py::sequence& x, const ArraySource& y, const Index& index,
                      const py::object& sample_weight, double learning_rate, double momentum, bool nesterov, bool fused,
                      const py::object& initial_states, bool keep_states) {
    return network.with([&](auto& engine) -> py::object {
        using T = typename ScalarOf<std::remove_reference_t<decltype(engine)>>::type;
        const Inputs<T> inputs(x, &y, index, sample_weight);
        Request<T> request = inputs.request();
        request.sink.sgd = {static_cast<T>(learning_rate), static_cast<T>(momentum), nesterov, T{0}, T{0}};
        const States<T> states(engine.network, initial_states, keep_states, request);
        StepResult result;
        {
            py::gil_scoped_release release;
            result = engine.train(request, fused);
        }
        return states.with(py::cast(result));
    });
}

py::object test_step(const PyNetwork& network, const py::sequence& x, const ArraySource& y, const Index& index,
                     const py::object& sample_weight, const py::object& initial_states, bool keep_states) {
    return network.with([&](auto& engine) -> py::object {
        using T = typename ScalarOf<std::remove_reference_t<decltype(engine)>>::type;
        const Inputs<T> inputs(x, &y, index, sample_weight);
        Request<T> request = inputs.request();
        const States<T> states(engine.network, initial_states, keep_states, request);
        StepResult result;
        {
            py::gil_scoped_release release;
            result = engine.test(request);
        }
        return states.with(py::cast(result));
    });
}

void bind_building(py::class_<PyNetwork>& c) {
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
    c.def("add_recurrent", [](PyNetwork& n, S name, int input, const Cell& cell, bool return_sequences,
                              bool go_backwards) {
         return n.build([&](auto& net) { return net.add_recurrent(name, input, cell, return_sequences, go_backwards); });
     }, py::arg("name"), py::arg("input"), py::arg("cell"), py::arg("return_sequences"), py::arg("go_backwards"));
    c.def("add_bidirectional", [](PyNetwork& n, S name, int input, const Cell& first, const Cell& second, S merge,
                                  bool return_sequences, bool go_backwards) {
         return n.build([&](auto& net) {
             return net.add_bidirectional(name, input, first, second, merge, return_sequences, go_backwards);
         });
     }, py::arg("name"), py::arg("input"), py::arg("first"), py::arg("second"), py::arg("merge"),
        py::arg("return_sequences"), py::arg("go_backwards"));
    c.def("add_embedding", [](PyNetwork& n, S name, int input, int64 vocabulary, int64 units) {
         return n.build([&](auto& net) { return net.add_embedding(name, input, vocabulary, units); });
     }, py::arg("name"), py::arg("input"), py::arg("vocabulary"), py::arg("units"));
    c.def("edge_shape", [](const PyNetwork& n, int edge) {
         return n.with([&](auto& engine) { return shape_tuple(engine.network.edge_shape(edge)); });
     }, py::arg("edge"));
    c.def("finalize", [](PyNetwork& n, int output) {
         n.with([&](auto& engine) { engine.network.finalize(output); });
     }, py::arg("output"));
}

void bind_grid_layers(py::class_<PyNetwork>& c) {
    using S = const std::string&;
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

void bind_weights(py::class_<PyNetwork>& c) {
    c.def_property_readonly("parameters", [](const PyNetwork& n) {
        return n.with([&](auto& engine) {
            std::vector<PyParameter> out;
            for (const auto& p : engine.network.parameters()) out.push_back({p->name, p->shape, p->trainable});
            return out;
        });
    });
    c.def("get", [](const PyNetwork& n, int64 i) {
         return n.with([&](auto& engine) -> py::object {
             const auto& p = parameter(engine, i);
             std::shared_lock lock(engine.guard());
             return to_keras(p, p.weights.data());
         });
     }, py::arg("parameter"));
    c.def("set", [](PyNetwork& n, int64 i, const py::object& value) {
         n.with([&](auto& engine) {
             auto& p = parameter(engine, i);
             const auto array = from_keras(p, value);
             std::unique_lock lock(engine.guard());
             p.write_keras(array.data(), p.weights.data());
             ++p.version;
         });
     }, py::arg("parameter"), py::arg("value"));
    c.def("set_penalty", [](PyNetwork& n, int64 i, double l1, double l2) {
         n.with([&](auto& engine) {
             auto& p = parameter(engine, i);
             require(std::isfinite(l1) && std::isfinite(l2) && l1 >= 0 && l2 >= 0, p.name,
                     ": penalties must be finite and not negative, got l1=", l1, ", l2=", l2);
             std::unique_lock lock(engine.guard());
             p.l1 = l1;
             p.l2 = l2;
         });
     }, py::arg("parameter"), py::arg("l1"), py::arg("l2"));
    c.def("set_trainable", [](PyNetwork& n, int64 i, bool trainable) {
         n.with([&](auto& engine) {
             std::unique_lock lock(engine.guard());
             auto& p = parameter(engine, i);
             (p.state ? p.moves : p.trainable) = trainable;
             engine.network.update_trainable();
         });
     }, py::arg("parameter"), py::arg("trainable"));
    c.def("get_velocity", [](const PyNetwork& n, int64 i) {
         return n.with([&](auto& engine) -> py::object {
             const auto& p = parameter(engine, i);
             std::shared_lock lock(engine.guard());
             return to_keras(p, p.velocity.data());
         });
     }, py::arg("parameter"));
    c.def("set_velocity", [](PyNetwork& n, int64 i, const py::object& value) {
         n.with([&](auto& engine) {
             auto& p = parameter(engine, i);
             const auto array = from_keras(p, value);
             std::unique_lock lock(engine.guard());
             p.velocity.reserve(p.size());
             p.write_keras(array.data(), p.velocity.data());
         });
     }, py::arg("parameter"), py::arg("value"));
}

}  // namespace

void bind_network(py::module_& module) {
    py::class_<PyParameter>(module, "Parameter")
        .def_readonly("name", &PyParameter::name)
        .def_property_readonly("shape", [](const PyParameter& p) { return shape_tuple(p.shape); })
        .def_readonly("trainable", &PyParameter::trainable);
    py::class_<StepResult>(module, "StepResult")
        .def_readonly("loss", &StepResult::loss)
        .def_readonly("penalty", &StepResult::penalty)
        .def_readonly("samples", &StepResult::samples)
        .def_readonly("rows", &StepResult::rows)
        .def_property_readonly("metrics", [](const StepResult& r) {
            py::tuple out(static_cast<size_t>(r.metric_count));
            for (int i = 0; i < r.metric_count; ++i) out[static_cast<size_t>(i)] = r.metrics[i];
            return out;
        });
    py::class_<Cell>(module, "Cell")
        .def(py::init<std::string, int64, std::string, std::string, bool, double, double, uint64>(), py::arg("kind"),
             py::arg("units"), py::arg("activation"), py::arg("recurrent_activation"), py::arg("use_bias"),
             py::arg("dropout") = 0.0, py::arg("recurrent_dropout") = 0.0, py::arg("seed") = 0);
    py::class_<PyNetwork> c(module, "Network");
    c.def(py::init<const std::string&, bool>(), py::arg("dtype") = "float32", py::arg("winograd") = true);
    bind_building(c);
    bind_grid_layers(c);
    bind_weights(c);
    c.def("compile", [](PyNetwork& n, const std::string& loss, bool from_logits, const std::vector<std::string>& metrics) {
         n.with([&](auto& engine) { engine.compile(loss, from_logits, metrics); });
     }, py::arg("loss"), py::arg("from_logits"), py::arg("metrics"));
    c.def("train_step", &train_step, py::arg("x"), py::arg("y"), py::arg("index"), py::arg("sample_weight"),
          py::arg("learning_rate"), py::arg("momentum") = 0.0, py::arg("nesterov") = false, py::arg("fused") = true,
          py::arg("initial_states") = py::none(), py::arg("keep_states") = false);
    c.def("test_step", &test_step, py::arg("x"), py::arg("y"), py::arg("index"), py::arg("sample_weight"),
          py::arg("initial_states") = py::none(), py::arg("keep_states") = false);
    c.def("predict", &outputs_of, py::arg("x"), py::arg("index"), py::arg("training") = false,
          py::arg("initial_states") = py::none(), py::arg("keep_states") = false);
    c.def("gradients", &gradients_of, py::arg("x"), py::arg("y"), py::arg("index"), py::arg("sample_weight"),
          py::arg("training") = true, py::arg("initial_states") = py::none());
    c.def("pull_back", &pull_back, py::arg("x"), py::arg("y"), py::arg("index"), py::arg("below") = false);
    c.def("deltas", &deltas_of, py::arg("x"), py::arg("y"), py::arg("index"), py::arg("sample_weight"));
    c.def("gates", &gates_of, py::arg("x"), py::arg("index"));
    c.def_property_readonly("states", [](const PyNetwork& n) {
        return n.with([](auto& engine) {
            std::vector<std::pair<std::string, int64>> out;
            for (const State& state : engine.network.states())
                out.emplace_back(engine.network.nodes()[static_cast<size_t>(state.node)]->name, state.width);
            return out;
        });
    });
    c.def_property("calls",
                   [](const PyNetwork& n) {
                       return n.with([](auto& engine) {
                           std::shared_lock lock(engine.guard());
                           return engine.calls;
                       });
                   },
                   [](PyNetwork& n, uint64 value) {
                       n.with([&](auto& engine) {
                           std::unique_lock lock(engine.guard());
                           engine.calls = value;
                       });
                   });
    c.def_property_readonly("allocations",
                            [](const PyNetwork& n) { return n.with([](auto& engine) { return engine.allocations(); }); });
    c.def_property_readonly("plan", [](const PyNetwork& n) { return n.with([](auto& engine) { return engine.network.describe(); }); });
}

}  // namespace tauten::bindings
