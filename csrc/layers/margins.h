// Zeros around a grid, or positions cut off its sides: one copy, shifted.
#pragma once

#include "layers/grid_node.h"

namespace tauten {

// y_i = x_{i - before} where that lies inside x, else 0, in each dimension; before < 0 cuts off.
template <class T>
class Margins final : public GridNode<T> {
public:
    Margins(Place place, const int64 (&before)[3]) : GridNode<T>(std::move(place)) {
        std::copy(before, before + 3, before_);
    }
    void forward(const Call<T>& call, Slice slice, int phase, T* scratch) const override;
    void backward(const Call<T>& call, Slice slice, int phase, T* scratch) const override;

private:
    int64 before_[3];
};

}  // namespace tauten
