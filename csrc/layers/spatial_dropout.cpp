#include "layers/spatial_dropout.h"

#include <algorithm>
#include <cstring>

namespace tauten {

// The mask of a channel is keyed by its sample's place in the user's batch and its own number.
template <class T>
void SpatialDropout<T>::apply(const Call<T>& call, Slice slice, const T* x, T* y, T* scratch) const {
    const kernels::DropoutKey key{seed_, call.number, number_};
    const Grid& grid = this->grid_;
    const int64 c = grid.channels;
    T *const mask = scratch, *const zeros = scratch + c;
    std::fill_n(zeros, c, T{0});
    const auto drop = [&](int64 row, int64 rows) {
        call.kernels->normalize(Activation::linear, rows, c, x + row * c, zeros, mask, zeros, y + row * c);
    };
    for (int64 r = slice.begin; r < slice.end; ++r) {
        std::fill_n(mask, c, T{1});
        call.kernels->dropout(key, keep_, static_cast<uint64>(call.order[r]), 0, c, mask, mask);
        if (!grid.time) {
            drop(r * grid.positions(), grid.positions());
            continue;
        }
        const Steps& axis = call.axes[grid.axis];
        for (int64 t = 0; t < axis.steps && r < axis.active[t]; ++t) drop(axis.offset[t] + r, 1);
    }
}

// y = u ⊙ x / r
template <class T>
void SpatialDropout<T>::forward(const Call<T>& call, Slice slice, int, T* scratch) const {
    if (call.training) apply(call, slice, call.values[this->input], call.values[this->output], scratch);
}

// ∂E/∂x = u ⊙ ∂E/∂y / r, the mask drawn again
template <class T>
void SpatialDropout<T>::backward(const Call<T>& call, Slice slice, int, T* scratch) const {
    if (!this->wants_input_gradient(call)) return;
    const int64 c = this->grid_.channels;
    if (call.training) apply(call, slice, call.gradients[this->output], call.gradients[this->input], scratch);
    for_each_run(this->grid_, call.batch, call.axes, slice, [&](int64 first, int64 rows) {
        T* gradient = call.gradients[this->input] + first * c;
        if (!call.training)
            std::memcpy(gradient, call.gradients[this->output] + first * c, static_cast<size_t>(rows * c) * sizeof(T));
        if (this->below_ != Activation::linear)
            call.kernels->activation_gradient(this->below_, rows, c, call.values[this->input] + first * c, c, gradient, c);
    });
}

template class SpatialDropout<float>;
template class SpatialDropout<double>;

}  // namespace tauten
