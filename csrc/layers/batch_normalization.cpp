#include "layers/batch_normalization.h"

#include <algorithm>

#include "core/check.h"

namespace tauten {

namespace {

// Blocks of rows whose moments and sums are taken apart: they depend on the shapes only, so that nothing depends on who
// takes which. Enough for many threads, few enough that putting them together costs nothing.
constexpr int64 least_block_rows = 32, most_blocks = 128;
// Samples of as many positions are blocks, however many there are: putting them together is little beside them.
constexpr int64 least_sample_rows = 64;
// Channels that are put together at a time.
constexpr int64 group = 8;

// f(first channel, channels)
template <class F>
void in_groups(Range channels, F&& f) {
    for (int64 c = channels.begin; c < channels.end; c += group) f(c, std::min(group, channels.end - c));
}

// What T lacks of a mean. Far from zero it is not nothing beside the deviation, so that offsets take it in.
template <class T>
double rest_of(double mean) {
    return mean - static_cast<double>(static_cast<T>(mean));
}

}  // namespace

template <class T>
BatchNormalization<T>::BatchNormalization(Place place, int64 channels, BatchNormalizationOptions options)
    : EdgeNode<T>(std::move(place)), channels_(channels), options_(options) {
    const auto make = [&](const char* what) {
        this->parameters.push_back(std::make_shared<Parameter<T>>(this->name, what, Shape{channels}));
        return this->parameters.back();
    };
    if (options.scale) gamma_ = make("gamma");
    if (options.center) beta_ = make("beta");
    mean_ = make("moving_mean");
    variance_ = make("moving_variance");
    mean_->be_state();
    variance_->be_state();
    gamma_gradient_.layer = beta_gradient_.layer = this;
    gamma_gradient_.parameter = gamma_.get();
    beta_gradient_.parameter = beta_.get();
}

template <class T>
std::vector<Scatter<T>*> BatchNormalization<T>::scatters() {
    std::vector<Scatter<T>*> out;
    if (gamma_) out.push_back(&gamma_gradient_);
    if (beta_) out.push_back(&beta_gradient_);
    return out;
}

template <class T>
std::vector<int> BatchNormalization<T>::inputs() const {
    if (addend_ < 0) return {this->input};
    return {this->input, addend_};
}

template <class T>
bool BatchNormalization<T>::take_addend(int edge, int sum, Activation f) {
    if (addend_ >= 0 || activation_ != Activation::linear) return false;
    addend_ = edge;
    this->output = sum;
    activation_ = f;
    return true;
}

template <class T>
void BatchNormalization<T>::plan(const std::vector<Edge>& edges) {
    EdgeNode<T>::plan(edges);
    if (addend_ < 0) return;
    const Edge& addend = edges[static_cast<size_t>(addend_)];
    require(addend.gradient_of == this->output, this->name, ": nothing would write the gradient of ", addend.name);
    addend_name_ = addend.name;
    sum_name_ = edges[static_cast<size_t>(this->output)].name;
}

// Moments of blocks; μ and σ² of the batch; sums of blocks; what those come to.
template <class T>
void BatchNormalization<T>::extra_bytes(const Call<T>& call, std::vector<int64>& bytes) const {
    const int64 numbers = 2 * channels_ * static_cast<int64>(sizeof(double));
    bytes.push_back(of_batch(call) ? blocks(call) * numbers : 0);
    bytes.push_back(of_batch(call) ? numbers : 0);
    bytes.push_back(needs_sums(call) ? blocks(call) * numbers : 0);
    bytes.push_back(of_batch(call) || needs_sums(call) ? 4 * channels_ * static_cast<int64>(sizeof(T)) : 0);
}

template <class T>
bool BatchNormalization<T>::by_samples() const {
    return !input_.time && input_.positions() >= least_sample_rows;
}

template <class T>
int64 BatchNormalization<T>::block_rows(const Call<T>& call) const {
    if (by_samples()) return input_.positions();
    return divide_up(rows(call), std::clamp<int64>(rows(call) / least_block_rows, 1, most_blocks));
}

template <class T>
int64 BatchNormalization<T>::blocks(const Call<T>& call) const {
    return rows(call) == 0 ? 0 : divide_up(rows(call), block_rows(call));
}

template <class T>
Range BatchNormalization<T>::block(const Call<T>& call, int64 b) const {
    const int64 size = block_rows(call);
    return {b * size, std::min(rows(call), (b + 1) * size)};
}

template <class T>
template <class F>
void BatchNormalization<T>::for_each_block(const Call<T>& call, Slice slice, double* numbers, F&& f) const {
    const int64 count = blocks(call);
    const int64 end = count * slice.end / call.batch;
    for (int64 b = count * slice.begin / call.batch; b < end; ++b) {
        const Range range = block(call, b);
        f(range.begin, range.size(), numbers + 2 * channels_ * b);
    }
}

// The mean first, then squared deviations: Σ_b [Σ (x - μ_b)² + n_b (μ_b - μ)²].
template <class T>
template <class F>
void BatchNormalization<T>::for_each_moment(const Call<T>& call, Range channels, F&& f) const {
    const double* const numbers = this->template extra<double>(call, 0);
    const double total = static_cast<double>(rows(call));
    in_groups(channels, [&](int64 first, int64 count) {
        double mean[group] = {}, squares[group] = {};
        for (int64 b = 0; b < blocks(call); ++b) {
            const double n = static_cast<double>(block(call, b).size());
            const double* of = numbers + 2 * channels_ * b + first;
            for (int64 i = 0; i < count; ++i) mean[i] += n * of[i];
        }
        for (int64 i = 0; i < count; ++i) mean[i] /= total;
        for (int64 b = 0; b < blocks(call); ++b) {
            const double n = static_cast<double>(block(call, b).size());
            const double* of = numbers + 2 * channels_ * b + first;
            for (int64 i = 0; i < count; ++i) {
                const double apart = of[i] - mean[i];
                squares[i] += of[channels_ + i] + n * apart * apart;
            }
        }
        for (int64 i = 0; i < count; ++i) f(first + i, mean[i], squares[i] / total);
    });
}

template <class T>
template <class F>
void BatchNormalization<T>::for_each_sum(const Call<T>& call, Range channels, F&& f) const {
    const double* const numbers = this->template extra<double>(call, 2);
    const double* const moments = of_batch(call) ? this->template extra<double>(call, 1) : nullptr;
    in_groups(channels, [&](int64 first, int64 count) {
        double sums[group] = {}, products[group] = {};
        for (int64 b = 0; b < blocks(call); ++b) {
            const double* of = numbers + 2 * channels_ * b + first;
            for (int64 i = 0; i < count; ++i) {
                sums[i] += of[i];
                products[i] += of[channels_ + i];
            }
        }
        for (int64 i = 0; i < count; ++i)
            f(first + i, sums[i], products[i] - (moments ? rest_of<T>(moments[first + i]) * sums[i] : 0));
    });
}

// y = (x - μ) γ / sqrt(σ² + ε) + β
template <class T>
void BatchNormalization<T>::line_up(int64 c, double mean, double variance, const Numbers& to) const {
    const double by = gamma(c) * inverse_deviation(variance);
    to.shift[c] = static_cast<T>(mean);
    to.scale[c] = static_cast<T>(by);
    to.offset[c] = static_cast<T>((beta_ ? static_cast<double>(beta_->weights[c]) : 0.0) - by * rest_of<T>(mean));
}

// For y, the backward phase and the moving averages. What no moving average could take must not become one.
template <class T>
void BatchNormalization<T>::keep_moments(const Call<T>& call, Range channels) const {
    double* const moments = this->template extra<double>(call, 1);
    bool finite = true;
    for_each_moment(call, channels, [&](int64 c, double mean, double variance) {
        moments[c] = mean;
        moments[channels_ + c] = variance;
        line_up(c, mean, variance, numbers(call));
        finite = finite && std::isfinite(static_cast<T>(mean)) && std::isfinite(static_cast<T>(variance));
    });
    if (!finite && call.trouble) call.trouble->store(this, std::memory_order_relaxed);
}

template <class T>
void BatchNormalization<T>::forward(const Call<T>& call, Slice slice, int phase, T* scratch) const {
    if (rows(call) == 0) return;
    if (!of_batch(call)) {
        const Numbers by = numbers(scratch);
        for (int64 c = 0; c < channels_; ++c)
            line_up(c, static_cast<double>(mean_->weights[c]), static_cast<double>(variance_->weights[c]), by);
        return write_outputs(call, slice, by);
    }
    switch (stage(phase)) {
        case Stage::blocks:
            return for_each_block(call, slice, this->template extra<double>(call, 0), [&](int64 first, int64 n, double* to) {
                call.kernels->column_moments(n, channels_, call.values[this->input] + first * channels_, to, to + channels_);
            });
        case Stage::channels: return keep_moments(call, own_channels(call, slice));
        case Stage::values: return write_outputs(call, slice, numbers(call));
        case Stage::wait: return;
    }
}

template <class T>
void BatchNormalization<T>::write_outputs(const Call<T>& call, Slice slice, const Numbers& by) const {
    const T* const addend = addend_ < 0 ? nullptr : call.values[addend_];
    for_each_stretch(input_, output_, call.batch, call.axes, slice, [&](int64 from, int64 to, int64 n) {
        call.kernels->normalize(activation_, n, channels_, call.values[this->input] + from, by.shift, by.scale, by.offset,
                                addend ? addend + from : nullptr, call.values[this->output] + to);
    });
}

// Parts: lines of positions.
template <class T>
bool BatchNormalization<T>::in_parts(const Call<T>& call, Way way) const {
    return way == Way::forward && !of_batch(call) && !input_.time && input_.extent[0] * input_.extent[1] > 1;
}

template <class T>
void BatchNormalization<T>::backward(const Call<T>& call, Slice slice, int phase, T* scratch) const {
    if (rows(call) == 0) return;
    const bool wanted = this->wants_input_gradient(call) && call.gradients[this->input];  // it may be the addend's alone
    if (!needs_sums(call)) {
        if (!wanted) return;
        const Numbers by = numbers(scratch);
        line_up_gradient(call, {0, channels_}, by);
        return input_gradient(call, slice, by);
    }
    const Stage at = stage(phase);
    if (at == Stage::blocks) return sum_blocks(call, slice, scratch);
    if (!wanted) return;
    if (at == Stage::channels) line_up_gradient(call, own_channels(call, slice), numbers(call));
    if (at == Stage::values) input_gradient(call, slice, numbers(call));
}

// Σ δ and Σ δ (x - μ) of blocks, μ as T has it
template <class T>
void BatchNormalization<T>::sum_blocks(const Call<T>& call, Slice slice, T* shift) const {
    const T* const x = call.values[this->input];
    const T* const delta = call.gradients[this->output];
    const double* const moments = this->template extra<double>(call, 1);
    for (int64 c = 0; c < channels_; ++c) shift[c] = of_batch(call) ? static_cast<T>(moments[c]) : mean_->weights[c];
    for_each_block(call, slice, this->template extra<double>(call, 2), [&](int64 first, int64 n, double* to) {
        call.kernels->normalize_sums(n, channels_, x + first * channels_, shift, delta + first * channels_, to, to + channels_);
    });
}

// With s = 1 / sqrt(σ² + ε) and x̂ = (x - μ) s:
//   ∂E/∂x = γ s (δ - Σ δ / N - x̂ Σ (δ ⊙ x̂) / N) ⊙ f'(x)       of the batch: μ and σ² depend on x
//   ∂E/∂x = γ s δ ⊙ f'(x)                                     of moving averages
template <class T>
void BatchNormalization<T>::line_up_gradient(const Call<T>& call, Range channels, const Numbers& to) const {
    if (of_batch(call)) {
        const double* const moments = this->template extra<double>(call, 1);
        const double total = static_cast<double>(rows(call));
        for_each_sum(call, channels, [&](int64 c, double sum, double product) {
            const double s = inverse_deviation(moments[channels_ + c]), g = gamma(c) * s, by = -g * s * s * product / total;
            to.shift[c] = static_cast<T>(moments[c]);
            to.scale[c] = static_cast<T>(g);
            to.slope[c] = static_cast<T>(by);
            to.offset[c] = static_cast<T>(-g * sum / total - by * rest_of<T>(moments[c]));
        });
        return;
    }
    for (int64 c = channels.begin; c < channels.end; ++c) {
        to.shift[c] = mean_->weights[c];
        to.scale[c] = static_cast<T>(gamma(c) * inverse_deviation(static_cast<double>(variance_->weights[c])));
        to.slope[c] = to.offset[c] = 0;
    }
}

template <class T>
void BatchNormalization<T>::input_gradient(const Call<T>& call, Slice slice, const Numbers& by) const {
    for_each_stretch(output_gradient_, input_gradient_, call.batch, call.axes, slice, [&](int64 from, int64 to, int64 n) {
        call.kernels->normalize_gradient(below_, n, channels_, call.values[this->input] + from,
                                         call.gradients[this->output] + from, by.shift, by.scale, by.slope, by.offset,
                                         call.gradients[this->input] + to);
    });
}

// ∇β = Σ δ;  ∇γ = Σ δ ⊙ x̂
template <class T>
void BatchNormalization<T>::SumGradient::part(const Call<T>& call, int64) const {
    T* const gradient = this->parameter->gradient.data();
    const bool of_gamma = this->parameter == layer->gamma_.get();
    const double* const moments = layer->template extra<double>(call, 1);
    std::fill_n(gradient, this->parameter->size(), T{0});
    if (layer->rows(call) == 0) return;
    layer->for_each_sum(call, {0, layer->channels_}, [&](int64 c, double sum, double product) {
        const double variance =
            layer->of_batch(call) ? moments[layer->channels_ + c] : static_cast<double>(layer->variance_->weights[c]);
        gradient[c] = static_cast<T>(of_gamma ? product * layer->inverse_deviation(variance) : sum);
    });
}

// μ̄ = momentum μ̄ + (1 - momentum) μ, and σ² the same way, the batch's own (biased), as Keras has it
template <class T>
void BatchNormalization<T>::update_state(const Call<T>& call) const {
    if (!of_batch(call) || rows(call) == 0) return;
    const double* const moments = this->template extra<double>(call, 1);
    const auto move = [&](Parameter<T>& state, const double* of) {
        for (int64 c = 0; c < channels_; ++c)
            state.weights[c] = static_cast<T>(options_.momentum * static_cast<double>(state.weights[c]) +
                                              (1 - options_.momentum) * of[c]);
        ++state.version;
    };
    move(*mean_, moments);
    move(*variance_, moments + channels_);
}

template class BatchNormalization<float>;
template class BatchNormalization<double>;

}  // namespace tauten
