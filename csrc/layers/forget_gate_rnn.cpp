#include "layers/forget_gate_rnn.h"

#include <cstring>

namespace tauten {

template <class T>
void ForgetGateRnn<T>::cell_bytes(const Call<T>& call, std::vector<int64>& bytes) const {
    const int64 size = static_cast<int64>(sizeof(T)), total = this->steps(call).total;
    bytes.push_back(call.backward || this->few_rows(call) ? total * this->net_row_ * size : 0);
    bytes.push_back(call.backward ? call.batch * carried_width_ * size : 0);
}

template <class T>
void ForgetGateRnn<T>::step_forward(const Call<T>& call, const Forward& step) const {
    T* gates = nullptr;
    if (call.backward)
        gates = nets(call) + (this->steps(call).offset[step.t] + step.first) * this->net_row_ +
                step.units.panel * this->slot_width_;
    call.kernels->forget_gate_forward({step.taps, step.tap_count, step.rows, step.units.count, step.start, step.start_row,
                                       gates, this->net_row_, step.hidden_before.data, step.hidden_before.stride,
                                       step.hidden, this->hidden_row_, activation_, recurrent_activation_});
}

template <class T>
void ForgetGateRnn<T>::step_backward(const Call<T>& call, const Backward& step) const {
    T* carried = this->buffer(call, 1) + step.first * carried_width_;
    if (step.ends) std::memset(carried, 0, static_cast<size_t>(step.rows * carried_width_) * sizeof(T));
    call.kernels->forget_gate_backward(
        {step.taps, step.tap_count, step.rows, this->units_, step.above.data, step.above.stride,
         delta(call) + (this->steps(call).offset[step.t] + step.first) * this->net_row_, this->net_row_,
         step.hidden_before.data, step.hidden_before.stride, carried, carried_width_, activation_, recurrent_activation_});
}

template class ForgetGateRnn<float>;
template class ForgetGateRnn<double>;

}  // namespace tauten
