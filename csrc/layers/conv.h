// Convolution in one, two and three spatial dimensions, one code (§26.3.1-3): filters as deep as the input,
//   y[o, q] = f(b_q + Σ_a Σ_c x[o·s - p + a·d, c] · W[a, c, q])
// with groups, the channels c and the filters q of each by themselves.
#pragma once

#include <array>
#include <optional>

#include "layers/padded_node.h"
#include "layers/winograd.h"

namespace tauten {

struct ConvOptions {
    int64 groups = 1;
    double padding_value = 0;  // of the halo around the input
    const char* kernel = "kernel";
    bool winograd = false;  // where it pays (docs/design.md, 2)
};

template <class T>
class Conv final : public PaddedNode<T> {
public:
    Conv(Place place, const Window& window, int64 channels, int64 filters, Activation activation, bool use_bias,
         const ConvOptions& options = {});

    void wanted_halo(Grid& value) const override {
        if (this->padding_value_ == 0) add_input_halo(value);  // an edge's halo is zeros
    }
    void wanted_gradient_halo(Grid& gradient) const override;
    void plan(const std::vector<Edge>& edges) override;
    std::string detail() const override { return forwards_ ? forwards_->name() : std::string(); }
    bool local() const override;
    int extra_count() const override { return 2; }
    void extra_bytes(const Call<T>& call, std::vector<int64>& bytes) const override;
    int64 scratch(const Call<T>& call) const override;
    double work(const Call<T>& call) const override;
    void forward(const Call<T>& call, Slice slice, int phase, T* scratch) const override;
    bool in_parts(const Call<T>&, Way) const override { return true; }
    void backward(const Call<T>& call, Slice slice, int phase, T* scratch) const override;
    bool stale_in_prediction(const Call<T>& call) const override;
    int64 stale_parts(const Call<T>& call) override;
    void refresh_part(const kernels::Kernels<T>& kernels, int64 part) override;
    void refreshed() override;
    std::vector<Product<T>*> products() override { return {&product_}; }

private:
    using EdgeNode<T>::below_, EdgeNode<T>::input_, EdgeNode<T>::output_, EdgeNode<T>::input_gradient_,
        EdgeNode<T>::output_gradient_, PaddedNode<T>::window_, PaddedNode<T>::activation_, PaddedNode<T>::padded_,
        PaddedNode<T>::padded_gradient_, PaddedNode<T>::padded_input, PaddedNode<T>::padded_gradient;

    struct Gradient final : Product<T> {
        const Conv* layer = nullptr;
        int64 lines(const Call<T>& call) const override;
        Line<T> line(const Call<T>& call, int64 i) const override;
        bool reaches(const Line<T>& line, int64 g) const override { return layer->reaches(line.place, g); }
        const Tiled<T>* tiled(const Call<T>& call) const override {
            return layer->tiled(call) ? &*layer->tiled_gradient_ : nullptr;
        }
        int64 depth(const Call<T>& call) const override { return call.batch * layer->window_.positions(); }
    };

    struct TiledGradient final : WinogradGradient<T> {
        using WinogradGradient<T>::WinogradGradient;
        const Conv* layer = nullptr;
        typename WinogradGradient<T>::Operands operands(const Call<T>& call) const override;
    };

    // Input positions of one residue in every extent: their gradients are one product.
    struct ResidueClass {
        Residue d[3];
        int64 depth;          // taps of all extents x filters: K of its product
        Buffer<T> panels;     // [group][panel over its channels][taps flipped, its filters][panel]
    };

    // Whether kernel columns and channels (or filters) are one contiguous K.
    bool contiguous() const { return options_.groups == 1 && window_.dilation[2] == 1; }
    void add_input_halo(Grid& value) const;
    bool tiled(const Call<T>& call) const;
    Range reached(int d) const;
    bool reaches(const int64 (&place)[2], int64 g) const;
    void transpose_filters(const kernels::Kernels<T>& kernels, ResidueClass& c, int64 panel, Range channels);

    int64 channels_, filters_;
    ConvOptions options_;
    int64 own_channels_, own_filters_;  // of a group
    std::shared_ptr<Parameter<T>> kernel_, bias_;
    std::vector<ResidueClass> classes_;
    uint64 version_ = 0;  // of the kernel that the classes' panels were made from
    Gradient product_;
    std::vector<std::array<int64, 2>> group_rows_;  // of the window, in the extents in front, by group of the product's rows
    // Winograd's way, each way round, and of the weight gradient; empty where the plain product is used
    std::optional<Winograd<T>> forwards_, backwards_;
    std::optional<TiledGradient> tiled_gradient_;
    int64 stale_forwards_ = 0;       // parts of a refresh that are forwards_' panels
    bool stale_backwards_ = false, stale_points_ = false;
};

}  // namespace tauten
