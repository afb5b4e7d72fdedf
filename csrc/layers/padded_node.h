// What convolutions share: a window that slides over the input with its padding around it, and filters' activation.
#pragma once

#include <utility>

#include "layers/edge_node.h"
#include "layers/halo.h"
#include "layers/window.h"

namespace tauten {

template <class T>
class PaddedNode : public EdgeNode<T> {
public:
    PaddedNode(Place place, const Window& window, double padding_value, Activation activation)
        : EdgeNode<T>(std::move(place)), window_(window), padding_value_(padding_value), activation_(activation) {}

    bool writes_halo() const override { return true; }
    bool set_activation(Activation f) override {
        activation_ = f;
        return true;
    }
    bool extra_zeroed() const override { return true; }

protected:
    // The edges' grids are planned; These are those with the halo that the layer needs, laid out here.
    void plan_padding(const Grid& in, const Grid& back) {
        padded_ = in;
        padded_.lay_out();
        copies_input_ = padded_.sample != this->input_.sample;
        padded_gradient_ = back;
        padded_gradient_.lay_out();
        copies_gradient_ = padded_gradient_.sample != this->output_gradient_.sample;
    }
    // Of the two copies, the first of the node's extra buffers.
    void padding_bytes(const Call<T>& call, bool gradient, std::vector<int64>& bytes) const {
        const int64 size = static_cast<int64>(sizeof(T));
        bytes.push_back(copies_input_ ? call.batch * padded_.sample * size : 0);
        bytes.push_back(copies_gradient_ && call.backward && gradient ? call.batch * padded_gradient_.sample * size : 0);
    }
    const T* padded_input(const Call<T>& call) const {
        return copies_input_ ? this->extra(call, 0) : call.values[this->input];
    }
    const T* padded_gradient(const Call<T>& call) const {
        return copies_gradient_ ? this->extra(call, 1) : call.gradients[this->output];
    }
    // Each channel `times` times.
    void pad_input(const Call<T>& call, Slice slice, int64 times = 1) const {
        if (!copies_input_) return;
        T* copy = this->extra(call, 0);
        copy_interior(this->input_, padded_, slice, call.values[this->input], copy, times);
        if (padding_value_ != 0 && slice.part == 0) fill_halo(padded_, slice, static_cast<T>(padding_value_), copy);
        slice.meet();
    }
    void pad_gradient(const Call<T>& call, Slice slice) const {
        if (!copies_gradient_) return;
        copy_interior(this->output_gradient_, padded_gradient_, slice, call.gradients[this->output], this->extra(call, 1));
        slice.meet();
    }

    Window window_;
    double padding_value_;  // of the halo around the input
    Activation activation_;
    Grid padded_, padded_gradient_;                        // with the halo this layer needs
    bool copies_input_ = false, copies_gradient_ = false;  // the edge lacks that halo
};

}  // namespace tauten
