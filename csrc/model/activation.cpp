#include "model/activation.h"

#include <cmath>

#include "core/check.h"

namespace tauten {

namespace {

struct Fused {
    const char* name;
    Activation f;
};
constexpr Fused fused[] = {
    {"linear", Activation::linear}, {"relu", Activation::relu}, {"sigmoid", Activation::sigmoid}, {"tanh", Activation::tanh},
};
constexpr Fused of_cells[] = {
    {"celu", Activation::elu},  // with alpha = 1 the same
    {"elu", Activation::elu},
    {"hard_sigmoid", Activation::hard_sigmoid},
    {"hard_tanh", Activation::hard_tanh},
    {"leaky_relu", Activation::leaky_relu},
    {"relu6", Activation::relu6},
    {"selu", Activation::selu},
    {"softsign", Activation::softsign},
};

struct Named {
    const char* name;
    PointwiseFunction f;
};
constexpr Named pointwise[] = {
    {"celu", {Pointwise::elu, 1, 1}},
    {"elu", {Pointwise::elu, 1, 1}},
    {"exponential", {Pointwise::exponential}},
    {"gelu", {Pointwise::gelu}},
    {"hard_shrink", {Pointwise::shrink, 0.5, 0}},
    {"hard_sigmoid", {Pointwise::ramp, 1.0 / 6, 0.5, 0, 1}},
    {"hard_silu", {Pointwise::hard_silu}},
    {"hard_tanh", {Pointwise::ramp, 1, 0, -1, 1}},
    {"leaky_relu", {Pointwise::rectified, 0, HUGE_VAL, leaky_slope}},
    {"log_sigmoid", {Pointwise::log_sigmoid}},
    {"mish", {Pointwise::mish}},
    {"relu6", {Pointwise::ramp, 1, 0, 0, 6}},
    {"selu", {Pointwise::elu, selu_scale, selu_alpha}},
    {"silu", {Pointwise::silu}},
    {"soft_shrink", {Pointwise::shrink, 0.5, 0.5}},
    {"softplus", {Pointwise::softplus}},
    {"softsign", {Pointwise::softsign}},
    {"sparse_plus", {Pointwise::sparse_plus}},
    {"sparse_sigmoid", {Pointwise::ramp, 0.5, 0.5, 0, 1}},
    {"tanh_shrink", {Pointwise::tanh_shrink}},
};

template <class Table>
void append_names(std::string& list, const Table& table) {
    for (const auto& entry : table) list += (list.empty() ? "" : ", ") + std::string(entry.name);
}

}  // namespace

LayerActivation parse_activation(const std::string& layer, const std::string& name) {
    for (const Fused& entry : fused)
        if (name == entry.name) return {entry.f, {}, false, false};
    for (const Named& entry : pointwise)
        if (name == entry.name) return {Activation::linear, entry.f, false, false};
    if (name == "softmax") return {Activation::linear, {}, true, false};
    if (name == "log_softmax") return {Activation::linear, {}, false, true};
    std::string names;
    append_names(names, fused);
    append_names(names, pointwise);
    fail(layer, ": unknown activation '", name, "'; expected ", names, ", softmax or log_softmax");
}

Activation parse_cell_activation(const std::string& layer, const std::string& name) {
    for (const Fused& entry : fused)
        if (name == entry.name) return entry.f;
    for (const Fused& entry : of_cells)
        if (name == entry.name) return entry.f;
    std::string names;
    append_names(names, fused);
    append_names(names, of_cells);
    fail(layer, ": '", name, "' cannot be the activation of a recurrent cell; expected one of ", names);
}

}  // namespace tauten
