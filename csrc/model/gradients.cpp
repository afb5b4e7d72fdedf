#include "model/gradients.h"

#include <algorithm>
#include <cstring>

namespace tauten {

namespace {

constexpr int64 most_taps = 64;
// Rows of B that are packed before they are used, at the most: with a panel's width they fill half of L1.
constexpr int64 packed_rows = line_rows;
// Enough items for every thread of a large machine, without looking at how many there are.
constexpr int64 enough_items = 16;

}  // namespace

template <class T>
void Sink<T>::step(const kernels::Kernels<T>& k, Parameter<T>& p, int64 offset, int64 count, const T* gradient) const {
    k.sgd(count, p.weights.data() + offset, gradient, sgd.momentum != 0 ? p.velocity.data() + offset : nullptr,
          {sgd.learning_rate, sgd.momentum, sgd.nesterov, static_cast<T>(p.l1), static_cast<T>(p.l2)});
}

template <class T>
void Sink<T>::finish(const kernels::Kernels<T>& k, Parameter<T>& p, int64 offset, int64 count, const T* gradient) const {
    if (!p.trainable) return;
    if (not_finite && !k.all_finite(count, gradient)) not_finite->store(&p, std::memory_order_relaxed);
    if (store && gradient != p.gradient.data() + offset)
        std::memcpy(p.gradient.data() + offset, gradient, static_cast<size_t>(count) * sizeof(T));
    if (update) step(k, p, offset, count, gradient);
}

template <class T>
void ProductPlan<T>::cut(const kernels::Kernels<T>& k, const Call<T>& call, Product<T>* of) {
    product = of;
    const Parameter<T>& w = *of->kernel;
    panels = w.panels;
    lines = of->lines(call);
    // Tall blocks use each packed piece of B for many rows; where they are too few for many threads, the sum over K is
    // cut first (which changes bits: shapes only), then the blocks get lower.
    const int64 least_lines = 4;
    for (int64 tiles : {24, 16, 8, 4, 2}) {
        blocks = divide_up(w.rows, tiles * k.tile);
        stretches = std::max<int64>(1, std::min(divide_up(enough_items, blocks * panels), lines / least_lines));
        if (blocks * panels * stretches >= enough_items) break;
    }
    block_rows = divide_up(w.rows, blocks);
}

template <class T>
int64 ProductPlan<T>::partial_size() const {
    return stretches > 1 ? stretches * (product->kernel->size() + product->bias_size()) : 0;
}

template <class T>
int64 ProductPlan<T>::scratch() const {
    const int64 width = product->kernel->width;
    return std::max((block_rows + packed_rows + 1) * width + 64, merge_weights);
}

// One block of ∇W over one stretch: B is packed a few lines at a time (contiguous, zero-filled), every group of rows
// takes its product with it, and the first block takes B's column sums for ∇b.
template <class T>
void ProductPlan<T>::run(const kernels::Kernels<T>& k, const Call<T>& call, const Sink<T>& sink, int64 item,
                         T* scratch) const {
    Parameter<T>& w = *product->kernel;
    const int64 width = w.width, panel = item % panels, block = item / panels % blocks, stretch = item / (panels * blocks);
    const int64 m0 = block * block_rows, m1 = std::min(w.rows, m0 + block_rows);
    const int64 first_line = stretch * lines / stretches, end_line = (stretch + 1) * lines / stretches;
    const int64 b_panel = product->b_panel ? product->b_panel : width;
    const int64 columns_all = w.gates > 1 ? w.padded_columns() : w.columns;
    const int64 columns = std::min(width, columns_all - panel * width);
    const int64 used = std::min(width, divide_up(columns, k.lanes) * k.lanes);  // whole vectors; the rest stays zero
    T* out = scratch;                           // [m1 - m0][width]
    T* packed = out + block_rows * width;       // [packed_rows][width]
    T* bias = packed + packed_rows * width;     // [width]
    const bool sums = product->bias && block == 0;
    std::memset(bias, 0, static_cast<size_t>(width) * sizeof(T));
    if (used < width) std::memset(out, 0, static_cast<size_t>((m1 - m0) * width) * sizeof(T));

    // B as it lies will do where its rows follow each other like packed ones, or where few tiles would use the copy.
    const auto as_it_lies = [&](const Line<T>& l) {
        return columns == width && (l.b_row == width || m1 - m0 <= 2 * k.tile);
    };
    struct Piece {
        const T* a;
        int64 a_column;
        const T* b;
        int64 b_row, k;
    };
    Piece pieces[most_taps];
    kernels::Tap<T> taps[most_taps];
    bool first = true;
    int64 line = first_line, done = 0;  // rows of the current line that are done
    while (line < end_line || first) {
        int64 count = 0, rows = 0;
        while (line < end_line && count < most_taps && rows < packed_rows) {
            const Line<T> l = product->line(call, line);
            const int64 take = std::min(l.k - done, packed_rows - rows);
            if (take > 0) {
                const T* b = l.b + done * l.b_row + panel * b_panel;
                int64 b_row = l.b_row;
                if (!as_it_lies(l)) {
                    k.pack(take, columns, width, b, b_row, packed + rows * width, 0);
                    b = packed + rows * width;
                    b_row = width;
                }
                if (sums) k.column_sums(take, used, b, b_row, bias, true);
                pieces[count++] = {l.a + done * l.a_column, l.a_column, b, b_row, take};
            }
            rows += take;
            done += take;
            if (done == l.k) {
                ++line;
                done = 0;
            }
        }
        for (int64 group = m0 / product->group_rows; group * product->group_rows < m1; ++group) {
            const int64 g0 = std::max(m0, group * product->group_rows);
            const int64 g1 = std::min(m1, (group + 1) * product->group_rows);
            const int64 offset = product->group_offset[static_cast<size_t>(group)] + g0 - group * product->group_rows;
            for (int64 i = 0; i < count; ++i)
                taps[i] = {pieces[i].a + offset, pieces[i].b, 1, pieces[i].a_column, pieces[i].b_row, k.panel, pieces[i].k};
            k.gemm({taps, count, g1 - g0, used, k.panel, out + (g0 - m0) * width, width, k.panel, nullptr, !first,
                    Activation::linear, nullptr, 0});
        }
        first = false;
    }
    const int64 at = (panel * w.rows + m0) * width, size = (m1 - m0) * width;
    if (stretches > 1) {
        T* partial = partials + stretch * (partial_size() / stretches);
        std::memcpy(partial + at, out, static_cast<size_t>(size) * sizeof(T));
        if (sums) std::memcpy(partial + w.size() + panel * width, bias, static_cast<size_t>(width) * sizeof(T));
        return;
    }
    sink.finish(k, w, at, size, out);
    if (sums) sink.finish(k, *product->bias, product->bias_offset + panel * width, width, bias);
}

template <class T>
int64 ProductPlan<T>::merge_items() const {
    if (stretches == 1) return 0;
    return divide_up(product->kernel->size(), merge_weights) + divide_up(product->bias_size(), merge_weights);
}

// ∇W = Σ partials, in order
template <class T>
void ProductPlan<T>::merge(const kernels::Kernels<T>& k, const Sink<T>& sink, int64 item, T* scratch) const {
    const int64 kernel_items = divide_up(product->kernel->size(), merge_weights);
    Parameter<T>& p = item < kernel_items ? *product->kernel : *product->bias;
    const int64 base = item < kernel_items ? 0 : product->kernel->size();
    const int64 offset = (item < kernel_items ? item : item - kernel_items) * merge_weights;
    const int64 size = item < kernel_items ? p.size() : product->bias_size();
    const int64 count = std::min(merge_weights, size - offset), stride = partial_size() / stretches;
    std::memcpy(scratch, partials + base + offset, static_cast<size_t>(count) * sizeof(T));
    for (int64 s = 1; s < stretches; ++s) k.add(count, partials + s * stride + base + offset, scratch);
    sink.finish(k, p, item < kernel_items ? offset : product->bias_offset + offset, count, scratch);
}

template struct Sink<float>;
template struct Sink<double>;
template struct ProductPlan<float>;
template struct ProductPlan<double>;

}  // namespace tauten
