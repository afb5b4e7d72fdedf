#include "layers/upsampling.h"

#include <cstring>

namespace tauten {

namespace {

// y += scale · x, which lie apart
template <class T>
void add_scaled(int64 n, const T* __restrict x, T scale, T* __restrict y) {
    for (int64 i = 0; i < n; ++i) y[i] += scale * x[i];
}

}  // namespace

// -- repeated positions ------------------------------------------------------------------------------------

template <class T>
void Repeat<T>::forward(const Call<T>& call, Slice slice, int, T*) const {
    const Grid &in = this->input_, &out = this->output_;
    const size_t position = static_cast<size_t>(in.channels) * sizeof(T), line = static_cast<size_t>(out.extent[2]) * position;
    for (int64 r = slice.begin; r < slice.end; ++r) {
        const T* x = this->input_of(call, r);
        T* y = this->output_of(call, r);
        for (int64 a = 0; a < in.extent[0]; ++a)
            for (int64 b = 0; b < in.extent[1]; ++b) {
                const T* from = x + a * in.stride[0] + b * in.stride[1];
                T* const first = y + a * size_[0] * out.stride[0] + b * size_[1] * out.stride[1];
                T* to = first;
                for (int64 c = 0; c < in.extent[2]; ++c, from += in.channels)
                    for (int64 k = 0; k < size_[2]; ++k, to += in.channels) std::memcpy(to, from, position);
                for (int64 i = 0; i < size_[0]; ++i)
                    for (int64 j = 0; j < size_[1]; ++j)
                        if (i + j > 0) std::memcpy(first + i * out.stride[0] + j * out.stride[1], first, line);
            }
    }
}

// ∂E/∂x_i = Σ of all that it was repeated to, in their order.
template <class T>
void Repeat<T>::backward(const Call<T>& call, Slice slice, int, T*) const {
    if (!this->wants_input_gradient(call)) return;
    const Grid &in = this->input_gradient_, &out = this->output_gradient_;
    const int64 channels = in.channels;
    for (int64 r = slice.begin; r < slice.end; ++r) {
        const T* gradient = this->output_gradient_of(call, r);
        T* const sums = this->input_gradient_of(call, r);
        for (int64 a = 0; a < in.extent[0]; ++a)
            for (int64 b = 0; b < in.extent[1]; ++b) {
                T* const line = sums + a * in.stride[0] + b * in.stride[1];
                std::memset(line, 0, static_cast<size_t>(in.extent[2] * channels) * sizeof(T));
                for (int64 i = 0; i < size_[0]; ++i)
                    for (int64 j = 0; j < size_[1]; ++j) {
                        const T* from = gradient + (a * size_[0] + i) * out.stride[0] + (b * size_[1] + j) * out.stride[1];
                        T* to = line;
                        for (int64 c = 0; c < in.extent[2]; ++c, to += channels)
                            for (int64 k = 0; k < size_[2]; ++k, from += channels)
                                add_scaled(channels, from, T(1), to);
                    }
            }
        this->through_below(call, r);
    }
}

// -- between positions ---------------------------------------------------------------------------------------

template <class T>
void Bilinear<T>::plan(const std::vector<Edge>& edges) {
    GridNode<T>::plan(edges);
    const auto fill = [&](std::vector<Between>& between, int d) {
        const int64 inputs = this->input_.extent[d], size = size_[d];
        between.clear();
        for (int64 o = 0; o < inputs * size; ++o) {
            // (2o + 1 - size) / 2size, exactly
            const int64 twice = 2 * o + 1 - size, low = twice < 0 ? -1 : twice / (2 * size);
            const T share = static_cast<T>(twice - low * 2 * size) / static_cast<T>(2 * size);
            between.push_back({std::max<int64>(low, 0), std::min(low + 1, inputs - 1), share});
        }
    };
    fill(rows_, 1);
    fill(columns_, 2);
}

template <class T>
void Bilinear<T>::forward(const Call<T>& call, Slice slice, int, T*) const {
    const Grid &in = this->input_, &out = this->output_;
    for (int64 r = slice.begin; r < slice.end; ++r) {
        const T* x = this->input_of(call, r);
        T* y = this->output_of(call, r);
        for (size_t b = 0; b < rows_.size(); ++b) {
            const T *above = x + rows_[b].low * in.stride[1], *below = x + rows_[b].high * in.stride[1];
            T* to = y + static_cast<int64>(b) * out.stride[1];
            for (const Between& column : columns_) {
                const int64 low = column.low * in.channels, high = column.high * in.channels;
                for (int64 n = 0; n < in.channels; ++n) {
                    const T top = above[low + n] + (above[high + n] - above[low + n]) * column.share;
                    const T bottom = below[low + n] + (below[high + n] - below[low + n]) * column.share;
                    to[n] = top + (bottom - top) * rows_[b].share;
                }
                to += in.channels;
            }
        }
    }
}

// Each output hands its four inputs their shares, in the outputs' order.
template <class T>
void Bilinear<T>::backward(const Call<T>& call, Slice slice, int, T*) const {
    if (!this->wants_input_gradient(call)) return;
    const Grid &in = this->input_gradient_, &out = this->output_gradient_;
    for (int64 r = slice.begin; r < slice.end; ++r) {
        const T* gradient = this->output_gradient_of(call, r);
        T* const sums = this->input_gradient_of(call, r);
        for (int64 b = 0; b < in.extent[1]; ++b)
            std::memset(sums + b * in.stride[1], 0, static_cast<size_t>(in.extent[2] * in.channels) * sizeof(T));
        for (size_t b = 0; b < rows_.size(); ++b) {
            T *above = sums + rows_[b].low * in.stride[1], *below = sums + rows_[b].high * in.stride[1];
            const T* from = gradient + static_cast<int64>(b) * out.stride[1];
            for (const Between& column : columns_) {
                const int64 low = column.low * in.channels, high = column.high * in.channels;
                const T right = column.share, left = 1 - right, bottom = rows_[b].share, top = 1 - bottom;
                add_scaled(in.channels, from, top * left, above + low);
                add_scaled(in.channels, from, top * right, above + high);
                add_scaled(in.channels, from, bottom * left, below + low);
                add_scaled(in.channels, from, bottom * right, below + high);
                from += in.channels;
            }
        }
        this->through_below(call, r);
    }
}

template class Repeat<float>;
template class Repeat<double>;
template class Bilinear<float>;
template class Bilinear<double>;

}  // namespace tauten
