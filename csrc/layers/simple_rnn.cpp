#include "layers/simple_rnn.h"

#include <cstring>

namespace tauten {

// δ of all steps takes the place of ∂E/∂h where there is one for every step.
template <class T>
void SimpleRnn<T>::plan(const std::vector<Edge>& edges) {
    Recurrent<T>::plan(edges);
    this->net_row_ = this->hidden_row_;
}

template <class T>
void SimpleRnn<T>::cell_bytes(const Call<T>& call, std::vector<int64>& bytes) const {
    bytes.push_back(this->sequences_ || !call.backward
                        ? 0
                        : this->steps(call).total * this->units_ * static_cast<int64>(sizeof(T)));
}

template <class T>
T* SimpleRnn<T>::delta(const Call<T>& call) const {
    return this->sequences_ ? this->output_gradients(call) : this->buffer(call, 0);
}

// Products lie where h_t is to be.
template <class T>
void SimpleRnn<T>::step_forward(const Call<T>& call, const Forward& step) const {
    const auto& k = *call.kernels;
    k.gemm({step.taps, step.tap_count, step.rows, step.units.count, k.panel, step.hidden, this->hidden_row_, k.panel,
            step.products ? nullptr : step.start, step.products, activation_, nullptr, 0});
}

// δ_t = f'(h_t) ⊙ (∂E/∂h_t + W_h·δ_{t+1}), in place of ∂E/∂h_t (§26.1.2)
template <class T>
void SimpleRnn<T>::step_backward(const Call<T>& call, const Backward& step) const {
    const auto& k = *call.kernels;
    const int64 m = this->units_, row = this->hidden_row_, at = (this->steps(call).offset[step.t] + step.first) * row;
    T* d = delta(call) + at;
    if (step.above.data && step.above.data != d)
        for (int64 r = 0; r < step.rows; ++r)
            std::memcpy(d + r * row, step.above.row(r), static_cast<size_t>(m) * sizeof(T));
    k.gemm({step.taps, step.tap_count, step.rows, m, k.panel, d, row, k.panel, nullptr, step.above.data != nullptr,
            activation_, this->hidden(call) + at, row});
}

template class SimpleRnn<float>;
template class SimpleRnn<double>;

}  // namespace tauten
