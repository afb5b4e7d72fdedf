#include "layers/aggregate.h"

#include <cstring>

namespace tauten {

template <class T>
Aggregate<T>::Aggregate(Place place, Kind kind, const Window& window, const Window& depth, const Shape& shape)
    : EdgeNode<T>(std::move(place)), kind_(kind), window_(window), depth_(depth) {
    weights_ = std::make_shared<Parameter<T>>(this->name, "window", shape);
    weights_->lay_out_plain();
    this->parameters = {weights_};
    gradient_.layer = this;
    gradient_.parameter = weights_.get();
    for (int64 q = 0; q < depth_.output[2]; ++q) {
        const Run run = run_at(depth_, q);
        if (!runs_.empty() && runs_.back().from == run.from && runs_.back().to == run.to)
            ++runs_.back().count;
        else
            runs_.push_back(run);
    }
}

// Output q alone.
template <class T>
typename Aggregate<T>::Run Aggregate<T>::run_at(const Window& w, int64 q) {
    const int64 begin = q * w.step[2] - w.before[2];
    const int64 from = std::max<int64>(0, -begin);
    return {q, 1, from, std::max(from, std::min(w.window[2], w.input[2] - begin))};
}

template <class T>
typename Aggregate<T>::Clip Aggregate<T>::clip(const int64 (&o)[3]) const {
    Clip c;
    for (int d = 0; d < 3; ++d) {
        const int64 begin = o[d] * window_.step[d] - window_.before[d];
        c.from[d] = std::max<int64>(0, -begin);
        c.to[d] = std::max(c.from[d], std::min(window_.window[d], window_.input[d] - begin));
    }
    return c;
}

template <class T>
void Aggregate<T>::position(int64 number, int64 (&o)[3]) const {
    for (int d = 2; d >= 0; --d) {
        o[d] = number % window_.output[d];
        number /= window_.output[d];
    }
}

template <class T>
int64 Aggregate<T>::start(const Grid& grid, const int64 (&o)[3], const Run& run) const {
    int64 at = grid.origin + run.first * depth_.step[2] - depth_.before[2];
    for (int d = 0; d < 3; ++d) at += (o[d] * window_.step[d] - window_.before[d]) * grid.stride[d];
    return at;
}

template <class T>
int64 Aggregate<T>::place_of(const Grid& grid, const int64 (&o)[3], const Run& run) {
    return grid.origin + o[0] * grid.stride[0] + o[1] * grid.stride[1] + o[2] * grid.stride[2] + run.first;
}

template <class T>
T Aggregate<T>::divisor(const Clip& clip, const Run& run) const {
    return kind_ == Kind::average ? static_cast<T>(std::max<int64>(1, clip.count() * (run.to - run.from))) : T{1};
}

// Which element of the window won, for the outputs of a position: kept for the backward phase.
template <class T>
typename Aggregate<T>::Index* Aggregate<T>::which(const Call<T>& call, int64 row, int64 position) const {
    Index* const first = this->template extra<Index>(call, 0);
    return first ? first + (row * window_.positions() + position) * depth_.output[2] : nullptr;
}

template <class T>
void Aggregate<T>::plan(const std::vector<Edge>& edges) {
    EdgeNode<T>::plan(edges);
    offsets_.clear();
    for (int64 a = 0; a < window_.window[0]; ++a)
        for (int64 b = 0; b < window_.window[1]; ++b)
            for (int64 c = 0; c < window_.window[2]; ++c)
                for (int64 d = 0; d < depth_.window[2]; ++d)
                    offsets_.push_back(a * input_gradient_.stride[0] + b * input_gradient_.stride[1] +
                                       c * input_gradient_.stride[2] + d);
}

template <class T>
void Aggregate<T>::extra_bytes(const Call<T>& call, std::vector<int64>& bytes) const {
    const int64 outputs = call.batch * window_.positions() * depth_.output[2];
    bytes.push_back(kind_ == Kind::max && call.backward ? outputs * static_cast<int64>(sizeof(Index)) : 0);
}

// The taps of one run.
template <class T>
int64 Aggregate<T>::scratch(const Call<T>&) const {
    return divide_up(weights_->size() * static_cast<int64>(sizeof(kernels::AggregateTap<T>)),
                     static_cast<int64>(sizeof(T)));
}

template <class T>
double Aggregate<T>::work(const Call<T>& call) const {
    return 2.0 * static_cast<double>(call.batch * window_.positions() * depth_.output[2]) *
           static_cast<double>(weights_->size());
}

template <class T>
void Aggregate<T>::forward(const Call<T>& call, Slice slice, int, T* scratch) const {
    auto* const taps = reinterpret_cast<kernels::AggregateTap<T>*>(scratch);
    const T* const w = weights_->weights.data();
    const int64 r = depth_.window[2], positions = window_.positions();
    // parts: of the positions of all rows
    const Range own = slice.share(slice.rows() * positions);
    Clip last{{-1, -1, -1}, {-1, -1, -1}};
    const Run* listed = nullptr;  // the run whose taps are listed, with the clip of `last`
    int64 count = 0;
    for (int64 i = own.begin; i < own.end; ++i) {
        const int64 row = slice.begin + i / positions;
        int64 o[3];
        position(i % positions, o);
        const Clip c = clip(o);
        for (const Run& run : runs_) {
            if (listed != &run || std::memcmp(&c, &last, sizeof c) != 0) {
                count = 0;
                for (int64 a0 = c.from[0]; a0 < c.to[0]; ++a0)
                    for (int64 a1 = c.from[1]; a1 < c.to[1]; ++a1)
                        for (int64 a2 = c.from[2]; a2 < c.to[2]; ++a2)
                            for (int64 a3 = run.from; a3 < run.to; ++a3) {
                                const int64 n = ((a0 * window_.window[1] + a1) * window_.window[2] + a2) * r + a3;
                                taps[count++] = {a0 * input_.stride[0] + a1 * input_.stride[1] + a2 * input_.stride[2] + a3,
                                                 w[n], static_cast<Index>(n)};
                            }
                listed = &run;
                last = c;
            }
            Index* const won = which(call, row, i % positions);
            const kernels::AggregateArguments<T> arguments{
                taps, count, run.count, depth_.step[2],
                call.values[this->input] + row * input_.sample + start(input_, o, run),
                call.values[this->output] + row * output_.sample + place_of(output_, o, run),
                divisor(c, run), won ? won + run.first : nullptr};
            kind_ == Kind::max ? call.kernels->aggregate_max(arguments) : call.kernels->aggregate_sum(arguments);
        }
    }
}

// ∂E/∂x[i] = f'(x[i]) Σ over the windows that hold i: their weight there times δ, a mean's divided by its number; of a
// maximum those that i won.
template <class T>
void Aggregate<T>::backward(const Call<T>& call, Slice slice, int, T*) const {
    if (!this->wants_input_gradient(call)) return;
    const auto& k = *call.kernels;
    const T* const w = weights_->weights.data();
    const int64 r = depth_.window[2], step = depth_.step[2];
    for (int64 row = slice.begin; row < slice.end; ++row) {
        T* const gradient = call.gradients[this->input] + row * input_gradient_.sample;
        const T* const delta = call.gradients[this->output] + row * output_gradient_.sample;
        const int64 line = input_gradient_.extent[2] * input_gradient_.channels;
        const auto each_line = [&](auto&& body) {
            for (int64 a = 0; a < input_gradient_.extent[0]; ++a)
                for (int64 b = 0; b < input_gradient_.extent[1]; ++b)
                    body(gradient + input_gradient_.origin + a * input_gradient_.stride[0] + b * input_gradient_.stride[1],
                         input_.origin + a * input_.stride[0] + b * input_.stride[1]);
        };
        each_line([&](T* to, int64) { std::memset(to, 0, static_cast<size_t>(line) * sizeof(T)); });
        for (int64 i = 0; i < window_.positions(); ++i) {
            int64 o[3];
            position(i, o);
            const Clip c = clip(o);
            for (const Run& run : runs_) {
                T* const to = gradient + start(input_gradient_, o, run);
                const T* const from = delta + place_of(output_gradient_, o, run);
                if (kind_ == Kind::max) {
                    const Index* const won = which(call, row, i) + run.first;
                    for (int64 q = 0; q < run.count; ++q)
                        to[offsets_[static_cast<size_t>(won[q])] + q * step] += w[won[q]] * from[q];
                    continue;
                }
                const T number = divisor(c, run);
                for (int64 a0 = c.from[0]; a0 < c.to[0]; ++a0)
                    for (int64 a1 = c.from[1]; a1 < c.to[1]; ++a1)
                        for (int64 a2 = c.from[2]; a2 < c.to[2]; ++a2)
                            for (int64 a3 = run.from; a3 < run.to; ++a3) {
                                const int64 n = ((a0 * window_.window[1] + a1) * window_.window[2] + a2) * r + a3;
                                k.add_scaled(run.count, w[n] / number, from, to + offsets_[static_cast<size_t>(n)], step);
                            }
            }
        }
        if (below_ == Activation::linear) continue;
        const T* const value = call.values[this->input] + row * input_.sample;
        each_line([&](T* to, int64 at) { k.activation_gradient(below_, 1, line, value + at, line, to, line); });
    }
}

// An element of the window a part; of a maximum, all in one pass, since each output has one winner.
template <class T>
int64 Aggregate<T>::WindowGradient::parts() const {
    return layer->kind_ == Kind::max ? 1 : layer->weights_->size();
}

// ∇w[a] = Σ over samples and outputs, in order, of x at a under the window times δ, as in backward().
template <class T>
void Aggregate<T>::WindowGradient::part(const Call<T>& call, int64 part) const {
    const Aggregate& l = *layer;
    const int64 r = l.depth_.window[2], step = l.depth_.step[2], n = part;
    T* const gradient = this->parameter->gradient.data();
    const int64 element[3] = {n / (r * l.window_.window[2] * l.window_.window[1]),
                              n / (r * l.window_.window[2]) % l.window_.window[1], n / r % l.window_.window[2]};
    const bool max = l.kind_ == Kind::max;
    if (max) std::memset(gradient, 0, static_cast<size_t>(this->parameter->size()) * sizeof(T));
    double total = 0;
    for (int64 row = 0; row < call.batch; ++row)
        for (int64 i = 0; i < l.window_.positions(); ++i) {
            int64 o[3];
            l.position(i, o);
            const Clip c = l.clip(o);
            bool inside = true;
            for (int d = 0; d < 3; ++d) inside = inside && element[d] >= c.from[d] && element[d] < c.to[d];
            if (!max && !inside) continue;
            for (const Run& run : l.runs_) {
                const T* const x = call.values[l.input] + row * l.input_.sample + l.start(l.input_, o, run);
                const T* const delta =
                    call.gradients[l.output] + row * l.output_gradient_.sample + place_of(l.output_gradient_, o, run);
                const auto offset = [&](int64 a0, int64 a1, int64 a2, int64 a3) {
                    return a0 * l.input_.stride[0] + a1 * l.input_.stride[1] + a2 * l.input_.stride[2] + a3;
                };
                if (max) {
                    const Index* const won = l.which(call, row, i) + run.first;
                    for (int64 q = 0; q < run.count; ++q) {
                        const int64 m = won[q], a = m / r;
                        gradient[m] += delta[q] * x[offset(a / (l.window_.window[2] * l.window_.window[1]),
                                                           a / l.window_.window[2] % l.window_.window[1],
                                                           a % l.window_.window[2], m % r) + q * step];
                    }
                } else if (n % r >= run.from && n % r < run.to) {
                    total += static_cast<double>(call.kernels->dot(
                                 run.count, x + offset(element[0], element[1], element[2], n % r), step, delta)) /
                             static_cast<double>(l.divisor(c, run));
                }
            }
        }
    if (!max) gradient[n] = static_cast<T>(total);
}

template class Aggregate<float>;
template class Aggregate<double>;

}  // namespace tauten
