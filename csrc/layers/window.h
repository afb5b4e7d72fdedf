// Sliding windows over up to three spatial extents: sizes, strides, padding (§26.3.1, §26.3.3).
#pragma once

#include <string>
#include <vector>

#include "layers/edge.h"

namespace tauten {

// Extents in the order D, H, W; missing ones in front are 1. A window at o covers the inputs
// o·step - before + a·dilation, a = 0 .. window - 1.
struct Window {
    int rank = 0;
    int64 input[3] = {1, 1, 1};
    int64 window[3] = {1, 1, 1};
    int64 step[3] = {1, 1, 1};
    int64 dilation[3] = {1, 1, 1};
    int64 before[3] = {0, 0, 0}, after[3] = {0, 0, 0};
    int64 output[3] = {1, 1, 1};

    int64 positions() const { return output[0] * output[1] * output[2]; }
    int64 size() const { return window[0] * window[1] * window[2]; }
    bool padded() const {
        for (int d = 0; d < 3; ++d)
            if (before[d] || after[d]) return true;
        return false;
    }
    // The halo that windows reach into.
    void add_halo(Grid& value) const;
    // Whether the inputs at window place a of output o lie inside, in extent d.
    bool inside(int d, int64 o, int64 a) const {
        const int64 i = o * step[d] - before[d] + a * dilation[d];
        return i >= 0 && i < input[d];
    }
};

// One extent seen from the inputs i = first_input, first_input + step, ..: the windows that cover i hold it at
// a = first_tap + tap_step·j, j = 0 .. taps - 1, and stand at o = first_output + output_step·(taps - 1 - j), one further
// for each further input. Outputs outside the extent are halo.
struct Residue {
    int64 first_tap, tap_step, taps;
    int64 first_input, inputs;
    int64 first_output, output_step;

    // The window's place of tap t, counted from the first output on.
    int64 place(int64 t) const { return first_tap + tap_step * (taps - 1 - t); }
};
// Of extent d, one for each remainder of i + before by step.
std::vector<Residue> residues(const Window& window, int d);
// The halo of outputs that inputs' gradients ask for.
void add_gradient_halo(const Window& window, Grid& gradient);

struct Padding {
    enum class Kind { valid, same, given } kind = Kind::valid;
    std::vector<std::pair<int64, int64>> amounts;  // (before, after) an extent, for Kind::given
    double value = 0;                              // what a convolution finds there
};

// Checks extents and computes outputs: floor((n + before + after - span) / step) + 1, span = (window - 1)·dilation + 1;
// "same": ceil(n / step) with the odd row of padding behind, as Keras has it. No dilation: 1. The input shape has its
// channels last, or first. `layer` and `what` ("kernel_size", "pool_size") go into the messages.
Window make_window(const std::string& layer, const std::string& what, const Shape& input_shape, const Shape& window,
                   const Shape& strides, const Padding& padding, const Shape& dilation = {}, bool channels_first = false);

}  // namespace tauten
