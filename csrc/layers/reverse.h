// Sequences from their last step to their first: y_t = x_{τ+1-t}, each of its own length τ.
#pragma once

#include "layers/elementwise.h"

namespace tauten {

template <class T>
class Reverse final : public RowNode<T> {
public:
    using RowNode<T>::RowNode;
    bool local() const override { return false; }
    void forward(const Call<T>& call, Slice slice, int phase, T* scratch) const override;
    void backward(const Call<T>& call, Slice slice, int phase, T* scratch) const override;

private:
    // f(offset of a row of channels, offset of that which takes its place)
    template <class F>
    void for_each_pair(const Call<T>& call, Slice slice, F&& f) const;
};

}  // namespace tauten
