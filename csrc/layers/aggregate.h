// The chapter's generalised aggregation (§26.3.4), and with the sum its convolution with one filter (§26.3.1): a window
// of weights W slides over up to three spatial extents and over the channels too,
//   y[o, q] = agg_{a, c} x[o·s - p + a, q·s_c - p_c + c] · W[a, c]          agg: sum, mean or maximum
// Positions outside the input take no part: a mean is over those inside.
#pragma once

#include "layers/edge_node.h"
#include "layers/window.h"

namespace tauten {

template <class T>
class Aggregate final : public EdgeNode<T> {
public:
    enum class Kind { sum, average, max };

    // depth: the window over the channels, its last extent. shape: of W, Keras' order.
    Aggregate(Place place, Kind kind, const Window& window, const Window& depth, const Shape& shape);

    bool writes_halo() const override { return true; }
    void plan(const std::vector<Edge>& edges) override;
    bool local() const override { return true; }
    int extra_count() const override { return 1; }
    void extra_bytes(const Call<T>& call, std::vector<int64>& bytes) const override;
    int64 scratch(const Call<T>& call) const override;
    double work(const Call<T>& call) const override;
    void forward(const Call<T>& call, Slice slice, int phase, T* scratch) const override;
    bool in_parts(const Call<T>&, Way way) const override { return way == Way::forward; }
    void backward(const Call<T>& call, Slice slice, int phase, T* scratch) const override;
    std::vector<Scatter<T>*> scatters() override { return {&gradient_}; }

private:
    using Index = kernels::Index<T>;

    struct WindowGradient final : Scatter<T> {
        const Aggregate* layer = nullptr;
        int64 parts() const override;
        void part(const Call<T>& call, int64 part) const override;
    };

    // Outputs [first, first + count) of a line, along the channels, see the window's elements [from, to) there.
    struct Run {
        int64 first, count, from, to;
    };
    // The same for a position: elements [from, to) of the window in each spatial extent lie inside.
    struct Clip {
        int64 from[3], to[3];
        int64 count() const { return (to[0] - from[0]) * (to[1] - from[1]) * (to[2] - from[2]); }
    };

    static Run run_at(const Window& w, int64 q);
    Clip clip(const int64 (&o)[3]) const;
    void position(int64 number, int64 (&o)[3]) const;
    // Where the window of a run at position o begins in a sample, were it not clipped; where its outputs lie.
    int64 start(const Grid& grid, const int64 (&o)[3], const Run& run) const;
    static int64 place_of(const Grid& grid, const int64 (&o)[3], const Run& run);
    T divisor(const Clip& clip, const Run& run) const;
    Index* which(const Call<T>& call, int64 row, int64 position) const;

    Kind kind_;
    Window window_, depth_;
    std::shared_ptr<Parameter<T>> weights_;
    std::vector<Run> runs_;
    std::vector<int64> offsets_;           // by element of the window, in the gradient to the input
    using EdgeNode<T>::below_, EdgeNode<T>::input_, EdgeNode<T>::output_, EdgeNode<T>::input_gradient_,
        EdgeNode<T>::output_gradient_;
    WindowGradient gradient_;
};

}  // namespace tauten
