#include "layers/winograd.h"

#include <algorithm>

#include "core/check.h"

namespace tauten {

namespace {

// Tiles of a block: two or more register tiles of rows, while inputs at the points stay in L2.
constexpr int64 most_tiles = 64;
constexpr int64 points_bytes = 512 << 10;
// Columns of a chunk: sums at the points stay in L2 until they are brought back.
constexpr int64 chunk_columns = 64;
// A weight gradient's sums at the points stay in L2.
constexpr int64 gradient_bytes = 640 << 10;

// Points lie an odd number of cache lines apart: a power of two would put them all in a few sets of L1.
template <class T>
int64 odd_lines(int64 elements) {
    constexpr int64 line = 64 / static_cast<int64>(sizeof(T));
    return (divide_up(elements, line) | 1) * line;
}

int64 power(int64 x, int n) { return n == 2 ? x * x : x; }

// The sample, and the tile in it, that a tile number stands for.
struct TileAt {
    int64 sample, a, b, c;

    TileAt(int64 tile, const int64 (&tiles)[3])
        : sample(tile / (tiles[0] * tiles[1] * tiles[2])), a(tile / (tiles[1] * tiles[2]) % tiles[0]),
          b(tile / tiles[2] % tiles[1]), c(tile % tiles[2]) {}
    template <class G>
    int64 offset(const G& grid, const int64 (&step)[3]) const {
        return sample * grid.sample + a * step[0] * grid.stride[0] + b * step[1] * grid.stride[1] +
               c * step[2] * grid.stride[2];
    }
};

template <class T>
void cut_tiles(const kernels::WinogradTransforms<T>& t, const int64 (&output)[3], int64 (&step)[3], int64 (&tiles)[3]) {
    for (int d = 0; d < 3; ++d) {
        step[d] = d >= 3 - t.dims ? t.outputs : 1;
        tiles[d] = divide_up(output[d], step[d]);
    }
}

template <class T>
int64 count_leads(const kernels::WinogradTransforms<T>& t, const Window& window) {
    return t.dims == 2 ? window.window[0] : window.window[0] * window.window[1];
}

// Where the window's positions in front begin, in a grid.
int64 lead_offset(const Grid& grid, const int64 (&window)[3], int dims, int64 lead) {
    return dims == 2 ? lead * grid.stride[0] : lead / window[1] * grid.stride[0] + lead % window[1] * grid.stride[1];
}

}  // namespace

// Vector operations of both ways, of all output tiles of a sample.
template <class T>
const kernels::WinogradTransforms<T>* choose_winograd(const Window& window, int64 channels, int64 filters) {
    const kernels::Kernels<T>& k = kernels::table<T>();
    for (int d = 0; d < 3; ++d)
        if (window.step[d] != 1) return nullptr;
    const int64 taps = window.window[2];
    const kernels::WinogradTransforms<T>* t = window.window[1] == taps ? k.winograd(2, taps) : nullptr;
    if (!t) t = k.winograd(1, taps);
    if (!t) return nullptr;
    const int dims = t->dims;
    const auto vectors = [&](int64 n) { return static_cast<double>(divide_up(n, k.lanes)); };
    const double leads = static_cast<double>(count_leads(*t, window));
    const double points = static_cast<double>(power(t->points, dims));
    double tiles = 1, positions = 1;
    for (int d = 3 - dims; d < 3; ++d) {
        tiles *= static_cast<double>(divide_up(window.output[d], t->outputs));
        positions *= static_cast<double>(window.output[d]);
    }
    // Multiply-adds, and what a vector of a tile costs to be taken to the points and back (measured, in multiply-adds
    // a point).
    const double products = leads * static_cast<double>(channels) * vectors(filters);
    const double there = dims == 2 ? 6 : 4, back = dims == 2 ? 4.5 : 3;
    const double plain = positions * static_cast<double>(power(taps, dims)) * products;
    const double tiled = tiles * points * (products + there * leads * vectors(channels) + back * vectors(filters));
    return channels >= k.lanes && filters >= k.lanes && tiled < 0.85 * plain ? t : nullptr;
}

template <class T>
Winograd<T>::Winograd(const kernels::WinogradTransforms<T>& transforms, const Window& window, const int64 (&output)[3],
                      int64 channels, int64 columns)
    : transforms_(&transforms), channels_(channels), columns_(columns), leads_(count_leads(transforms, window)),
      points_(power(transforms.points, transforms.dims)), depth_(leads_ * channels) {
    std::copy_n(output, 3, output_);
    std::copy_n(window.window, 3, window_);
    cut_tiles(transforms, output_, step_, tiles_);
    const int64 panel = kernels::table<T>().panel;
    chunk_ = std::min(round_up(columns, panel), std::max(panel, chunk_columns / panel * panel));
}

template <class T>
std::string Winograd<T>::name() const {
    const auto size = [&](int64 n) { return transforms_->dims == 2 ? text(n, "x", n) : text(n); };
    return text("Winograd F(", size(transforms_->outputs), ", ", size(transforms_->taps), ")");
}

template <class T>
int64 Winograd<T>::reach(int d) const {
    return tiles_[d] * step_[d] + window_[d] - 1;
}

template <class T>
int64 Winograd<T>::panels() const {
    return divide_up(columns_, kernels::table<T>().panel);
}

// Tiles in blocks of equal size.
template <class T>
int64 Winograd<T>::block_tiles(int64 tiles) const {
    const int64 rows = 2 * kernels::table<T>().tile;
    const int64 fitting = points_bytes / (points_ * depth_ * static_cast<int64>(sizeof(T)));
    const int64 most = std::min(most_tiles, std::max(rows, fitting / rows * rows));
    return divide_up(tiles, divide_up(tiles, most));
}

template <class T>
int64 Winograd<T>::scratch() const {
    const int64 most = block_tiles(std::max<int64>(1, int64{1} << 30));
    return points_ * (odd_lines<T>(most * depth_) + odd_lines<T>(most * chunk_)) + 2 * kernels::slack;
}

// packed: rows (lead, tap, channel) of one panel
template <class T>
void Winograd<T>::refresh_panel(const kernels::Kernels<T>& k, int64 panel, const T* packed) {
    const int64 taps = transforms_->taps, run = channels_ * k.panel, point = depth_ * k.panel;
    T* const first = filters_.data() + panel * points_ * point;
    for (int64 lead = 0; lead < leads_; ++lead) {
        const T* from = packed + lead * power(taps, transforms_->dims) * run;
        T* to = first + lead * run;
        kernels::WinogradPatches<T> p{};
        p.count = 1;
        p.channels = run;
        p.from = &from;
        p.from_row = taps * run;
        p.from_column = run;
        p.to = &to;
        p.to_row = transforms_->points * point;
        p.to_column = point;
        transforms_->weights(p);
    }
}

// parts: of the tiles, or of the panels where tiles are few
template <class T>
void Winograd<T>::run(const kernels::Kernels<T>& k, const WinogradPlaces<T>& at, Slice slice, T* scratch) const {
    const int64 all = slice.rows() * tiles_a_sample();
    const bool by_tiles = all >= slice.parts * k.tile;
    const Range own = by_tiles ? slice.share(all) : Range{0, all};
    const Range panel = by_tiles ? Range{0, panels()} : slice.share(panels());
    if (own.size() == 0 || panel.size() == 0) return;
    const kernels::WinogradTransforms<T>& t = *transforms_;
    const int64 block = block_tiles(own.size()), points = t.points;
    const bool two = t.dims == 2;
    // what the output transform cannot do is done row by row
    const auto own_kind = [](Activation f) { return f == Activation::linear || f == Activation::relu; };
    const bool activate = !own_kind(at.activation), slope = at.below && !own_kind(at.below_activation);

    const T *patches[most_tiles], *corners[most_tiles], *below[most_tiles], *under[most_tiles];
    T *entries[most_tiles], *outputs[most_tiles];
    int32 rows[most_tiles], columns[most_tiles];
    for (int64 first = own.begin; first < own.end; first += block) {
        const int64 count = std::min(block, own.end - first);
        const int64 v_point = odd_lines<T>(count * depth_), m_point = odd_lines<T>(count * chunk_);
        T* const v = scratch;
        T* const m = scratch + points_ * v_point + kernels::slack;
        for (int64 e = 0; e < count; ++e) {
            TileAt tile(slice.begin * tiles_a_sample() + first + e, tiles_);
            corners[e] = at.from + tile.offset(*at.from_grid, step_);
            outputs[e] = at.to + tile.offset(*at.to_grid, step_);
            below[e] = at.below ? at.below + tile.offset(*at.below_grid, step_) : nullptr;
            rows[e] = static_cast<int32>(two ? std::min(step_[1], output_[1] - tile.b * step_[1]) : 1);
            columns[e] = static_cast<int32>(std::min(step_[2], output_[2] - tile.c * step_[2]));
        }
        for (int64 lead = 0; lead < leads_; ++lead) {
            const int64 offset = lead_offset(*at.from_grid, window_, t.dims, lead);
            for (int64 e = 0; e < count; ++e) {
                patches[e] = corners[e] + offset;
                entries[e] = v + e * depth_ + lead * channels_;
            }
            kernels::WinogradPatches<T> p{};
            p.count = count;
            p.channels = channels_;
            p.from = patches;
            p.from_row = at.from_grid->stride[1];
            p.from_column = at.from_grid->stride[2];
            p.to = entries;
            p.to_row = points * v_point;
            p.to_column = v_point;
            t.input(p);
        }
        const int64 chunk_panels = chunk_ / k.panel;
        for (int64 p0 = panel.begin; p0 < panel.end; p0 += chunk_panels) {
            const int64 column = p0 * k.panel, width = std::min(std::min(columns_, panel.end * k.panel) - column, chunk_);
            const int64 filters = depth_ * k.panel;
            for (int64 i = 0; i < points_; ++i) {
                const kernels::Tap<T> tap{v + i * v_point, filters_.data() + (p0 * points_ + i) * filters, depth_, 1, k.panel,
                                          points_ * filters, depth_};
                k.gemm({&tap, 1, count, width, k.panel, m + i * m_point, chunk_, k.panel, nullptr, false,
                        Activation::linear, nullptr, 0});
            }
            for (int64 e = 0; e < count; ++e) {
                patches[e] = m + e * chunk_;
                entries[e] = outputs[e] + column;
                under[e] = below[e] ? below[e] + column : nullptr;
            }
            kernels::WinogradPatches<T> p{};
            p.count = count;
            p.channels = width;
            p.from = patches;
            p.from_row = points * m_point;
            p.from_column = m_point;
            p.to = entries;
            p.to_row = at.to_grid->stride[1];
            p.to_column = at.to_grid->stride[2];
            p.rows = rows;
            p.columns = columns;
            p.bias = at.bias ? at.bias + column : nullptr;
            p.relu = at.activation == Activation::relu;
            if (at.below && at.below_activation == Activation::relu) {
                p.below = under;
                p.below_row = at.below_grid->stride[1];
                p.below_column = at.below_grid->stride[2];
            }
            t.output(p);
            if (!activate && !slope) continue;
            for (int64 e = 0; e < count; ++e)
                for (int64 r = 0; r < rows[e]; ++r) {
                    T* y = entries[e] + r * at.to_grid->stride[1];
                    if (activate)
                        k.activate(at.activation, columns[e], width, y, at.to_grid->stride[2], y, at.to_grid->stride[2]);
                    if (slope)
                        k.activation_gradient(at.below_activation, columns[e], width,
                                              below[e] + column + r * at.below_grid->stride[1], at.below_grid->stride[2], y,
                                              at.to_grid->stride[2]);
                }
        }
    }
}

// -- the weight gradient ---------------------------------------------------------------------------------

template <class T>
WinogradGradient<T>::WinogradGradient(const kernels::WinogradTransforms<T>& transforms, const Window& window,
                                      int64 channels, int64 filters)
    : transforms_(&transforms), channels_(channels), filters_(filters), leads_(count_leads(transforms, window)),
      taps_(power(transforms.taps, transforms.dims)), points_(power(transforms.points, transforms.dims)) {
    std::copy_n(window.output, 3, output_);
    std::copy_n(window.window, 3, window_);
    cut_tiles(transforms, output_, step_, tiles_);
}

// As many channels and filters as keep the sums at the points in L2.
template <class T>
void WinogradGradient<T>::block(int64& rows, int64& columns) const {
    const int64 panel = kernels::table<T>().panel;
    columns = std::min(round_up(filters_, panel), std::max(panel, chunk_columns / panel * panel));
    const int64 fitting = gradient_bytes / (points_ * columns * static_cast<int64>(sizeof(T)));
    rows = divide_up(channels_, divide_up(channels_, std::max<int64>(fitting, 8)));
}

namespace {

constexpr int64 gradient_tiles = 28;

}  // namespace

template <class T>
int64 WinogradGradient<T>::scratch(int64 rows, int64 columns) const {
    const int64 wide = round_up(columns, kernels::table<T>().panel);
    return points_ * (rows * wide + odd_lines<T>(gradient_tiles * rows) + odd_lines<T>(gradient_tiles * wide)) +
           2 * kernels::slack;
}

// sums: [panel][tap][row][columns of a panel]
template <class T>
void WinogradGradient<T>::sums(const Call<T>& call, int64 lead, Range lines, Range rows, Range columns, T* sums,
                               T* scratch) const {
    const kernels::Kernels<T>& k = *call.kernels;
    const kernels::WinogradTransforms<T>& t = *transforms_;
    const Operands at = operands(call);
    const int64 panels = divide_up(columns.size(), k.panel), wide = panels * k.panel, height = rows.size();
    const int64 panel_size = points_ * height * k.panel, points = t.points;
    T* const u = scratch;                               // [panel][point][row][columns of a panel]
    T* const v = u + panels * panel_size;               // [point][tile][row]
    T* const d = v + points_ * odd_lines<T>(gradient_tiles * height) + kernels::slack;  // [point][tile][column]
    if (columns.size() < wide) std::fill_n(u, panels * panel_size, T{0});  // what no product writes
    const T* from[gradient_tiles];
    T* to[gradient_tiles];
    const int64 offset = lead_offset(*at.x_grid, window_, t.dims, lead) + rows.begin;
    const int64 end = lines.end * tiles_[2], all = end - lines.begin * tiles_[2];
    const int64 block = divide_up(all, divide_up(all, gradient_tiles));
    for (int64 first = lines.begin * tiles_[2]; first < end; first += block) {
        const int64 count = std::min(block, end - first);
        const int64 v_point = odd_lines<T>(count * height), d_point = odd_lines<T>(count * wide);
        kernels::WinogradPatches<T> p{};
        p.count = count;
        p.from = from;
        p.to = to;
        for (int64 e = 0; e < count; ++e) {
            from[e] = at.x + TileAt(first + e, tiles_).offset(*at.x_grid, step_) + offset;
            to[e] = v + e * height;
        }
        p.channels = height;
        p.from_row = at.x_grid->stride[1];
        p.from_column = at.x_grid->stride[2];
        p.to_row = points * v_point;
        p.to_column = v_point;
        t.input(p);
        for (int64 e = 0; e < count; ++e) {
            from[e] = at.delta + TileAt(first + e, tiles_).offset(*at.delta_grid, step_) + columns.begin;
            to[e] = d + e * wide;
        }
        p.channels = columns.size();
        p.from_row = at.delta_grid->stride[1];
        p.from_column = at.delta_grid->stride[2];
        p.to_row = points * d_point;
        p.to_column = d_point;
        t.delta(p);
        for (int64 i = 0; i < points_; ++i) {
            const kernels::Tap<T> tap{v + i * v_point, d + i * d_point, 1, height, wide, k.panel, count};
            k.gemm({&tap, 1, height, columns.size(), k.panel, u + i * height * k.panel, k.panel, panel_size, nullptr,
                    first > lines.begin * tiles_[2], Activation::linear, nullptr, 0});
        }
    }
    for (int64 panel = 0; panel < panels; ++panel) {
        const T* sum = u + panel * panel_size;
        T* tap = sums + panel * taps_ * height * k.panel;
        kernels::WinogradPatches<T> p{};
        p.count = 1;
        p.channels = height * k.panel;
        p.from = &sum;
        p.from_row = points * height * k.panel;
        p.from_column = height * k.panel;
        p.to = &tap;
        p.to_row = t.taps * height * k.panel;
        p.to_column = height * k.panel;
        t.gradient(p);
    }
}

// Lines of tiles, as lines of positions; what lies behind the last one is zero.
template <class T>
void WinogradGradient<T>::bias_sums(const Call<T>& call, Range lines, Range columns, T* sums) const {
    const Operands at = operands(call);
    bool more = false;
    for (int64 line = lines.begin; line < lines.end; ++line) {
        const TileAt tile(line * tiles_[2], tiles_);
        const T* first = at.delta + tile.offset(*at.delta_grid, step_) + columns.begin;
        const int64 rows = std::min(step_[1], output_[1] - tile.b * step_[1]);
        for (int64 r = 0; r < rows; ++r, more = true)
            call.kernels->column_sums(output_[2], columns.size(), first + r * at.delta_grid->stride[1],
                                      at.delta_grid->stride[2], sums, more);
    }
}

template const kernels::WinogradTransforms<float>* choose_winograd<float>(const Window&, int64, int64);
template const kernels::WinogradTransforms<double>* choose_winograd<double>(const Window&, int64, int64);
template class Winograd<float>;
template class Winograd<double>;
template class WinogradGradient<float>;
template class WinogradGradient<double>;

}  // namespace tauten
