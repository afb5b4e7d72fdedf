#include "layers/lstm.h"

#include <cstring>

namespace tauten {

template <class T>
void Lstm<T>::cell_bytes(const Call<T>& call, std::vector<int64>& bytes) const {
    const int64 size = static_cast<int64>(sizeof(T)), total = this->steps(call).total;
    bytes.push_back(call.backward || this->few_rows(call) ? total * this->net_row_ * size : 0);
    bytes.push_back((call.backward ? total : 2 * call.batch) * memory_width_ * size);
    bytes.push_back(call.backward ? call.batch * memory_width_ * size : 0);
}

template <class T>
Strided<T> Lstm<T>::state_rows(const Call<T>& call, int state, int64 t, int64 first) const {
    if (state == 0) return Recurrent<T>::state_rows(call, state, t, first);
    return {this->buffer(call, 1) + (this->row_of(call, call.backward, t) + first) * memory_width_, memory_width_};
}

template <class T>
void Lstm<T>::step_forward(const Call<T>& call, const Forward& step) const {
    const auto& units = step.units;
    Strided<T> before = this->state_before(call, 1, step.before, step.first);
    if (before.data) before.data += units.first;
    const Strided<T> now = state_rows(call, 1, step.t, step.first);
    T* gates = nullptr;
    if (call.backward)
        gates = nets(call) + (this->steps(call).offset[step.t] + step.first) * this->net_row_ + units.panel * this->slot_width_;
    call.kernels->lstm_forward({step.taps, step.tap_count, step.rows, units.count, step.start, step.start_row, gates,
                                this->net_row_, before.data, before.stride, now.data + units.first, now.stride, step.hidden,
                                this->hidden_row_, activation_, recurrent_activation_});
}

template <class T>
void Lstm<T>::step_backward(const Call<T>& call, const Backward& step) const {
    T* carried = this->buffer(call, 2) + step.first * memory_width_;
    if (step.ends) {
        std::memset(carried, 0, static_cast<size_t>(step.rows * memory_width_) * sizeof(T));
        const Strided<T> end = this->end_gradient(call, 1, step.first);
        for (int64 r = 0; end.data && r < step.rows; ++r)
            std::memcpy(carried + r * memory_width_, end.row(r), static_cast<size_t>(this->units_) * sizeof(T));
    }
    const Strided<T> now = state_rows(call, 1, step.t, step.first);
    const Strided<T> before = this->state_before(call, 1, step.before, step.first);
    call.kernels->lstm_backward({step.taps, step.tap_count, step.rows, this->units_, step.above.data, step.above.stride,
                                 delta(call) + (this->steps(call).offset[step.t] + step.first) * this->net_row_,
                                 this->net_row_, now.data, now.stride, before.data, before.stride, carried, memory_width_,
                                 activation_, recurrent_activation_});
}

template class Lstm<float>;
template class Lstm<double>;

}  // namespace tauten
