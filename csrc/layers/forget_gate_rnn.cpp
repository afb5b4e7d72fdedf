#include "layers/forget_gate_rnn.h"

#include <cstring>

namespace tauten {

// Buffers: gates of all steps (training: their net gradients take their place; else what take_products() leaves), h of
// all steps or of two (when the output edge holds only the last), what δh carries to the step before.
template <class T>
void ForgetGateRnn<T>::extra_bytes(const Call<T>& call, std::vector<int64>& bytes) const {
    const int64 size = static_cast<int64>(sizeof(T)), total = this->steps(call).total;
    bytes.push_back(call.backward || this->products_first(call, {0, call.batch}) ? total * this->net_row_ * size : 0);
    bytes.push_back(this->sequences_ ? 0 : (call.backward ? total : 2 * call.batch) * this->units_ * size);
    bytes.push_back(call.backward ? call.batch * carried_width_ * size : 0);
}

template <class T>
void ForgetGateRnn<T>::forward(const Call<T>& call, Slice slice, int, T*) const {
    const auto& k = *call.kernels;
    const Steps& steps = this->steps(call);
    const int64 row = this->hidden_row_;
    const bool kept = this->sequences_ || call.backward;
    const auto h_row = [&](int64 t) { return kept ? steps.offset[t] : (t % 2) * call.batch; };
    T* h = hidden(call);
    T* gates = call.backward ? this->extra(call, 0) : nullptr;
    T* products = this->products_first(call, slice) ? this->extra(call, 0) : nullptr;
    const auto units = this->share(slice);
    const int64 net = units.panel * this->kernel_->width;  // first net value
    const T* bias = this->bias_ ? this->bias_->weights.data() + net : nullptr;
    if (products) this->take_products(call, units, products, this->net_row_);
    this->for_each_step(call, slice, [&](int64 t, int64 first, int64 rows, int64 before) {
        const T* h_before = before >= 0 ? h + (h_row(before) + first) * row : nullptr;
        kernels::Tap<T> taps[2];
        int64 tap_count = 0;
        if (!products) taps[tap_count++] = this->input_tap(call, t, first, units.panel);
        if (h_before) taps[tap_count++] = this->recurrent_tap(h_before, units.panel);
        if (units.count > 0)
            k.forget_gate_forward({taps, tap_count, rows, units.count,
                                   products ? products + (steps.offset[t] + first) * this->net_row_ + net : bias,
                                   products ? this->net_row_ : 0,
                                   gates ? gates + (steps.offset[t] + first) * this->net_row_ + net : nullptr,
                                   this->net_row_, h_before ? h_before + units.first : nullptr, row,
                                   h + (h_row(t) + first) * row + units.first, row, activation_, recurrent_activation_});
        slice.meet();
        if (this->sequences_ || slice.part > 0) return;
        this->for_ending(call, {first, first + rows}, t, [&](int64 ended, int64 count) {
            this->write_last(call, ended, count, h + (h_row(t) + ended) * row);
        });
    });
}

// Rows whose last step is t enter there, with no δ_{t+1} and nothing carried.
template <class T>
void ForgetGateRnn<T>::backward(const Call<T>& call, Slice slice, int, T*) const {
    const auto& k = *call.kernels;
    const Steps& steps = this->steps(call);
    T* gates = this->extra(call, 0);
    const T* h = hidden(call);
    T* carried = this->extra(call, 2);
    this->for_each_step_back(call, slice, [&](int64 t, int64 first, int64 rows, int64 before, int64 after) {
        const bool ends = after < 0;
        kernels::Tap<T> tap{};
        if (!ends) tap = this->back_tap(k, gates + (steps.offset[after] + first) * this->net_row_);
        if (ends) std::memset(carried + first * carried_width_, 0, static_cast<size_t>(rows * carried_width_) * sizeof(T));
        const T* above = nullptr;
        if (this->sequences_ || ends)
            above = this->output_gradients(call) + ((this->sequences_ ? steps.offset[t] : 0) + first) * this->output_row_;
        k.forget_gate_backward({&tap, ends ? 0 : 1, rows, this->units_, above, this->output_row_,
                                gates + (steps.offset[t] + first) * this->net_row_, this->net_row_,
                                before >= 0 ? h + (steps.offset[before] + first) * this->hidden_row_ : nullptr,
                                this->hidden_row_, carried + first * carried_width_, carried_width_, activation_,
                                recurrent_activation_});
    });
    this->input_gradient(call, slice);
}

template class ForgetGateRnn<float>;
template class ForgetGateRnn<double>;

}  // namespace tauten
