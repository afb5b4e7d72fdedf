// Axes of a sample in another order.
#pragma once

#include "layers/grid_node.h"

namespace tauten {

// y's axis j is x's axis order[j].
template <class T>
class Permute final : public GridNode<T> {
public:
    Permute(Place place, std::vector<int> order) : GridNode<T>(std::move(place)), order_(std::move(order)) {}
    const std::vector<int>& order() const { return order_; }
    void plan(const std::vector<Edge>& edges) override;
    void forward(const Call<T>& call, Slice slice, int phase, T* scratch) const override;
    void backward(const Call<T>& call, Slice slice, int phase, T* scratch) const override;

private:
    // Loops over all values of a sample: as few as have the same strides on both sides.
    struct Loop {
        int64 extent, input, output;
    };
    std::vector<Loop> loops(const Shape& shape, const Grid& from_grid, const Grid& to_grid) const;

    std::vector<int> order_;
    std::vector<Loop> values_, gradients_;
};

// The order that undoes another one.
std::vector<int> inverse(const std::vector<int>& order);

}  // namespace tauten
