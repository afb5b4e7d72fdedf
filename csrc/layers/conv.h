// Convolution in one, two and three spatial dimensions, one code (§26.3.1-3): filters as deep as the input,
//   y[o, q] = f(b_q + Σ_a Σ_c x[o·s - p + a·d, c] · W[a, c, q])
// with groups, the channels c and the filters q of each by themselves.
#pragma once

#include "layers/node.h"
#include "layers/window.h"

namespace tauten {

struct ConvOptions {
    int64 groups = 1;
    double padding_value = 0;  // of the halo around the input
    const char* kernel = "kernel";
};

template <class T>
class Conv final : public Node<T> {
public:
    Conv(Place place, const Window& window, int64 channels, int64 filters, Activation activation, bool use_bias,
         const ConvOptions& options = {});

    bool writes_halo() const override { return true; }
    void wanted_halo(Grid& value) const override {
        if (options_.padding_value == 0) window_.add_halo(value);  // an edge's halo is zeros
    }
    void wanted_gradient_halo(Grid& gradient) const override { add_gradient_halo(window_, gradient); }
    bool set_activation(Activation f) override {
        activation_ = f;
        return true;
    }
    void plan(const std::vector<Edge>& edges) override;
    bool local() const override { return true; }
    bool extra_zeroed() const override { return true; }
    int extra_count() const override { return 2; }
    void extra_bytes(const Call<T>& call, std::vector<int64>& bytes) const override;
    double work(const Call<T>& call) const override;
    void forward(const Call<T>& call, Slice slice, int phase, T* scratch) const override;
    bool in_parts(const Call<T>& call) const override;
    void backward(const Call<T>& call, Slice slice, int phase, T* scratch) const override;
    int64 stale_parts(const Call<T>& call) override;
    void refresh_part(const kernels::Kernels<T>& kernels, int64 part) override;
    void refreshed() override { version_ = kernel_->version; }
    std::vector<Product<T>*> products() override { return {&product_}; }

private:
    struct Gradient final : Product<T> {
        const Conv* layer = nullptr;
        int64 lines(const Call<T>& call) const override;
        Line<T> line(const Call<T>& call, int64 i) const override;
        int64 depth(const Call<T>& call) const override { return call.batch * layer->window_.positions(); }
    };

    // Input positions of one residue in every extent: their gradients are one product.
    struct ResidueClass {
        Residue d[3];
        int64 depth;          // taps of all extents x filters: K of its product
        Buffer<T> panels;     // [group][panel over its channels][taps flipped, its filters][panel]
    };

    // Whether kernel columns and channels (or filters) are one contiguous K.
    bool contiguous() const { return options_.groups == 1 && window_.dilation[2] == 1; }
    const T* padded_input(const Call<T>& call) const;
    const T* padded_gradient(const Call<T>& call) const;

    Window window_;
    int64 channels_, filters_;
    ConvOptions options_;
    int64 own_channels_, own_filters_;  // of a group
    Activation activation_;
    Activation below_ = Activation::linear;
    std::shared_ptr<Parameter<T>> kernel_, bias_;
    Grid input_, output_, input_gradient_, output_gradient_;  // as the edges have them
    Grid padded_, padded_gradient_;                           // with the halo this layer needs
    bool copies_input_ = false, copies_gradient_ = false;     // the edge lacks that halo
    std::vector<ResidueClass> classes_;
    uint64 version_ = 0;  // of the kernel that the classes' panels were made from
    Gradient product_;
};

}  // namespace tauten
