#include "layers/simple_rnn.h"

#include <cstring>

namespace tauten {

// δ of all steps takes the place of ∂E/∂h where there is one for every step.
template <class T>
void SimpleRnn<T>::plan(const std::vector<Edge>& edges) {
    Recurrent<T>::plan(edges);
    this->net_row_ = this->hidden_row_;
}

// Buffers: h of all steps (or of two, in inference) and δ of all steps, where the output has no place for them.
template <class T>
void SimpleRnn<T>::extra_bytes(const Call<T>& call, std::vector<int64>& bytes) const {
    const int64 row = this->units_ * static_cast<int64>(sizeof(T)), total = this->steps(call).total;
    bytes.push_back(this->sequences_ ? 0 : (call.backward ? total : 2 * call.batch) * row);
    bytes.push_back(this->sequences_ || !call.backward ? 0 : total * row);
}

template <class T>
T* SimpleRnn<T>::hidden(const Call<T>& call) const {
    return this->sequences_ ? this->outputs(call) : this->extra(call, 0);
}

template <class T>
T* SimpleRnn<T>::delta(const Call<T>& call) const {
    return this->sequences_ ? this->output_gradients(call) : this->extra(call, 1);
}

// Two taps a step: x_t·W_i and h_{t-1}·W_h
template <class T>
void SimpleRnn<T>::forward(const Call<T>& call, Slice slice, int, T*) const {
    const auto& k = *call.kernels;
    const Steps& steps = this->steps(call);
    const bool kept = this->sequences_ || call.backward;
    const int64 row = this->hidden_row_;
    const auto h_row = [&](int64 t) { return kept ? steps.offset[t] : (t % 2) * call.batch; };
    T* h = hidden(call);
    const auto units = this->share(slice);
    const T* bias = this->bias_ ? this->bias_->weights.data() + units.first : nullptr;
    const bool products = this->sequences_ && this->products_first(call, slice);
    if (products) this->take_products(call, units, h, row);
    this->for_each_step(call, slice, [&](int64 t, int64 first, int64 rows, int64 before) {
        kernels::Tap<T> taps[2];
        int64 tap_count = 0;
        if (!products) taps[tap_count++] = this->input_tap(call, t, first, units.panel);
        if (before >= 0) taps[tap_count++] = this->recurrent_tap(h + (h_row(before) + first) * row, units.panel);
        if (units.count > 0)
            k.gemm({taps, tap_count, rows, units.count, k.panel, h + (h_row(t) + first) * row + units.first, row, k.panel,
                    products ? nullptr : bias, products, activation_, nullptr, 0});
        slice.meet();
        if (this->sequences_ || slice.part > 0) return;
        this->for_ending(call, {first, first + rows}, t, [&](int64 ended, int64 count) {
            this->write_last(call, ended, count, h + (h_row(t) + ended) * row);
        });
    });
}

// δ_t = f'(h_t) ⊙ (∂E/∂h_t + W_h·δ_{t+1}), in place of ∂E/∂h_t (§26.1.2)
template <class T>
void SimpleRnn<T>::backward(const Call<T>& call, Slice slice, int, T*) const {
    const auto& k = *call.kernels;
    const Steps& steps = this->steps(call);
    const int64 m = this->units_, row = this->hidden_row_;
    T* d = delta(call);
    const T* h = hidden(call);
    this->for_each_step_back(call, slice, [&](int64 t, int64 first, int64 rows, int64, int64 after) {
        const int64 at = (steps.offset[t] + first) * row;
        const bool ends = after < 0;
        if (!this->sequences_ && ends)
            for (int64 r = first; r < first + rows; ++r)
                std::memcpy(d + (steps.offset[t] + r) * row, this->output_gradients(call) + r * this->output_row_,
                            static_cast<size_t>(m) * sizeof(T));
        kernels::Tap<T> tap{};
        if (!ends) tap = this->back_tap(k, d + (steps.offset[after] + first) * row);
        k.gemm({&tap, ends ? 0 : 1, rows, m, k.panel, d + at, row, k.panel, nullptr, this->sequences_ || ends, activation_,
                h + at, row});
    });
    this->input_gradient(call, slice);
}

template class SimpleRnn<float>;
template class SimpleRnn<double>;

}  // namespace tauten
