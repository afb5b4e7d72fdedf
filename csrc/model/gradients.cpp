#include "model/gradients.h"

#include <algorithm>
#include <cstring>

namespace tauten {

namespace {

constexpr int64 most_taps = 64;
// Enough items for every thread of a large machine, without looking at how many there are.
constexpr int64 enough_items = 16;
// Lines of a stretch, at the least.
constexpr int64 least_lines = 4;

// How many groups from g on lie equally far apart.
int64 alike(const std::vector<int64>& offset, int64 g) {
    const int64 all = static_cast<int64>(offset.size());
    const auto at = [&](int64 i) { return offset[static_cast<size_t>(i)]; };
    int64 end = std::min(all, g + 2);
    while (end < all && at(end) - at(end - 1) == at(g + 1) - at(g)) ++end;
    return end - g;
}

template <class T>
kernels::UpdateBlock<T> block(Parameter<T>& p, int64 offset, int64 count, const T* gradient) {
    const auto at = [&](Slot slot) {
        T* const values = p.slots[static_cast<int>(slot)].data();
        return values ? values + offset : nullptr;
    };
    return {count, p.weights.data() + offset, gradient, {at(Slot::first), at(Slot::second), at(Slot::third)}, at(Slot::average),
            at(Slot::accumulator), static_cast<T>(p.l1), static_cast<T>(p.l2), T{1}, false};
}

}  // namespace

template <class T>
void Sink<T>::step(const kernels::Kernels<T>& k, Parameter<T>& p, int64 offset, int64 count, const T* gradient) const {
    k.update(settings, block(p, offset, count, gradient));
}

template <class T>
double Sink<T>::finish_stored(const kernels::Kernels<T>& k, Parameter<T>& p, int64 offset, int64 count) const {
    T* const gradient = p.gradient.data() + offset;
    if (p.penalised() || settings.accumulated) k.finish_gradient(settings, block(p, offset, count, gradient), gradient);
    double sums[2];
    k.penalty_sums(count, gradient, sums);
    return sums[1];
}

template <class T>
void Sink<T>::step_scaled(const kernels::Kernels<T>& k, Parameter<T>& p, int64 offset, int64 count, T scale) const {
    kernels::UpdateBlock<T> b = block(p, offset, count, p.gradient.data() + offset);
    b.scale = scale;
    b.finished = true;
    k.update(settings, b);
}

template <class T>
void Sink<T>::finish(const kernels::Kernels<T>& k, Parameter<T>& p, int64 offset, int64 count, const T* gradient) const {
    if (!p.trainable) return;
    if (!p.reused) return finish_whole(k, p, offset, count, gradient);
    if (gradient != p.gradient.data() + offset)
        std::memcpy(p.gradient.data() + offset, gradient, static_cast<size_t>(count) * sizeof(T));
}

template <class T>
void Sink<T>::finish_whole(const kernels::Kernels<T>& k, Parameter<T>& p, int64 offset, int64 count, const T* gradient) const {
    if (not_finite && !k.all_finite(count, gradient)) not_finite->store(&p, std::memory_order_relaxed);
    if (store && gradient != p.gradient.data() + offset)
        std::memcpy(p.gradient.data() + offset, gradient, static_cast<size_t>(count) * sizeof(T));
    if (update) step(k, p, offset, count, gradient);
}

template <class T>
bool ProductPlan<T>::add(Product<T>* product, const Product<T>* before) {
    if (count == 1 ? !product->follows || products[0] != before : count > 0) return false;
    products[count++] = product;
    return true;
}

// What an item reads passes L2 once: a piece of line_rows rows of A and B, and the item's sums, stay there while the
// group's panels pass over them. So all of A is read once a group, all of B once a block, and all of W, read, written
// and read again by the merge, once a stretch. Of the cuts that give every thread of a large machine something to do,
// the one that moves least wins.
template <class T>
void ProductPlan<T>::cut(const kernels::Kernels<T>& k, const Call<T>& call) {
    const Product<T>& first = *products[0];
    tiled = first.tiled(call);
    if (tiled) return cut_tiled(call);
    const int64 size = static_cast<int64>(sizeof(T)), width = first.kernel->width;
    const int64 depth = first.depth(call);
    panels = first.kernel->panels;
    lines = first.lines(call);
    rows = 0;
    for (int64 i = 0; i < count; ++i) rows += products[i]->kernel->rows;
    const int64 cached = (k.lanes * size == 64 ? 768 << 10 : 384 << 10) / size;  // AVX-512: 1 MB of L2 or more
    const int64 most_stretches = std::max<int64>(1, lines / least_lines), most_blocks = divide_up(rows, 2 * k.tile);
    const int64 column_groups = first.column_groups;  // each reads its own part of A
    int64 most_items = 0;
    double least_cost = 0;
    for (int64 g = 1; g <= panels; ++g) {
        const int64 wide = divide_up(panels, g), columns = wide * width;
        if (divide_up(panels, wide) != g) continue;
        const int64 fitting = std::min(cached / 2 / columns, (cached - line_rows * columns) / (columns + line_rows));
        const int64 least_blocks = divide_up(rows, std::max(2 * k.tile, fitting));
        for (int64 s = 1; s <= enough_items; s *= 2) {
            const int64 b = std::clamp(divide_up(enough_items, g * s), least_blocks, most_blocks);
            const int64 cuts = std::clamp(divide_up(enough_items, b * g), int64{1}, most_stretches);
            const int64 found = std::min(enough_items, b * g * cuts);
            const double cost = static_cast<double>(depth) * static_cast<double>(rows * std::max(g, column_groups) + panels * width * b) +
                                (cuts > 1 ? 3.0 * static_cast<double>(cuts * rows * panels * width) : 0.0);
            if (found < most_items || (found == most_items && cost >= least_cost)) continue;
            most_items = found;
            least_cost = cost;
            blocks = b;
            group_panels = wide;
            stretches = cuts;
        }
    }
    groups = divide_up(panels, group_panels);
    block_rows = divide_up(rows, blocks);
    blocks = divide_up(rows, block_rows);
}

template <class T>
int64 ProductPlan<T>::weights() const {
    int64 sum = 0;
    for (int64 i = 0; i <= count; ++i) sum += size(i);
    return sum;
}

template <class T>
int64 ProductPlan<T>::scratch() const {
    if (tiled) {
        const int64 columns = group_panels * products[0]->kernel->width;
        return std::max((tiled->taps() * tiled_block.leads * block_rows + 1) * columns + kernels::slack +
                            tiled->scratch(tiled_block),
                        merge_weights);
    }
    return std::max((block_rows + 1) * group_panels * products[0]->kernel->width + 64, merge_weights);
}

// One item: a piece of K at a time, which every panel of the group takes into its sums; the first block takes B's
// column sums for ∇b. Sums lie where they are to go to, if that is memory: ∇W or a partial sum.
template <class T>
void ProductPlan<T>::run(const kernels::Kernels<T>& k, const Call<T>& call, const Sink<T>& sink, int64 item,
                         T* scratch) const {
    if (tiled) return run_tiled(k, call, sink, item, scratch);
    const Parameter<T>& layout = *products[0]->kernel;
    const int64 width = layout.width;
    const int64 group = item % groups, block = item / groups % blocks, stretch = item / (groups * blocks);
    const int64 p0 = group * group_panels, p1 = std::min(panels, p0 + group_panels);
    const int64 first_column = p0 * width, b_panel = products[0]->b_panel ? products[0]->b_panel : width;
    const int64 column_groups = products[0]->column_groups, group_size = panels / column_groups;
    const int64 all_columns = layout.gates > 1 ? layout.padded_columns() : layout.columns;
    const int64 columns = std::min(all_columns, p1 * width) - first_column;
    const int64 first_line = stretch * lines / stretches, end_line = (stretch + 1) * lines / stretches;
    T* const partial = stretches > 1 ? partials + stretch * weights() : nullptr;
    // Where panel p0 + p finds its columns: A's offset, B's, and how many they are.
    struct Columns {
        int64 a, b, count;
    };
    const auto columns_of = [&](int64 p) -> Columns {
        const int64 g = (p0 + p) / group_size, place = (p0 + p) % group_size;
        return {g * products[0]->a_group, g * products[0]->b_group + place * b_panel,
                std::min(width, all_columns / column_groups - place * width)};
    };
    const bool b_flat = b_panel == width && column_groups == 1;
    const auto whole_vectors = [&](int64 n) { return divide_up(n, k.lanes) * k.lanes; };

    // The item's rows of one W: [m0, m1).
    struct Rows {
        const Product<T>* product;
        int64 m0, m1;
        T* sums;               // of row m0 and panel p0
        int64 panel_stride;    // from panel to panel
    };
    Rows parts[2];
    int64 part_count = 0, above = 0;  // rows of the W before
    int64 at = 0;                     // in a partial sum
    T* next = scratch;
    for (int64 i = 0; i < count; ++i) {
        Parameter<T>& w = *products[i]->kernel;
        const int64 m0 = std::max<int64>(0, block * block_rows - above);
        const int64 m1 = std::min(w.rows, (block + 1) * block_rows - above);
        above += w.rows;
        if (m0 < m1) {
            const int64 offset = (p0 * w.rows + m0) * width;
            T* memory = partial ? partial + at : (sink.store || w.reused) && w.trainable ? w.gradient.data() : nullptr;
            parts[part_count++] = {products[i], m0, m1, memory ? memory + offset : next,
                                   (memory ? w.rows : m1 - m0) * width};
            if (!memory) next += (m1 - m0) * (p1 - p0) * width;
        }
        at += w.size();
    }
    T* const bias_sums = bias() == nullptr || block > 0 ? nullptr : partial ? partial + at + first_column : next;
    if (bias_sums) std::memset(bias_sums, 0, static_cast<size_t>((p1 - p0) * width) * sizeof(T));

    struct Piece {
        const T* b;
        int64 b_row, k;
        Line<T> lines[2];  // of each part
    };
    union Pieces {  // nobody clears them: most products need one or two
        Piece all[most_taps];
        Pieces() {}
    } pieces_of_lines;
    Piece* const pieces = pieces_of_lines.all;
    kernels::Tap<T> taps[most_taps];
    bool first = true;
    int64 line = first_line, done = 0;  // rows of the current line that are done
    while (line < end_line || first) {
        if (!sink.update && call.stopped()) return;  // an update, once begun, goes through
        int64 piece_count = 0, depth = 0;
        while (line < end_line && piece_count < most_taps && depth < line_rows) {
            const Line<T> l = products[0]->line(call, line);
            const int64 take = std::min(l.k - done, line_rows - depth);
            if (take > 0) {
                Piece& piece = pieces[piece_count++];
                piece = {l.b + done * l.b_row, l.b_row, take, {}};
                for (int64 i = 0; i < part_count; ++i) {
                    Line<T>& own = piece.lines[i];
                    own = parts[i].product == products[0] ? l : parts[i].product->line(call, line);
                    own.k = std::clamp(own.k - done, int64{0}, take);
                    if (own.k > 0) own.a += done * own.a_column;
                }
                if (bias_sums && b_flat)
                    k.column_sums(take, whole_vectors(columns), piece.b + p0 * width, piece.b_row, bias_sums, true);
                for (int64 p = 0; bias_sums && !b_flat && p < p1 - p0; ++p)
                    k.column_sums(take, width, piece.b + columns_of(p).b, piece.b_row, bias_sums + p * width, true);
            }
            depth += take;
            done += take;
            if (done == l.k) {
                ++line;
                done = 0;
            }
        }
        for (int64 p = 0; p < p1 - p0; ++p) {
            const Columns own = columns_of(p);
            for (int64 i = 0; i < part_count; ++i) {
                const Rows& part = parts[i];
                const int64 rows_a_group = part.product->group_rows;
                for (int64 g = part.m0 / rows_a_group, end = 0; g * rows_a_group < part.m1; g = end) {
                    const int64 g0 = std::max(part.m0, g * rows_a_group);
                    end = g + 1;
                    if (2 * rows_a_group <= k.tile && g0 == g * rows_a_group)  // several of few rows are one product
                        end = std::max(end, std::min(g + alike(part.product->group_offset, g), part.m1 / rows_a_group));
                    const int64 g1 = std::min(part.m1, end * rows_a_group);
                    const int64 from = part.product->group_offset[static_cast<size_t>(g)];
                    const int64 offset = from + g0 - g * rows_a_group + own.a;
                    int64 tap_count = 0;
                    for (int64 n = 0; n < piece_count; ++n) {
                        const Piece& piece = pieces[n];
                        bool reached = false;
                        for (int64 h = g; h < end && !reached; ++h) reached = part.product->reaches(piece.lines[i], h);
                        if (piece.lines[i].k > 0 && reached)
                            taps[tap_count++] = {piece.lines[i].a + offset, piece.b + own.b, 1, piece.lines[i].a_column,
                                                 piece.b_row, k.panel, piece.lines[i].k};
                    }
                    if (tap_count == 0 && !first) continue;
                    k.gemm({taps, tap_count, g1 - g0, whole_vectors(own.count), k.panel,
                            part.sums + p * part.panel_stride + (g0 - part.m0) * width, width, k.panel, nullptr, !first,
                            Activation::linear, nullptr, 0, end > g + 1 ? rows_a_group : 0,
                            end > g + 1 ? part.product->group_offset[static_cast<size_t>(g + 1)] - from : 0});
                }
            }
        }
        first = false;
    }

    // Whole vectors of B were taken: what they hold behind a panel's last column is no sum of anything.
    const auto clear_rest = [&](T* sums, int64 panel_stride, int64 count_rows) {
        for (int64 p = 0; p < p1 - p0; ++p)
            for (int64 r = 0, rest = width - columns_of(p).count; rest > 0 && r < count_rows; ++r)
                std::fill_n(sums + p * panel_stride + (r + 1) * width - rest, rest, T(0));
    };
    for (int64 i = 0; i < part_count; ++i) {
        const Rows& part = parts[i];
        clear_rest(part.sums, part.panel_stride, part.m1 - part.m0);
        if (partial) continue;
        Parameter<T>& w = *part.product->kernel;
        for (int64 p = p0; p < p1; ++p)
            sink.finish(k, w, (p * w.rows + part.m0) * width, (part.m1 - part.m0) * width,
                        part.sums + (p - p0) * part.panel_stride);
    }
    if (!bias_sums) return;
    clear_rest(bias_sums, width, 1);
    if (!partial) sink.finish(k, *bias(), products[0]->bias_offset + first_column, (p1 - p0) * width, bias_sums);
}

// Blocks are as the tiled sums like them; stretches fill up to enough items.
template <class T>
void ProductPlan<T>::cut_tiled(const Call<T>& call) {
    const Parameter<T>& w = *products[0]->kernel;
    tiled_block = tiled->block();
    block_rows = tiled_block.rows;
    panels = w.panels;
    lines = tiled->lines(call);
    rows = w.rows;
    group_panels = std::max<int64>(1, tiled_block.columns / w.width);
    groups = divide_up(panels, group_panels);
    blocks = tiled->leads() / tiled_block.leads * divide_up(tiled->channels(), block_rows);
    stretches = std::clamp(divide_up(enough_items, blocks * groups), int64{1}, std::max<int64>(1, lines / least_lines));
}

template <class T>
void ProductPlan<T>::run_tiled(const kernels::Kernels<T>& k, const Call<T>& call, const Sink<T>& sink, int64 item,
                               T* scratch) const {
    Parameter<T>& w = *products[0]->kernel;
    const int64 group = item % groups, block = item / groups % blocks, stretch = item / (groups * blocks);
    const int64 blocks_a_lead = divide_up(tiled->channels(), block_rows), place = block % blocks_a_lead * block_rows;
    const int64 p0 = group * group_panels, p1 = std::min(panels, p0 + group_panels), taps = tiled->taps();
    const Range leads{block / blocks_a_lead * tiled_block.leads, (block / blocks_a_lead + 1) * tiled_block.leads};
    const Range line{stretch * lines / stretches, (stretch + 1) * lines / stretches};
    const Range row{place, std::min(tiled->channels(), place + block_rows)};
    const Range column{p0 * w.width, std::min(w.columns, p1 * w.width)};
    T* const partial = stretches > 1 ? partials + stretch * weights() : nullptr;

    const int64 tap_size = row.size() * w.width;
    T* const sums = scratch;
    T* const bias_sums = sums + leads.size() * (p1 - p0) * taps * tap_size;
    tiled->sums(call, leads, line, row, column, sums, bias_sums + (p1 - p0) * w.width + kernels::slack);
    const T* from = sums;
    for (int64 lead = leads.begin; lead < leads.end; ++lead)
        for (int64 p = p0; p < p1; ++p)
            for (int64 tap = 0; tap < taps; ++tap, from += tap_size) {
                const int64 offset = (p * w.rows + (lead * taps + tap) * tiled->channels() + row.begin) * w.width;
                if (partial)
                    std::memcpy(partial + offset, from, static_cast<size_t>(tap_size) * sizeof(T));
                else
                    sink.finish(k, w, offset, tap_size, from);
            }
    if (bias() == nullptr || block > 0) return;
    std::fill_n(bias_sums, (p1 - p0) * w.width, T{0});
    tiled->bias_sums(call, line, column, bias_sums);
    if (partial)
        std::memcpy(partial + w.size() + column.begin, bias_sums, static_cast<size_t>((p1 - p0) * w.width) * sizeof(T));
    else
        sink.finish(k, *bias(), column.begin, (p1 - p0) * w.width, bias_sums);
}

template <class T>
int64 ProductPlan<T>::merge_items() const {
    int64 sum = 0;
    for (int64 i = 0; stretches > 1 && i <= count; ++i) sum += divide_up(size(i), merge_weights);
    return sum;
}

// ∇W = Σ partials, in order
template <class T>
void ProductPlan<T>::merge(const kernels::Kernels<T>& k, const Sink<T>& sink, int64 item, T* scratch) const {
    int64 i = 0, base = 0, offset = item * merge_weights;
    for (int64 items; item >= (items = divide_up(size(i), merge_weights)); ++i) {
        item -= items;
        base += size(i);
        offset = item * merge_weights;
    }
    Parameter<T>& p = *parameter(i);
    const int64 part = std::min(merge_weights, size(i) - offset), stride = weights();
    std::memcpy(scratch, partials + base + offset, static_cast<size_t>(part) * sizeof(T));
    for (int64 s = 1; s < stretches; ++s) k.add(part, partials + s * stride + base + offset, scratch);
    sink.finish(k, p, (i == count ? products[0]->bias_offset : 0) + offset, part, scratch);
}

template struct Sink<float>;
template struct Sink<double>;
template struct ProductPlan<float>;
template struct ProductPlan<double>;

}  // namespace tauten
