#include "bindings/network.h"

#include <cmath>
#include <optional>

#include "bindings/unlocked.h"

namespace tauten::bindings {

namespace {

// Python's handle of a parameter: what does not change of it is copied, the rest asked for.
struct PyParameter {
    std::string name;
    Shape shape;
    bool trainable;
};

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
             auto out = empty_like(p);
             while_shared(engine, [&, to = out.mutable_data()] { p.read_keras(p.weights.data(), to); });
             return out;
         });
     }, py::arg("parameter"));
    c.def("set", [](PyNetwork& n, int64 i, const py::object& value) {
         n.with([&](auto& engine) {
             auto& p = parameter(engine, i);
             const auto array = from_keras(p, value);
             while_exclusive(engine, [&, from = array.data()] {
                 p.write_keras(from, p.weights.data());
                 ++p.version;
             });
         });
     }, py::arg("parameter"), py::arg("value"));
    // All or, where one does not fit, none; no call sees some of them.
    c.def("set_all", [](PyNetwork& n, const std::vector<int64>& which, const py::sequence& values) {
         require(which.size() == py::len(values), "expected ", which.size(), " arrays, got ", py::len(values));
         n.with([&](auto& engine) {
             std::vector<decltype(from_keras(parameter(engine, 0), py::object()))> arrays;
             arrays.reserve(which.size());
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
             while_exclusive(engine, [&] {
                 p.l1 = l1;
                 p.l2 = l2;
             });
         });
     }, py::arg("parameter"), py::arg("l1"), py::arg("l2"));
    c.def("set_constraint", [](PyNetwork& n, int64 i, const std::string& kind, double least, double most, double rate,
                               const std::vector<int64>& axes) {
         n.with([&](auto& engine) {
             auto& p = parameter(engine, i);
             auto made = make_constraint(p, kind, least, most, rate, axes);
             while_exclusive(engine, [&] { p.constraint = std::move(made); });
         });
     }, py::arg("parameter"), py::arg("kind"), py::arg("least") = 0.0, py::arg("most") = 0.0, py::arg("rate") = 1.0,
          py::arg("axes") = std::vector<int64>{});
    c.def("set_trainable", [](PyNetwork& n, int64 i, bool trainable) {
         n.with([&](auto& engine) {
             auto& p = parameter(engine, i);
             while_exclusive(engine, [&] {
                 (p.state ? p.moves : p.trainable) = trainable;
                 engine.network.update_trainable();
             });
         });
     }, py::arg("parameter"), py::arg("trainable"));
    c.def("share", [](PyNetwork& n, size_t i, const PyNetwork& other, size_t j) {
         n.with([&]<class T>(Engine<T>& engine) { engine.share(i, other.engine<T>(), j); });
     }, py::arg("parameter"), py::arg("other"), py::arg("other_parameter"));
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
    bind_updates(module, c);
    bind_calls(module, c);
    bind_direct(c);
    c.def("edge_shape", [](const PyNetwork& n, int edge) {
         return n.with([&](auto& engine) { return shape_tuple(engine.network.edge_shape(edge)); });
     }, py::arg("edge"));
    c.def("finalize", [](PyNetwork& n, const std::vector<int>& outputs) {
         n.with([&](auto& engine) { engine.network.finalize(outputs); });
     }, py::arg("outputs"));
    using Asked = std::optional<std::tuple<std::string, bool, double, std::vector<std::string>>>;
    c.def("compile", [](PyNetwork& n, const std::vector<Asked>& heads) {
         std::vector<HeadRequest> requests;
         for (const Asked& head : heads) {
             requests.emplace_back();
             if (!head) continue;
             const auto& [loss, from_logits, weight, metrics] = *head;
             requests.back() = {loss, from_logits, weight, metrics};
         }
         n.with([&](auto& engine) { engine.compile(requests); });
     }, py::arg("heads"));
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
                           uint64 value = 0;
                           while_shared(engine, [&] { value = engine.calls; });
                           return value;
                       });
                   },
                   [](PyNetwork& n, uint64 value) {
                       n.with([&](auto& engine) {
                           while_exclusive(engine, [&] { engine.calls = value; });
                       });
                   });
    c.def_property_readonly("allocations",
                            [](const PyNetwork& n) { return n.with([](auto& engine) { return engine.allocations(); }); });
    c.def_property_readonly("plan", [](const PyNetwork& n) { return n.with([](auto& engine) { return engine.network.describe(); }); });
}

}  // namespace tauten::bindings
