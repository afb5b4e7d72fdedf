#include "bindings/network.h"

#include <cmath>
#include <mutex>
#include <shared_mutex>

namespace tauten::bindings {

namespace {

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
py::array_t<T, py::array::c_style | py::array::forcecast> from_keras(const Parameter<T>& p, const py::object& value) {
    auto array = value.cast<py::array_t<T, py::array::c_style | py::array::forcecast>>();
    const Shape shape(array.shape(), array.shape() + array.ndim());
    require(shape == p.shape, p.name, ": expected an array of shape ", to_text(p.shape), ", got ", to_text(shape));
    return array;
}

// Parameters and their values, in Keras' shapes.
void bind_weights(py::module_& module, py::class_<PyNetwork>& c) {
    py::class_<PyParameter>(module, "Parameter")
        .def_readonly("name", &PyParameter::name)
        .def_property_readonly("shape", [](const PyParameter& p) { return shape_tuple(p.shape); })
        .def_readonly("trainable", &PyParameter::trainable);
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
    // All or, where one does not fit, none; no call sees some of them.
    c.def("set_all", [](PyNetwork& n, const std::vector<int64>& which, const py::sequence& values) {
         require(which.size() == py::len(values), "expected ", which.size(), " arrays, got ", py::len(values));
         n.with([&](auto& engine) {
             std::vector<decltype(from_keras(parameter(engine, 0), py::object()))> arrays;
             for (size_t k = 0; k < which.size(); ++k)
                 arrays.push_back(from_keras(parameter(engine, which[k]), py::object(values[k])));
             std::unique_lock lock(engine.guard());
             for (size_t k = 0; k < which.size(); ++k) {
                 auto& p = parameter(engine, which[k]);
                 p.write_keras(arrays[k].data(), p.weights.data());
                 ++p.version;
             }
         });
     }, py::arg("parameters"), py::arg("values"));
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

PyNetwork::PyNetwork(const std::string& dtype, bool winograd) {
    if (dtype == "float32")
        engine_ = std::make_unique<Engine<float>>();
    else if (dtype == "float64")
        engine_ = std::make_unique<Engine<double>>();
    else
        fail("dtype must be float32 or float64, got '", dtype, "'");
    std::visit([&](const auto& engine) { engine->network.winograd = winograd; }, engine_);
}

void bind_network(py::module_& module) {
    py::class_<PyNetwork> c(module, "Network");
    c.def(py::init<const std::string&, bool>(), py::arg("dtype") = "float32", py::arg("winograd") = true);
    bind_layers(module, c);
    bind_weights(module, c);
    bind_calls(module, c);
    c.def("edge_shape", [](const PyNetwork& n, int edge) {
         return n.with([&](auto& engine) { return shape_tuple(engine.network.edge_shape(edge)); });
     }, py::arg("edge"));
    c.def("finalize", [](PyNetwork& n, int output) {
         n.with([&](auto& engine) { engine.network.finalize(output); });
     }, py::arg("output"));
    c.def("compile", [](PyNetwork& n, const std::string& loss, bool from_logits, const std::vector<std::string>& metrics) {
         n.with([&](auto& engine) { engine.compile(loss, from_logits, metrics); });
     }, py::arg("loss"), py::arg("from_logits"), py::arg("metrics"));
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
