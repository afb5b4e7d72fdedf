// Network: one Python class over the engines of both scalar types.
#pragma once

#include <algorithm>
#include <atomic>
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
    // Whether the last call took long enough to be interrupted.
    std::atomic<bool>& slow() const { return slow_; }
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
    mutable std::atomic<bool> slow_{true};
    std::variant<std::unique_ptr<Engine<float>>, std::unique_ptr<Engine<double>>> engine_;
};

// Methods that add layers; the optimizers' part; methods that run the network; each with the classes that they alone need.
void bind_layers(py::module_& module, py::class_<PyNetwork>& c);
void bind_updates(py::module_& module, py::class_<PyNetwork>& c);
void bind_calls(py::module_& module, py::class_<PyNetwork>& c);
void bind_direct(py::class_<PyNetwork>& c);

// Parameter i of a network. Throws std::invalid_argument if there is none.
template <class T>
Parameter<T>& parameter(Engine<T>& engine, int64 i) {
    const auto& all = engine.network.parameters();
    require(i >= 0 && i < static_cast<int64>(all.size()), "there is no parameter ", i, "; the network has ", all.size());
    return *all[static_cast<size_t>(i)];
}

// An array in a parameter's shape, converted to T.
template <class T>
py::array_t<T, py::array::c_style | py::array::forcecast> from_keras(const Parameter<T>& p, const py::object& value) {
    auto array = value.cast<py::array_t<T, py::array::c_style | py::array::forcecast>>();
    const Shape shape(array.shape(), array.shape() + array.ndim());
    require(shape == p.shape, p.name, ": expected an array of shape ", to_text(p.shape), ", got ", to_text(shape));
    return array;
}

// An array for a parameter's values, in Keras' shape; and one of zeros.
template <class T>
py::array_t<T> empty_like(const Parameter<T>& p) {
    return py::array_t<T>(std::vector<py::ssize_t>(p.shape.begin(), p.shape.end()));
}
template <class T>
py::array_t<T> zeros_like(const Parameter<T>& p) {
    auto out = empty_like(p);
    std::fill_n(out.mutable_data(), out.size(), T{0});
    return out;
}

}  // namespace tauten::bindings
