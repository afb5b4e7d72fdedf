#include "layers/pointwise.h"

namespace tauten {

namespace {
constexpr int64 least_shared = 4096;  // values that are worth sharing out
}

template <class T>
bool PointwiseNode<T>::in_parts(const Call<T>& call, Way) const {
    return this->grid_.rows(call.batch, call.axes) * this->grid_.channels >= least_shared;
}

// y = f(x)
template <class T>
void PointwiseNode<T>::forward(const Call<T>& call, Slice slice, int, T*) const {
    for_each_run(this->grid_, call.batch, call.axes, slice, [&](int64 first, int64 rows) {
        const Range share = slice.share(rows * this->grid_.channels);
        const int64 at = first * this->grid_.channels + share.begin;
        call.kernels->pointwise(function_, share.size(), call.values[this->input] + at, call.values[this->output] + at);
    });
}

// ∂E/∂x = ∂E/∂y ⊙ f'(x)
template <class T>
void PointwiseNode<T>::backward(const Call<T>& call, Slice slice, int, T*) const {
    if (!this->wants_input_gradient(call)) return;
    for_each_run(this->grid_, call.batch, call.axes, slice, [&](int64 first, int64 rows) {
        const Range share = slice.share(rows * this->grid_.channels);
        const int64 at = first * this->grid_.channels + share.begin, n = share.size();
        const T* x = call.values[this->input] + at;
        T* gradient = call.gradients[this->input] + at;
        call.kernels->pointwise_gradient(function_, n, x, call.gradients[this->output] + at, gradient);
        if (this->below_ != Activation::linear)
            call.kernels->activation_gradient(this->below_, 1, n, x, n, gradient, n);
    });
}

template class PointwiseNode<float>;
template class PointwiseNode<double>;

}  // namespace tauten
