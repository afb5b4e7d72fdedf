#include "layers/reverse.h"

#include <cstring>

namespace tauten {

template <class T>
template <class F>
void Reverse<T>::for_each_pair(const Call<T>& call, Slice slice, F&& f) const {
    const Steps& axis = call.axes[this->grid_.axis];
    int64 length = axis.steps;
    for (int64 r = slice.begin; r < slice.end; ++r) {
        while (length > 0 && axis.active[length - 1] <= r) --length;  // the longest come first
        for (int64 t = 0; t < length; ++t)
            f((axis.offset[t] + r) * this->grid_.channels, (axis.offset[length - 1 - t] + r) * this->grid_.channels);
    }
}

template <class T>
void Reverse<T>::forward(const Call<T>& call, Slice slice, int, T*) const {
    for_each_pair(call, slice, [&](int64 from, int64 to) {
        std::memcpy(call.values[this->output] + to, call.values[this->input] + from,
                    static_cast<size_t>(this->grid_.channels) * sizeof(T));
    });
}

template <class T>
void Reverse<T>::backward(const Call<T>& call, Slice slice, int, T*) const {
    if (!this->wants_input_gradient(call)) return;
    const int64 c = this->grid_.channels;
    for_each_pair(call, slice, [&](int64 to, int64 from) {
        T* gradient = call.gradients[this->input] + to;
        std::memcpy(gradient, call.gradients[this->output] + from, static_cast<size_t>(c) * sizeof(T));
        if (this->below_ != Activation::linear)
            call.kernels->activation_gradient(this->below_, 1, c, call.values[this->input] + to, c, gradient, c);
    });
}

template class Reverse<float>;
template class Reverse<double>;

}  // namespace tauten
