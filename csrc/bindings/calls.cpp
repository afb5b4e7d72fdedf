// Running a network: the arrays that a call reads and fills, and the GIL given back meanwhile.
#include <memory>

#include "bindings/network.h"
#include "bindings/unlocked.h"

namespace tauten::bindings {

namespace {

// Everything a call reads, kept alive and in the core's types while the GIL is released.
template <class T>
struct Inputs {
    Index index;
    std::vector<std::unique_ptr<ArraySource>> own;  // of weights that are given as arrays
    Request<T> request;

    // x: sources; y and sample_weight: None, or a list of an entry an output, each a source, or None, or for weights an array.
    Inputs(const py::sequence& x, const py::object& y, Index samples, const py::object& sample_weight) : index(std::move(samples)) {
        for (const py::handle& source : x) request.x.push_back(&source.cast<const ArraySource&>().source());
        if (!y.is_none())
            for (const py::handle& target : y.cast<py::sequence>())
                request.y.push_back(target.is_none() ? nullptr : &target.cast<const ArraySource&>().source());
        if (!sample_weight.is_none())
            for (const py::handle& weight : sample_weight.cast<py::sequence>()) request.sample_weight.push_back(weights(weight));
        require(request.sample_weight.empty() || request.sample_weight.size() == request.y.size(),
                "expected as many entries of sample_weight as of y, got ", request.sample_weight.size(), " and ", request.y.size());
        require(index.ndim() == 1, "index must be one-dimensional");
        request.index = index.data();
        request.batch = index.shape(0);
    }

private:
    const Source* weights(const py::handle& value) {
        if (value.is_none()) return nullptr;
        if (py::isinstance<ArraySource>(value)) return &value.cast<const ArraySource&>().source();
        own.push_back(std::make_unique<ArraySource>(value.cast<py::array_t<T, py::array::c_style | py::array::forcecast>>()));
        return &own.back()->source();
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
    py::object with(const py::object& result) const { return after.empty() ? result : py::make_tuple(result, after); }
};

// f(engine, request) for the engine there is.
template <class F>
auto run(const PyNetwork& network, const py::sequence& x, const py::object& y, const Index& index,
         const py::object& sample_weight, F&& f) {
    return network.with([&]<class T>(Engine<T>& engine) {
        Inputs<T> inputs(x, y, index, sample_weight);
        return f(engine, inputs.request);
    });
}

// (samples, ...); of an output with time steps (samples, steps, ...) for equal steps, (Σ steps, ...) for unequal ones.
template <class T>
std::vector<py::ssize_t> output_extents(const Network<T>& network, int output, const Request<T>& request) {
    const Edge& edge = network.edges()[static_cast<size_t>(output)];
    Shape shape = edge.shape;
    int64 rows = request.batch;
    if (edge.value.time) {
        const Axis& axis = network.axes()[static_cast<size_t>(edge.value.axis)];
        shape[0] = axis.fixed;
        if (axis.input >= 0) {
            const int number = network.edges()[static_cast<size_t>(axis.input)].input;
            require(number < static_cast<int>(request.x.size()), "the model has ", network.inputs().size(),
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
    return extents;
}

// Arrays for predictions, and the losses that Python makes of them.
template <class T>
class Outputs {
public:
    // outside: None, or what is called with the arrays and returns (loss, gradient or None), or None, an output. list: None,
    // or where the arrays are put.
    Outputs(const Network<T>& network, Request<T>& request, py::object outside, const py::object& list)
        : outside_(std::move(outside)) {
        if (outside_.is_none() && list.is_none()) return;
        require(network.finalized(), "the network is not closed yet");
        for (const int output : network.outputs()) {
            py::array_t<T> array(output_extents(network, output, request));
            to_.push_back(array.mutable_data());
            arrays.append(array);
            if (!list.is_none()) list.attr("append")(array);
        }
        request.outputs = &to_;
        if (outside_.is_none()) return;
        request.between = [this] {
            py::gil_scoped_acquire gil;
            auto found = losses();
            if (Watch* const watch = Watch::current()) watch->reset();  // Python's handlers have seen what came meanwhile
            return found;
        };
    }
    Outputs(const Outputs&) = delete;
    Outputs& operator=(const Outputs&) = delete;

    py::list arrays;

private:
    using Gradient = py::array_t<T, py::array::c_style | py::array::forcecast>;

    std::vector<Outside<T>> losses() {
        const auto found = outside_(arrays).template cast<py::sequence>();
        require(py::len(found) == to_.size(), "expected losses of ", to_.size(), " outputs, got ", py::len(found));
        std::vector<Outside<T>> losses(to_.size());
        gradients_.assign(to_.size(), Gradient());
        for (size_t i = 0; i < to_.size(); ++i) {
            const py::object one = found[i];
            if (one.is_none()) continue;
            const auto [loss, gradient] = one.template cast<std::pair<double, py::object>>();
            losses[i].loss = loss;
            if (gradient.is_none()) continue;
            gradients_[i] = gradient.template cast<Gradient>();
            const auto output = py::reinterpret_borrow<py::array>(arrays[i]);
            require(gradients_[i].size() == output.size(), "expected a gradient of ", output.size(), " numbers, got ",
                    gradients_[i].size());
            losses[i].gradient = gradients_[i].data();
        }
        return losses;
    }

    py::object outside_;
    std::vector<T*> to_;
    std::vector<Gradient> gradients_;
};

// unlocked(network, f), begun again if the weights are changed while Python computes a loss, but not for ever.
template <class F>
auto begun_again(const PyNetwork& network, F&& f) {
    constexpr int most = 8;
    for (int i = 1;; ++i) {
        try {
            return unlocked(network, f);
        } catch (const ChangedMeanwhile&) {
            if (i == most)
                throw std::runtime_error("the weights, or what is trainable, changed while a Python loss was computed, " +
                                         std::to_string(most) + " times in a row: a loss must not train or set weights");
        }
    }
}

py::object predict(const PyNetwork& network, const py::sequence& x, const Index& index, bool training,
                   const py::object& initial_states, bool keep_states) {
    return run(network, x, py::none(), index, py::none(), [&]<class T>(Engine<T>& engine, Request<T>& request) {
        require(engine.network.finalized(), "predict: the network is not closed yet");
        request.training = training;
        py::list out;
        std::vector<T*> to;
        for (const int output : engine.network.outputs()) {
            py::array_t<T> array(output_extents(engine.network, output, request));
            to.push_back(array.mutable_data());
            out.append(std::move(array));
        }
        const States<T> states(engine.network, initial_states, keep_states, request);
        unlocked(network, [&] { engine.predict(request, to); });
        return states.with(std::move(out));
    });
}

// The samples that a call reads of an input: (samples, ...), or (Σ steps, ...) for unequal steps.
template <class T>
std::vector<py::ssize_t> input_extents(const Source& source, const Request<T>& request) {
    if (!source.ragged()) {
        std::vector<py::ssize_t> extents{static_cast<py::ssize_t>(request.batch)};
        extents.insert(extents.end(), source.shape.begin(), source.shape.end());
        return extents;
    }
    py::ssize_t rows = 0;
    for (int64 b = 0; b < request.batch; ++b)
        if (request.index[b] >= 0 && request.index[b] < source.samples) rows += source.length(request.index[b]);
    std::vector<py::ssize_t> extents{rows};
    extents.insert(extents.end(), source.shape.begin() + 1, source.shape.end());
    return extents;
}

// call(engine, request, where parameter gradients go, where input gradients go), and arrays for both.
template <class F>
py::tuple gradients_by(const PyNetwork& network, const py::sequence& x, const py::sequence& y, const Index& index,
                       const py::object& sample_weight, bool training, const py::object& initial_states,
                       const py::object& outside, F&& call) {
    return run(network, x, y, index, sample_weight, [&]<class T>(Engine<T>& engine, Request<T>& request) {
        request.training = training;
        const States<T> states(engine.network, initial_states, false, request);
        const Outputs<T> outputs(engine.network, request, outside, py::none());
        // None for what has no gradient.
        py::list of_inputs, of_parameters;
        std::vector<T*> inputs, parameters;
        const auto want = [](py::array_t<T> array, py::list& arrays, std::vector<T*>& pointers) {
            pointers.push_back(array.mutable_data());
            arrays.append(std::move(array));
        };
        const auto skip = [](py::list& arrays, std::vector<T*>& pointers) {
            pointers.push_back(nullptr);
            arrays.append(py::none());
        };
        for (size_t i = 0; i < request.x.size() && i < engine.network.inputs().size(); ++i) {
            const Edge& edge = engine.network.edges()[static_cast<size_t>(engine.network.inputs()[i])];
            if (edge.index)
                skip(of_inputs, inputs);
            else
                want(py::array_t<T>(input_extents(*request.x[i], request)), of_inputs, inputs);
        }
        for (const auto& p : engine.network.parameters()) {
            if (p->trainable)
                want(zeros_like(*p), of_parameters, parameters);
            else
                skip(of_parameters, parameters);
        }
        const StepResult result = begun_again(network, [&] { return call(engine, request, parameters, inputs); });
        return py::make_tuple(result, of_parameters, of_inputs);
    });
}

py::tuple gradients(const PyNetwork& network, const py::sequence& x, const py::sequence& y, const Index& index,
                    const py::object& sample_weight, bool training, const py::object& initial_states, const py::object& outside) {
    return gradients_by(network, x, y, index, sample_weight, training, initial_states, outside,
                        [](auto& engine, auto& request, const auto& parameters, const auto& inputs) {
                            return engine.gradients(request, parameters, inputs);
                        });
}

py::tuple pull_back(const PyNetwork& network, const py::sequence& x, const py::sequence& y, const Index& index, bool below) {
    return gradients_by(network, x, y, index, py::none(), false, py::none(), py::none(),
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

py::tuple deltas(const PyNetwork& network, const py::sequence& x, const py::sequence& y, const Index& index,
                 const py::object& sample_weight, const py::object& outside) {
    return run(network, x, y, index, sample_weight, [&]<class T>(Engine<T>& engine, Request<T>& request) {
        const Outputs<T> outputs(engine.network, request, outside, py::none());
        std::vector<Trace<T>> traces;
        const StepResult result = begun_again(network, [&] { return engine.deltas(request, traces); });
        return py::make_tuple(result, to_list(traces));
    });
}

py::list gates(const PyNetwork& network, const py::sequence& x, const Index& index) {
    return run(network, x, py::none(), index, py::none(), [&]<class T>(Engine<T>& engine, Request<T>& request) {
        std::vector<Trace<T>> traces;
        unlocked(network, [&] { engine.gates(request, traces); });
        return to_list(traces);
    });
}

py::object train_step(const PyNetwork& network, const py::sequence& x, const py::sequence& y, const Index& index,
                      const py::object& sample_weight, const Update& rule, bool fused, const py::object& initial_states,
                      bool keep_states, const py::object& outside, const py::object& outputs) {
    return run(network, x, y, index, sample_weight, [&]<class T>(Engine<T>& engine, Request<T>& request) {
        request.rule = rule;  // a copy: another thread may set the object's fields meanwhile
        const States<T> states(engine.network, initial_states, keep_states, request);
        const Outputs<T> predictions(engine.network, request, outside, outputs);
        const StepResult result = begun_again(network, [&] { return engine.train(request, fused); });
        return states.with(py::cast(result));
    });
}

py::object test_step(const PyNetwork& network, const py::sequence& x, const py::sequence& y, const Index& index,
                     const py::object& sample_weight, const py::object& initial_states, bool keep_states,
                     const py::object& outside, const py::object& outputs) {
    return run(network, x, y, index, sample_weight, [&]<class T>(Engine<T>& engine, Request<T>& request) {
        const States<T> states(engine.network, initial_states, keep_states, request);
        const Outputs<T> predictions(engine.network, request, outside, outputs);
        const StepResult result = unlocked(network, [&] { return engine.test(request); });
        return states.with(py::cast(result));
    });
}

// f(head, the number of its first metric) for each output.
template <class F>
py::tuple of_heads(const StepResult& result, F&& f) {
    py::tuple out(static_cast<size_t>(result.head_count));
    for (int i = 0, first = 0; i < result.head_count; first += result.heads[i++].metric_count)
        out[static_cast<size_t>(i)] = f(result.heads[i], first);
    return out;
}

}  // namespace

void bind_calls(py::module_& module, py::class_<PyNetwork>& c) {
    py::class_<StepResult>(module, "StepResult")
        .def_readonly("loss", &StepResult::loss)
        .def_readonly("penalty", &StepResult::penalty)
        .def_readonly("samples", &StepResult::samples)
        .def_property_readonly("losses", [](const StepResult& r) {
            return of_heads(r, [&](const StepResult::Head& head, int) { return py::float_(head.loss); });
        })
        .def_property_readonly("rows", [](const StepResult& r) {
            return of_heads(r, [&](const StepResult::Head& head, int) { return py::int_(head.rows); });
        })
        .def_property_readonly("metrics", [](const StepResult& r) {
            return of_heads(r, [&](const StepResult::Head& head, int first) {
                py::tuple values(static_cast<size_t>(head.metric_count));
                for (int i = 0; i < head.metric_count; ++i) values[static_cast<size_t>(i)] = r.metrics[first + i];
                return values;
            });
        });
    c.def("train_step", &train_step, py::arg("x"), py::arg("y"), py::arg("index"), py::arg("sample_weight"),
          py::arg("rule"), py::arg("fused") = true, py::arg("initial_states") = py::none(), py::arg("keep_states") = false,
          py::arg("outside") = py::none(), py::arg("outputs") = py::none());
    c.def("test_step", &test_step, py::arg("x"), py::arg("y"), py::arg("index"), py::arg("sample_weight"),
          py::arg("initial_states") = py::none(), py::arg("keep_states") = false,
          py::arg("outside") = py::none(), py::arg("outputs") = py::none());
    c.def("predict", &predict, py::arg("x"), py::arg("index"), py::arg("training") = false,
          py::arg("initial_states") = py::none(), py::arg("keep_states") = false);
    c.def("gradients", &gradients, py::arg("x"), py::arg("y"), py::arg("index"), py::arg("sample_weight"),
          py::arg("training") = true, py::arg("initial_states") = py::none(), py::arg("outside") = py::none());
    c.def("pull_back", &pull_back, py::arg("x"), py::arg("y"), py::arg("index"), py::arg("below") = false);
    c.def("deltas", &deltas, py::arg("x"), py::arg("y"), py::arg("index"), py::arg("sample_weight"),
          py::arg("outside") = py::none());
    c.def("gates", &gates, py::arg("x"), py::arg("index"));
}

}  // namespace tauten::bindings
