// States of recurrent layers that come and go by edges, and their gradients.
#include <cstring>

#include "layers/recurrent.h"

namespace tauten {

template <class T>
std::vector<int> Recurrent<T>::inputs() const {
    std::vector<int> all{this->input};
    for (const Beginning& state : begins_) all.push_back(state.edge);
    return all;
}

template <class T>
std::vector<int> Recurrent<T>::outputs() const {
    std::vector<int> all{this->output};
    all.insert(all.end(), ends_.begin(), ends_.end());
    return all;
}

template <class T>
void Recurrent<T>::replace_input(int from, int to) {
    if (this->input == from) this->input = to;
    for (Beginning& state : begins_)
        if (state.edge == from) state.edge = to;
}

template <class T>
Strided<T> Recurrent<T>::end_gradient(const Call<T>& call, int state, int64 first) const {
    if (ends_.empty()) return {};
    return {call.gradients[ends_[static_cast<size_t>(state)]] + first * units_, units_};
}

template <class T>
Strided<T> Recurrent<T>::last_gradient(const Call<T>& call, Strided<T> above, int64 first, int64 rows) const {
    const Strided<T> of_state = end_gradient(call, 0, first);
    if (!of_state.data) return above;
    T* const sum = this->template extra<T>(call, last_gradient_buffer()) + first * units_;
    for (int64 r = 0; r < rows; ++r)
        call.kernels->combine(kernels::Combination::sum, units_, above.row(r), of_state.row(r), sum + r * units_);
    return {sum, units_};
}

// ∂E/∂h_0 = W_h·δ_1, through the mask, and what the cell carries; ∂E/∂c_0 is what it carries.
template <class T>
void Recurrent<T>::begin_gradient(const Call<T>& call, int64 t, int64 first, int64 rows, kernels::Tap<T>* taps) const {
    const auto& k = *call.kernels;
    for (size_t i = 0; i < begins_.size() && this->wants_input_gradient(call); ++i) {
        T* const all = call.gradients[begins_[i].edge];
        if (!all) continue;  // of the user's data, and not asked for
        T* const to = all + first * units_;
        if (i == 0) {
            const T* d = delta(call) + (steps(call).offset[t] + first) * net_row_ + first_slot_;
            const int64 count = transposed_taps(k, d, recurrent_transposed_, recurrent_vectors_, taps);
            k.gemm({taps, count, rows, units_, k.panel, to, units_, k.panel, nullptr, false, Activation::linear, nullptr, 0});
            drop_rows(call, first, rows, to);
        }
        const Strided<T> more = carried(call, static_cast<int>(i), first);
        for (int64 r = 0; more.data && r < rows; ++r) {
            if (i == 0)
                k.add(units_, more.row(r), to + r * units_);
            else
                std::memcpy(to + r * units_, more.row(r), static_cast<size_t>(units_) * sizeof(T));
        }
        if (begins_[i].below != Activation::linear)
            k.activation_gradient(begins_[i].below, rows, units_, call.values[begins_[i].edge] + first * units_, units_, to, units_);
    }
}

// Rows of no steps end as they begin.
template <class T>
void Recurrent<T>::stepless_gradient(const Call<T>& call, Slice slice) const {
    const auto& k = *call.kernels;
    for (size_t i = 0; i < begins_.size() && this->wants_input_gradient(call); ++i) {
        T* const all = call.gradients[begins_[i].edge];
        for (int64 r = std::max(slice.begin, steps(call).active[0]); all && r < slice.end; ++r) {
            T* const to = all + r * units_;
            std::memset(to, 0, static_cast<size_t>(units_) * sizeof(T));
            if (i == 0 && !sequences_) k.add(units_, output_gradients(call) + r * output_row_, to);
            if (const Strided<T> end = end_gradient(call, static_cast<int>(i), r); end.data) k.add(units_, end.data, to);
            if (begins_[i].below != Activation::linear)
                k.activation_gradient(begins_[i].below, 1, units_, call.values[begins_[i].edge] + r * units_, units_, to, units_);
        }
    }
}

template class Recurrent<float>;
template class Recurrent<double>;

}  // namespace tauten
