#include "layers/lstm.h"

#include <cstring>

namespace tauten {

// Buffers: gates of all steps (training: their net gradients take their place; else what take_products() leaves), c of
// all steps or of one, h of all steps or of two (when the output edge holds only the last), δc.
template <class T>
void Lstm<T>::extra_bytes(const Call<T>& call, std::vector<int64>& bytes) const {
    const int64 size = static_cast<int64>(sizeof(T)), total = this->steps(call).total;
    bytes.push_back(call.backward || this->products_first(call, {0, call.batch}) ? total * this->net_row_ * size : 0);
    bytes.push_back((call.backward ? total : call.batch) * memory_width_ * size);
    bytes.push_back(this->sequences_ ? 0 : (call.backward ? total : 2 * call.batch) * this->units_ * size);
    bytes.push_back(call.backward ? call.batch * memory_width_ * size : 0);
}

template <class T>
void Lstm<T>::forward(const Call<T>& call, Slice slice, int, T*) const {
    const auto& k = *call.kernels;
    const Steps& steps = this->steps(call);
    const int64 row = this->hidden_row_;
    const bool kept = this->sequences_ || call.backward;
    const auto h_row = [&](int64 t) { return kept ? steps.offset[t] : (t % 2) * call.batch; };
    const auto c_row = [&](int64 t) { return call.backward ? steps.offset[t] : 0; };
    T* h = hidden(call);
    T* gates = call.backward ? this->extra(call, 0) : nullptr;
    T* products = this->products_first(call, slice) ? this->extra(call, 0) : nullptr;
    T* c = this->extra(call, 1);
    const auto units = this->share(slice);
    const int64 net = units.panel * this->kernel_->width;  // first net value
    const T* bias = this->bias_ ? this->bias_->weights.data() + net : nullptr;
    if (products) this->take_products(call, units, products, this->net_row_);
    this->for_each_step(call, slice, [&](int64 t, int64 first, int64 rows, int64 before) {
        kernels::Tap<T> taps[2];
        int64 tap_count = 0;
        const bool follows = before >= 0;
        if (!products) taps[tap_count++] = this->input_tap(call, t, first, units.panel);
        if (follows) taps[tap_count++] = this->recurrent_tap(h + (h_row(before) + first) * row, units.panel);
        if (units.count > 0)
            k.lstm_forward({taps, tap_count, rows, units.count,
                            products ? products + (steps.offset[t] + first) * this->net_row_ + net : bias,
                            products ? this->net_row_ : 0,
                            gates ? gates + (steps.offset[t] + first) * this->net_row_ + net : nullptr, this->net_row_,
                            follows ? c + (c_row(before) + first) * memory_width_ + units.first : nullptr, memory_width_,
                            c + (c_row(t) + first) * memory_width_ + units.first, memory_width_,
                            h + (h_row(t) + first) * row + units.first, row, activation_, recurrent_activation_});
        slice.meet();
        if (this->sequences_ || slice.part > 0) return;
        this->for_ending(call, {first, first + rows}, t, [&](int64 ended, int64 count) {
            this->write_last(call, ended, count, h + (h_row(t) + ended) * row);
        });
    });
}

// Rows whose last step is t enter there, with no δ_{t+1} and δc = 0.
template <class T>
void Lstm<T>::backward(const Call<T>& call, Slice slice, int, T*) const {
    const auto& k = *call.kernels;
    const Steps& steps = this->steps(call);
    T* gates = this->extra(call, 0);
    const T* c = this->extra(call, 1);
    T* memory_gradient = this->extra(call, 3);
    this->for_each_step_back(call, slice, [&](int64 t, int64 first, int64 rows, int64 before, int64 after) {
        const bool ends = after < 0;
        kernels::Tap<T> tap{};
        if (!ends) tap = this->back_tap(k, gates + (steps.offset[after] + first) * this->net_row_);
        if (ends)
            std::memset(memory_gradient + first * memory_width_, 0, static_cast<size_t>(rows * memory_width_) * sizeof(T));
        const T* above = nullptr;
        if (this->sequences_ || ends)
            above = this->output_gradients(call) + ((this->sequences_ ? steps.offset[t] : 0) + first) * this->output_row_;
        k.lstm_backward({&tap, ends ? 0 : 1, rows, this->units_, above, this->output_row_,
                         gates + (steps.offset[t] + first) * this->net_row_, this->net_row_,
                         c + (steps.offset[t] + first) * memory_width_, memory_width_,
                         before >= 0 ? c + (steps.offset[before] + first) * memory_width_ : nullptr, memory_width_,
                         memory_gradient + first * memory_width_, memory_width_, activation_, recurrent_activation_});
    });
    this->input_gradient(call, slice);
}

template class Lstm<float>;
template class Lstm<double>;

}  // namespace tauten
