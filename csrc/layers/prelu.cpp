#include "layers/prelu.h"

#include <cstring>

namespace tauten {

namespace {

constexpr int64 part_columns = 256;  // slopes that one part of the gradient owns

Shape alpha_shape(const Shape& shape, const std::vector<bool>& shared) {
    Shape alpha = shape;
    for (size_t i = 0; i < shape.size(); ++i)
        if (shared[i]) alpha[i] = 1;
    return alpha;
}

}  // namespace

template <class T>
Prelu<T>::Prelu(Place place, const Shape& shape, const std::vector<bool>& shared)
    : RowNode<T>(std::move(place)), shared_steps_(shape.size() == 2 && shared[0]) {
    alpha_ = std::make_shared<Parameter<T>>(this->name, "alpha", alpha_shape(shape, shared));
    alpha_->lay_out_plain();
    this->parameters = {alpha_};
    gradient_.layer = this;
    gradient_.parameter = alpha_.get();
    // by time, and by sample with run-time steps, a block is a step
    for (size_t i = shape[0] == run_time ? 1 : 0; i < shape.size(); ++i) {
        if (shape[i] == 1) continue;
        if (!outer_.empty() && outer_.back().shared == shared[i])
            outer_.back().extent *= shape[i];
        else
            outer_.push_back({shape[i], shared[i]});
    }
    if (outer_.empty()) outer_.push_back({1, false});
    columns_ = outer_.back().extent;
    each_ = !outer_.back().shared;
    outer_.pop_back();
    if (each_ && !outer_.empty()) {
        rows_ = outer_.back().extent;
        outer_.pop_back();
    }
}

template <class T>
template <class F>
void Prelu<T>::for_each_block(F&& f) const {
    int64 blocks = 1;
    for (const Axes& axes : outer_) blocks *= axes.extent;
    const int64 slopes = each_ ? columns_ : 1;
    for (int64 b = 0; b < blocks; ++b) {
        int64 rest = b, alpha = 0, scale = slopes;
        for (size_t i = outer_.size(); i-- > 0; rest /= outer_[i].extent)
            if (!outer_[i].shared) {
                alpha += rest % outer_[i].extent * scale;
                scale *= outer_[i].extent;
            }
        f(b * rows_ * columns_, alpha, rows_);
    }
}

template <class T>
void Prelu<T>::extra_bytes(const Call<T>& call, std::vector<int64>& bytes) const {
    bytes.push_back(call.backward ? call.batch * alpha_->size() * static_cast<int64>(sizeof(T)) : 0);
}

// y = x > 0 ? x : α x
template <class T>
void Prelu<T>::forward(const Call<T>& call, Slice slice, int, T*) const {
    const T *x = call.values[this->input], *alpha = alpha_->weights.data();
    T* y = call.values[this->output];
    const Grid& grid = this->grid_;
    if (grid.time) {
        const int64 c = grid.channels;
        for_each_run(grid, call.batch, call.axes, slice, [&](int64 first, int64 rows) {
            call.kernels->prelu(rows, c, x + first * c, alpha, alpha_->columns > 1, y + first * c);
        });
        return;
    }
    for (int64 r = slice.begin; r < slice.end; ++r)
        for_each_block([&](int64 at, int64 slope, int64 rows) {
            const int64 from = r * grid.sample + at;
            call.kernels->prelu(rows, columns_, x + from, alpha + slope, each_, y + from);
        });
}

// ∂E/∂x = ∂E/∂y ⊙ (x > 0 ? 1 : α);  a sample's share of ∇α = Σ [x <= 0] x ⊙ ∂E/∂y
template <class T>
void Prelu<T>::backward(const Call<T>& call, Slice slice, int, T*) const {
    const bool wanted = this->wants_input_gradient(call), trained = alpha_->trainable;
    if (!wanted && !trained) return;
    const Grid& grid = this->grid_;
    const T *x = call.values[this->input], *gradient = call.gradients[this->output], *alpha = alpha_->weights.data();
    T* below = call.gradients[this->input];
    T* const shares = this->extra(call, 0);
    const int64 size = alpha_->size();
    std::fill(shares + slice.begin * size, shares + slice.end * size, T{0});
    const auto run = [&](int64 r, int64 rows, int64 columns, int64 at, int64 slope, bool each) {
        call.kernels->prelu_gradient(rows, columns, x + at, alpha + slope, each, gradient + at,
                                     wanted ? below + at : nullptr, trained ? shares + r * size + slope : nullptr);
        if (wanted && this->below_ != Activation::linear)
            call.kernels->activation_gradient(this->below_, 1, rows * columns, x + at, 0, below + at, 0);
    };
    if (grid.time) {
        const Steps& axis = call.axes[grid.axis];
        for (int64 t = 0; t < axis.steps; ++t)
            for (int64 i = 0; i < axis.alive(t, slice); ++i) {
                const int64 r = slice.begin + i;
                run(r, 1, grid.channels, (axis.offset[t] + r) * grid.channels, 0, alpha_->columns > 1);
            }
        return;
    }
    for (int64 r = slice.begin; r < slice.end; ++r)
        for_each_block([&](int64 at, int64 slope, int64 rows) { run(r, rows, columns_, r * grid.sample + at, slope, each_); });
}

template <class T>
int64 Prelu<T>::AlphaGradient::parts() const {
    return divide_up(this->parameter->size(), part_columns);
}

template <class T>
void Prelu<T>::AlphaGradient::part(const Call<T>& call, int64 part) const {
    const int64 size = this->parameter->size(), first = part * part_columns;
    call.kernels->column_sums(call.batch, std::min(part_columns, size - first), layer->extra(call, 0) + first, size,
                              this->parameter->gradient.data() + first, false);
}

template class Prelu<float>;
template class Prelu<double>;

}  // namespace tauten
