#include "layers/elementwise.h"

#include <cstring>

namespace tauten {

// -- activation ------------------------------------------------------------------------------------

// y = f(x)
template <class T>
void ActivationNode<T>::forward(const Call<T>& call, Slice slice, int, T*) const {
    for_each_run(this->grid_, call.batch, call.axes, slice, [&](int64 first, int64 rows) {
        const int64 at = first * this->grid_.channels, n = rows * this->grid_.channels;
        call.kernels->activate(activation_, 1, n, call.values[this->input] + at, n, call.values[this->output] + at, n);
    });
}

// The gradient of the output edge holds δ already; times f'(x) of the layer below.
template <class T>
void ActivationNode<T>::backward(const Call<T>& call, Slice slice, int, T*) const {
    if (!this->wants_input_gradient(call)) return;
    for_each_run(this->grid_, call.batch, call.axes, slice, [&](int64 first, int64 rows) {
        const int64 at = first * this->grid_.channels, n = rows * this->grid_.channels;
        T* gradient = call.gradients[this->input] + at;
        std::memcpy(gradient, call.gradients[this->output] + at, static_cast<size_t>(n) * sizeof(T));
        if (this->below_ != Activation::linear)
            call.kernels->activation_gradient(this->below_, 1, n, call.values[this->input] + at, n, gradient, n);
    });
}

// -- softmax ---------------------------------------------------------------------------------------

// y_i = e^(x_i) / Σ e^(x_j), or its logarithm
template <class T>
void Softmax<T>::forward(const Call<T>& call, Slice slice, int, T*) const {
    const int64 c = this->grid_.channels;
    const auto run = logarithm_ ? call.kernels->log_softmax : call.kernels->softmax;
    for_each_run(this->grid_, call.batch, call.axes, slice, [&](int64 first, int64 rows) {
        run(rows, c, call.values[this->input] + first * c, c, call.values[this->output] + first * c, c);
    });
}

// ∂E/∂x = y ⊙ (∂E/∂y - Σ ∂E/∂y y), or ∂E/∂y - e^y Σ ∂E/∂y
template <class T>
void Softmax<T>::backward(const Call<T>& call, Slice slice, int, T*) const {
    if (!this->wants_input_gradient(call)) return;
    const int64 c = this->grid_.channels;
    const auto run = logarithm_ ? call.kernels->log_softmax_gradient : call.kernels->softmax_gradient;
    for_each_run(this->grid_, call.batch, call.axes, slice, [&](int64 first, int64 rows) {
        T* gradient = call.gradients[this->input] + first * c;
        run(rows, c, call.values[this->output] + first * c, c, call.gradients[this->output] + first * c, c, gradient, c);
        if (this->below_ != Activation::linear)
            call.kernels->activation_gradient(this->below_, rows, c, call.values[this->input] + first * c, c, gradient, c);
    });
}

// -- change of layout --------------------------------------------------------------------------------

template <class T>
void Relayout<T>::plan(const std::vector<Edge>& edges) {
    const Edge& in = edges[static_cast<size_t>(this->input)];
    const Edge& out = edges[static_cast<size_t>(this->output)];
    from_ = in.value;
    to_ = out.value;
    to_gradient_ = out.gradient;
    below_ = in.activation;
}

template <class T>
double Relayout<T>::work(const Call<T>& call) const {
    return static_cast<double>(from_.rows(call.batch, call.axes) * from_.channels);
}

// f(offset in the time layout, offset in the sample layout) for every row of channels
template <class T>
template <class F>
void Relayout<T>::for_each_row(const Call<T>& call, Slice slice, const Grid& samples, F&& f) const {
    const Steps& axis = call.axes[from_.axis];
    for (int64 t = 0; t < axis.steps; ++t)
        for (int64 r = slice.begin; r < slice.end; ++r)
            f((axis.offset[t] + r) * from_.channels, r * samples.sample + samples.origin + t * from_.channels);
}

template <class T>
void Relayout<T>::forward(const Call<T>& call, Slice slice, int, T*) const {
    for_each_row(call, slice, to_, [&](int64 from, int64 to) {
        std::memcpy(call.values[this->output] + to, call.values[this->input] + from,
                    static_cast<size_t>(from_.channels) * sizeof(T));
    });
}

template <class T>
void Relayout<T>::backward(const Call<T>& call, Slice slice, int, T*) const {
    if (!this->wants_input_gradient(call)) return;
    const int64 c = from_.channels;
    for_each_row(call, slice, to_gradient_, [&](int64 from, int64 to) {
        std::memcpy(call.gradients[this->input] + from, call.gradients[this->output] + to,
                    static_cast<size_t>(c) * sizeof(T));
        if (below_ != Activation::linear)
            call.kernels->activation_gradient(below_, 1, c, call.values[this->input] + from, c,
                                              call.gradients[this->input] + from, c);
    });
}

template class ActivationNode<float>;
template class ActivationNode<double>;
template class Softmax<float>;
template class Softmax<double>;
template class Relayout<float>;
template class Relayout<double>;

}  // namespace tauten
