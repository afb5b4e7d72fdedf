// An RNN with a forget gate (§26.2.1): φ_t forgets, u_t is the candidate; weights in the order φ, u.
#pragma once

#include "layers/recurrent.h"

namespace tauten {

template <class T>
class ForgetGateRnn final : public Recurrent<T> {
public:
    ForgetGateRnn(Place place, const RecurrentOptions& options, Activation activation, Activation recurrent_activation)
        : Recurrent<T>(std::move(place), options, 2, 1, 2), activation_(activation),
          recurrent_activation_(recurrent_activation), carried_width_(this->kernel_->panels * this->kernel_->lanes) {}

private:
    using typename Recurrent<T>::Forward;
    using typename Recurrent<T>::Backward;
    // gates of all steps (training: their net gradients take their place; else what products leave), what δh carries to
    // the step before
    int cell_buffers() const override { return 2; }
    void cell_bytes(const Call<T>& call, std::vector<int64>& bytes) const override;
    void step_forward(const Call<T>& call, const Forward& step) const override;
    void step_backward(const Call<T>& call, const Backward& step) const override;
    Strided<T> carried(const Call<T>& call, int, int64 first) const override {
        return {this->buffer(call, 1) + first * carried_width_, carried_width_};
    }
    T* nets(const Call<T>& call) const override { return this->buffer(call, 0); }
    T* delta(const Call<T>& call) const override { return this->buffer(call, 0); }

    Activation activation_, recurrent_activation_;
    int64 carried_width_;  // units, up to whole vectors
};

}  // namespace tauten
