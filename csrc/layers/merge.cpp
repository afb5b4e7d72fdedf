#include "layers/merge.h"

#include <algorithm>
#include <cstring>
#include <iterator>

#include "core/check.h"

namespace tauten {

namespace {

constexpr int64 block = 1024;  // values that are taken through all inputs at a time

void replace(std::vector<int>& edges, int& first, int from, int to) {
    std::replace(edges.begin(), edges.end(), from, to);
    first = edges.front();
}

kernels::Combination combination(MergeKind kind) {
    switch (kind) {
        case MergeKind::subtract: return kernels::Combination::difference;
        case MergeKind::multiply: return kernels::Combination::product;
        case MergeKind::maximum: return kernels::Combination::maximum;
        case MergeKind::minimum: return kernels::Combination::minimum;
        case MergeKind::add:
        case MergeKind::average: break;
    }
    return kernels::Combination::sum;
}

}  // namespace

MergeKind parse_merge(const std::string& name, const std::string& kind) {
    constexpr const char* names[] = {"add", "subtract", "multiply", "average", "maximum", "minimum"};
    const auto* const found = std::find(std::begin(names), std::end(names), kind);
    require(found != std::end(names), name, ": unknown kind of merge '", kind,
            "'; expected add, subtract, multiply, average, maximum or minimum");
    return static_cast<MergeKind>(found - std::begin(names));
}

// -- element by element --------------------------------------------------------------------------------

template <class T>
void Merge<T>::replace_input(int from, int to) {
    replace(inputs_, this->input, from, to);
}

template <class T>
void Merge<T>::plan(const std::vector<Edge>& edges) {
    from_.clear();
    for (int e : inputs_) {
        const Edge& in = edges[static_cast<size_t>(e)];
        from_.push_back({e, in.value, in.gradient, in.activation, in.gradient_of == this->output});
    }
    const Edge& out = edges[static_cast<size_t>(this->output)];
    output_ = out.value;
    output_gradient_ = plain_ = out.gradient;  // nobody asks for a halo there
}

template <class T>
double Merge<T>::work(const Call<T>& call) const {
    return static_cast<double>(plain_.rows(call.batch, call.axes) * plain_.channels) * static_cast<double>(inputs_.size());
}

// A copy of a single channel for each input.
template <class T>
int64 Merge<T>::scratch(const Call<T>&) const {
    return spread_ ? static_cast<int64>(inputs_.size()) * block : 0;
}

template <class T>
bool Merge<T>::in_parts(const Call<T>&, Way) const {
    return !spread_ && !output_.time && output_.extent[0] * output_.extent[1] > 1;
}

// f(offset without a halo, offset in `to`, values)
template <class T>
template <class F>
void Merge<T>::for_each_block(const Call<T>& call, const Grid& to, Slice slice, F&& f) const {
    for_each_stretch(plain_, to, call.batch, call.axes, slice, [&](int64 from, int64 at, int64 rows) {
        const int64 all = rows * plain_.channels;
        for (int64 i = 0; i < all; i += block) f(from + i, at + i, std::min(block, all - i));
    });
}

template <class T>
void Merge<T>::merged(const kernels::Kernels<T>& k, int64 n, const T* const* values, T* y) const {
    const kernels::Combination how = combination(kind_);
    k.combine(how, n, values[0], values[1], y);
    for (size_t i = 2; i < from_.size(); ++i) k.combine(how, n, y, values[i], y);
    if (kind_ == MergeKind::average) k.scale(n, T(1) / static_cast<T>(from_.size()), y, y);
}

// Of maxima and minima, the first input that has it gets all.
template <class T>
void Merge<T>::gradient_of(const kernels::Kernels<T>& k, size_t i, int64 n, const T* const* values, const T* delta,
                           T* gradient) const {
    const size_t bytes = static_cast<size_t>(n) * sizeof(T);
    switch (kind_) {
        case MergeKind::add: std::memcpy(gradient, delta, bytes); return;
        case MergeKind::subtract:
            if (i == 0)
                std::memcpy(gradient, delta, bytes);
            else
                k.scale(n, T(-1), delta, gradient);
            return;
        case MergeKind::average: k.scale(n, T(1) / static_cast<T>(from_.size()), delta, gradient); return;
        case MergeKind::multiply: {
            const T* product = delta;
            for (size_t j = 0; j < from_.size(); ++j) {
                if (j == i) continue;
                k.combine(kernels::Combination::product, n, product, values[j], gradient);
                product = gradient;
            }
            return;
        }
        case MergeKind::maximum:
        case MergeKind::minimum: {
            T best[block], rest[block];
            merged(k, n, values, best);
            std::memcpy(rest, delta, bytes);
            for (size_t j = 0; j <= i; ++j) k.claim(n, values[j], best, rest, gradient);
            return;
        }
    }
}

// Rows of all inputs as long as the output's, `block` values at a time: f(sample, position, channel, n, values of each input).
template <class T>
template <class F>
void Merge<T>::for_each_spread_block(const Call<T>& call, Slice slice, T* scratch, F&& f) const {
    const int64 channels = plain_.channels;
    const T* values[most_merged];
    for (int64 r = slice.begin; r < slice.end; ++r)
        for (int64 a = 0; a < plain_.extent[0]; ++a)
            for (int64 b = 0; b < plain_.extent[1]; ++b)
                for (int64 c = 0; c < plain_.extent[2]; ++c)
                    for (int64 n = 0; n < channels; n += block) {
                        const int64 count = std::min(block, channels - n), place[3] = {a, b, c};
                        for (size_t i = 0; i < from_.size(); ++i) {
                            const Grid& grid = from_[i].value;
                            const T* x = call.values[from_[i].edge] + r * grid.sample + grid.origin;
                            for (int d = 0; d < 3; ++d) x += grid.extent[d] == 1 ? 0 : place[d] * grid.stride[d];
                            values[i] = x + n;
                            if (grid.channels == channels) continue;
                            T* const copy = scratch + static_cast<int64>(i) * block;
                            std::fill_n(copy, count, *x);
                            values[i] = copy;
                        }
                        f(r, place, n, count, values);
                    }
}

template <class T>
void Merge<T>::forward(const Call<T>& call, Slice slice, int, T* scratch) const {
    const kernels::Kernels<T>& k = *call.kernels;
    T* const y = call.values[this->output];
    const auto finish = [&](int64 n, const T* const* values, T* to) {
        merged(k, n, values, to);
        if (activation_ != Activation::linear) k.activate(activation_, 1, n, to, n, to, n);
    };
    if (spread_) {
        for_each_spread_block(call, slice, scratch, [&](int64 r, const int64* place, int64 channel, int64 n, const T* const* values) {
            int64 at = r * output_.sample + output_.origin + channel;
            for (int d = 0; d < 3; ++d) at += place[d] * output_.stride[d];
            finish(n, values, y + at);
        });
        return;
    }
    const T* values[most_merged];
    for_each_block(call, output_, slice, [&](int64 from, int64 to, int64 n) {
        for (size_t i = 0; i < from_.size(); ++i) values[i] = call.values[from_[i].edge] + from;
        finish(n, values, y + to);
    });
}

template <class T>
void Merge<T>::backward(const Call<T>& call, Slice slice, int, T* scratch) const {
    if (!this->wants_input_gradient(call)) return;
    if (spread_) return spread_backward(call, slice, scratch);
    const kernels::Kernels<T>& k = *call.kernels;
    const T* values[most_merged];
    for (size_t i = 0; i < from_.size(); ++i) {
        const Input& in = from_[i];
        T* const gradient = call.gradients[in.edge];
        if (!gradient || in.shares) continue;  // of the user's data, and not asked for; or there already
        for_each_block(call, in.gradient, slice, [&](int64 from, int64 to, int64 n) {
            for (size_t j = 0; j < from_.size(); ++j) values[j] = call.values[from_[j].edge] + from;
            gradient_of(k, i, n, values, call.gradients[this->output] + from, gradient + to);
            if (in.below != Activation::linear) k.activation_gradient(in.below, 1, n, values[i], n, gradient + to, n);
        });
    }
}

// What counts for several outputs gets the sum of their gradients, in their order.
template <class T>
void Merge<T>::spread_backward(const Call<T>& call, Slice slice, T* scratch) const {
    const kernels::Kernels<T>& k = *call.kernels;
    for (size_t i = 0; i < from_.size(); ++i) {
        const Input& in = from_[i];
        T* const gradient = call.gradients[in.edge];
        if (!gradient) continue;
        const Grid& grid = in.gradient;
        const auto for_each_line = [&](auto&& f) {
            for (int64 r = slice.begin; r < slice.end; ++r)
                for (int64 a = 0; a < grid.extent[0]; ++a)
                    for (int64 b = 0; b < grid.extent[1]; ++b)
                        f(r * grid.sample + grid.origin + a * grid.stride[0] + b * grid.stride[1],
                          r * in.value.sample + in.value.origin + a * in.value.stride[0] + b * in.value.stride[1],
                          grid.extent[2] * grid.channels);
        };
        for_each_line([&](int64 at, int64, int64 n) { std::fill_n(gradient + at, n, T{0}); });
        for_each_spread_block(call, slice, scratch, [&](int64 r, const int64* place, int64 channel, int64 n, const T* const* values) {
            int64 from = r * plain_.sample + channel, to = r * grid.sample + grid.origin;
            for (int d = 0; d < 3; ++d) {
                from += place[d] * plain_.stride[d];
                to += grid.extent[d] == 1 ? 0 : place[d] * grid.stride[d];
            }
            T own[block];
            gradient_of(k, i, n, values, call.gradients[this->output] + from, own);
            if (grid.channels == plain_.channels)
                k.add(n, own, gradient + to + channel);
            else
                for (int64 j = 0; j < n; ++j) gradient[to] += own[j];
        });
        if (in.below != Activation::linear)
            for_each_line([&](int64 at, int64 value, int64 n) {
                k.activation_gradient(in.below, 1, n, call.values[in.edge] + value, n, gradient + at, n);
            });
    }
}

// -- one behind the other --------------------------------------------------------------------------------

template <class T>
void Concatenate<T>::replace_input(int from, int to) {
    replace(inputs_, this->input, from, to);
}

template <class T>
void Concatenate<T>::plan(const std::vector<Edge>& edges) {
    from_.clear();
    together_ = 0;
    for (size_t i = 0; i < inputs_.size(); ++i) {
        from_.push_back({inputs_[i], edges[static_cast<size_t>(inputs_[i])].activation, together_, sizes_[i]});
        together_ += sizes_[i];
    }
    output_ = edges[static_cast<size_t>(this->output)].value;
}

template <class T>
double Concatenate<T>::work(const Call<T>& call) const {
    return static_cast<double>(output_.rows(call.batch, call.axes) * output_.channels);
}

template <class T>
template <class F>
void Concatenate<T>::for_each_piece(const Call<T>& call, Slice slice, F&& f) const {
    const auto rows = [&](int64 first, int64 count) {
        for (const Input& in : from_)
            for (int64 row = first; row < first + count; ++row)
                f(in, row * in.size, row * together_ + in.first);
    };
    if (output_.time) return for_each_run(output_, call.batch, call.axes, slice, rows);
    const int64 a_sample = output_.sample / together_;
    rows(slice.begin * a_sample, slice.rows() * a_sample);
}

template <class T>
void Concatenate<T>::forward(const Call<T>& call, Slice slice, int, T*) const {
    for_each_piece(call, slice, [&](const Input& in, int64 from, int64 to) {
        std::memcpy(call.values[this->output] + to, call.values[in.edge] + from, static_cast<size_t>(in.size) * sizeof(T));
    });
}

template <class T>
void Concatenate<T>::backward(const Call<T>& call, Slice slice, int, T*) const {
    if (!this->wants_input_gradient(call)) return;
    for_each_piece(call, slice, [&](const Input& in, int64 to, int64 from) {
        T* const gradient = call.gradients[in.edge];
        if (!gradient) return;
        std::memcpy(gradient + to, call.gradients[this->output] + from, static_cast<size_t>(in.size) * sizeof(T));
        if (in.below != Activation::linear)
            call.kernels->activation_gradient(in.below, 1, in.size, call.values[in.edge] + to, in.size, gradient + to, in.size);
    });
}

template class Merge<float>;
template class Merge<double>;
template class Concatenate<float>;
template class Concatenate<double>;

}  // namespace tauten
