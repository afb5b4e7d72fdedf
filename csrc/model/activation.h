// The activations that layers take by name.
#pragma once

#include <optional>
#include <string>

#include "core/types.h"

namespace tauten {

// Fused into the layer (f), or a node of its own behind it: one value at a time, or a row of channels at a time.
struct LayerActivation {
    Activation f = Activation::linear;
    std::optional<PointwiseFunction> pointwise;
    bool softmax = false, log_softmax = false;
};
LayerActivation parse_activation(const std::string& layer, const std::string& name);
// Those that recurrent cells take: their derivatives follow from the output.
Activation parse_cell_activation(const std::string& layer, const std::string& name);

}  // namespace tauten
