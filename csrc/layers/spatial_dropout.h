// Spatial dropout (Tompson et al. 2015): while training a sample's channels are dropped whole, at all positions or steps.
#pragma once

#include "layers/elementwise.h"

namespace tauten {

template <class T>
class SpatialDropout final : public RowNode<T> {
public:
    SpatialDropout(Place place, double rate, uint64 seed, uint32 number)
        : RowNode<T>(std::move(place)), keep_(static_cast<T>(1.0 - rate)), seed_(seed), number_(number) {}
    bool identity_in_inference() const override { return true; }
    // a sample's mask, and zeros
    int64 scratch(const Call<T>&) const override { return 2 * this->grid_.channels; }
    void forward(const Call<T>& call, Slice slice, int phase, T* scratch) const override;
    void backward(const Call<T>& call, Slice slice, int phase, T* scratch) const override;

private:
    void apply(const Call<T>& call, Slice slice, const T* x, T* y, T* scratch) const;

    T keep_;
    uint64 seed_;
    uint32 number_;
};

}  // namespace tauten
