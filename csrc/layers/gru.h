// GRU, reset gate behind the product (Keras' reset_after=True): update gate z, reset gate r, candidate u;
//   u_t = f(x_t·W_u + b_u + r_t ⊙ (h_{t-1}·U_u + d_u));  h_t = z_t ⊙ h_{t-1} + (1 - z_t) ⊙ u_t
// Four net values a unit: u's of x_t, z, r, u's of h_{t-1}. Kernel and recurrent kernel are three each: the first and the
// last three of them. So the kernel's panels are in the order u, z, r, the recurrent kernel's in Keras' z, r, u.
#pragma once

#include "layers/recurrent.h"

namespace tauten {

template <class T>
class Gru final : public Recurrent<T> {
public:
    Gru(Place place, const RecurrentOptions& options, Activation activation, Activation recurrent_activation);

private:
    using typename Recurrent<T>::Forward;
    using typename Recurrent<T>::Backward;
    // values of all steps (training: their net gradients take their place; else what products leave), what δh carries to
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
    const T* start(T* scratch) const override;
    int64 start_size() const override { return this->kernel_->panels * this->slot_width_; }

    Activation activation_, recurrent_activation_;
    int64 carried_width_;  // units, up to whole vectors
};

}  // namespace tauten
