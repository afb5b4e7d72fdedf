// SimpleRNN: h_t = f(W_iᵀ·x_t + W_hᵀ·h_{t-1} + b_h) (§26.1)
#pragma once

#include "layers/recurrent.h"

namespace tauten {

template <class T>
class SimpleRnn final : public Recurrent<T> {
public:
    SimpleRnn(Place place, const RecurrentOptions& options, Activation activation)
        : Recurrent<T>(std::move(place), options, 1, 1, 1), activation_(activation) {}

    void plan(const std::vector<Edge>& edges) override;

private:
    using typename Recurrent<T>::Forward;
    using typename Recurrent<T>::Backward;
    // δ of all steps, where the output has no place for them
    int cell_buffers() const override { return 1; }
    void cell_bytes(const Call<T>& call, std::vector<int64>& bytes) const override;
    void step_forward(const Call<T>& call, const Forward& step) const override;
    void step_backward(const Call<T>& call, const Backward& step) const override;
    T* nets(const Call<T>& call) const override { return this->sequences_ ? this->hidden(call) : nullptr; }
    T* delta(const Call<T>& call) const override;
    const T* gates(const Call<T>& call) const override { return this->hidden(call); }

    Activation activation_;
};

}  // namespace tauten
