// The geometry of pooling: windows over inputs, clipped at the borders, from either side. One to three dimensions.
#pragma once

#include "kernels/table.h"
#include "simd/vec.h"

namespace tauten::kernels {
namespace {

// A range of positions or window indices in each dimension.
struct Range {
    int64 from[3], to[3];
    TAUTEN_INLINE int64 count() const { return (to[0] - from[0]) * (to[1] - from[1]) * (to[2] - from[2]); }
};

TAUTEN_INLINE int64 at(const int64 (&stride)[3], int64 i, int64 j, int64 k) {
    return i * stride[0] + j * stride[1] + k * stride[2];
}

// The part of output o's window that lies inside the input, in dimension d: window indices from .. to.
template <class T>
TAUTEN_INLINE void clip_window(const PoolArguments<T>& p, int d, int64 o, Range& window) {
    const int64 start = o * p.step[d] - p.before[d], left = p.input_extent[d] - start;
    window.from[d] = start < 0 ? -start : 0;
    window.to[d] = left < p.window[d] ? left : p.window[d];
    if (window.to[d] < window.from[d]) window.to[d] = window.from[d];
}

// body(output position, index of it in dense order, window) for all outputs in order.
template <class T, class Body>
TAUTEN_INLINE void over_outputs(const PoolArguments<T>& p, const Body& body) {
    Range window;
    int64 dense = 0, o[3];
    for (o[0] = 0; o[0] < p.output_extent[0]; ++o[0]) {
        clip_window(p, 0, o[0], window);
        for (o[1] = 0; o[1] < p.output_extent[1]; ++o[1]) {
            clip_window(p, 1, o[1], window);
            for (o[2] = 0; o[2] < p.output_extent[2]; ++o[2], ++dense) {
                clip_window(p, 2, o[2], window);
                body(o, dense, window);
            }
        }
    }
}

// The positions of one window, in window order: offsets in the input and in its gradient, index in the window. Small
// windows are listed, the list kept from one output to the next while the clipping is the same; large ones are walked.
struct ListedWindow {
    static constexpr int64 capacity = 64;
    int64 offset[capacity], gradient_offset[capacity];
    int32 index[capacity];
    int64 count = 0;
    Range range{{-1, -1, -1}, {-1, -1, -1}};

    template <class T>
    TAUTEN_INLINE void set(const PoolArguments<T>& p, const Range& r) {
        bool same = true;
        for (int d = 0; d < 3; ++d) same = same && r.from[d] == range.from[d] && r.to[d] == range.to[d];
        if (same) return;
        range = r;
        count = 0;
        for (int64 i = r.from[0]; i < r.to[0]; ++i)
            for (int64 j = r.from[1]; j < r.to[1]; ++j)
                for (int64 k = r.from[2]; k < r.to[2]; ++k, ++count) {
                    offset[count] = at(p.input_stride, i, j, k);
                    gradient_offset[count] = at(p.input_gradient_stride, i, j, k);
                    index[count] = static_cast<int32>((i * p.window[1] + j) * p.window[2] + k);
                }
    }
    TAUTEN_INLINE int64 first_index() const { return count > 0 ? index[0] : 0; }
    template <class Body>
    TAUTEN_INLINE void each(const Body& body) const {
        for (int64 n = 0; n < count; ++n) body(offset[n], gradient_offset[n], index[n]);
    }
};
template <class T>
struct WalkedWindow {
    const PoolArguments<T>* p = nullptr;
    Range range;
    TAUTEN_INLINE void set(const PoolArguments<T>& arguments, const Range& r) {
        p = &arguments;
        range = r;
    }
    TAUTEN_INLINE int64 first_index() const {
        return (range.from[0] * p->window[1] + range.from[1]) * p->window[2] + range.from[2];
    }
    template <class Body>
    TAUTEN_INLINE void each(const Body& body) const {
        for (int64 i = range.from[0]; i < range.to[0]; ++i)
            for (int64 j = range.from[1]; j < range.to[1]; ++j)
                for (int64 k = range.from[2]; k < range.to[2]; ++k)
                    body(at(p->input_stride, i, j, k), at(p->input_gradient_stride, i, j, k),
                         (i * p->window[1] + j) * p->window[2] + k);
    }
};

template <class T>
TAUTEN_INLINE int64 window_size(const PoolArguments<T>& p) {
    return p.window[0] * p.window[1] * p.window[2];
}
// Where the window of output o would begin, were it not clipped.
template <class T>
TAUTEN_INLINE int64 window_start(const PoolArguments<T>& p, const int64 (&stride)[3], const int64 (&o)[3]) {
    return at(stride, o[0] * p.step[0] - p.before[0], o[1] * p.step[1] - p.before[1],
              o[2] * p.step[2] - p.before[2]);
}

// The outputs whose windows hold input position i in dimension d: o · step - before <= i < o · step - before + window.
// Called with i ascending: the range only moves forward.
template <class T>
TAUTEN_INLINE void advance_outputs(const PoolArguments<T>& p, int d, int64 i, Range& outputs) {
    const int64 padded = i + p.before[d];
    while (outputs.from[d] < p.output_extent[d] && outputs.from[d] * p.step[d] + p.window[d] <= padded)
        ++outputs.from[d];
    while (outputs.to[d] < p.output_extent[d] && outputs.to[d] * p.step[d] <= padded) ++outputs.to[d];
    if (outputs.to[d] < outputs.from[d]) outputs.to[d] = outputs.from[d];
}

// body(input position, outputs whose windows hold it) for all input positions in order.
template <class T, class Body>
TAUTEN_INLINE void over_inputs(const PoolArguments<T>& p, const Body& body) {
    Range outputs{{0, 0, 0}, {0, 0, 0}};
    int64 i[3];
    for (i[0] = 0; i[0] < p.input_extent[0]; ++i[0]) {
        advance_outputs(p, 0, i[0], outputs);
        outputs.from[1] = outputs.to[1] = 0;
        for (i[1] = 0; i[1] < p.input_extent[1]; ++i[1]) {
            advance_outputs(p, 1, i[1], outputs);
            outputs.from[2] = outputs.to[2] = 0;
            for (i[2] = 0; i[2] < p.input_extent[2]; ++i[2]) {
                advance_outputs(p, 2, i[2], outputs);
                body(i, outputs);
            }
        }
    }
}

}  // namespace
}  // namespace tauten::kernels
