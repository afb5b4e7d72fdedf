#include "layers/recurrent.h"

#include <cstring>

namespace tauten {

// Rows at multiples of this fall on few sets of a first-level cache, where a tile's rows push each other out.
constexpr int64 set_stride = 2048;

template <class T>
Recurrent<T>::Recurrent(Place place, const RecurrentOptions& options, int64 gates)
    : Node<T>(std::move(place)), features_(options.features), units_(options.units), sequences_(options.return_sequences),
      reverse_(options.reverse) {
    const auto weight = [&](const char* own_name, const Shape& shape) {
        this->parameters.push_back(std::make_shared<Parameter<T>>(this->name, options.prefix + own_name, shape, gates));
        return this->parameters.back();
    };
    kernel_ = weight("kernel", {features_, gates * units_});
    recurrent_kernel_ = weight("recurrent_kernel", {units_, gates * units_});
    if (options.use_bias) bias_ = weight("bias", {gates * units_});
    net_width_ = gates > 1 ? kernel_->padded_columns() : units_;
    net_row_ = net_width_;
    if (gates > 1 && net_row_ * static_cast<int64>(sizeof(T)) % set_stride == 0) net_row_ += 64 / static_cast<int64>(sizeof(T));
    input_product_.layer = recurrent_product_.layer = this;
    recurrent_product_.follows = true;
    input_product_.kernel = kernel_.get();
    input_product_.bias = bias_.get();
    input_product_.group_rows = features_;
    recurrent_product_.kernel = recurrent_kernel_.get();
    recurrent_product_.group_rows = units_;
}

template <class T>
void Recurrent<T>::plan(const std::vector<Edge>& edges) {
    const Edge& in = edges[static_cast<size_t>(this->input)];
    below_ = in.activation;
    input_ = in.value;
    input_gradient_grid_ = in.gradient;
    output_ = edges[static_cast<size_t>(this->output)].value;
    if (input_.time) axis_ = input_.axis;
    output_row_ = values_buffer_ < 0 ? output_.channels : units_;
    hidden_row_ = sequences_ ? output_row_ : units_;
}

template <class T>
T* Recurrent<T>::outputs(const Call<T>& call) const {
    return values_buffer_ < 0 ? call.values[this->output] + first_column_ : static_cast<T*>(call.extra[values_buffer_]);
}

template <class T>
T* Recurrent<T>::output_gradients(const Call<T>& call) const {
    if (gradients_buffer_ >= 0) return static_cast<T*>(call.extra[gradients_buffer_]);
    return call.gradients[this->output] + first_column_;
}

template <class T>
void Recurrent<T>::write_last(const Call<T>& call, int64 first, int64 rows, const T* h) const {
    T* to = outputs(call) + first * output_row_;
    for (int64 r = 0; r < rows; ++r)
        std::memcpy(to + r * output_row_, h + r * hidden_row_, static_cast<size_t>(units_) * sizeof(T));
}

template <class T>
double Recurrent<T>::work(const Call<T>& call) const {
    return 2.0 * static_cast<double>((features_ + units_) * net_width_) * static_cast<double>(steps(call).total);
}

// Parts meet at every step: it has to be worth it.
template <class T>
bool Recurrent<T>::in_parts(const Call<T>& call) const {
    constexpr double least_flops = 1e5;
    return kernel_->panels > 1 && work(call) >= least_flops * static_cast<double>(steps(call).steps);
}

template <class T>
typename Recurrent<T>::Units Recurrent<T>::share(const Slice& slice) const {
    const Range own = slice.share(kernel_->panels);
    const int64 width = kernel_->width / kernel_->gates;
    return {own.begin, own.begin * width, std::min(units_, own.end * width) - own.begin * width};
}

template <class T>
kernels::Tap<T> Recurrent<T>::input_tap(const Call<T>& call, int64 t, int64 begin, int64 panel) const {
    const T* x = call.values[this->input];
    const int64 width = kernel_->width, stride = features_ * width;
    const T* w = kernel_->weights.data() + panel * stride;
    if (input_.time) return {x + (steps(call).offset[t] + begin) * features_, w, features_, 1, width, stride, features_};
    return {x + begin * input_.sample + input_.origin + t * features_, w, input_.sample, 1, width, stride, features_};
}

template <class T>
bool Recurrent<T>::products_first(const Call<T>& call, Slice slice) const {
    constexpr int64 few_rows = 4, many_steps = 4;
    return !call.backward && call.batch <= few_rows && slice.rows() == call.batch && steps(call).steps >= many_steps &&
           (input_.time || call.batch == 1);
}

template <class T>
void Recurrent<T>::take_products(const Call<T>& call, const Units& units, T* net, int64 row) const {
    if (units.count <= 0) return;
    const int64 width = kernel_->width;
    kernels::Tap<T> tap = input_tap(call, 0, 0, units.panel);
    tap.a_row = features_;  // of one sample, or of time rows: x_t follow each other
    const int64 columns = kernel_->gates > 1 ? divide_up(units.count * kernel_->gates, width) * width : units.count;
    call.kernels->gemm({&tap, 1, steps(call).total, columns, width, net + units.panel * width, row, width,
                        bias_ ? bias_->weights.data() + units.panel * width : nullptr, false, Activation::linear, nullptr,
                        0});
}

template <class T>
kernels::Tap<T> Recurrent<T>::recurrent_tap(const T* h, int64 panel) const {
    const int64 width = recurrent_kernel_->width, stride = units_ * width;
    return {h, recurrent_kernel_->weights.data() + panel * stride, hidden_row_, 1, width, stride, units_};
}

template <class T>
kernels::Tap<T> Recurrent<T>::back_tap(const kernels::Kernels<T>& k, const T* d) const {
    return {d, recurrent_transposed_.panels.data(), net_row_, 1, k.panel, net_width_ * k.panel, net_width_};
}

template <class T>
void Recurrent<T>::input_gradient(const Call<T>& call, Slice slice) const {
    if (!this->wants_input_gradient(call)) return;
    const auto& k = *call.kernels;
    const Activation below = last_ ? below_ : Activation::linear;
    const bool slope = below != Activation::linear;
    const auto product = [&](const T* d, int64 rows, T* gradient, const T* x, int64 row) {
        const kernels::Tap<T> tap{d, input_transposed_.panels.data(), net_row_, 1, k.panel, net_width_ * k.panel,
                                  net_width_};
        k.gemm({&tap, 1, rows, features_, k.panel, gradient, row, k.panel, nullptr, adds_, below, slope ? x : nullptr,
                row});
    };
    const T* d = delta(call);
    const T* x = call.values[this->input];
    T* gradient = call.gradients[this->input];
    if (input_.time) {
        for_each_run(input_, call.batch, call.axes, slice, [&](int64 first, int64 rows) {
            product(d + first * net_row_, rows, gradient + first * features_, x + first * features_, features_);
        });
        return;
    }
    for (int64 t = 0; t < steps(call).steps; ++t)
        product(d + (steps(call).offset[t] + slice.begin) * net_row_, slice.rows(),
                gradient + slice.begin * input_gradient_grid_.sample + input_gradient_grid_.origin + t * features_,
                x + slice.begin * input_.sample + input_.origin + t * features_, input_gradient_grid_.sample);
}

// Parts: the panels of W_h, then, where somebody wants ∂E/∂x, those of W_i, each into its transposed panels.
template <class T>
int64 Recurrent<T>::stale_parts(const Call<T>& call) {
    const int64 panel = kernels::table<T>().panel;
    const bool recurrent = recurrent_transposed_.stale(*recurrent_kernel_);
    input_refreshed_ = this->wants_input_gradient(call);
    if (!recurrent && !(input_refreshed_ && input_transposed_.stale(*kernel_))) return 0;
    recurrent_transposed_.panels.reserve(round_up(units_, panel) * net_width_);
    if (input_refreshed_) input_transposed_.panels.reserve(round_up(features_, panel) * net_width_);
    return (1 + input_refreshed_) * kernel_->panels;
}

template <class T>
void Recurrent<T>::refresh_part(const kernels::Kernels<T>& k, int64 part) {
    const bool recurrent = part < kernel_->panels;
    const Parameter<T>& from = recurrent ? *recurrent_kernel_ : *kernel_;
    DerivedPanels<T>& to = recurrent ? recurrent_transposed_ : input_transposed_;
    const int64 p = recurrent ? part : part - kernel_->panels, first = p * from.width;
    k.pack_transposed(from.rows, std::min(from.width, net_width_ - first),
                      from.weights.data() + p * from.rows * from.width, from.width, to.panels.data() + first * k.panel,
                      net_width_ * k.panel);
}

template <class T>
void Recurrent<T>::refreshed() {
    recurrent_transposed_.version = recurrent_kernel_->version;
    if (input_refreshed_) input_transposed_.version = kernel_->version;
}

// With equal lengths, h_{t-1} and δ_t are the same packed rows, one batch apart.
template <class T>
Range Recurrent<T>::piece(const Call<T>& call, int64 i) const {
    const int64 total = steps(call).total, cut = reverse_ ? total - call.batch : call.batch;
    const int64 before = divide_up(cut, line_rows);
    const int64 begin = i < before ? i * line_rows : cut + (i - before) * line_rows;
    return {begin, std::min(begin + line_rows, i < before ? cut : total)};
}

template <class T>
int64 Recurrent<T>::Gradient::lines(const Call<T>& call) const {
    const Steps& steps = layer->steps(call);
    if (!layer->in_pieces(call)) return steps.steps;
    return divide_up(steps.total - call.batch, line_rows) + divide_up(call.batch, line_rows);
}

template <class T>
Line<T> Recurrent<T>::InputGradient::line(const Call<T>& call, int64 i) const {
    const Recurrent& l = *this->layer;
    const Steps& steps = l.steps(call);
    const T* x = call.values[l.input];
    const bool pieces = l.in_pieces(call);
    const Range rows = pieces ? l.piece(call, i) : Range{steps.offset[i], steps.offset[i] + steps.active[i]};
    const T* delta = l.delta(call) + rows.begin * l.net_row_;
    if (l.input_.time) return {x + rows.begin * l.features_, l.features_, delta, l.net_row_, rows.size()};
    return {x + l.input_.origin + i * l.features_, l.input_.sample, delta, l.net_row_, rows.size()};
}

template <class T>
Line<T> Recurrent<T>::RecurrentGradient::line(const Call<T>& call, int64 i) const {
    const Recurrent& l = *this->layer;
    const Steps& steps = l.steps(call);
    Range rows{steps.offset[i], steps.offset[i]}, before = rows;
    if (l.in_pieces(call)) {
        rows = l.piece(call, i);
        before.begin = rows.begin + (l.reverse_ ? call.batch : -call.batch);
        if (before.begin < 0 || before.begin >= steps.total) rows.end = rows.begin;
    } else if (l.reverse_ ? i + 1 < steps.steps : i > 0) {
        before.begin = steps.offset[l.reverse_ ? i + 1 : i - 1];
        rows.end += steps.active[l.reverse_ ? i + 1 : i];
    }
    return {l.hidden(call) + (rows.size() ? before.begin : 0) * l.hidden_row_, l.hidden_row_,
            l.delta(call) + rows.begin * l.net_row_, l.net_row_, rows.size()};
}

template class Recurrent<float>;
template class Recurrent<double>;

}  // namespace tauten
