#include "layers/gru.h"

#include <cstring>

namespace tauten {

template <class T>
Gru<T>::Gru(Place place, const RecurrentOptions& options, Activation activation, Activation recurrent_activation)
    : Recurrent<T>(std::move(place), options, 3, 1, 4), activation_(activation),
      recurrent_activation_(recurrent_activation), carried_width_(this->kernel_->panels * this->kernel_->lanes) {
    this->kernel_->last_gate_first(options.features);
    this->first_slot_ = this->kernel_->lanes;
    if (!this->bias_) return;
    this->bias_ = std::make_shared<Parameter<T>>(this->name, options.prefix + "bias", Shape{2, 3 * this->units_}, 3);
    this->parameters.back() = this->bias_;
    this->bias_->lay_out_by_rows();
    this->bias_->last_gate_first(1);
    this->set_bias(0, this->bias_->padded_columns());
}

template <class T>
void Gru<T>::cell_bytes(const Call<T>& call, std::vector<int64>& bytes) const {
    const int64 size = static_cast<int64>(sizeof(T)), total = this->steps(call).total;
    bytes.push_back(call.backward || this->few_rows(call) ? total * this->net_row_ * size : 0);
    bytes.push_back(call.backward ? call.batch * carried_width_ * size : 0);
}

// b_u; b_z + d_z; b_r + d_r; d_u, panel by panel
template <class T>
const T* Gru<T>::start(T* scratch) const {
    if (!this->bias_) {
        std::memset(scratch, 0, static_cast<size_t>(start_size()) * sizeof(T));
        return scratch;
    }
    const int64 lanes = this->kernel_->lanes;
    const T* b = this->bias_->weights.data();
    const T* d = b + this->bias_->padded_columns();
    for (int64 p = 0; p < this->kernel_->panels; ++p, b += 3 * lanes, d += 3 * lanes)
        for (int64 i = 0; i < 4 * lanes; ++i)
            scratch[p * 4 * lanes + i] = (i < 3 * lanes ? b[i] : T{0}) + (i >= lanes ? d[i - lanes] : T{0});
    return scratch;
}

template <class T>
void Gru<T>::step_forward(const Call<T>& call, const Forward& step) const {
    T* values = nullptr;
    if (call.backward)
        values = nets(call) + (this->steps(call).offset[step.t] + step.first) * this->net_row_ +
                 step.units.panel * this->slot_width_;
    const kernels::Tap<T>* recurrent = step.hidden_before.data ? step.taps + step.tap_count - 1 : nullptr;
    call.kernels->gru_forward({step.products ? nullptr : step.taps, recurrent, step.rows, step.units.count, step.start,
                               step.start_row, values, this->net_row_, step.hidden_before.data, step.hidden_before.stride,
                               step.hidden, this->hidden_row_, activation_, recurrent_activation_});
}

template <class T>
void Gru<T>::step_backward(const Call<T>& call, const Backward& step) const {
    T* carried = this->buffer(call, 1) + step.first * carried_width_;
    if (step.ends) std::memset(carried, 0, static_cast<size_t>(step.rows * carried_width_) * sizeof(T));
    call.kernels->gru_backward(
        {step.taps, step.tap_count, step.rows, this->units_, step.above.data, step.above.stride,
         delta(call) + (this->steps(call).offset[step.t] + step.first) * this->net_row_, this->net_row_,
         step.hidden_before.data, step.hidden_before.stride, carried, carried_width_, activation_, recurrent_activation_});
}

template class Gru<float>;
template class Gru<double>;

}  // namespace tauten
