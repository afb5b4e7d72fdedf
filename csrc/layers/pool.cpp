#include "layers/pool.h"

#include <cstring>

namespace tauten {

// Where each maximum was: one byte a value, unless a window has more positions than a byte counts.
template <class T>
void Pool<T>::extra_bytes(const Call<T>& call, std::vector<int64>& bytes) const {
    const bool kept = kind_ == Kind::max && call.backward && window_.size() <= 256;
    bytes.push_back(kept ? call.batch * window_.positions() * channels_ : 0);
}

template <class T>
double Pool<T>::work(const Call<T>& call) const {
    return static_cast<double>(call.batch * window_.positions() * window_.size() * channels_);
}

template <class T>
kernels::PoolArguments<T> Pool<T>::arguments(const Call<T>& call, int64 row) const {
    kernels::PoolArguments<T> a{};
    a.channels = channels_;
    for (int d = 0; d < 3; ++d) {
        a.input_extent[d] = window_.input[d];
        a.input_stride[d] = input_.stride[d];
        a.output_extent[d] = window_.output[d];
        a.output_stride[d] = output_.stride[d];
        a.window[d] = window_.window[d];
        a.step[d] = window_.step[d];
        a.before[d] = window_.before[d];
        a.output_gradient_stride[d] = output_gradient_.stride[d];
        a.input_gradient_stride[d] = input_gradient_.stride[d];
    }
    a.input = call.values[this->input] + row * input_.sample + input_.origin;
    a.output = call.values[this->output] + row * output_.sample + output_.origin;
    uint8* where = this->template extra<uint8>(call, 0);
    a.argmax = where ? where + row * window_.positions() * channels_ : nullptr;
    if (call.backward && this->wants_input_gradient(call)) {
        a.output_gradient = call.gradients[this->output] + row * output_gradient_.sample + output_gradient_.origin;
        a.input_gradient = call.gradients[this->input] + row * input_gradient_.sample + input_gradient_.origin;
    }
    a.below = below_;
    return a;
}

template <class T>
void Pool<T>::forward(const Call<T>& call, Slice slice, int, T*) const {
    const auto kernel = kind_ == Kind::max ? call.kernels->max_pool : call.kernels->average_pool;
    // parts: of the channels, whole vectors
    const int64 lanes = call.kernels->lanes;
    const Range own = slice.share(divide_up(channels_, lanes));
    const int64 first = own.begin * lanes;
    if (own.size() == 0) return;
    for (int64 r = slice.begin; r < slice.end; ++r) {
        kernels::PoolArguments<T> a = arguments(call, r);
        a.channels = std::min(channels_, own.end * lanes) - first;
        a.input += first;
        a.output += first;
        kernel(a);
    }
}

template <class T>
bool Pool<T>::in_parts(const Call<T>& call) const {
    return channels_ > call.kernels->lanes;
}

template <class T>
void Pool<T>::backward(const Call<T>& call, Slice slice, int, T*) const {
    if (!this->wants_input_gradient(call)) return;
    const auto kernel = kind_ == Kind::max ? call.kernels->max_pool_gradient : call.kernels->average_pool_gradient;
    for (int64 r = slice.begin; r < slice.end; ++r) kernel(arguments(call, r));
}

template class Pool<float>;
template class Pool<double>;

}  // namespace tauten
