// Convolutions of stride 1 by Winograd's minimal filtering (csrc/kernels/winograd.cpp): tiles of outputs, whose inputs and
// filters are taken to points, multiplied there, one product over the channels a point, and brought back. Over the last
// one or two extents; those in front are summed over with the channels.
#pragma once

#include "layers/node.h"
#include "layers/window.h"

namespace tauten {

// The transforms for a convolution, or nullptr where the plain product is as fast. Depends on shapes and dtype alone.
template <class T>
const kernels::WinogradTransforms<T>* choose_winograd(const Window& window, int64 channels, int64 filters);

// Where one way of a convolution reads and writes: rows of samples, positions, channels.
template <class T>
struct WinogradPlaces {
    const T* from;          // the first window of sample 0 begins here
    const Grid* from_grid;
    Range inside[3];        // positions from there on that are no zeros of the halo, by extent
    T* to;                  // the first output of sample 0
    const Grid* to_grid;
    const T* bias = nullptr;
    Activation activation = Activation::linear;
    const T* below = nullptr;  // outputs of the layer below, whose f' multiplies: as `to`
    const Grid* below_grid = nullptr;
    Activation below_activation = Activation::linear;
};

// The tiles of a convolution's outputs. They lie over the last extent and, in two dimensions, the one in front of it; the
// extent in front of those is *marched* along, so that inputs at the points serve all outputs that read them.
template <class T>
struct WinogradTiles {
    const kernels::WinogradTransforms<T>* transforms;
    int64 output[3], window[3];
    int64 step[3];     // outputs a tile, by extent
    int64 tiles[3];
    int march, plane;  // the extent that is marched along, and the other one in front of the last
    int64 outer;       // window positions in front of the marched extent's, each summed over by itself
    int64 points;      // of a tile
    int64 taps;        // of a filter, in a tile

    WinogradTiles(const kernels::WinogradTransforms<T>& t, const Window& w, const int64 (&outputs)[3]);
    // Window positions that are summed over with the channels.
    int64 leads() const { return outer * window[march]; }
    // Of a sample, the marched extent apart.
    int64 count() const { return tiles[plane] * tiles[2]; }
    // Offset of tile i, counted over samples, in a grid; the march begins at 0.
    int64 offset(int64 i, const Grid& grid) const {
        return i / count() * grid.sample + i / tiles[2] % tiles[plane] * step[plane] * grid.stride[plane] +
               i % tiles[2] * step[2] * grid.stride[2];
    }
    // Its rows (columns) of outputs that lie inside.
    int64 rows(int64 i) const {
        return plane == 1 ? std::min(step[1], output[1] - i / tiles[2] % tiles[1] * step[1]) : 1;
    }
    int64 columns(int64 i) const { return std::min(step[2], output[2] - i % tiles[2] * step[2]); }
};

// One way of it: forwards from channels to filters, backwards from filters to channels with the filters flipped.
template <class T>
class Winograd {
public:
    // output: extents written; columns: channels written
    Winograd(const kernels::WinogradTransforms<T>& transforms, const Window& window, const int64 (&output)[3],
             int64 channels, int64 columns);

    // "Winograd F(4x4, 3x3)"
    std::string name() const;
    // Inputs behind the last output of a whole number of tiles, in extent d, counted from the first window's begin.
    int64 reach(int d) const;
    int64 tiles_a_sample() const { return tiles_.count() * tiles_.output[tiles_.march]; }
    int64 scratch() const;

    // The filters at the points, a panel of columns at a time, from panels as Parameter has them: rows (tap, channel).
    int64 panels() const;
    void make_room() { filters_.reserve(panels() * tiles_.points * point_); }
    void refresh_panel(const kernels::Kernels<T>& k, int64 panel, const T* packed);
    uint64 version = 0;  // of the kernel that they were made from

    void run(const kernels::Kernels<T>& k, const WinogradPlaces<T>& places, Slice slice, T* scratch) const;

private:
    int64 block_tiles(int64 tiles) const;

    WinogradTiles<T> tiles_;
    int64 channels_, columns_;
    int64 depth_;        // leads x channels: K of the products
    int64 point_;        // from point to point of a panel of filters
    int64 chunk_;        // columns that are multiplied before they are brought back
    Buffer<T> filters_;  // [panel][point][lead, channel][columns of a panel]
};

// The weight gradient: ∂U = Σ_tiles Vᵀ D at every point, and back to taps.
template <class T>
class WinogradGradient : public Tiled<T> {
public:
    WinogradGradient(const kernels::WinogradTransforms<T>& transforms, const Window& window, int64 channels, int64 filters);

    int64 leads() const override { return tiles_.leads(); }
    int64 taps() const override { return tiles_.taps; }
    int64 channels() const override { return channels_; }
    TiledBlock block() const override;
    int64 lines(const Call<T>& call) const override { return call.batch * tiles_.tiles[tiles_.plane]; }
    int64 scratch(const TiledBlock& block) const override;
    void sums(const Call<T>& call, Range leads, Range lines, Range rows, Range columns, T* sums, T* scratch) const override;
    void bias_sums(const Call<T>& call, Range lines, Range columns, T* sums) const override;

    // Inputs and δ of a call, and how they lie.
    struct Operands {
        const T* x;      // the first window of sample 0
        const Grid* x_grid;
        Range inside[3];  // as above
        const T* delta;  // the first output of sample 0
        const Grid* delta_grid;
    };
    virtual Operands operands(const Call<T>& call) const = 0;

private:
    WinogradTiles<T> tiles_;
    int64 channels_, filters_;
};

}  // namespace tauten
