#include "layers/window.h"

#include <algorithm>

#include "core/check.h"

namespace tauten {

Window make_window(const std::string& layer, const std::string& what, const Shape& input_shape, const Shape& window,
                   const Shape& strides, const Padding& padding, bool channels_first) {
    const int rank = static_cast<int>(window.size());
    require(rank >= 1 && rank <= 3, layer, ": ", what, " must have 1 to 3 extents, got ", rank);
    require(static_cast<int>(input_shape.size()) == rank + 1, layer, ": expected an input of ", rank,
            channels_first ? " spatial extent(s) behind the channels, that is rank " : " spatial extent(s) and channels, that is rank ", rank + 1, " without the batch, got shape ",
            to_text(input_shape));
    require(strides.size() == window.size(), layer, ": strides has ", strides.size(), " extents where ", what, " has ",
            rank);
    require(padding.kind != Padding::Kind::given || padding.amounts.size() == window.size(), layer, ": padding has ",
            padding.amounts.size(), " pairs where ", what, " has ", rank, " extents");
    Window w;
    w.rank = rank;
    for (int i = 0; i < rank; ++i) {
        const int d = 3 - rank + i;
        const size_t at = static_cast<size_t>(i);
        const int64 n = input_shape[at + channels_first], k = window[at], s = strides[at];
        require(n != run_time, layer, ": needs input extents that are known beforehand, got ", to_text(input_shape));
        require(k >= 1 && k <= largest_size, layer, ": ", what, " must be positive (and at most 2^46), got ", to_text(window));
        require(s >= 1 && s <= largest_size, layer, ": strides must be positive (and at most 2^46), got ", to_text(strides));
        int64 before = 0, after = 0;
        if (padding.kind == Padding::Kind::same) {
            const int64 total = std::max<int64>(0, (divide_up(n, s) - 1) * s + k - n);
            before = total / 2;
            after = total - before;
        } else if (padding.kind == Padding::Kind::given) {
            before = padding.amounts[at].first;
            after = padding.amounts[at].second;
            require(before >= 0 && after >= 0 && before <= largest_size && after <= largest_size, layer,
                    ": padding must be from 0 to 2^46, got (", before, ", ", after, ")");
        }
        require(n + before + after >= k, layer, ": a window of ", k, " does not fit an extent of ", n, " padded by (",
                before, ", ", after, "): input ", to_text(input_shape), ", ", what, " ", to_text(window));
        w.input[d] = n;
        w.window[d] = k;
        w.step[d] = s;
        w.before[d] = before;
        w.after[d] = after;
        w.output[d] = (n + before + after - k) / s + 1;
        if (w.output[d] == 1) w.step[d] = std::min(s, n + before + after);  // never taken: any stride is as good
    }
    elements({w.window[0], w.window[1], w.window[2]}, layer + ": " + what);
    elements({w.input[0] + w.before[0] + w.after[0], w.input[1] + w.before[1] + w.after[1],
              w.input[2] + w.before[2] + w.after[2],
              channels_first ? input_shape.front() : input_shape.back()},
             layer + ": the padded input");
    return w;
}

}  // namespace tauten
