#include "layers/layer_normalization.h"

#include <algorithm>

namespace tauten {

namespace {

constexpr int64 part_columns = 64;  // of γ and β that one part of their gradients owns
constexpr int64 chain = 64;         // groups whose gradients are one chain of sums

}  // namespace

template <class T>
LayerNormalization<T>::LayerNormalization(Place place, const Shape& shape, bool last_axis, LayerNormalizationOptions options)
    : EdgeNode<T>(std::move(place)), size_(elements(shape, this->name)), last_axis_(last_axis), options_(options) {
    const auto make = [&](const char* what) {
        this->parameters.push_back(std::make_shared<Parameter<T>>(this->name, what, Shape(shape)));
        this->parameters.back()->lay_out_plain();
        return this->parameters.back();
    };
    if (options.scale)
        gamma_ = make("gamma");
    else
        ones_.reserve(size_);
    if (options.center)
        beta_ = make("beta");
    else
        zeros_.reserve(size_);
    if (!gamma_) std::fill_n(ones_.data(), size_, T{1});
    gamma_gradient_.layer = beta_gradient_.layer = this;
    gamma_gradient_.parameter = gamma_.get();
    beta_gradient_.parameter = beta_.get();
}

template <class T>
void LayerNormalization<T>::plan(const std::vector<Edge>& edges) {
    EdgeNode<T>::plan(edges);
    if (!input_.time) sample_groups_ = input_.sample / size_;
}

template <class T>
std::vector<Scatter<T>*> LayerNormalization<T>::scatters() {
    std::vector<Scatter<T>*> out;
    if (gamma_) out.push_back(&gamma_gradient_);
    if (beta_) out.push_back(&beta_gradient_);
    return out;
}

// Moments of each group; sums of each sample.
template <class T>
void LayerNormalization<T>::extra_bytes(const Call<T>& call, std::vector<int64>& bytes) const {
    bytes.push_back(2 * groups(call) * static_cast<int64>(sizeof(T)));
    bytes.push_back(needs_sums(call) && !single() ? 2 * call.batch * size_ * static_cast<int64>(sizeof(T)) : 0);
}

template <class T>
int64 LayerNormalization<T>::scratch(const Call<T>& call) const {
    return needs_sums(call) ? 2 * size_ : 0;
}

template <class T>
template <class F>
void LayerNormalization<T>::for_each_group(const Grid& to, const Call<T>& call, Slice slice, F&& f) const {
    if (!last_axis_) {
        f(slice.begin * sample_groups_, slice.begin * input_.sample, slice.rows() * sample_groups_);
        return;
    }
    for_each_stretch(input_, to, call.batch, call.axes, slice,
                     [&](int64 from, int64 offset, int64 n) { f(from / size_, offset, n); });
}

// y = f((x - μ) γ / sqrt(σ² + ε) + β)
template <class T>
void LayerNormalization<T>::forward(const Call<T>& call, Slice slice, int, T*) const {
    const kernels::Kernels<T>& k = *call.kernels;
    for_each_group(output_, call, slice, [&](int64 first, int64 to, int64 n) {
        T* const y = call.values[this->output] + to;
        k.layer_norm(n, size_, static_cast<T>(options_.epsilon), call.values[this->input] + first * size_, gamma(), beta(),
                     this->extra(call, 0) + 2 * first, y);
        if (activation_ != Activation::linear) k.activate(activation_, 1, n * size_, y, n * size_, y, n * size_);
    });
}

// With g = δ ⊙ γ:  ∂E/∂x = (g - mean(g) - x̂ mean(g ⊙ x̂)) / sqrt(σ² + ε) ⊙ f'(x)
// and, while x and δ are in the cache, Σ δ x̂ and Σ δ over each sample's groups, which ∇γ and ∇β are made of.
template <class T>
void LayerNormalization<T>::backward(const Call<T>& call, Slice slice, int, T* scratch) const {
    const kernels::Kernels<T>& k = *call.kernels;
    const T *const x = call.values[this->input], *const delta = call.gradients[this->output];
    const T* const moments = this->extra(call, 0);
    if (needs_sums(call) && !single()) {
        const Strided<T> sums = this->sums(call);
        std::fill_n(sums.row(slice.begin), slice.rows() * sums.stride, T{0});
        const auto add = [&](int64 group, int64 n, T* to) {
            k.layer_norm_sums(n, size_, size_, x + group * size_, moments + 2 * group, delta + group * size_, to, to + size_);
        };
        if (input_.time) {
            const Steps& axis = call.axes[input_.axis];
            for (int64 t = 0; t < axis.steps; ++t)
                for (int64 i = 0; i < axis.alive(t, slice); ++i)
                    add(axis.offset[t] + slice.begin + i, 1, sums.row(slice.begin + i));
        } else {
            for (int64 r = slice.begin; r < slice.end; ++r)
                for (int64 done = 0; done < sample_groups_; done += chain) {
                    std::fill_n(scratch, sums.stride, T{0});
                    add(r * sample_groups_ + done, std::min(chain, sample_groups_ - done), scratch);
                    k.add(sums.stride, scratch, sums.row(r));
                }
        }
    }
    if (!this->wants_input_gradient(call)) return;
    for_each_group(input_gradient_, call, slice, [&](int64 first, int64 to, int64 n) {
        T* const gradient = call.gradients[this->input] + to;
        const T* const from = x + first * size_;
        k.layer_norm_gradient(n, size_, from, moments + 2 * first, gamma(), delta + first * size_, gradient);
        if (below_ != Activation::linear) k.activation_gradient(below_, 1, n * size_, from, n * size_, gradient, n * size_);
    });
}

template <class T>
int64 LayerNormalization<T>::SumGradient::parts() const {
    return divide_up(layer->size_, part_columns);
}

// Samples in order, chains of them put together in double; a part owns some columns.
template <class T>
void LayerNormalization<T>::SumGradient::part(const Call<T>& call, int64 part) const {
    const int64 size = layer->size_, first = part * part_columns, columns = std::min(part_columns, size - first);
    const bool of_gamma = this->parameter == layer->gamma_.get();
    double total[part_columns] = {};
    const auto add = [&](const T* from) {
        for (int64 i = 0; i < columns; ++i) total[i] += static_cast<double>(from[i]);
    };
    if (layer->single()) {
        const T* const x = call.values[layer->input] + first;
        const T* const delta = call.gradients[layer->output] + first;
        const T* const moments = layer->extra(call, 0);
        T products[part_columns + kernels::slack], sums[part_columns + kernels::slack];
        for (int64 r = 0; r < call.batch; r += chain) {
            const int64 rows = std::min(chain, call.batch - r);
            std::fill_n(products, part_columns, T{0});
            std::fill_n(sums, part_columns, T{0});
            if (of_gamma)
                call.kernels->layer_norm_sums(rows, columns, size, x + r * size, moments + 2 * r, delta + r * size, products,
                                              sums);
            else
                call.kernels->column_sums(rows, columns, delta + r * size, size, sums, false);
            add(of_gamma ? products : sums);
        }
    } else {
        const Strided<T> sums = layer->sums(call);
        for (int64 r = 0; r < call.batch; ++r) add(sums.row(r) + (of_gamma ? 0 : size) + first);
    }
    T* const gradient = this->parameter->gradient.data() + first;
    for (int64 i = 0; i < columns; ++i) gradient[i] = static_cast<T>(total[i]);
}

template class LayerNormalization<float>;
template class LayerNormalization<double>;

}  // namespace tauten
