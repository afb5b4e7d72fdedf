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
kernels::PoolArguments<T> Pool<T>::arguments(const Call<T>& call, int64 row, Range channels) const {
    kernels::PoolArguments<T> a{};
    a.channels = channels.size();
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
    const auto place = [&](const Grid& grid) { return row * grid.sample + grid.origin + channels.begin; };
    a.input = call.values[this->input] + place(input_);
    a.output = call.values[this->output] + place(output_);
    uint8* where = this->template extra<uint8>(call, 0);
    a.argmax = where ? where + row * window_.positions() * channels_ + channels.begin : nullptr;
    a.argmax_stride = channels_;
    if (call.backward && this->wants_input_gradient(call)) {
        a.output_gradient = call.gradients[this->output] + place(output_gradient_);
        a.input_gradient = call.gradients[this->input] + place(input_gradient_);
    }
    a.below = below_;
    return a;
}

// A part of the channels, whole vectors.
template <class T>
Range Pool<T>::share(const Call<T>& call, Slice slice) const {
    const int64 lanes = call.kernels->lanes;
    const Range own = slice.share(divide_up(channels_, lanes));
    return {own.begin * lanes, std::min(channels_, own.end * lanes)};
}

// Parts: of the outputs along the outermost extent, or of the channels.
template <class T>
void Pool<T>::forward(const Call<T>& call, Slice slice, int, T*) const {
    const auto kernel = kind_ == Kind::max ? call.kernels->max_pool : call.kernels->average_pool;
    int d = 0;
    while (d < 2 && window_.output[d] == 1) ++d;
    const int64 outputs = window_.output[d];
    const bool by_outputs = outputs >= slice.parts;
    const Range own = by_outputs ? slice.share(outputs) : Range{0, outputs};
    const Range channels = by_outputs ? Range{0, channels_} : share(call, slice);
    if (own.size() <= 0 || channels.size() <= 0) return;
    for (int64 r = slice.begin; r < slice.end; ++r) {
        kernels::PoolArguments<T> a = arguments(call, r, channels);
        a.output_extent[d] = own.size();
        a.before[d] -= own.begin * a.step[d];
        a.output += own.begin * a.output_stride[d];
        if (a.argmax) a.argmax += own.begin * window_.positions() / outputs * a.argmax_stride;
        kernel(a);
    }
}

template <class T>
bool Pool<T>::in_parts(const Call<T>& call, Way way) const {
    return way == Way::forward || channels_ > call.kernels->lanes;
}

// Parts: of the channels.
template <class T>
void Pool<T>::backward(const Call<T>& call, Slice slice, int, T*) const {
    if (!this->wants_input_gradient(call)) return;
    const auto kernel = kind_ == Kind::max ? call.kernels->max_pool_gradient : call.kernels->average_pool_gradient;
    const Range channels = share(call, slice);
    if (channels.size() <= 0) return;
    for (int64 r = slice.begin; r < slice.end; ++r) kernel(arguments(call, r, channels));
}

template class Pool<float>;
template class Pool<double>;

}  // namespace tauten
