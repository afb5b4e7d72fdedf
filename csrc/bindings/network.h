// Network: one Python class over the engines of both scalar types.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <variant>

#include "bindings/arrays.h"
#include "model/engine.h"

namespace tauten::bindings {

class PyNetwork {
public:
    PyNetwork(const std::string& dtype, bool winograd);

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

    template <class T>
    Engine<T>& engine() const {
        const auto* found = std::get_if<std::unique_ptr<Engine<T>>>(&engine_);
        if (!found) throw TypeError("a network of the other float type");
        return **found;
    }

private:
    std::variant<std::unique_ptr<Engine<float>>, std::unique_ptr<Engine<double>>> engine_;
};

// Methods that add layers; methods that run the network; each with the classes that they alone need.
void bind_layers(py::module_& module, py::class_<PyNetwork>& c);
void bind_calls(py::module_& module, py::class_<PyNetwork>& c);

// A parameter's values, or zeros for none, in Keras' shape.
template <class T>
py::array_t<T> to_keras(const Parameter<T>& p, const T* packed) {
    py::array_t<T> out(std::vector<py::ssize_t>(p.shape.begin(), p.shape.end()));
    if (packed)
        p.read_keras(packed, out.mutable_data());
    else
        std::fill(out.mutable_data(), out.mutable_data() + out.size(), T{0});
    return out;
}

}  // namespace tauten::bindings
