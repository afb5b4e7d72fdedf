// Max- and average-pooling in one, two and three spatial dimensions (§26.3.4).
#pragma once

#include "layers/edge_node.h"
#include "layers/window.h"

namespace tauten {

template <class T>
class Pool final : public EdgeNode<T> {
public:
    enum class Kind { max, average };

    Pool(Place place, Kind kind, const Window& window, int64 channels)
        : EdgeNode<T>(std::move(place)), kind_(kind), window_(window), channels_(channels) {}

    bool writes_halo() const override { return true; }
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
    using EdgeNode<T>::below_, EdgeNode<T>::input_, EdgeNode<T>::output_, EdgeNode<T>::input_gradient_,
        EdgeNode<T>::output_gradient_;
};

}  // namespace tauten
