#include "layers/reset_first_gru.h"

#include <cmath>
#include <cstring>

namespace tauten {

namespace {

// f'(net) from y = f(net), one by one.
template <class T>
T slope(Activation f, T y) {
    switch (f) {
        case Activation::relu: return static_cast<T>(y > 0);
        case Activation::tanh: return 1 - y * y;
        case Activation::sigmoid: return y * (1 - y);
        case Activation::hard_sigmoid: return y > 0 && y < 1 ? static_cast<T>(1.0 / 6) : T{0};
        case Activation::hard_tanh: return static_cast<T>(std::abs(y) < 1);
        case Activation::relu6: return static_cast<T>(y > 0 && y < 6);
        case Activation::leaky_relu: return y > 0 ? T{1} : static_cast<T>(leaky_slope);
        case Activation::elu: return y > 0 ? T{1} : y + 1;
        case Activation::selu: return y > 0 ? static_cast<T>(selu_scale) : y + static_cast<T>(selu_alpha);
        case Activation::softsign: return (1 - std::abs(y)) * (1 - std::abs(y));
        case Activation::linear: break;
    }
    return 1;
}

}  // namespace

template <class T>
ResetFirstGru<T>::ResetFirstGru(Place place, const RecurrentOptions& options, Activation activation,
                                Activation recurrent_activation)
    : Recurrent<T>(std::move(place), options, 3, 1, 4), activation_(activation),
      recurrent_activation_(recurrent_activation) {
    this->kernel_->last_gate_first(options.features);
    if (this->bias_) this->bias_->last_gate_first(1);
    this->first_slot_ = this->kernel_->lanes;
    this->recurrent_vectors_ = 2;
    recurrent_gradient_.layer = this;
    recurrent_gradient_.parameter = this->recurrent_kernel_.get();
}

template <class T>
void ResetFirstGru<T>::cell_bytes(const Call<T>& call, std::vector<int64>& bytes) const {
    const int64 size = static_cast<int64>(sizeof(T)), row = this->units_ * size;
    bytes.push_back((call.backward ? this->steps(call).total : call.batch) * this->net_row_ * size);
    for (int i = 0; i < 3; ++i) bytes.push_back(call.backward ? call.batch * row : 0);
}

template <class T>
T* ResetFirstGru<T>::values(const Call<T>& call, int64 t, int64 first) const {
    return delta(call) + ((call.backward ? this->steps(call).offset[t] : 0) + first) * this->net_row_;
}

template <class T>
template <class F>
void ResetFirstGru<T>::for_each_unit(T* memory, int64 rows, F&& f) const {
    const int64 lanes = this->kernel_->lanes;
    for (int64 r = 0; r < rows; ++r)
        for (int64 p = 0; p < this->kernel_->panels; ++p)
            for (int64 i = 0; i < lanes; ++i) {
                const int64 unit = p * lanes + i;
                f(r, unit < this->units_ ? unit : -1, memory + r * this->net_row_ + p * this->slot_width_ + i);
            }
}

template <class T>
void ResetFirstGru<T>::step_forward(const Call<T>& call, const Forward& step) const {
    const auto& k = *call.kernels;
    const Parameter<T>& u = *this->recurrent_kernel_;
    const int64 lanes = u.lanes, panels = u.panels, row = this->net_row_;
    const Strided<T> before = step.hidden_before;
    T* at = values(call, step.t, step.first);
    k.gemm({step.taps, 1, step.rows, panels * 3 * lanes, 3 * lanes, at, row, this->slot_width_, step.start, false,
            Activation::linear, nullptr, 0});
    if (before.data)
        k.gemm({step.taps + 1, 1, step.rows, panels * 2 * lanes, 2 * lanes, at + lanes, row, this->slot_width_, nullptr, true,
                Activation::linear, nullptr, 0});
    for (int64 p = 0; p < panels; ++p) {
        T* gates = at + p * this->slot_width_ + lanes;
        k.activate(recurrent_activation_, step.rows, 2 * lanes, gates, row, gates, row);
    }
    const T* seen = before.data ? step.taps[1].a : nullptr;  // some of it may be dropped
    for_each_unit(at, step.rows, [&](int64 r, int64 unit, T* value) {
        if (unit < 0) value[lanes] = value[2 * lanes] = T{0};
        value[3 * lanes] = unit >= 0 && seen ? value[2 * lanes] * seen[r * step.taps[1].a_row + unit] : T{0};
    });
    // taps of a few panels at a time, which add up
    constexpr int64 at_once = 32;
    kernels::Tap<T> taps[at_once];
    for (int64 p = 0; p < panels; p += at_once) {
        const int64 count = std::min(at_once, panels - p);
        for (int64 i = 0; i < count; ++i)
            taps[i] = {at + (p + i) * this->slot_width_ + 3 * lanes, u.weights.data() + (p + i) * lanes * u.width + 2 * lanes,
                       row, 1, u.width, this->units_ * u.width, std::min(lanes, this->units_ - (p + i) * lanes)};
        k.gemm({taps, seen ? count : 0, step.rows, panels * lanes, lanes, at, row, this->slot_width_, nullptr, true,
                p + count == panels ? activation_ : Activation::linear, nullptr, 0});
    }
    for_each_unit(at, step.rows, [&](int64 r, int64 unit, T* value) {
        if (unit < 0) {
            value[0] = T{0};
            return;
        }
        const T h = before.data ? before.row(r)[unit] : T{0};
        step.hidden[r * this->hidden_row_ + unit] = value[0] + value[lanes] * (h - value[0]);
    });
}

// δh = above + U_z·δz + U_r·δr + carried;  δz = δh ⊙ (h_{t-1} - u) ⊙ σ'(z);  δu = δh ⊙ (1 - z) ⊙ f'(u);
// δr = (U_u·δu) ⊙ h_{t-1} ⊙ σ'(r);  carried = δh ⊙ z + (U_u·δu) ⊙ r
template <class T>
void ResetFirstGru<T>::step_backward(const Call<T>& call, const Backward& step) const {
    const auto& k = *call.kernels;
    const int64 m = this->units_, lanes = this->kernel_->lanes, panels = this->kernel_->panels, row = this->net_row_;
    const Strided<T> before = step.hidden_before;
    T* at = values(call, step.t, step.first);
    T* gradient = this->buffer(call, 1) + step.first * m;
    T* reset = this->buffer(call, 2) + step.first * m;
    T* carried = this->buffer(call, 3) + step.first * m;
    for (int64 r = 0; r < step.rows; ++r) {
        if (step.ends)
            std::memset(gradient + r * m, 0, static_cast<size_t>(m) * sizeof(T));
        else
            std::memcpy(gradient + r * m, carried + r * m, static_cast<size_t>(m) * sizeof(T));
        if (step.above.data) k.add(m, step.above.row(r), gradient + r * m);
    }
    k.gemm({step.taps, step.tap_count, step.rows, m, k.panel, gradient, m, k.panel, nullptr, true, Activation::linear,
            nullptr, 0});
    for_each_unit(at, step.rows, [&](int64 r, int64 unit, T* value) {
        if (unit < 0) return;
        const T u = value[0], z = value[lanes], d = gradient[r * m + unit], h = before.data ? before.row(r)[unit] : T{0};
        value[0] = d * (1 - z) * slope(activation_, u);
        value[lanes] = d * (h - u) * slope(recurrent_activation_, z);
        carried[r * m + unit] = d * z;
    });
    constexpr int64 at_once = 32;
    kernels::Tap<T> taps[at_once];
    for (int64 p = 0; p < panels; p += at_once) {
        const int64 count = std::min(at_once, panels - p);
        for (int64 i = 0; i < count; ++i)
            taps[i] = {at + (p + i) * this->slot_width_, this->transposed_rows(k, (p + i) * 3 * lanes + 2 * lanes), row, 1,
                       k.panel, this->net_width_ * k.panel, lanes};
        k.gemm({taps, count, step.rows, m, k.panel, reset, m, k.panel, nullptr, p > 0, Activation::linear, nullptr, 0});
    }
    this->drop_rows(call, step.first, step.rows, reset);
    for_each_unit(at, step.rows, [&](int64 r, int64 unit, T* value) {
        if (unit < 0) return;
        const T gate = value[2 * lanes], d = reset[r * m + unit], h = before.data ? before.row(r)[unit] : T{0};
        value[2 * lanes] = d * h * slope(recurrent_activation_, gate);
        carried[r * m + unit] += d * gate;
    });
}

template <class T>
void ResetFirstGru<T>::RecurrentGradient::part(const Call<T>& call, int64 part) const {
    const ResetFirstGru& l = *layer;
    const auto& k = *call.kernels;
    const Parameter<T>& u = *this->parameter;
    const int64 lanes = u.lanes, m = l.units_;
    T* gradient = this->parameter->gradient.data() + part * m * u.width;
    std::memset(gradient, 0, static_cast<size_t>(m * u.width) * sizeof(T));
    const int64 lines = l.gradient_lines(call);
    for (int64 i = 0; i < lines; ++i) {
        const Line<T> line = l.recurrent_line(call, i);  // h_{t-1} beside the values, at their first slot
        if (line.k == 0) continue;
        const T* values = line.b - lanes;
        const kernels::Tap<T> gates{line.a, values + part * l.slot_width_ + lanes, 1, line.a_column, line.b_row, k.panel,
                                    line.k};
        k.gemm({&gates, 1, m, 2 * lanes, k.panel, gradient, u.width, k.panel, nullptr, true, Activation::linear, nullptr, 0});
        for (int64 p = 0; p < u.panels; ++p) {
            const kernels::Tap<T> candidate{values + p * l.slot_width_ + 3 * lanes, values + part * l.slot_width_, 1, line.b_row,
                                            line.b_row, k.panel, line.k};
            k.gemm({&candidate, 1, std::min(lanes, m - p * lanes), lanes, k.panel, gradient + p * lanes * u.width + 2 * lanes,
                    u.width, k.panel, nullptr, true, Activation::linear, nullptr, 0});
        }
    }
}

template class ResetFirstGru<float>;
template class ResetFirstGru<double>;

}  // namespace tauten
