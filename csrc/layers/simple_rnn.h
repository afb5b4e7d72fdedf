// SimpleRNN: h_t = f(W_iᵀ·x_t + W_hᵀ·h_{t-1} + b_h), h_0 = 0 (§26.1)
#pragma once

#include "layers/recurrent.h"

namespace tauten {

template <class T>
class SimpleRnn final : public Recurrent<T> {
public:
    SimpleRnn(Place place, const RecurrentOptions& options, Activation activation)
        : Recurrent<T>(std::move(place), options, 1), activation_(activation) {}

    void plan(const std::vector<Edge>& edges) override;
    int extra_count() const override { return 2; }
    void extra_bytes(const Call<T>& call, std::vector<int64>& bytes) const override;
    void forward(const Call<T>& call, Slice slice, int phase, T* scratch) const override;
    void backward(const Call<T>& call, Slice slice, int phase, T* scratch) const override;

private:
    T* hidden(const Call<T>& call) const override;
    T* delta(const Call<T>& call) const override;
    const T* gates(const Call<T>& call) const override { return hidden(call); }

    Activation activation_;
};

}  // namespace tauten
