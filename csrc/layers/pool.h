// Max- and average-pooling in one, two and three spatial dimensions (§26.3.4).
#pragma once

#include "layers/node.h"
#include "layers/window.h"

namespace tauten {

template <class T>
class Pool final : public Node<T> {
public:
    enum class Kind { max, average };

    Pool(Place place, Kind kind, const Window& window, int64 channels)
        : Node<T>(std::move(place)), kind_(kind), window_(window), channels_(channels) {}

    bool writes_halo() const override { return true; }
    void plan(const std::vector<Edge>& edges) override;
    bool local() const override { return true; }
    int extra_count() const override { return 1; }
    void extra_bytes(const Call<T>& call, std::vector<int64>& bytes) const override;
    double work(const Call<T>& call) const override;
    void forward(const Call<T>& call, Slice slice, int phase, T* scratch) const override;
    bool in_parts(const Call<T>& call, Way way) const override;
    void backward(const Call<T>& call, Slice slice, int phase, T* scratch) const override;

private:
    Range share(const Call<T>& call, Slice slice) const;
    kernels::PoolArguments<T> arguments(const Call<T>& call, int64 row, Range channels) const;

    Kind kind_;
    Window window_;
    int64 channels_;
    Activation below_ = Activation::linear;
    Grid input_, output_, input_gradient_, output_gradient_;
};

}  // namespace tauten
