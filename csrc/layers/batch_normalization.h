// Batch normalization (Ioffe & Szegedy 2015): y = f(γ ⊙ (x - μ) / sqrt(σ² + ε) + β), a μ and σ² each channel; while
// training those of the batch, over all rows of channels (samples, positions, valid time steps), else moving averages.
// A sum behind it is its own: y = f(... + addend), a residual block's end in one pass (docs/design.md, 2).
#pragma once

#include <cmath>

#include "layers/edge_node.h"

namespace tauten {

struct BatchNormalizationOptions {
    double momentum = 0.99, epsilon = 1e-3;
    bool center = true, scale = true;  // with β, with γ
};

template <class T>
class BatchNormalization final : public EdgeNode<T> {
public:
    BatchNormalization(Place place, int64 channels, BatchNormalizationOptions options);

    std::vector<int> inputs() const override;
    void replace_input(int from, int to) override { (from == this->input ? this->input : addend_) = to; }
    bool take_addend(int edge, int sum, Activation f) override;
    bool passes_gradient(int edge) const override { return edge == addend_; }

    bool reads_time() const override { return true; }
    bool passes_time() const override { return true; }
    bool writes_halo() const override { return true; }
    std::string detail() const override { return addend_ < 0 ? std::string() : "adds " + addend_name_ + ": " + sum_name_; }
    void plan(const std::vector<Edge>& edges) override;
    bool set_activation(Activation f) override {
        activation_ = f;
        return true;
    }
    bool local() const override { return !input_.time; }

    int extra_count() const override { return 4; }
    void extra_bytes(const Call<T>& call, std::vector<int64>& bytes) const override;
    int64 scratch(const Call<T>&) const override { return 4 * channels_; }
    double work(const Call<T>& call) const override { return 10.0 * static_cast<double>(rows(call) * channels_); }

    // Stages. Blocks that are no samples need rows of other slices, and a phase before the first stage, in which those come.
    int forward_phases(const Call<T>& call) const override { return of_batch(call) ? 3 + !by_samples() : 1; }
    int backward_phases(const Call<T>& call) const override { return needs_sums(call) ? 3 + !by_samples() : 1; }
    void forward(const Call<T>& call, Slice slice, int phase, T* scratch) const override;
    bool in_parts(const Call<T>& call, Way way) const override;
    void backward(const Call<T>& call, Slice slice, int phase, T* scratch) const override;
    std::vector<Scatter<T>*> scatters() override;
    void update_state(const Call<T>& call) const override;

private:
    // ∇γ or ∇β, from the sums that ∂E/∂x needs anyway.
    struct SumGradient final : Scatter<T> {
        const BatchNormalization* layer = nullptr;
        int64 parts() const override { return 1; }
        void part(const Call<T>& call, int64 part) const override;
    };

    int64 rows(const Call<T>& call) const { return input_.rows(call.batch, call.axes); }
    // A frozen layer goes by its moving averages in training, too.
    bool of_batch(const Call<T>& call) const { return call.training && mean_->moves; }
    bool needs_sums(const Call<T>& call) const {
        return call.backward && (of_batch(call) || (gamma_ && gamma_->trainable) || (beta_ && beta_->trainable));
    }
    // Moments, or sums of δ, of blocks | what they come to by channel | y, or ∂E/∂x
    enum class Stage { wait = -1, blocks, channels, values };
    Stage stage(int phase) const { return static_cast<Stage>(phase - !by_samples()); }
    // Whether a block is a sample.
    bool by_samples() const;
    int64 block_rows(const Call<T>& call) const;
    int64 blocks(const Call<T>& call) const;
    Range block(const Call<T>& call, int64 b) const;
    // f(first row, rows, two numbers a channel) for the blocks that fall to a slice.
    template <class F>
    void for_each_block(const Call<T>& call, Slice slice, double* numbers, F&& f) const;
    // f(channel, μ, σ²) of the batch, put together from those of blocks.
    template <class F>
    void for_each_moment(const Call<T>& call, Range channels, F&& f) const;
    // f(channel, Σ δ, Σ δ (x - μ))
    template <class F>
    void for_each_sum(const Call<T>& call, Range channels, F&& f) const;
    // Channels that a slice puts together for all.
    Range own_channels(const Call<T>& call, Slice slice) const {
        return {channels_ * slice.begin / call.batch, channels_ * slice.end / call.batch};
    }
    // By channel, four numbers: forwards y = (x - shift) scale + offset, backwards also δ's slope. Those of this call, or in
    // `scratch` where they follow from weights alone.
    struct Numbers {
        T *shift, *scale, *slope, *offset;
    };
    Numbers numbers(T* at) const { return {at, at + channels_, at + 2 * channels_, at + 3 * channels_}; }
    Numbers numbers(const Call<T>& call) const { return numbers(this->template extra<T>(call, 3)); }
    void line_up(int64 channel, double mean, double variance, const Numbers& to) const;
    void keep_moments(const Call<T>& call, Range channels) const;
    void write_outputs(const Call<T>& call, Slice slice, const Numbers& by) const;
    void sum_blocks(const Call<T>& call, Slice slice, T* shift) const;
    void line_up_gradient(const Call<T>& call, Range channels, const Numbers& to) const;
    void input_gradient(const Call<T>& call, Slice slice, const Numbers& by) const;
    double inverse_deviation(double variance) const { return 1 / std::sqrt(variance + options_.epsilon); }
    double gamma(int64 channel) const { return gamma_ ? static_cast<double>(gamma_->weights[channel]) : 1; }

    int64 channels_;
    BatchNormalizationOptions options_;
    Activation activation_ = Activation::linear;
    int addend_ = -1;  // edge, or none
    std::string addend_name_, sum_name_;
    using EdgeNode<T>::below_, EdgeNode<T>::input_, EdgeNode<T>::output_, EdgeNode<T>::input_gradient_,
        EdgeNode<T>::output_gradient_;
    std::shared_ptr<Parameter<T>> gamma_, beta_, mean_, variance_;
    SumGradient gamma_gradient_, beta_gradient_;
};

}  // namespace tauten
