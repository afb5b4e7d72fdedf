// Layers without weights that treat every value, or every row of channels, alike: activations, softmax,
// and the change of layout from time rows to samples.
#pragma once

#include "layers/node.h"

namespace tauten {

template <class T>
class RowNode : public Node<T> {
public:
    using Node<T>::Node;
    bool reads_time() const override { return true; }
    bool passes_time() const override { return true; }
    bool local() const override { return !grid_.time; }
    void plan(const std::vector<Edge>& edges) override {
        grid_ = edges[static_cast<size_t>(this->input)].value;
        below_ = edges[static_cast<size_t>(this->input)].activation;
    }
    double work(const Call<T>& call) const override {
        return 10.0 * static_cast<double>(grid_.rows(call.batch, call.axes) * grid_.channels);
    }

protected:
    Grid grid_;  // the same for input and output
    Activation below_ = Activation::linear;
};

// y = f(x) for an activation whose derivative follows from y.
template <class T>
class ActivationNode final : public RowNode<T> {
public:
    ActivationNode(Place place, Activation activation) : RowNode<T>(std::move(place)), activation_(activation) {}
    FinalActivation final_activation() const override {
        return activation_ == Activation::sigmoid ? FinalActivation::sigmoid : FinalActivation::none;
    }
    bool set_activation(Activation f) override {
        if (f == Activation::linear) activation_ = f;
        return f == Activation::linear;
    }
    void forward(const Call<T>& call, Slice slice, int phase, T* scratch) const override;
    void backward(const Call<T>& call, Slice slice, int phase, T* scratch) const override;

private:
    Activation activation_;
};

// y = softmax(x) over the channels, or its logarithm; backwards through the full Jacobian (§26.1.3: outputs that are not
// independent).
template <class T>
class Softmax final : public RowNode<T> {
public:
    explicit Softmax(Place place, bool logarithm = false) : RowNode<T>(std::move(place)), logarithm_(logarithm) {}
    FinalActivation final_activation() const override {
        return logarithm_ ? FinalActivation::none : FinalActivation::softmax;
    }
    void forward(const Call<T>& call, Slice slice, int phase, T* scratch) const override;
    void backward(const Call<T>& call, Slice slice, int phase, T* scratch) const override;

private:
    bool logarithm_;
};

// Time rows of a fixed number of steps, laid out sample by sample.
template <class T>
class Relayout final : public Node<T> {
public:
    explicit Relayout(Place place) : Node<T>(std::move(place)) {}
    bool reads_time() const override { return true; }
    bool writes_halo() const override { return true; }
    void plan(const std::vector<Edge>& edges) override;
    double work(const Call<T>& call) const override;
    void forward(const Call<T>& call, Slice slice, int phase, T* scratch) const override;
    void backward(const Call<T>& call, Slice slice, int phase, T* scratch) const override;

private:
    template <class F>
    void for_each_row(const Call<T>& call, Slice slice, const Grid& samples, F&& f) const;

    Grid from_, to_, to_gradient_;
    Activation below_ = Activation::linear;
};

}  // namespace tauten
