// What layers share that read one grid and write another, sample by sample.
#pragma once

#include "layers/edge_node.h"

namespace tauten {

// f(offset in one grid, offset in the other) for every line of positions of one sample; the extents agree.
template <class F>
void for_each_line(const Grid& one, const Grid& other, F&& f) {
    for (int64 a = 0; a < one.extent[0]; ++a)
        for (int64 b = 0; b < one.extent[1]; ++b)
            f(a * one.stride[0] + b * one.stride[1], a * other.stride[0] + b * other.stride[1]);
}

template <class T>
class GridNode : public EdgeNode<T> {
public:
    using EdgeNode<T>::EdgeNode;
    bool writes_halo() const override { return true; }
    bool local() const override { return true; }
    double work(const Call<T>& call) const override {
        return static_cast<double>(call.batch) *
               static_cast<double>(input_.positions() * input_.channels + output_.positions() * output_.channels);
    }

protected:
    const T* input_of(const Call<T>& call, int64 row) const {
        return call.values[this->input] + row * input_.sample + input_.origin;
    }
    T* output_of(const Call<T>& call, int64 row) const {
        return call.values[this->output] + row * output_.sample + output_.origin;
    }
    T* input_gradient_of(const Call<T>& call, int64 row) const {
        return call.gradients[this->input] + row * input_gradient_.sample + input_gradient_.origin;
    }
    const T* output_gradient_of(const Call<T>& call, int64 row) const {
        return call.gradients[this->output] + row * output_gradient_.sample + output_gradient_.origin;
    }
    // δ of the layer below: what is there, ⊙ its f'.
    void through_below(const Call<T>& call, int64 row) const {
        if (below_ == Activation::linear) return;
        const T* x = input_of(call, row);
        T* gradient = input_gradient_of(call, row);
        const int64 n = input_.extent[2] * input_.channels;
        for_each_line(input_, input_gradient_, [&](int64 value, int64 slope) {
            call.kernels->activation_gradient(below_, 1, n, x + value, n, gradient + slope, n);
        });
    }

    using EdgeNode<T>::below_, EdgeNode<T>::input_, EdgeNode<T>::output_, EdgeNode<T>::input_gradient_,
        EdgeNode<T>::output_gradient_;
};

}  // namespace tauten
