#include "layers/global_pool.h"

#include <cstring>

namespace tauten {

template <class T>
void GlobalPool<T>::extra_bytes(const Call<T>& call, std::vector<int64>& bytes) const {
    bytes.push_back(kind_ == Kind::max ? call.batch * channels_ * static_cast<int64>(sizeof(Index)) : 0);
}

template <class T>
void GlobalPool<T>::forward(const Call<T>& call, Slice slice, int, T*) const {
    if (this->input_.time) return forward_steps(call, slice);
    const Grid& in = this->input_;
    const kernels::Kernels<T>& k = *call.kernels;
    const bool lines = in.halo();  // else all positions follow each other
    const int64 rows = lines ? in.extent[2] : in.positions();
    for (int64 r = slice.begin; r < slice.end; ++r) {
        const T* x = this->input_of(call, r);
        T* y = this->output_of(call, r);
        for (int64 line = 0; line * rows < in.positions(); ++line) {
            const T* from = x + line / in.extent[1] * in.stride[0] + line % in.extent[1] * in.stride[1];
            if (kind_ == Kind::max)
                k.column_maxima(rows, channels_, from, channels_, line * rows, y, winners(call, r), line > 0);
            else
                k.column_sums(rows, channels_, from, channels_, y, line > 0);
        }
        if (kind_ == Kind::average)
            for (int64 c = 0; c < channels_; ++c) y[c] /= static_cast<T>(in.positions());
    }
}

// Step by step over all rows that are alive: they lie one after the other.
template <class T>
void GlobalPool<T>::forward_steps(const Call<T>& call, Slice slice) const {
    const Steps& axis = call.axes[this->input_.axis];
    T* const y = this->output_of(call, slice.begin);
    const int64 first = axis.steps > 0 ? axis.alive(0, slice) : 0;
    std::memset(y + first * channels_, 0, static_cast<size_t>((slice.rows() - first) * channels_) * sizeof(T));
    if (kind_ == Kind::max)
        std::memset(winners(call, slice.begin), 0, static_cast<size_t>(slice.rows() * channels_) * sizeof(Index));
    for (int64 t = 0; t < axis.steps; ++t) {
        const int64 n = axis.alive(t, slice) * channels_;
        if (n == 0) break;
        const T* x = call.values[this->input] + (axis.offset[t] + slice.begin) * channels_;
        if (kind_ == Kind::max)
            call.kernels->column_maxima(1, n, x, n, t, y, winners(call, slice.begin), t > 0);
        else
            call.kernels->column_sums(1, n, x, n, y, t > 0);
    }
    if (kind_ == Kind::max) return;
    int64 length = axis.steps;
    for (int64 r = slice.begin; r < slice.end; ++r) {
        while (length > 0 && axis.active[length - 1] <= r) --length;  // the longest come first
        T* row = this->output_of(call, r);
        for (int64 c = 0; length > 0 && c < channels_; ++c) row[c] /= static_cast<T>(length);
    }
}

// max: the winner's gradient is all of δ, the others' is zero; average: each has 1 / count of it. Then f' of each value.
template <class T>
template <class Of, class Each>
void GlobalPool<T>::spread(const Call<T>& call, int64 row, int64 count, T* scratch, const Of& of, const Each& each) const {
    const size_t bytes = static_cast<size_t>(channels_) * sizeof(T);
    if (count == 0) return;
    const T* gradient = this->output_gradient_of(call, row);
    T* const to = call.gradients[this->input];
    if (kind_ == Kind::max) {
        each([&](int64 at, int64 positions) { std::memset(to + at, 0, static_cast<size_t>(positions) * bytes); });
        std::memcpy(scratch, gradient, bytes);
        if (this->below_ != Activation::linear)
            call.kernels->activation_gradient(this->below_, 1, channels_, this->output_of(call, row), channels_, scratch,
                                              channels_);
        const Index* index = winners(call, row);
        for (int64 c = 0; c < channels_; ++c) to[of(index[c]) + c] = scratch[c];
        return;
    }
    for (int64 c = 0; c < channels_; ++c) scratch[c] = gradient[c] / static_cast<T>(count);
    each([&](int64 at, int64 positions) {
        for (int64 i = 0; i < positions; ++i) std::memcpy(to + at + i * channels_, scratch, bytes);
    });
}

template <class T>
void GlobalPool<T>::backward(const Call<T>& call, Slice slice, int, T* scratch) const {
    if (!this->wants_input_gradient(call)) return;
    const Grid& to = this->input_gradient_;
    if (!to.time) {
        const int64 rows = to.extent[1], columns = to.extent[2];
        for (int64 r = slice.begin; r < slice.end; ++r) {
            const int64 base = r * to.sample + to.origin;
            const auto of = [&](int64 i) {
                return base + i / columns / rows * to.stride[0] + i / columns % rows * to.stride[1] + i % columns * channels_;
            };
            spread(call, r, to.positions(), scratch, of, [&](const auto& f) {
                for_each_line(to, to, [&](int64 line, int64) { f(base + line, columns); });
            });
            if (kind_ == Kind::average) this->through_below(call, r);
        }
        return;
    }
    const Steps& axis = call.axes[to.axis];
    int64 length = axis.steps;
    for (int64 r = slice.begin; r < slice.end; ++r) {
        while (length > 0 && axis.active[length - 1] <= r) --length;
        const auto of = [&](int64 t) { return (axis.offset[t] + r) * channels_; };
        spread(call, r, length, scratch, of, [&](const auto& f) {
            for (int64 t = 0; t < length; ++t) f(of(t), 1);
        });
    }
    if (kind_ == Kind::max || this->below_ == Activation::linear) return;
    for_each_run(to, call.batch, call.axes, slice, [&](int64 first, int64 rows) {
        const int64 at = first * channels_, n = rows * channels_;
        call.kernels->activation_gradient(this->below_, 1, n, call.values[this->input] + at, n, call.gradients[this->input] + at,
                                          n);
    });
}

template class GlobalPool<float>;
template class GlobalPool<double>;

}  // namespace tauten
