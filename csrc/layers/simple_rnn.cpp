#include "layers/simple_rnn.h"

#include <cstring>

namespace tauten {

// Buffers: h of all steps (or of two, in inference) and δ of all steps, where the output edge has no place for them.
template <class T>
void SimpleRnn<T>::extra_bytes(const Call<T>& call, std::vector<int64>& bytes) const {
    const int64 row = this->units_ * static_cast<int64>(sizeof(T)), total = this->steps(call).total;
    bytes.push_back(this->sequences_ ? 0 : (call.backward ? total : 2 * call.batch) * row);
    bytes.push_back(this->sequences_ || !call.backward ? 0 : total * row);
}

template <class T>
T* SimpleRnn<T>::hidden(const Call<T>& call) const {
    return this->sequences_ ? call.values[this->output] : this->extra(call, 0);
}

template <class T>
T* SimpleRnn<T>::delta(const Call<T>& call) const {
    return this->sequences_ ? call.gradients[this->output] : this->extra(call, 1);
}

// Two taps a step: x_t·W_i and h_{t-1}·W_h
template <class T>
void SimpleRnn<T>::forward(const Call<T>& call, Slice slice, int, T*) const {
    const auto& k = *call.kernels;
    const Steps& steps = this->steps(call);
    const bool kept = this->sequences_ || call.backward;
    const int64 m = this->units_;
    const auto h_row = [&](int64 t) { return kept ? steps.offset[t] : (t % 2) * call.batch; };
    T* h = hidden(call);
    for (int64 t = 0; t < steps.steps; ++t) {
        const int64 rows = steps.alive(t, slice);
        if (rows == 0) break;
        kernels::Tap<T> taps[2] = {this->input_tap(call, t, slice.begin), {}};
        if (t > 0) taps[1] = this->recurrent_tap(k, h + (h_row(t - 1) + slice.begin) * m);
        T* now = h + (h_row(t) + slice.begin) * m;
        k.gemm({taps, t > 0 ? 2 : 1, rows, m, k.panel, now, m, k.panel,
                this->bias_ ? this->bias_->weights.data() : nullptr, false, activation_, nullptr, 0});
        if (!this->sequences_)
            this->for_ending(call, slice, t, [&](int64 first, int64 count) {
                std::memcpy(call.values[this->output] + first * m, h + (h_row(t) + first) * m,
                            static_cast<size_t>(count * m) * sizeof(T));
            });
    }
}

// δ_t = f'(h_t) ⊙ (∂E/∂h_t + W_h·δ_{t+1}), in place of ∂E/∂h_t (§26.1.2)
template <class T>
void SimpleRnn<T>::backward(const Call<T>& call, Slice slice, int, T*) const {
    const auto& k = *call.kernels;
    const Steps& steps = this->steps(call);
    const int64 m = this->units_;
    T* d = delta(call);
    const T* h = hidden(call);
    for (int64 t = steps.steps - 1; t >= 0; --t) {
        const int64 rows = steps.alive(t, slice), following = steps.alive(t + 1, slice);
        const auto step = [&](int64 first, int64 count, bool follows, bool above) {
            if (count == 0) return;
            const int64 at = (steps.offset[t] + first) * m;
            kernels::Tap<T> tap{};
            if (follows) tap = this->back_tap(k, d + (steps.offset[t + 1] + first) * m);
            k.gemm({&tap, follows ? 1 : 0, count, m, k.panel, d + at, m, k.panel, nullptr, above, activation_, h + at, m});
        };
        if (!this->sequences_)
            this->for_ending(call, slice, t, [&](int64 first, int64 count) {
                std::memcpy(d + (steps.offset[t] + first) * m, call.gradients[this->output] + first * m,
                            static_cast<size_t>(count * m) * sizeof(T));
            });
        step(slice.begin, following, true, this->sequences_);
        step(slice.begin + following, rows - following, false, true);
    }
    this->input_gradient(call, slice);
}

template class SimpleRnn<float>;
template class SimpleRnn<double>;

}  // namespace tauten
