// An RNN with a forget gate (§26.2.1): φ_t forgets, u_t is the candidate; weights in the order φ, u.
#pragma once

#include "layers/recurrent.h"

namespace tauten {

template <class T>
class ForgetGateRnn final : public Recurrent<T> {
public:
    ForgetGateRnn(Place place, const RecurrentOptions& options, Activation activation, Activation recurrent_activation)
        : Recurrent<T>(std::move(place), options, 2), activation_(activation), recurrent_activation_(recurrent_activation),
          carried_width_(this->kernel_->panels * this->kernel_->lanes) {}

    int extra_count() const override { return 3; }
    void extra_bytes(const Call<T>& call, std::vector<int64>& bytes) const override;
    void forward(const Call<T>& call, Slice slice, int phase, T* scratch) const override;
    void backward(const Call<T>& call, Slice slice, int phase, T* scratch) const override;

private:
    T* hidden(const Call<T>& call) const override {
        return this->sequences_ ? this->outputs(call) : this->extra(call, 1);
    }
    T* delta(const Call<T>& call) const override { return this->extra(call, 0); }

    Activation activation_, recurrent_activation_;
    int64 carried_width_;  // units, up to whole vectors
};

}  // namespace tauten
