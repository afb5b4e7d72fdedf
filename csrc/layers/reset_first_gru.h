// GRU, reset gate before the product (Cho et al. 2014; Keras' reset_after=False): update gate z, reset gate r, candidate u;
//   u_t = f(x_t·W_u + b_u + (r_t ⊙ h_{t-1})·U_u);  h_t = z_t ⊙ h_{t-1} + (1 - z_t) ⊙ u_t
// A step is two products one after the other, so nothing is fused: gate by gate on the building block, the rest in loops.
// A panel's values of a row are u, z, r and r ⊙ h_{t-1}; backwards δu, δz, δr in the place of the first three.
#pragma once

#include "layers/recurrent.h"

namespace tauten {

template <class T>
class ResetFirstGru final : public Recurrent<T> {
public:
    ResetFirstGru(Place place, const RecurrentOptions& options, Activation activation, Activation recurrent_activation);

    bool in_parts(const Call<T>&, Way) const override { return false; }  // r ⊙ h_{t-1} of all units comes between
    std::vector<Product<T>*> products() override { return {&this->input_product()}; }
    std::vector<Scatter<T>*> scatters() override { return {&recurrent_gradient_}; }

private:
    using typename Recurrent<T>::Forward;
    using typename Recurrent<T>::Backward;
    // ∇U: of z and r from h_{t-1}, of u from r ⊙ h_{t-1}; a part is a panel.
    struct RecurrentGradient final : Scatter<T> {
        const ResetFirstGru* layer = nullptr;
        int64 parts() const override { return this->parameter->panels; }
        void part(const Call<T>& call, int64 part) const override;
    };
    // values of all steps (in inference of one), δh, (U_u·δu) of one step, what δh carries to the step before
    int cell_buffers() const override { return 4; }
    void cell_bytes(const Call<T>& call, std::vector<int64>& bytes) const override;
    void step_forward(const Call<T>& call, const Forward& step) const override;
    void step_backward(const Call<T>& call, const Backward& step) const override;
    Strided<T> carried(const Call<T>& call, int, int64 first) const override {
        return {this->buffer(call, 3) + first * this->units_, this->units_};
    }
    T* nets(const Call<T>&) const override { return nullptr; }
    T* delta(const Call<T>& call) const override { return this->buffer(call, 0); }
    T* values(const Call<T>& call, int64 t, int64 first) const;
    // f(row, unit, the unit's first value in `memory`) for all units of whole panels; unit is -1 beyond the last one.
    template <class F>
    void for_each_unit(T* memory, int64 rows, F&& f) const;

    Activation activation_, recurrent_activation_;
    RecurrentGradient recurrent_gradient_;
};

}  // namespace tauten
