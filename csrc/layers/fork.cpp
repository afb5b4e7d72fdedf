#include "layers/fork.h"

namespace tauten {

template <class T>
void Fork<T>::plan(const std::vector<Edge>& edges) {
    const Edge& in = edges[static_cast<size_t>(this->input)];
    grid_ = edges[static_cast<size_t>(this->output)].gradient;
    gradient_ = in.gradient;
    below_ = in.activation;
    index_ = in.index;
}

template <class T>
double Fork<T>::work(const Call<T>& call) const {
    if (!call.backward || index_) return 0;
    return static_cast<double>(grid_.rows(call.batch, call.axes) * grid_.channels) * static_cast<double>(outputs_.size());
}

template <class T>
bool Fork<T>::in_parts(const Call<T>&, Way way) const {
    return way == Way::forward || (!grid_.time && grid_.extent[0] * grid_.extent[1] > 1);
}

// δ = f' ⊙ Σ_i ∂E/∂y_i, in the outputs' order
template <class T>
void Fork<T>::backward(const Call<T>& call, Slice slice, int, T*) const {
    if (index_ || !this->wants_input_gradient(call)) return;
    constexpr int64 block = 2048;  // what stays in L1 from one sum to the next
    const kernels::Kernels<T>& k = *call.kernels;
    for_each_stretch(grid_, gradient_, call.batch, call.axes, slice, [&](int64 from, int64 to, int64 rows) {
        const int64 all = rows * grid_.channels;
        for (int64 at = 0; at < all; at += block) {
            const int64 n = std::min(block, all - at);
            const auto part = [&](size_t i) { return call.gradients[outputs_[i]] + from + at; };
            T* const sum = call.gradients[this->input] + to + at;
            k.combine(kernels::Combination::sum, n, part(0), part(1), sum);
            for (size_t i = 2; i < outputs_.size(); ++i) k.add(n, part(i), sum);
            if (below_ != Activation::linear)
                k.activation_gradient(below_, 1, n, call.values[this->input] + from + at, n, sum, n);
        }
    });
}

template class Fork<float>;
template class Fork<double>;

}  // namespace tauten
