// Functions of one value as nodes of their own: the activations whose derivative wants the net value.
#pragma once

#include "layers/elementwise.h"

namespace tauten {

// y = f(x), backwards by f'(x) of the values read.
template <class T>
class PointwiseNode final : public RowNode<T> {
public:
    PointwiseNode(Place place, const PointwiseFunction& function) : RowNode<T>(std::move(place)), function_(function) {}
    bool in_parts(const Call<T>& call, Way way) const override;
    void forward(const Call<T>& call, Slice slice, int phase, T* scratch) const override;
    void backward(const Call<T>& call, Slice slice, int phase, T* scratch) const override;

private:
    PointwiseFunction function_;
};

}  // namespace tauten
