// Layer normalization (Ba, Kiros & Hinton 2016): y = f(γ ⊙ (x - μ) / sqrt(σ² + ε) + β), μ and σ² over the last axes of each
// sample, step or position by itself. So rows stay independent, and training is what prediction is.
#pragma once

#include "layers/edge_node.h"

namespace tauten {

struct LayerNormalizationOptions {
    double epsilon = 1e-3;
    bool center = true, scale = true;  // with β, with γ
};

template <class T>
class LayerNormalization final : public EdgeNode<T> {
public:
    // shape: of what is normalized together.
    LayerNormalization(Place place, const Shape& shape, bool last_axis, LayerNormalizationOptions options);

    bool reads_time() const override { return last_axis_; }
    bool passes_time() const override { return last_axis_; }
    bool writes_halo() const override { return last_axis_; }
    bool set_activation(Activation f) override {
        activation_ = f;
        return true;
    }
    bool local() const override { return !input_.time; }
    void plan(const std::vector<Edge>& edges) override;

    int extra_count() const override { return 2; }
    void extra_bytes(const Call<T>& call, std::vector<int64>& bytes) const override;
    int64 scratch(const Call<T>& call) const override;
    double work(const Call<T>& call) const override { return 15.0 * static_cast<double>(groups(call) * size_); }
    void forward(const Call<T>& call, Slice slice, int phase, T* scratch) const override;
    void backward(const Call<T>& call, Slice slice, int phase, T* scratch) const override;
    std::vector<Scatter<T>*> scatters() override;

private:
    // ∇γ or ∇β: of samples of one group from δ itself, else from the sums of each sample, which the backward phase made.
    struct SumGradient final : Scatter<T> {
        const LayerNormalization* layer = nullptr;
        int64 parts() const override;
        void part(const Call<T>& call, int64 part) const override;
    };

    int64 groups(const Call<T>& call) const { return input_.time ? input_.rows(call.batch, call.axes) : call.batch * sample_groups_; }
    bool needs_sums(const Call<T>& call) const {
        return call.backward && ((gamma_ && gamma_->trainable) || (beta_ && beta_->trainable));
    }
    // One group a sample, or a sum for each?
    bool single() const { return !input_.time && sample_groups_ == 1; }
    // f(first group, offset in `to`, groups)
    template <class F>
    void for_each_group(const Grid& to, const Call<T>& call, Slice slice, F&& f) const;
    // Σ δ x̂ and Σ δ of a sample
    Strided<T> sums(const Call<T>& call) const { return {this->extra(call, 1), 2 * size_}; }
    const T* gamma() const { return gamma_ ? gamma_->weights.data() : ones_.data(); }
    const T* beta() const { return beta_ ? beta_->weights.data() : zeros_.data(); }

    int64 size_;           // values that are normalized together
    int64 sample_groups_ = 1;
    bool last_axis_;
    LayerNormalizationOptions options_;
    Activation activation_ = Activation::linear;
    using EdgeNode<T>::below_, EdgeNode<T>::input_, EdgeNode<T>::output_, EdgeNode<T>::input_gradient_,
        EdgeNode<T>::output_gradient_;
    std::shared_ptr<Parameter<T>> gamma_, beta_;
    Buffer<T> ones_, zeros_;  // where there is no γ, no β
    SumGradient gamma_gradient_, beta_gradient_;
};

}  // namespace tauten
