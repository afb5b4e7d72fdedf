// Depthwise convolution in one to three spatial dimensions, one code: every channel has `multiplier` filters of its own,
//   y[o, c·m + j] = f(b + Σ_a x[o·s - p + a·d, c] · W[a, c, j]),  m = multiplier
// With m > 1 the layer reads a copy of its input in which each channel stands m times, so that kernels know m = 1 only.
#pragma once

#include "layers/padded_node.h"

namespace tauten {

struct DepthwiseOptions {
    int64 multiplier = 1;
    double padding_value = 0;  // of the halo around the input
    const char* kernel = "kernel";
    bool grouped = false;      // kernel (..., 1, channels · m): a convolution's with as many groups as channels
};

template <class T>
class Depthwise final : public PaddedNode<T> {
public:
    Depthwise(Place place, const Window& window, int64 channels, Activation activation, bool use_bias,
              const DepthwiseOptions& options = {});

    void wanted_halo(Grid& value) const override {
        if (!own_input()) window_.add_halo(value);
    }
    void wanted_gradient_halo(Grid& gradient) const override { add_gradient_halo(window_, gradient); }
    void plan(const std::vector<Edge>& edges) override;
    bool local() const override { return true; }
    int extra_count() const override { return 3; }
    void extra_bytes(const Call<T>& call, std::vector<int64>& bytes) const override;
    int64 scratch(const Call<T>& call) const override;
    double work(const Call<T>& call) const override;
    void forward(const Call<T>& call, Slice slice, int phase, T* scratch) const override;
    bool in_parts(const Call<T>&, Way) const override { return true; }
    void backward(const Call<T>& call, Slice slice, int phase, T* scratch) const override;
    std::vector<Scatter<T>*> scatters() override;

private:
    using EdgeNode<T>::below_, EdgeNode<T>::input_, EdgeNode<T>::output_, EdgeNode<T>::input_gradient_,
        EdgeNode<T>::output_gradient_, PaddedNode<T>::window_, PaddedNode<T>::activation_, PaddedNode<T>::padded_,
        PaddedNode<T>::padded_gradient_, PaddedNode<T>::padded_input, PaddedNode<T>::padded_gradient;

    // A sample's sums are made where it goes backward, while its values are in the cache; they are added here, in the
    // order of the samples.
    struct Gradient final : Scatter<T> {
        const Depthwise* layer = nullptr;
        int64 first = 0;  // of a sample's sums
        int64 parts() const override;
        void part(const Call<T>& call, int64 part) const override;
    };

    // Input positions of one residue in every extent, and the taps that lead to their gradients.
    struct ResidueClass {
        Residue d[3];
        std::vector<int64> offsets, rows;  // of each tap: in the output's gradient; in W
    };

    // Whether the input is copied for reasons of the layer's own.
    bool own_input() const { return options_.multiplier > 1 || this->padding_value_ != 0; }
    bool learns() const { return kernel_->trainable || (bias_ && bias_->trainable); }
    int64 sums_size() const { return (window_.size() + 1) * width_; }
    const T* corner(const Call<T>& call, int64 row, int64 a, int64 b) const;
    const T* output_gradient(const Call<T>& call, int64 row, int64 a, int64 b) const;
    void sum_weights(const Call<T>& call, Slice slice) const;
    void input_gradient(const Call<T>& call, Slice slice, T* scratch) const;

    int64 channels_, width_;  // of the input, of the output
    DepthwiseOptions options_;
    std::shared_ptr<Parameter<T>> kernel_, bias_;
    std::vector<int64> offsets_;                              // of each window position, in the padded input
    std::vector<ResidueClass> classes_;
    Gradient kernel_gradient_, bias_gradient_;
};

}  // namespace tauten
