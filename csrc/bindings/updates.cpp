// The optimizers' part of a network: rules of training steps, and what they keep a weight.
#include <algorithm>

#include "bindings/network.h"
#include "bindings/unlocked.h"
#include "training/update.h"

namespace tauten::bindings {

namespace {

Slot checked_slot(int slot) {
    require(slot >= 0 && slot < slot_count, "there is no slot ", slot, "; a weight has ", slot_count);
    return static_cast<Slot>(slot);
}

// An average into the weights it is of.
template <class T>
void take_average(Engine<T>& engine, int64 i) {
    Parameter<T>& p = parameter(engine, i);
    while_exclusive(engine, [&] {
        const T* const average = p.slots[static_cast<int>(Slot::average)].data();
        if (!average || !p.trainable) return;
        std::copy_n(average, p.size(), p.weights.data());
        ++p.version;
    });
}

}  // namespace

void bind_updates(py::module_& module, py::class_<PyNetwork>& c) {
    py::class_<Update>(module, "Update")
        .def(py::init([](const std::string& rule) {
                 Update update;
                 update.rule = parse_rule(rule);
                 return update;
             }), py::arg("rule") = "sgd")
        .def_readwrite("learning_rate", &Update::learning_rate)
        .def_readwrite("momentum", &Update::momentum)
        .def_readwrite("nesterov", &Update::nesterov)
        .def_readwrite("beta_1", &Update::beta_1)
        .def_readwrite("beta_2", &Update::beta_2)
        .def_readwrite("amsgrad", &Update::amsgrad)
        .def_readwrite("rho", &Update::rho)
        .def_readwrite("centered", &Update::centered)
        .def_readwrite("epsilon", &Update::epsilon)
        .def_readwrite("initial_accumulator_value", &Update::initial_accumulator_value)
        .def_readwrite("weight_decay", &Update::weight_decay)
        .def_readwrite("clipvalue", &Update::clipvalue)
        .def_readwrite("clipnorm", &Update::clipnorm)
        .def_readwrite("global_clipnorm", &Update::global_clipnorm)
        .def_readwrite("use_ema", &Update::use_ema)
        .def_readwrite("ema_momentum", &Update::ema_momentum)
        .def_readwrite("ema_overwrite_frequency", &Update::ema_overwrite_frequency)
        .def_readwrite("gradient_accumulation_steps", &Update::gradient_accumulation_steps);
    c.def("get_slot", [](const PyNetwork& n, int64 i, int slot) {
         return n.with([&](auto& engine) -> py::object {
             const auto& p = parameter(engine, i);
             const auto& values = p.slots[static_cast<int>(checked_slot(slot))];
             auto out = empty_like(p);
             bool there = false;
             while_shared(engine, [&, to = out.mutable_data()] {
                 there = values.data() != nullptr;
                 if (there) p.read_keras(values.data(), to);
             });
             return there ? py::object(std::move(out)) : py::none();
         });
     }, py::arg("parameter"), py::arg("slot"));
    c.def("set_slot", [](PyNetwork& n, int64 i, int slot, const py::object& value) {
         n.with([&](auto& engine) {
             auto& p = parameter(engine, i);
             auto& values = p.slots[static_cast<int>(checked_slot(slot))];
             const auto array = from_keras(p, value);
             while_exclusive(engine, [&, from = array.data()] {
                 values.reserve(p.size());
                 p.write_keras(from, values.data());
             });
         });
     }, py::arg("parameter"), py::arg("slot"), py::arg("value"));
    c.def("reset_slots", [](PyNetwork& n) { n.with([](auto& engine) { unlocked(false, [&] { engine.reset_slots(); }); }); });
    c.def("take_average", [](PyNetwork& n, int64 i) { n.with([&](auto& engine) { take_average(engine, i); }); },
          py::arg("parameter"));
    c.def_property("steps",
                   [](const PyNetwork& n) {
                       return n.with([](auto& engine) {
                           uint64 value = 0;
                           while_shared(engine, [&] { value = engine.steps; });
                           return value;
                       });
                   },
                   [](PyNetwork& n, uint64 value) {
                       n.with([&](auto& engine) {
                           while_exclusive(engine, [&] { engine.steps = value; });
                       });
                   });
}

}  // namespace tauten::bindings
