// LSTM (§26.2.2-3): gates κ (input), φ (forget), ω (output), candidate u, memory c, state h; Keras' gate order.
#pragma once

#include "layers/recurrent.h"

namespace tauten {

template <class T>
class Lstm final : public Recurrent<T> {
public:
    Lstm(Place place, const RecurrentOptions& options, Activation activation, Activation recurrent_activation)
        : Recurrent<T>(std::move(place), options, 4), activation_(activation), recurrent_activation_(recurrent_activation),
          memory_width_(this->kernel_->panels * this->kernel_->lanes) {}

    int extra_count() const override { return 4; }
    void extra_bytes(const Call<T>& call, std::vector<int64>& bytes) const override;
    void forward(const Call<T>& call, Slice slice, int phase, T* scratch) const override;
    void backward(const Call<T>& call, Slice slice, int phase, T* scratch) const override;

private:
    T* hidden(const Call<T>& call) const override {
        return this->sequences_ ? this->outputs(call) : this->extra(call, 2);
    }
    T* delta(const Call<T>& call) const override { return this->extra(call, 0); }

    Activation activation_, recurrent_activation_;
    int64 memory_width_;  // units, up to whole vectors
};

}  // namespace tauten
