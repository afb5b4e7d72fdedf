// LSTM (§26.2.2-3): gates κ (input), φ (forget), ω (output), candidate u, memory c, state h; Keras' gate order.
#pragma once

#include "layers/recurrent.h"

namespace tauten {

template <class T>
class Lstm final : public Recurrent<T> {
public:
    Lstm(Place place, const RecurrentOptions& options, Activation activation, Activation recurrent_activation)
        : Recurrent<T>(std::move(place), options, 4, 2, 4), activation_(activation),
          recurrent_activation_(recurrent_activation), memory_width_(this->kernel_->panels * this->kernel_->lanes) {}

private:
    using typename Recurrent<T>::Forward;
    using typename Recurrent<T>::Backward;
    // gates of all steps (training: their net gradients take their place; else what products leave), c of all steps or
    // of two, δc
    int cell_buffers() const override { return 3; }
    void cell_bytes(const Call<T>& call, std::vector<int64>& bytes) const override;
    void step_forward(const Call<T>& call, const Forward& step) const override;
    void step_backward(const Call<T>& call, const Backward& step) const override;
    Strided<T> carried(const Call<T>& call, int state, int64 first) const override {
        if (state == 0) return {};
        return {this->buffer(call, 2) + first * memory_width_, memory_width_};
    }
    Strided<T> state_rows(const Call<T>& call, int state, int64 t, int64 first) const override;
    T* nets(const Call<T>& call) const override { return this->buffer(call, 0); }
    T* delta(const Call<T>& call) const override { return this->buffer(call, 0); }

    Activation activation_, recurrent_activation_;
    int64 memory_width_;  // units, up to whole vectors
};

}  // namespace tauten
