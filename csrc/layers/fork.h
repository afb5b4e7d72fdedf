// One edge for several readers: the values are the same memory, the gradients are added.
#pragma once

#include <vector>

#include "layers/node.h"

namespace tauten {

template <class T>
class Fork final : public Node<T> {
public:
    // place.output is the first of the outputs.
    Fork(Place place, std::vector<int> outputs) : Node<T>(std::move(place)), outputs_(std::move(outputs)) {}
    std::vector<int> outputs() const override { return outputs_; }
    bool reads_time() const override { return true; }
    bool passes_time() const override { return true; }
    bool passes_values() const override { return true; }
    bool writes_halo() const override { return true; }
    bool local() const override { return !grid_.time; }
    void plan(const std::vector<Edge>& edges) override;
    int forward_phases(const Call<T>&) const override { return 0; }
    double work(const Call<T>& call) const override;
    void forward(const Call<T>&, Slice, int, T*) const override {}
    bool in_parts(const Call<T>& call, Way way) const override;
    void backward(const Call<T>& call, Slice slice, int phase, T* scratch) const override;

private:
    std::vector<int> outputs_;
    Grid grid_, gradient_;  // of the outputs' gradients, and of the input's
    Activation below_ = Activation::linear;
    bool index_ = false;    // tokens: there are no gradients
};

}  // namespace tauten
