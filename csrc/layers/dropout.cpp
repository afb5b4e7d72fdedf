#include "layers/dropout.h"

#include <algorithm>
#include <cstring>

namespace tauten {

// y = u ⊙ x / r
template <class T>
void DropoutNode<T>::forward(const Call<T>& call, Slice slice, int, T* scratch) const {
    if (call.training) drop(call, slice, call.values[this->input], call.values[this->output], scratch);
}

// ∂E/∂x = u ⊙ ∂E/∂y / r, the mask drawn again
template <class T>
void DropoutNode<T>::backward(const Call<T>& call, Slice slice, int, T* scratch) const {
    if (!this->wants_input_gradient(call)) return;
    const int64 c = this->grid_.channels;
    if (call.training) drop(call, slice, call.gradients[this->output], call.gradients[this->input], scratch);
    for_each_run(this->grid_, call.batch, call.axes, slice, [&](int64 first, int64 rows) {
        T* gradient = call.gradients[this->input] + first * c;
        if (!call.training)
            std::memcpy(gradient, call.gradients[this->output] + first * c, static_cast<size_t>(rows * c) * sizeof(T));
        if (this->below_ != Activation::linear)
            call.kernels->activation_gradient(this->below_, rows, c, call.values[this->input] + first * c, c, gradient, c);
    });
}

// Every value is keyed by its sample's place in the user's batch and its own place in the sample.
template <class T>
void Dropout<T>::drop(const Call<T>& call, Slice slice, const T* from, T* to, T*) const {
    const kernels::DropoutKey key = this->key(call);
    const Grid& grid = this->grid_;
    if (!grid.time) {
        for (int64 r = slice.begin; r < slice.end; ++r)
            call.kernels->dropout(key, this->keep_, static_cast<uint64>(call.order[r]), 0, grid.sample,
                                  from + r * grid.sample, to + r * grid.sample);
        return;
    }
    const Steps& axis = call.axes[grid.axis];
    for (int64 t = 0; t < axis.steps; ++t)
        for (int64 i = 0; i < axis.alive(t, slice); ++i) {
            const int64 r = slice.begin + i, at = (axis.offset[t] + r) * grid.channels;
            call.kernels->dropout(key, this->keep_, static_cast<uint64>(call.order[r]),
                                  static_cast<uint64>(t * grid.channels), grid.channels, from + at, to + at);
        }
}

// The mask of a channel is keyed by its sample's place in the user's batch and its own number.
template <class T>
void SpatialDropout<T>::drop(const Call<T>& call, Slice slice, const T* from, T* to, T* scratch) const {
    const kernels::DropoutKey key = this->key(call);
    const Grid& grid = this->grid_;
    const int64 c = grid.channels;
    T *const mask = scratch, *const zeros = scratch + c;
    std::fill_n(zeros, c, T{0});
    const auto times_mask = [&](int64 row, int64 rows) {
        call.kernels->normalize(Activation::linear, rows, c, from + row * c, zeros, mask, zeros, nullptr, to + row * c);
    };
    for (int64 r = slice.begin; r < slice.end; ++r) {
        std::fill_n(mask, c, T{1});
        call.kernels->dropout(key, this->keep_, static_cast<uint64>(call.order[r]), 0, c, mask, mask);
        if (!grid.time) {
            times_mask(r * grid.positions(), grid.positions());
            continue;
        }
        const Steps& axis = call.axes[grid.axis];
        for (int64 t = 0; t < axis.steps && r < axis.active[t]; ++t) times_mask(axis.offset[t] + r, 1);
    }
}

template class DropoutNode<float>;
template class DropoutNode<double>;
template class Dropout<float>;
template class Dropout<double>;
template class SpatialDropout<float>;
template class SpatialDropout<double>;

}  // namespace tauten
