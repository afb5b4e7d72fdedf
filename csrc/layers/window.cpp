#include "layers/window.h"

#include <algorithm>
#include <numeric>

#include "core/check.h"

namespace tauten {

Window make_window(const std::string& layer, const std::string& what, const Shape& input_shape, const Shape& window,
                   const Shape& strides, const Padding& padding, const Shape& dilation, bool channels_first) {
    const int rank = static_cast<int>(window.size());
    require(rank >= 1 && rank <= 3, layer, ": ", what, " must have 1 to 3 extents, got ", rank);
    require(static_cast<int>(input_shape.size()) == rank + 1, layer, ": expected an input of ", rank,
            channels_first ? " spatial extent(s) behind the channels, that is rank "
                           : " spatial extent(s) and channels, that is rank ",
            rank + 1, " without the batch, got shape ", to_text(input_shape));
    require(strides.size() == window.size(), layer, ": strides has ", strides.size(), " extents where ", what, " has ",
            rank);
    require(padding.kind != Padding::Kind::given || padding.amounts.size() == window.size(), layer, ": padding has ",
            padding.amounts.size(), " pairs where ", what, " has ", rank, " extents");
    require(dilation.empty() || dilation.size() == window.size(), layer, ": dilation_rate has ", dilation.size(),
            " extents where ", what, " has ", rank);
    Window w;
    w.rank = rank;
    for (int i = 0; i < rank; ++i) {
        const int d = 3 - rank + i;
        const size_t at = static_cast<size_t>(i);
        const int64 n = input_shape[at + channels_first], k = window[at], s = strides[at];
        require(n != run_time, layer, ": needs input extents that are known beforehand, got ", to_text(input_shape),
                "; give all sequences one length (tauten.utils.pad_sequences) and the Input that many steps");
        require(k >= 1 && k <= largest_size, layer, ": ", what, " must be positive (and at most 2^46), got ", to_text(window));
        require(s >= 1 && s <= largest_size, layer, ": strides must be positive (and at most 2^46), got ", to_text(strides));
        const int64 apart = dilation.empty() ? 1 : dilation[at];
        require(apart >= 1 && apart <= largest_size, layer, ": dilation_rate must be positive (and at most 2^46), got ",
                to_text(dilation));
        const int64 span = multiply(k - 1, apart, layer + ": " + what) + 1;
        int64 before = 0, after = 0;
        if (padding.kind == Padding::Kind::same) {
            const int64 total = std::max<int64>(0, (divide_up(n, s) - 1) * s + span - n);
            before = total / 2;
            after = total - before;
        } else if (padding.kind == Padding::Kind::given) {
            before = padding.amounts[at].first;
            after = padding.amounts[at].second;
            require(before >= 0 && after >= 0 && before <= largest_size && after <= largest_size, layer,
                    ": padding must be from 0 to 2^46, got (", before, ", ", after, ")");
        }
        require(n + before + after >= span, layer, ": a window of ", span, " does not fit an extent of ", n, " padded by (",
                before, ", ", after, "): input ", to_text(input_shape), ", ", what, " ", to_text(window),
                apart > 1 ? text(", dilation_rate ", to_text(dilation)) : "");
        w.input[d] = n;
        w.window[d] = k;
        w.step[d] = s;
        w.dilation[d] = apart;
        w.before[d] = before;
        w.after[d] = after;
        w.output[d] = (n + before + after - span) / s + 1;
        if (w.output[d] == 1) w.step[d] = std::min(s, n + before + after);  // never taken: any stride is as good
    }
    elements({w.window[0], w.window[1], w.window[2]}, layer + ": " + what);
    elements({w.input[0] + w.before[0] + w.after[0], w.input[1] + w.before[1] + w.after[1],
              w.input[2] + w.before[2] + w.after[2],
              channels_first ? input_shape.front() : input_shape.back()},
             layer + ": the padded input");
    return w;
}

void Window::add_halo(Grid& value) const {
    for (int d = 0; d < 3; ++d) {
        value.before[d] = before[d];
        value.after[d] = after[d];
    }
}

std::vector<Residue> residues(const Window& w, int d) {
    const int64 n = w.input[d], k = w.window[d], s = w.step[d], p = w.before[d], apart = w.dilation[d];
    const int64 common = std::gcd(s, apart);
    std::vector<Residue> all;
    for (int64 i = 0; i < std::min(s, n); ++i) {
        Residue r{0, s / common, 0, i, divide_up(n - i, s), 0, apart / common};
        // the first a with a·dilation = i + before, modulo step
        if (apart == 1) r.first_tap = (i + p) % s;
        while (r.first_tap < std::min(k, r.tap_step) && (i + p - r.first_tap * apart) % s != 0) ++r.first_tap;
        if (r.first_tap < std::min(k, r.tap_step)) r.taps = divide_up(k - r.first_tap, r.tap_step);
        if (r.taps > 0) r.first_output = (i + p - r.place(0) * apart) / s;
        all.push_back(r);
    }
    return all;
}

void add_gradient_halo(const Window& w, Grid& gradient) {
    for (int d = 0; d < 3; ++d) {
        gradient.before[d] = gradient.after[d] = 0;
        for (const Residue& r : residues(w, d)) {
            if (r.taps == 0) continue;
            const int64 last = r.first_output + r.output_step * (r.taps - 1) + r.inputs - 1;
            gradient.before[d] = std::max(gradient.before[d], -r.first_output);
            gradient.after[d] = std::max(gradient.after[d], last - (w.output[d] - 1));
        }
    }
}

}  // namespace tauten
