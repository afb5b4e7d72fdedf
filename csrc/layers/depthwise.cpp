#include "layers/depthwise.h"

#include <algorithm>
#include <cstring>

#include "layers/input_lines.h"

namespace tauten {

namespace {

constexpr int64 most_taps = 64;        // that one call of the kernel takes
constexpr int64 part_columns = 512;    // weights whose gradient is one part

}  // namespace

template <class T>
Depthwise<T>::Depthwise(Place place, const Window& window, int64 channels, Activation activation, bool use_bias,
                        const DepthwiseOptions& options)
    : PaddedNode<T>(std::move(place), window, options.padding_value, activation), channels_(channels),
      width_(channels * options.multiplier), options_(options) {
    Shape shape(window.window + 3 - window.rank, window.window + 3);
    shape.push_back(options.grouped ? 1 : channels);
    shape.push_back(options.grouped ? width_ : options.multiplier);
    kernel_ = std::make_shared<Parameter<T>>(this->name, options.kernel, shape);
    kernel_->lay_out_plain();
    this->parameters.push_back(kernel_);
    kernel_gradient_.layer = bias_gradient_.layer = this;
    kernel_gradient_.parameter = kernel_.get();
    if (use_bias) {
        bias_ = std::make_shared<Parameter<T>>(this->name, "bias", Shape{width_});
        bias_->lay_out_plain();
        this->parameters.push_back(bias_);
        bias_gradient_.parameter = bias_.get();
        bias_gradient_.first = window.size() * width_;
    }
    for (const Residue& a : residues(window, 0))
        for (const Residue& b : residues(window, 1))
            for (const Residue& c : residues(window, 2)) classes_.push_back({{a, b, c}, {}, {}});
}

template <class T>
void Depthwise<T>::plan(const std::vector<Edge>& edges) {
    EdgeNode<T>::plan(edges);
    Grid in = input_, back = output_gradient_;
    in.channels = width_;
    window_.add_halo(in);
    add_gradient_halo(window_, back);
    this->plan_padding(in, back);

    offsets_.clear();
    for (int64 a = 0; a < window_.window[0]; ++a)
        for (int64 b = 0; b < window_.window[1]; ++b)
            for (int64 c = 0; c < window_.window[2]; ++c)
                offsets_.push_back(a * window_.dilation[0] * padded_.stride[0] +
                                   b * window_.dilation[1] * padded_.stride[1] +
                                   c * window_.dilation[2] * padded_.stride[2]);
    for (ResidueClass& k : classes_) {
        k.offsets.clear();
        k.rows.clear();
        const Grid& delta = padded_gradient_;
        for (int64 t0 = 0; t0 < k.d[0].taps; ++t0)
            for (int64 t1 = 0; t1 < k.d[1].taps; ++t1)
                for (int64 t2 = 0; t2 < k.d[2].taps; ++t2) {
                    k.offsets.push_back(t0 * k.d[0].output_step * delta.stride[0] +
                                        t1 * k.d[1].output_step * delta.stride[1] +
                                        t2 * k.d[2].output_step * delta.stride[2]);
                    k.rows.push_back((k.d[0].place(t0) * window_.window[1] + k.d[1].place(t1)) * window_.window[2] +
                                     k.d[2].place(t2));
                }
    }
}

template <class T>
void Depthwise<T>::extra_bytes(const Call<T>& call, std::vector<int64>& bytes) const {
    const int64 size = static_cast<int64>(sizeof(T));
    this->padding_bytes(call, this->wants_input_gradient(call), bytes);
    bytes.push_back(call.backward && learns() ? call.batch * sums_size() * size : 0);
}

// With a multiplier, a line of the copy's gradient, which channels' shares are added from.
template <class T>
int64 Depthwise<T>::scratch(const Call<T>&) const {
    return options_.multiplier > 1 ? window_.input[2] * width_ : 0;
}

template <class T>
double Depthwise<T>::work(const Call<T>& call) const {
    return 2.0 * static_cast<double>(call.batch * window_.positions()) * static_cast<double>(window_.size() * width_);
}

template <class T>
std::vector<Scatter<T>*> Depthwise<T>::scatters() {
    if (!bias_) return {&kernel_gradient_};
    return {&kernel_gradient_, &bias_gradient_};
}

// Where the first window of a line of outputs begins.
template <class T>
const T* Depthwise<T>::corner(const Call<T>& call, int64 row, int64 a, int64 b) const {
    return padded_input(call) + row * padded_.sample + a * window_.step[0] * padded_.stride[0] +
           b * window_.step[1] * padded_.stride[1];
}

template <class T>
const T* Depthwise<T>::output_gradient(const Call<T>& call, int64 row, int64 a, int64 b) const {
    return call.gradients[this->output] + row * output_gradient_.sample + output_gradient_.origin +
           a * output_gradient_.stride[0] + b * output_gradient_.stride[1];
}

template <class T>
void Depthwise<T>::forward(const Call<T>& call, Slice slice, int, T*) const {
    const auto& k = *call.kernels;
    this->pad_input(call, slice, options_.multiplier);
    const int64 lines = slice.rows() * window_.output[0] * window_.output[1], all = window_.size();
    const Range own = slice.share(lines);
    const T* w = kernel_->weights.data();
    kernels::DepthwiseTap<T> taps[most_taps];
    for (int64 line = own.begin; line < own.end; ++line) {
        const int64 b = line % window_.output[1], a = line / window_.output[1] % window_.output[0];
        const int64 r = slice.begin + line / (window_.output[0] * window_.output[1]);
        const T* x = corner(call, r, a, b);
        T* y = call.values[this->output] + r * output_.sample + output_.origin + a * output_.stride[0] +
               b * output_.stride[1];
        for (int64 first = 0; first < all; first += most_taps) {
            const int64 count = std::min(most_taps, all - first);
            for (int64 t = 0; t < count; ++t)
                taps[t] = {x + offsets_[static_cast<size_t>(first + t)], w + (first + t) * width_};
            k.depthwise({taps, count, window_.output[2], width_, window_.step[2] * width_, y, output_.stride[2],
                         bias_ ? bias_->weights.data() : nullptr, first > 0,
                         first + count == all ? activation_ : Activation::linear, nullptr, 0});
        }
    }
}

template <class T>
void Depthwise<T>::backward(const Call<T>& call, Slice slice, int, T* scratch) const {
    const bool wanted = this->wants_input_gradient(call);
    if (wanted) this->pad_gradient(call, slice);
    Slice one = slice;  // what a sample's sums read is in the cache for its inputs' gradient
    for (one.begin = slice.begin; one.begin < slice.end; ++one.begin) {
        one.end = one.begin + 1;
        if (learns()) sum_weights(call, one);
        if (wanted) input_gradient(call, one, scratch);
    }
}

// ∇W[a, q] = Σ_o x[o·s - p + a·d, q] · δ[o, q] and ∇b = Σ_o δ[o] of one sample, o in order. Parts: of the window, and ∇b
// is the first's.
template <class T>
void Depthwise<T>::sum_weights(const Call<T>& call, Slice slice) const {
    const auto& k = *call.kernels;
    const int64 row = slice.begin, all = window_.size();
    const Range own = slice.share(all);
    T* const sums = this->extra(call, 2) + row * sums_size();
    T* const bias_sums = bias_ && bias_->trainable && slice.part == 0 ? sums + all * width_ : nullptr;
    std::memset(sums + own.begin * width_, 0, static_cast<size_t>(own.size() * width_) * sizeof(T));
    if (bias_sums) std::memset(bias_sums, 0, static_cast<size_t>(width_) * sizeof(T));
    const T* x[most_taps];
    for (int64 a = 0; a < window_.output[0]; ++a)
        for (int64 b = 0; b < window_.output[1]; ++b) {
            const T* from = corner(call, row, a, b);
            const T* delta = output_gradient(call, row, a, b);
            for (int64 first = own.begin; kernel_->trainable && first < own.end; first += most_taps) {
                const int64 count = std::min(most_taps, own.end - first);
                for (int64 t = 0; t < count; ++t) x[t] = from + offsets_[static_cast<size_t>(first + t)];
                k.depthwise_gradient({x, count, window_.output[2], width_, window_.step[2] * width_, delta,
                                      output_gradient_.stride[2], sums + first * width_});
            }
            if (bias_sums)
                k.column_sums(window_.output[2], width_, delta, output_gradient_.stride[2], bias_sums, true);
        }
}

// ∂E/∂x[i, c] = Σ_a Σ_j δ[(i + p - a·d) / s, c·m + j] · W[a, c, j], a class of positions i at a time, times f'(x) of the
// layer below.
template <class T>
void Depthwise<T>::input_gradient(const Call<T>& call, Slice slice, T* scratch) const {
    const auto& k = *call.kernels;
    const bool several = options_.multiplier > 1;
    const int64 gradient_row = window_.step[2] * channels_;
    const T* w = kernel_->weights.data();
    kernels::DepthwiseTap<T> taps[most_taps];
    const InputPlaces<T> at{padded_gradient(call), &padded_gradient_, call.gradients[this->input], &input_gradient_,
                            call.values[this->input], &input_};
    for_each_input_line(window_, classes_, slice, at, [&](const ResidueClass& c, const InputLine<T>& line) {
        const int64 all = static_cast<int64>(c.offsets.size());
        T* const to = several ? scratch : line.gradient;
        const int64 to_row = several ? width_ : gradient_row;
        int64 first = 0;
        do {
            const int64 count = std::min(most_taps, all - first);
            for (int64 t = 0; t < count; ++t) {
                const size_t i = static_cast<size_t>(first + t);
                taps[t] = {line.delta + c.offsets[i], w + c.rows[i] * width_};
            }
            const bool finish = first + count == all && below_ != Activation::linear && !several;
            k.depthwise({taps, count, line.inputs, width_, padded_gradient_.stride[2], to, to_row, nullptr, first > 0,
                         finish ? below_ : Activation::linear, finish ? line.below : nullptr, gradient_row});
            first += most_taps;
        } while (first < all);
        if (!several) return;
        for (int64 i = 0; i < line.inputs; ++i)
            for (int64 q = 0; q < channels_; ++q) {
                const T* share = scratch + i * width_ + q * options_.multiplier;
                T sum = share[0];
                for (int64 j = 1; j < options_.multiplier; ++j) sum += share[j];
                line.gradient[i * gradient_row + q] = sum;
            }
        k.activation_gradient(below_, line.inputs, channels_, line.below, gradient_row, line.gradient, gradient_row);
    });
}

template <class T>
int64 Depthwise<T>::Gradient::parts() const {
    return divide_up(this->parameter->size(), part_columns);
}

template <class T>
void Depthwise<T>::Gradient::part(const Call<T>& call, int64 part) const {
    const int64 begin = part * part_columns, count = std::min(part_columns, this->parameter->size() - begin);
    call.kernels->column_sums(call.batch, count, layer->extra(call, 2) + first + begin, layer->sums_size(),
                              this->parameter->gradient.data() + begin, false);
}

template class Depthwise<float>;
template class Depthwise<double>;

}  // namespace tauten
