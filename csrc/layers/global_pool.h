// The largest value, or the mean, of each channel over all positions of a sample, or all steps of a sequence.
#pragma once

#include "layers/grid_node.h"
#include "layers/pool.h"

namespace tauten {

// max y_c = max_i x_ic; average y_c = Σ_i x_ic / n, i in order. A sequence of no steps gives zeros.
template <class T>
class GlobalPool final : public GridNode<T> {
public:
    using Kind = typename Pool<T>::Kind;

    GlobalPool(Place place, Kind kind, int64 channels)
        : GridNode<T>(std::move(place)), kind_(kind), channels_(channels) {}
    bool reads_time() const override { return true; }
    bool local() const override { return !this->input_.time; }
    int extra_count() const override { return 1; }
    void extra_bytes(const Call<T>& call, std::vector<int64>& bytes) const override;
    int64 scratch(const Call<T>&) const override { return channels_; }
    double work(const Call<T>& call) const override {
        return static_cast<double>(this->input_.rows(call.batch, call.axes) * channels_);
    }
    void forward(const Call<T>& call, Slice slice, int phase, T* scratch) const override;
    void backward(const Call<T>& call, Slice slice, int phase, T* scratch) const override;

private:
    using Index = kernels::Index<T>;

    // The positions, or steps, of each maximum of a row.
    Index* winners(const Call<T>& call, int64 row) const { return this->template extra<Index>(call, 0) + row * channels_; }
    void forward_steps(const Call<T>& call, Slice slice) const;
    // δ of one row's positions or steps, of which there are `count`: `of(i)` is where the i-th begins in the gradient,
    // each(f) calls f(where, positions) for every run of them.
    template <class Of, class Each>
    void spread(const Call<T>& call, int64 row, int64 count, T* scratch, const Of& of, const Each& each) const;

    Kind kind_;
    int64 channels_;
};

}  // namespace tauten
