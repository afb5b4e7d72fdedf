// Dropout (§26.4.2) of values, and of whole channels (Tompson et al. 2015).
#pragma once

#include "layers/elementwise.h"

namespace tauten {

// Inverted dropout: y = u ⊙ x / r with u ~ Bernoulli(r), r = 1 - rate; the identity when not training.
template <class T>
class DropoutNode : public RowNode<T> {
public:
    DropoutNode(Place place, double rate, uint64 seed, uint32 number)
        : RowNode<T>(std::move(place)), keep_(static_cast<T>(1.0 - rate)), seed_(seed), number_(number) {}
    bool identity_in_inference() const override { return true; }
    void forward(const Call<T>& call, Slice slice, int phase, T* scratch) const override;
    void backward(const Call<T>& call, Slice slice, int phase, T* scratch) const override;

protected:
    // to = u ⊙ from / r
    virtual void drop(const Call<T>& call, Slice slice, const T* from, T* to, T* scratch) const = 0;
    kernels::DropoutKey key(const Call<T>& call) const { return {seed_, call.number, number_}; }

    T keep_;

private:
    uint64 seed_;
    uint32 number_;
};

template <class T>
class Dropout final : public DropoutNode<T> {
public:
    using DropoutNode<T>::DropoutNode;

private:
    void drop(const Call<T>& call, Slice slice, const T* from, T* to, T* scratch) const override;
};

// A sample's channels are dropped whole, at all positions or steps.
template <class T>
class SpatialDropout final : public DropoutNode<T> {
public:
    using DropoutNode<T>::DropoutNode;
    // a sample's mask, and zeros
    int64 scratch(const Call<T>&) const override { return 2 * this->grid_.channels; }

private:
    void drop(const Call<T>& call, Slice slice, const T* from, T* to, T* scratch) const override;
};

}  // namespace tauten
