#include "layers/lstm.h"

#include <cstring>

namespace tauten {

// Buffers: gates of all steps (training; their net gradients take their place), c of all steps or of one,
// h of all steps or of two (when the output edge holds only the last), δc.
template <class T>
void Lstm<T>::extra_bytes(const Call<T>& call, std::vector<int64>& bytes) const {
    const int64 size = static_cast<int64>(sizeof(T)), total = this->steps(call).total;
    bytes.push_back(call.backward ? total * this->net_row_ * size : 0);
    bytes.push_back((call.backward ? total : call.batch) * memory_width_ * size);
    bytes.push_back(this->sequences_ ? 0 : (call.backward ? total : 2 * call.batch) * this->units_ * size);
    bytes.push_back(call.backward ? call.batch * memory_width_ * size : 0);
}

template <class T>
void Lstm<T>::forward(const Call<T>& call, Slice slice, int, T*) const {
    const auto& k = *call.kernels;
    const Steps& steps = this->steps(call);
    const int64 m = this->units_;
    const bool kept = this->sequences_ || call.backward;
    const auto h_row = [&](int64 t) { return kept ? steps.offset[t] : (t % 2) * call.batch; };
    const auto c_row = [&](int64 t) { return call.backward ? steps.offset[t] : 0; };
    T* h = hidden(call);
    T* gates = this->extra(call, 0);
    T* c = this->extra(call, 1);
    for (int64 t = 0; t < steps.steps; ++t) {
        const int64 rows = steps.alive(t, slice);
        if (rows == 0) break;
        kernels::Tap<T> taps[2] = {this->input_tap(call, t, slice.begin), {}};
        if (t > 0) taps[1] = this->recurrent_tap(k, h + (h_row(t - 1) + slice.begin) * m);
        k.lstm_forward({taps, t > 0 ? 2 : 1, rows, m, this->bias_ ? this->bias_->weights.data() : nullptr,
                        gates ? gates + (steps.offset[t] + slice.begin) * this->net_row_ : nullptr, this->net_row_,
                        t > 0 ? c + (c_row(t - 1) + slice.begin) * memory_width_ : nullptr, memory_width_,
                        c + (c_row(t) + slice.begin) * memory_width_, memory_width_,
                        h + (h_row(t) + slice.begin) * m, m, activation_, recurrent_activation_});
        if (!this->sequences_)
            this->for_ending(call, slice, t, [&](int64 first, int64 count) {
                std::memcpy(call.values[this->output] + first * m, h + (h_row(t) + first) * m,
                            static_cast<size_t>(count * m) * sizeof(T));
            });
    }
}

// From the last step to the first; rows that end with step t enter there, with no δ_{t+1} and δc = 0.
template <class T>
void Lstm<T>::backward(const Call<T>& call, Slice slice, int, T*) const {
    const auto& k = *call.kernels;
    const Steps& steps = this->steps(call);
    const int64 m = this->units_;
    T* gates = this->extra(call, 0);
    const T* c = this->extra(call, 1);
    T* memory_gradient = this->extra(call, 3);
    for (int64 t = steps.steps - 1; t >= 0; --t) {
        const int64 rows = steps.alive(t, slice), following = steps.alive(t + 1, slice);
        const auto step = [&](int64 first, int64 count, bool follows) {
            if (count == 0) return;
            kernels::Tap<T> tap{};
            if (follows) tap = this->back_tap(k, gates + (steps.offset[t + 1] + first) * this->net_row_);
            const T* above = nullptr;
            if (this->sequences_)
                above = call.gradients[this->output] + (steps.offset[t] + first) * m;
            else if (!follows)
                above = call.gradients[this->output] + first * m;
            k.lstm_backward({&tap, follows ? 1 : 0, count, m, above, m,
                             gates + (steps.offset[t] + first) * this->net_row_, this->net_row_,
                             c + (steps.offset[t] + first) * memory_width_, memory_width_,
                             t > 0 ? c + (steps.offset[t - 1] + first) * memory_width_ : nullptr, memory_width_,
                             memory_gradient + first * memory_width_, memory_width_, activation_, recurrent_activation_});
        };
        step(slice.begin, following, true);
        if (rows > following)
            std::memset(memory_gradient + (slice.begin + following) * memory_width_, 0,
                        static_cast<size_t>((rows - following) * memory_width_) * sizeof(T));
        step(slice.begin + following, rows - following, false);
    }
    this->input_gradient(call, slice);
}

template class Lstm<float>;
template class Lstm<double>;

}  // namespace tauten
