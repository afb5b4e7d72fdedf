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

// Window positions in front that a product sums over.
constexpr int64 most_leads = 64;

}  // namespace

template <class T>
WinogradTiles<T>::WinogradTiles(const kernels::WinogradTransforms<T>& t, const Window& w, const int64 (&outputs)[3])
    : transforms(&t), march(2 - t.dims), plane(t.dims - 1), outer(t.dims == 2 ? 1 : w.window[0]),
      points(power(t.points, t.dims)), taps(power(t.taps, t.dims)) {
    for (int d = 0; d < 3; ++d) {
        output[d] = outputs[d];
        window[d] = w.window[d];
        step[d] = d >= 3 - t.dims ? t.outputs : 1;
        tiles[d] = divide_up(output[d], step[d]);
    }
}

// Vector operations of both ways, of all output tiles of a sample.
template <class T>
const kernels::WinogradTransforms<T>* choose_winograd(const Window& window, int64 channels, int64 filters) {
    const kernels::Kernels<T>& k = kernels::table<T>();
    for (const int64 step : window.step)
        if (step != 1) return nullptr;
    const int64 taps = window.window[2];
    const kernels::WinogradTransforms<T>* t = window.window[1] == taps ? k.winograd(2, taps) : nullptr;
    if (!t) t = k.winograd(1, taps);
    if (!t) return nullptr;
    const int dims = t->dims;
    const auto vectors = [&](int64 n) { return static_cast<double>(divide_up(n, k.lanes)); };
    const int64 in_front = dims == 2 ? window.window[0] : window.window[0] * window.window[1];
    if (in_front > most_leads) return nullptr;
    const double leads = static_cast<double>(in_front);
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
    const double outer = dims == 2 ? 1 : static_cast<double>(window.window[0]);
    const double tiled = tiles * points * (products + there * outer * vectors(channels) + back * vectors(filters));
    return channels >= k.lanes && filters >= k.lanes && tiled < 0.85 * plain ? t : nullptr;
}

template <class T>
Winograd<T>::Winograd(const kernels::WinogradTransforms<T>& transforms, const Window& window, const int64 (&output)[3],
                      int64 channels, int64 columns)
    : tiles_(transforms, window, output), channels_(channels), columns_(columns), depth_(tiles_.leads() * channels) {
    const int64 panel = kernels::table<T>().panel;
    point_ = odd_lines<T>(depth_ * panel);
    chunk_ = std::min(round_up(columns, panel), std::max(panel, chunk_columns / panel * panel));
}

template <class T>
std::string Winograd<T>::name() const {
    const kernels::WinogradTransforms<T>& t = *tiles_.transforms;
    const auto size = [&](int64 n) { return t.dims == 2 ? text(n, "x", n) : text(n); };
    return text("Winograd F(", size(t.outputs), ", ", size(t.taps), ")");
}

template <class T>
int64 Winograd<T>::reach(int d) const {
    return tiles_.tiles[d] * tiles_.step[d] + tiles_.window[d] - 1;
}

template <class T>
int64 Winograd<T>::panels() const {
    return divide_up(columns_, kernels::table<T>().panel);
}

// Tiles in blocks of equal size.
template <class T>
int64 Winograd<T>::block_tiles(int64 tiles) const {
    const int64 rows = 2 * kernels::table<T>().tile;
    const int64 fitting = points_bytes / (tiles_.points * depth_ * static_cast<int64>(sizeof(T)));
    const int64 most = std::min(most_tiles, std::max(rows, fitting / rows * rows));
    return divide_up(tiles, divide_up(tiles, most));
}

template <class T>
int64 Winograd<T>::scratch() const {
    const int64 most = std::min(most_tiles, block_tiles(int64{1} << 30) + 1);
    return tiles_.points * (tiles_.leads() * odd_lines<T>(most * channels_) + odd_lines<T>(most * chunk_)) +
           2 * kernels::slack;
}

// packed: rows (lead, tap, channel) of one panel
template <class T>
void Winograd<T>::refresh_panel(const kernels::Kernels<T>& k, int64 panel, const T* packed) {
    const kernels::WinogradTransforms<T>& t = *tiles_.transforms;
    const int64 run = channels_ * k.panel, point = point_;
    T* const first = filters_.data() + panel * tiles_.points * point;
    for (int64 lead = 0; lead < tiles_.leads(); ++lead) {
        const T* from = packed + lead * tiles_.taps * run;
        T* to = first + lead * run;
        kernels::WinogradPatches<T> p{};
        p.count = 1;
        p.channels = run;
        p.from = &from;
        p.from_row = t.taps * run;
        p.from_column = run;
        p.to = &to;
        p.to_row = t.points * point;
        p.to_column = point;
        t.weights(p);
    }
}

// parts: of the tiles, or of the panels where tiles are few and those are not
template <class T>
void Winograd<T>::run(const kernels::Kernels<T>& k, const WinogradPlaces<T>& at, Slice slice, T* scratch) const {
    const WinogradTiles<T>& tiles = tiles_;
    const kernels::WinogradTransforms<T>& t = *tiles.transforms;
    const int64 all = slice.rows() * tiles.count();
    const bool by_tiles = all >= slice.parts * k.tile || panels() < slice.parts;
    const Range own = by_tiles ? slice.share(all) : Range{0, all};
    const Range panel = by_tiles ? Range{0, panels()} : slice.share(panels());
    if (own.size() == 0 || panel.size() == 0) return;
    const int64 block = block_tiles(own.size()), points = t.points, slots = tiles.window[tiles.march];
    const int64 along_from = at.from_grid->stride[tiles.march], along_to = at.to_grid->stride[tiles.march];
    const int64 along_below = at.below ? at.below_grid->stride[tiles.march] : 0;
    const Range inside = at.inside[tiles.march];  // the rest are zeros, which nothing is added for
    // what the output transform cannot do is done row by row
    const auto own_kind = [](Activation f) { return f == Activation::linear || f == Activation::relu; };
    const bool activate = !own_kind(at.activation), slope = at.below && !own_kind(at.below_activation);

    const T *patches[most_tiles], *corners[most_tiles], *below[most_tiles], *under[most_tiles];
    T *entries[most_tiles], *outputs[most_tiles];
    int32 rows[most_tiles], columns[most_tiles];
    kernels::Tap<T> taps[most_leads];
    for (int64 first = own.begin; first < own.end; first += block) {
        const int64 count = std::min(block, own.end - first);
        const int64 v_point = odd_lines<T>(count * channels_), m_point = odd_lines<T>(count * chunk_);
        T* const v = scratch;  // [outer, slot][point][tile][channel]: the inputs at a position of the march are in one slot
        T* const m = scratch + tiles.leads() * tiles.points * v_point + kernels::slack;
        for (int64 e = 0; e < count; ++e) {
            const int64 tile = slice.begin * tiles.count() + first + e;
            corners[e] = at.from + tiles.offset(tile, *at.from_grid);
            outputs[e] = at.to + tiles.offset(tile, *at.to_grid);
            below[e] = at.below ? at.below + tiles.offset(tile, *at.below_grid) : nullptr;
            rows[e] = static_cast<int32>(tiles.rows(tile));
            columns[e] = static_cast<int32>(tiles.columns(tile));
        }
        for (int64 o = 0, ready = 0; o < tiles.output[tiles.march]; ++o) {
            for (; ready < o + slots; ++ready)
                for (int64 a = 0; a < tiles.outer && inside.holds(ready); ++a) {
                    T* const to = v + (a * slots + ready % slots) * tiles.points * v_point;
                    const int64 offset = a * at.from_grid->stride[0] + ready * along_from;
                    for (int64 e = 0; e < count; ++e) {
                        patches[e] = corners[e] + offset;
                        entries[e] = to + e * channels_;
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
            const int64 chunk_panels = chunk_ / k.panel, filters = point_;
            for (int64 p0 = panel.begin; p0 < panel.end; p0 += chunk_panels) {
                const int64 column = p0 * k.panel;
                const int64 width = std::min(std::min(columns_, panel.end * k.panel) - column, chunk_);
                for (int64 i = 0; i < tiles.points; ++i) {
                    int64 tap_count = 0;
                    for (int64 lead = 0; lead < tiles.leads(); ++lead) {
                        if (!inside.holds(o + lead % slots)) continue;
                        const int64 slot = lead / slots * slots + (o + lead % slots) % slots;
                        taps[tap_count++] = {v + (slot * tiles.points + i) * v_point,
                                      filters_.data() + (p0 * tiles.points + i) * filters + lead * channels_ * k.panel,
                                      channels_, 1, k.panel, tiles.points * filters, channels_};
                    }
                    k.gemm({taps, tap_count, count, width, k.panel, m + i * m_point, chunk_, k.panel, nullptr, false,
                            Activation::linear, nullptr, 0});
                }
                for (int64 e = 0; e < count; ++e) {
                    patches[e] = m + e * chunk_;
                    entries[e] = outputs[e] + o * along_to + column;
                    under[e] = below[e] ? below[e] + o * along_below + column : nullptr;
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
                        const int64 y_row = at.to_grid->stride[2];
                        if (activate) k.activate(at.activation, columns[e], width, y, y_row, y, y_row);
                        if (slope)
                            k.activation_gradient(at.below_activation, columns[e], width,
                                                  under[e] + r * at.below_grid->stride[1], at.below_grid->stride[2], y, y_row);
                    }
            }
        }
    }
}

// -- the weight gradient ---------------------------------------------------------------------------------

template <class T>
WinogradGradient<T>::WinogradGradient(const kernels::WinogradTransforms<T>& transforms, const Window& window,
                                      int64 channels, int64 filters)
    : tiles_(transforms, window, window.output), channels_(channels), filters_(filters) {}

// As many channels and filters, and all leads if possible, as keep the sums at the points in L2.
template <class T>
TiledBlock WinogradGradient<T>::block() const {
    const int64 panel = kernels::table<T>().panel;
    const int64 columns = std::min(round_up(filters_, panel), std::max(panel, chunk_columns / panel * panel));
    const int64 fitting = gradient_bytes / (tiles_.points * columns * static_cast<int64>(sizeof(T)));
    if (tiles_.leads() * channels_ <= fitting) return {tiles_.leads(), channels_, columns};
    return {1, divide_up(channels_, divide_up(channels_, std::max<int64>(fitting, 8))), columns};
}

namespace {

constexpr int64 gradient_tiles = 28;

}  // namespace

template <class T>
int64 WinogradGradient<T>::scratch(const TiledBlock& block) const {
    const int64 wide = round_up(block.columns, kernels::table<T>().panel);
    return tiles_.points * (block.leads * (block.rows * wide + odd_lines<T>(gradient_tiles * block.rows)) +
                            odd_lines<T>(gradient_tiles * wide)) +
           2 * kernels::slack;
}

// sums: [lead][panel][tap][row][columns of a panel]
template <class T>
void WinogradGradient<T>::sums(const Call<T>& call, Range leads, Range lines, Range rows, Range columns, T* sums,
                               T* scratch) const {
    const kernels::Kernels<T>& k = *call.kernels;
    const WinogradTiles<T>& tiles = tiles_;
    const kernels::WinogradTransforms<T>& t = *tiles.transforms;
    const Operands at = operands(call);
    const int64 panels = divide_up(columns.size(), k.panel), wide = panels * k.panel, height = rows.size();
    const int64 panel_size = tiles.points * height * k.panel, points = t.points;
    // A march over all leads finds the inputs that it needs in their slots; a single lead has one slot.
    const int64 window = tiles.window[tiles.march], slots = leads.size() > 1 ? window : 1;
    const int64 v_slot = tiles.points * odd_lines<T>(gradient_tiles * height);
    T* const u = scratch;                                   // [lead][panel][point][row][columns of a panel]
    T* const v = u + leads.size() * panels * panel_size;    // [lead's slot][point][tile][row]
    T* const d = v + leads.size() * v_slot + kernels::slack;  // [point][tile][column]
    if (columns.size() < wide) std::fill_n(u, leads.size() * panels * panel_size, T{0});  // what no product writes
    const Range inside = at.inside[tiles.march];
    bool begun[most_leads] = {};
    const T* from[gradient_tiles];
    T* to[gradient_tiles];
    const int64 begin = lines.begin * tiles.tiles[2], end = lines.end * tiles.tiles[2];
    const int64 block = divide_up(end - begin, divide_up(end - begin, gradient_tiles));
    for (int64 first = begin; first < end; first += block) {
        const int64 count = std::min(block, end - first);
        const int64 v_point = odd_lines<T>(count * height), d_point = odd_lines<T>(count * wide);
        const auto inputs = [&](int64 a, int64 place, T* slot) {
            const int64 offset = a * at.x_grid->stride[0] + place * at.x_grid->stride[tiles.march] + rows.begin;
            kernels::WinogradPatches<T> p{};
            p.count = count;
            p.channels = height;
            p.from = from;
            p.from_row = at.x_grid->stride[1];
            p.from_column = at.x_grid->stride[2];
            p.to = to;
            p.to_row = points * v_point;
            p.to_column = v_point;
            for (int64 e = 0; e < count; ++e) {
                from[e] = at.x + tiles.offset(first + e, *at.x_grid) + offset;
                to[e] = slot + e * height;
            }
            t.input(p);
        };
        for (int64 o = 0, ready = 0; o < tiles.output[tiles.march]; ++o) {
            if (leads.size() == 1) {
                if (!inside.holds(o + leads.begin % window)) continue;
                const int64 a = tiles.march == 0 ? 0 : leads.begin / window;
                inputs(a, o + leads.begin % window, v);
            } else {
                for (; ready < o + slots; ++ready)
                    for (int64 a = 0; a < tiles.outer && inside.holds(ready); ++a) inputs(a, ready, v + (a * slots + ready % slots) * v_slot);
            }
            kernels::WinogradPatches<T> p{};
            p.count = count;
            p.channels = columns.size();
            p.from = from;
            p.from_row = at.delta_grid->stride[1];
            p.from_column = at.delta_grid->stride[2];
            p.to = to;
            p.to_row = points * d_point;
            p.to_column = d_point;
            for (int64 e = 0; e < count; ++e) {
                from[e] = at.delta + tiles.offset(first + e, *at.delta_grid) + o * at.delta_grid->stride[tiles.march] +
                          columns.begin;
                to[e] = d + e * wide;
            }
            t.delta(p);
            for (int64 lead = 0; lead < leads.size(); ++lead) {
                if (leads.size() > 1 && !inside.holds(o + lead % slots)) continue;
                const int64 slot = leads.size() == 1 ? 0 : lead / slots * slots + (o + lead % slots) % slots;
                T* const sum = u + lead * panels * panel_size;
                for (int64 i = 0; i < tiles.points; ++i) {
                    const kernels::Tap<T> tap{v + slot * v_slot + i * v_point, d + i * d_point, 1, height, wide, k.panel, count};
                    k.gemm({&tap, 1, height, columns.size(), k.panel, sum + i * height * k.panel, k.panel, panel_size,
                            nullptr, begun[lead], Activation::linear, nullptr, 0});
                }
                begun[lead] = true;
            }
        }
    }
    for (int64 lead = 0; lead < leads.size(); ++lead)
        if (!begun[lead]) std::fill_n(u + lead * panels * panel_size, panels * panel_size, T{0});
    for (int64 panel = 0; panel < leads.size() * panels; ++panel) {
        const T* sum = u + panel * panel_size;
        T* tap = sums + panel * tiles.taps * height * k.panel;
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

// Lines of tiles, as lines of positions.
template <class T>
void WinogradGradient<T>::bias_sums(const Call<T>& call, Range lines, Range columns, T* sums) const {
    const Operands at = operands(call);
    bool more = false;
    for (int64 line = lines.begin; line < lines.end; ++line) {
        const int64 tile = line * tiles_.tiles[2];
        const T* first = at.delta + tiles_.offset(tile, *at.delta_grid) + columns.begin;
        for (int64 o = 0; o < tiles_.output[tiles_.march]; ++o)
            for (int64 r = 0; r < tiles_.rows(tile); ++r, more = true)
                call.kernels->column_sums(tiles_.output[2], columns.size(),
                                          first + o * at.delta_grid->stride[tiles_.march] + r * at.delta_grid->stride[1],
                                          at.delta_grid->stride[2], sums, more);
    }
}

template struct WinogradTiles<float>;
template struct WinogradTiles<double>;
template const kernels::WinogradTransforms<float>* choose_winograd<float>(const Window&, int64, int64);
template const kernels::WinogradTransforms<double>* choose_winograd<double>(const Window&, int64, int64);
template class Winograd<float>;
template class Winograd<double>;
template class WinogradGradient<float>;
template class WinogradGradient<double>;

}  // namespace tauten
