// Dense: y = f(x·W + b) on the last axis (chapter 25's MLP layer; §26.4.1 for its gradients).
#pragma once

#include "layers/node.h"

namespace tauten {

template <class T>
class Dense final : public Node<T> {
public:
    Dense(Place place, int64 features, int64 units, Activation activation, bool use_bias);

    bool reads_time() const override { return true; }
    bool passes_time() const override { return true; }
    bool set_activation(Activation f) override {
        activation_ = f;
        return true;
    }
    void plan(const std::vector<Edge>& edges) override;
    double work(const Call<T>& call) const override;
    void forward(const Call<T>& call, Slice slice, int phase, T* scratch) const override;
    bool in_parts(const Call<T>& call, Way way) const override;
    void backward(const Call<T>& call, Slice slice, int phase, T* scratch) const override;
    int64 stale_parts(const Call<T>& call) override;
    void refresh_part(const kernels::Kernels<T>& kernels, int64 part) override;
    void refreshed() override { transposed_.version = kernel_->version; }
    std::vector<Product<T>*> products() override { return {&product_}; }

private:
    struct Gradient final : Product<T> {
        const Dense* layer = nullptr;
        int64 lines(const Call<T>& call) const override;
        Line<T> line(const Call<T>& call, int64 i) const override;
        int64 depth(const Call<T>& call) const override { return layer->grid_.rows(call.batch, call.axes); }
    };

    int64 features_, units_;
    Activation activation_;
    Activation below_ = Activation::linear;
    Grid grid_;  // of the input: positions or time rows
    std::shared_ptr<Parameter<T>> kernel_, bias_;
    DerivedPanels<T> transposed_;  // Wᵀ in panels over the features
    Gradient product_;
};

}  // namespace tauten
