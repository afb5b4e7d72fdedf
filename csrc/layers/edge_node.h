// What layers share that read one edge and write another: where values and gradients lie on both.
#pragma once

#include "layers/node.h"

namespace tauten {

template <class T>
class EdgeNode : public Node<T> {
public:
    using Node<T>::Node;
    void plan(const std::vector<Edge>& edges) override {
        const Edge& in = edges[static_cast<size_t>(this->input)];
        const Edge& out = edges[static_cast<size_t>(this->output)];
        below_ = in.activation;
        input_ = in.value;
        output_ = out.value;
        input_gradient_ = in.gradient;
        output_gradient_ = out.gradient;
    }

protected:
    Activation below_ = Activation::linear;  // whose f' the input's gradient is multiplied with
    Grid input_, output_, input_gradient_, output_gradient_;
};

}  // namespace tauten
