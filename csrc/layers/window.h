// Sliding windows over up to three spatial extents: sizes, strides, padding (§26.3.1, §26.3.3).
#pragma once

#include <string>
#include <vector>

#include "core/shape.h"

namespace tauten {

// Extents in the order D, H, W; missing ones in front are 1. A window position o covers the inputs
// o·step - before .. o·step - before + window - 1.
struct Window {
    int rank = 0;
    int64 input[3] = {1, 1, 1};
    int64 window[3] = {1, 1, 1};
    int64 step[3] = {1, 1, 1};
    int64 before[3] = {0, 0, 0}, after[3] = {0, 0, 0};
    int64 output[3] = {1, 1, 1};

    int64 positions() const { return output[0] * output[1] * output[2]; }
    int64 size() const { return window[0] * window[1] * window[2]; }
};

struct Padding {
    enum class Kind { valid, same, given } kind = Kind::valid;
    std::vector<std::pair<int64, int64>> amounts;  // (before, after) an extent, for Kind::given
};

// Checks extents and computes outputs: floor((n + before + after - window) / step) + 1; "same": ceil(n / step) with
// the odd row of padding behind, as Keras has it. The input shape has its channels last, or first. `layer` and `what` ("kernel_size", "pool_size") go into the messages.
Window make_window(const std::string& layer, const std::string& what, const Shape& input_shape, const Shape& window,
                   const Shape& strides, const Padding& padding, bool channels_first = false);

}  // namespace tauten
