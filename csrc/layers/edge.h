// Edges: the tensors between nodes, and where their values lie.
#pragma once

#include <algorithm>
#include <string>

#include "core/shape.h"
#include "core/team.h"
#include "core/types.h"

namespace tauten {

struct Range {
    int64 begin, end;
    int64 size() const { return end - begin; }
    bool holds(int64 i) const { return i >= begin && i < end; }
};

// What one thread, or one pass of it, works on: rows [begin, end) of the batch. Where there are fewer rows than threads,
// all take the same rows, and each computes one of `parts` of what a node writes.
struct Slice {
    int64 begin, end;
    int64 part = 0, parts = 1;
    const Member* member = nullptr;  // of the team whose members the parts are

    int64 rows() const { return end - begin; }
    // This part of n things.
    Range share(int64 n) const { return {n * part / parts, n * (part + 1) / parts}; }
    // Returns when every part has come here.
    void meet() const {
        if (parts > 1) member->barrier();
    }
};

// A time axis in one call. Rows of the batch are ordered by length, longest first, so that those alive at
// step t are rows 0 .. active[t]-1; they are packed: row r at step t is number offset[t] + r of `total`. Rows of no steps
// (all masked) are never alive.
struct Steps {
    int64 steps = 0;                // τ of the longest row
    int64 total = 0;                // Σ τ_i
    bool full = true;               // all rows have `steps` steps
    const int64* active = nullptr;  // steps + 1 entries, the last one 0
    const int64* offset = nullptr;  // steps + 1 entries

    int64 alive(int64 t, Slice s) const { return std::max<int64>(0, std::min(s.end, active[t]) - s.begin); }
};

// Where the values of one edge (or of its gradient) lie. Two layouts:
//   sample: one sample after the other, each a grid of up to three spatial extents (ones in front) of
//           `channels` contiguous values, with an optional halo of padding around the grid
//   time:   `channels` contiguous values a row, rows packed step by step as Steps says
struct Grid {
    bool time = false;
    int axis = -1;                 // time axis of a time grid
    int64 extent[3] = {1, 1, 1};
    int64 channels = 1;
    int64 before[3] = {0, 0, 0}, after[3] = {0, 0, 0};  // halo
    int64 stride[3] = {0, 0, 0};   // elements from position to position
    int64 sample = 0;              // elements from sample to sample
    int64 origin = 0;              // elements from a sample's start to its first position

    int64 positions() const { return extent[0] * extent[1] * extent[2]; }
    bool halo() const {
        for (int d = 0; d < 3; ++d)
            if (before[d] || after[d]) return true;
        return false;
    }
    // Strides from the extents and the halo.
    void lay_out() {
        stride[2] = channels;
        stride[1] = stride[2] * (extent[2] + before[2] + after[2]);
        stride[0] = stride[1] * (extent[1] + before[1] + after[1]);
        sample = stride[0] * (extent[0] + before[0] + after[0]);
        origin = before[0] * stride[0] + before[1] * stride[1] + before[2] * stride[2];
    }
    // Elements in a call.
    int64 size(int64 batch, const Steps* axes) const { return time ? axes[axis].total * channels : batch * sample; }
    // Rows of `channels` values, all positions of all samples or steps; only without a halo do they follow each other.
    int64 rows(int64 batch, const Steps* axes) const { return time ? axes[axis].total : batch * positions(); }
};

// f(first row, count) for every run of consecutive rows of a slice, in a grid without halo.
template <class F>
void for_each_run(const Grid& grid, int64 batch, const Steps* axes, Slice slice, F&& f) {
    if (!grid.time) {
        f(slice.begin * grid.positions(), slice.rows() * grid.positions());
        return;
    }
    const Steps& axis = axes[grid.axis];
    if (slice.begin == 0 && slice.end == batch) {
        if (axis.total > 0) f(int64{0}, axis.total);
        return;
    }
    for (int64 t = 0; t < axis.steps; ++t) {
        const int64 rows = axis.alive(t, slice);
        if (rows == 0) break;
        f(axis.offset[t] + slice.begin, rows);
    }
}

// f(offset in `from`, offset in `to`, rows) for every stretch of rows of a slice that is one in both grids, of which `to`
// may have a halo. Of a slice in parts, this part's lines of each sample.
template <class F>
void for_each_stretch(const Grid& from, const Grid& to, int64 batch, const Steps* axes, Slice slice, F&& f) {
    if (!to.halo() && slice.parts == 1) {
        for_each_run(from, batch, axes, slice, [&](int64 first, int64 rows) {
            f(first * from.channels, first * from.channels, rows);
        });
        return;
    }
    const Range lines = slice.share(from.extent[0] * from.extent[1]);
    for (int64 r = slice.begin; r < slice.end; ++r)
        for (int64 line = lines.begin; line < lines.end; ++line) {
            const int64 a = line / from.extent[1], b = line % from.extent[1];
            f(r * from.sample + line * from.stride[1],
              r * to.sample + to.origin + a * to.stride[0] + b * to.stride[1], from.extent[2]);
        }
}

// A tensor of the network. Each edge has one producer and one reader at most.
struct Edge {
    std::string name;   // of the layer that produces it
    Shape shape;        // without the batch; run_time where the steps are known only then
    bool index = false; // int32 tokens instead of values
    bool unused = false;  // closing the network has found a way around it
    bool optional = false;  // one of several that a layer writes: nobody needs to read it
    int producer = -1;  // node, or -1 for an input
    int reader = -1;    // node, or -1 for the output
    int input = -1;     // number among the inputs, or -1
    Activation activation = Activation::linear;  // f of the producer: whoever writes this edge's gradient applies f'
    Grid value;
    Grid gradient;
    int gradient_of = -1;  // the edge whose gradient is this one's, too, in the same memory
};

}  // namespace tauten
