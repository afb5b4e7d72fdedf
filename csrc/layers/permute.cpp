#include "layers/permute.h"

#include <cstring>

namespace tauten {

namespace {

// Elements from one index of an axis to the next.
std::vector<int64> axis_strides(const Shape& shape, const Grid& grid) {
    std::vector<int64> strides(shape.size(), 1);
    if (shape.size() <= 4) {
        for (size_t i = 0; i + 1 < shape.size(); ++i) strides[i] = grid.stride[4 - shape.size() + i];
    } else {
        for (size_t i = shape.size() - 1; i-- > 0;) strides[i] = strides[i + 1] * shape[i + 1];
    }
    return strides;
}

// to[p + q·to_row] = from[p·from_row + q], by blocks that stay in the cache on both sides.
template <class T>
void transpose(int64 p_extent, int64 q_extent, const T* from, int64 from_row, T* to, int64 to_row) {
    constexpr int64 block = 16;
    for (int64 q0 = 0; q0 < q_extent; q0 += block)
        for (int64 p0 = 0; p0 < p_extent; p0 += block) {
            const int64 q1 = std::min(q_extent, q0 + block), p1 = std::min(p_extent, p0 + block);
            for (int64 q = q0; q < q1; ++q)
                for (int64 p = p0; p < p1; ++p) to[p + q * to_row] = from[p * from_row + q];
        }
}

// The innermost two loops, or one: the one whose output is contiguous, and the one whose input is.
template <class T, class Loops>
void copy(const Loops& loops, size_t depth, const T* from, T* to) {
    if (loops.size() - depth > 2) {
        for (int64 i = 0; i < loops[depth].extent; ++i)
            copy(loops, depth + 1, from + i * loops[depth].input, to + i * loops[depth].output);
        return;
    }
    const auto& p = loops.back();  // contiguous in the output
    if (loops.size() - depth == 1) {
        if (p.input == 1)
            std::memcpy(to, from, static_cast<size_t>(p.extent) * sizeof(T));
        else
            for (int64 i = 0; i < p.extent; ++i) to[i] = from[i * p.input];
        return;
    }
    const auto& q = loops[depth];
    if (q.input == 1)
        transpose(p.extent, q.extent, from, p.input, to, q.output);
    else
        for (int64 i = 0; i < q.extent; ++i) copy(loops, depth + 1, from + i * q.input, to + i * q.output);
}

}  // namespace

std::vector<int> inverse(const std::vector<int>& order) {
    std::vector<int> back(order.size());
    for (size_t i = 0; i < order.size(); ++i) back[static_cast<size_t>(order[i])] = static_cast<int>(i);
    return back;
}

template <class T>
std::vector<typename Permute<T>::Loop> Permute<T>::loops(const Shape& shape, const Grid& from_grid, const Grid& to_grid) const {
    Shape permuted;
    for (int axis : order_) permuted.push_back(shape[static_cast<size_t>(axis)]);
    const std::vector<int64> from = axis_strides(shape, from_grid), to = axis_strides(permuted, to_grid);
    std::vector<Loop> found;
    for (size_t i = 0; i < order_.size(); ++i) {
        const Loop loop{permuted[i], from[static_cast<size_t>(order_[i])], to[i]};
        if (loop.extent == 1) continue;
        if (!found.empty() && found.back().input == loop.extent * loop.input && found.back().output == loop.extent * loop.output)
            found.back() = {found.back().extent * loop.extent, loop.input, loop.output};
        else
            found.push_back(loop);
    }
    if (found.empty()) found.push_back({1, 1, 1});
    // the loop whose input is contiguous stands before the last one, whose output is
    for (size_t i = 0; i + 2 < found.size(); ++i)
        if (found[i].input == 1) std::rotate(found.begin() + static_cast<std::ptrdiff_t>(i),
                                             found.begin() + static_cast<std::ptrdiff_t>(i) + 1, found.end() - 1);
    return found;
}

template <class T>
void Permute<T>::plan(const std::vector<Edge>& edges) {
    GridNode<T>::plan(edges);
    const Shape& shape = edges[static_cast<size_t>(this->input)].shape;
    values_ = loops(shape, this->input_, this->output_);
    Shape permuted;
    for (int axis : order_) permuted.push_back(shape[static_cast<size_t>(axis)]);
    Permute back(Place{this->name, this->output, this->input}, inverse(order_));
    gradients_ = back.loops(permuted, this->output_gradient_, this->input_gradient_);
}

template <class T>
void Permute<T>::forward(const Call<T>& call, Slice slice, int, T*) const {
    for (int64 r = slice.begin; r < slice.end; ++r)
        copy(values_, 0, this->input_of(call, r), this->output_of(call, r));
}

template <class T>
void Permute<T>::backward(const Call<T>& call, Slice slice, int, T*) const {
    if (!this->wants_input_gradient(call)) return;
    for (int64 r = slice.begin; r < slice.end; ++r) {
        copy(gradients_, 0, this->output_gradient_of(call, r), this->input_gradient_of(call, r));
        this->through_below(call, r);
    }
}

template class Permute<float>;
template class Permute<double>;

}  // namespace tauten
