#include "layers/dense.h"

namespace tauten {

template <class T>
Dense<T>::Dense(Place place, int64 features, int64 units, Activation activation, bool use_bias)
    : Node<T>(std::move(place)), features_(features), units_(units), activation_(activation) {
    kernel_ = std::make_shared<Parameter<T>>(this->name, "kernel", Shape{features, units});
    this->parameters.push_back(kernel_);
    if (use_bias) {
        bias_ = std::make_shared<Parameter<T>>(this->name, "bias", Shape{units});
        this->parameters.push_back(bias_);
    }
    product_.layer = this;
    product_.kernel = kernel_.get();
    product_.bias = bias_.get();
    product_.group_rows = features;
}

template <class T>
void Dense<T>::plan(const std::vector<Edge>& edges) {
    below_ = edges[static_cast<size_t>(this->input)].activation;
    grid_ = edges[static_cast<size_t>(this->input)].value;
}

template <class T>
double Dense<T>::work(const Call<T>& call) const {
    return 2.0 * static_cast<double>(features_ * units_ * grid_.rows(call.batch, call.axes));
}

// y = f(x·W + b), rows of x as they lie
template <class T>
void Dense<T>::forward(const Call<T>& call, Slice slice, int, T*) const {
    const auto& k = *call.kernels;
    for_each_run(grid_, call.batch, call.axes, slice, [&](int64 first, int64 rows) {
        const bool by_rows = rows >= slice.parts * k.tile;
        const Range row = by_rows ? slice.share(rows) : Range{0, rows};
        const Range panel = by_rows ? Range{0, kernel_->panels} : slice.share(kernel_->panels);
        if (row.size() == 0 || panel.size() == 0) return;
        const int64 column = panel.begin * k.panel;
        const kernels::Tap<T> tap{call.values[this->input] + (first + row.begin) * features_,
                                  kernel_->weights.data() + column * features_, features_, 1, k.panel,
                                  features_ * k.panel, features_};
        k.gemm({&tap, 1, row.size(), std::min(units_, panel.end * k.panel) - column, k.panel,
                call.values[this->output] + (first + row.begin) * units_ + column, units_, k.panel,
                bias_ ? bias_->weights.data() + column : nullptr, false, activation_, nullptr, 0});
    });
}

template <class T>
bool Dense<T>::in_parts(const Call<T>& call, Way way) const {
    const int64 panels = way == Way::forward ? kernel_->panels : divide_up(features_, call.kernels->panel);
    return panels > 1 || grid_.rows(call.batch, call.axes) > call.kernels->tile;
}

// ∂E/∂x = δ·Wᵀ, times f'(x) of the layer below
template <class T>
void Dense<T>::backward(const Call<T>& call, Slice slice, int, T*) const {
    if (!this->wants_input_gradient(call)) return;
    const auto& k = *call.kernels;
    for_each_run(grid_, call.batch, call.axes, slice, [&](int64 first, int64 rows) {
        const int64 panels = divide_up(features_, k.panel);
        const bool by_rows = rows >= slice.parts * k.tile;
        const Range row = by_rows ? slice.share(rows) : Range{0, rows};
        const Range panel = by_rows ? Range{0, panels} : slice.share(panels);
        if (row.size() == 0 || panel.size() == 0) return;
        const int64 column = panel.begin * k.panel, at = (first + row.begin) * features_ + column;
        const kernels::Tap<T> tap{call.gradients[this->output] + (first + row.begin) * units_,
                                  transposed_.panels.data() + column * units_, units_, 1, k.panel, units_ * k.panel, units_};
        k.gemm({&tap, 1, row.size(), std::min(features_, panel.end * k.panel) - column, k.panel,
                call.gradients[this->input] + at, features_, k.panel, nullptr, false, below_,
                below_ == Activation::linear ? nullptr : call.values[this->input] + at, features_});
    });
}

template <class T>
int64 Dense<T>::stale_parts(const Call<T>& call) {
    if (!this->wants_input_gradient(call) || !transposed_.stale(*kernel_)) return 0;
    const int64 panel = kernels::table<T>().panel;
    transposed_.panels.reserve(round_up(features_, panel) * units_);
    return kernel_->panels;
}

// Columns n of one panel of W are rows n of Wᵀ's panels.
template <class T>
void Dense<T>::refresh_part(const kernels::Kernels<T>& k, int64 part) {
    const int64 first = part * k.panel;
    k.pack_transposed(features_, std::min(k.panel, units_ - first), kernel_->weights.data() + part * features_ * k.panel,
                      k.panel, transposed_.panels.data() + first * k.panel, units_ * k.panel);
}

template <class T>
int64 Dense<T>::Gradient::lines(const Call<T>& call) const {
    return divide_up(layer->grid_.rows(call.batch, call.axes), line_rows);
}

template <class T>
Line<T> Dense<T>::Gradient::line(const Call<T>& call, int64 i) const {
    return flat_line<T>(i, layer->grid_.rows(call.batch, call.axes), call.values[layer->input], layer->features_,
                        call.gradients[layer->output], layer->units_);
}

template class Dense<float>;
template class Dense<double>;

}  // namespace tauten
