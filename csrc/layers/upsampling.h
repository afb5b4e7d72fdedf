// Grids made larger by whole factors: positions repeated, or values between them (bilinear).
#pragma once

#include "layers/grid_node.h"

namespace tauten {

// y_o = x_⌊o / size⌋ in each dimension.
template <class T>
class Repeat final : public GridNode<T> {
public:
    Repeat(Place place, const int64 (&size)[3]) : GridNode<T>(std::move(place)) { std::copy(size, size + 3, size_); }
    void forward(const Call<T>& call, Slice slice, int phase, T* scratch) const override;
    void backward(const Call<T>& call, Slice slice, int phase, T* scratch) const override;

private:
    int64 size_[3];
};

// Rows and columns interpolated linearly, at half-pixel centres: output o stands at (o + ½) / size - ½ of the input,
// and beyond the first and the last position the border goes on.
template <class T>
class Bilinear final : public GridNode<T> {
public:
    Bilinear(Place place, const int64 (&size)[3]) : GridNode<T>(std::move(place)) { std::copy(size, size + 3, size_); }
    void plan(const std::vector<Edge>& edges) override;
    void forward(const Call<T>& call, Slice slice, int phase, T* scratch) const override;
    void backward(const Call<T>& call, Slice slice, int phase, T* scratch) const override;

private:
    // An output lies between two inputs: (1 - share) · low + share · high.
    struct Between {
        int64 low, high;
        T share;
    };
    int64 size_[3];
    std::vector<Between> rows_, columns_;
};

}  // namespace tauten
