#include "layers/conv.h"

#include <algorithm>

#include "layers/input_lines.h"

namespace tauten {

namespace {

// Deepest tap lists a call builds: kernel rows (window D x H) of one convolution.
constexpr int64 most_taps = 64;
// Winograd's tiles of a batch, at the least.
constexpr int64 least_tiles = 8;

}  // namespace

template <class T>
Conv<T>::Conv(Place place, const Window& window, int64 channels, int64 filters, Activation activation, bool use_bias,
              const ConvOptions& options)
    : PaddedNode<T>(std::move(place), window, options.padding_value, activation), channels_(channels), filters_(filters),
      options_(options), own_channels_(channels / options.groups), own_filters_(filters / options.groups) {
    Shape shape(window.window + 3 - window.rank, window.window + 3);
    shape.push_back(own_channels_);
    shape.push_back(filters);
    kernel_ = std::make_shared<Parameter<T>>(this->name, options.kernel, shape);
    kernel_->lay_out_in_groups(options.groups);
    this->parameters.push_back(kernel_);
    if (use_bias) {
        bias_ = std::make_shared<Parameter<T>>(this->name, "bias", Shape{filters});
        bias_->lay_out_in_groups(options.groups);
        this->parameters.push_back(bias_);
    }
    product_.layer = this;
    product_.kernel = kernel_.get();
    product_.bias = bias_.get();
    product_.group_rows = contiguous() ? window.window[2] * channels : own_channels_;
    product_.column_groups = options.groups;
    product_.a_group = own_channels_;
    product_.b_group = own_filters_;

    for (const Residue& a : residues(window, 0))
        for (const Residue& b : residues(window, 1))
            for (const Residue& c : residues(window, 2))
                classes_.push_back({{a, b, c}, a.taps * b.taps * c.taps * own_filters_, {}});

    const bool whole = options.groups == 1 && window.dilation[0] * window.dilation[1] * window.dilation[2] == 1;
    if (!options.winograd || !whole) return;
    if (const auto* transforms = choose_winograd<T>(window, channels, filters)) {
        forwards_.emplace(*transforms, window, window.output, channels, filters);
        backwards_.emplace(*transforms, window, window.input, filters, channels);
        tiled_gradient_.emplace(*transforms, window, channels, filters);
        tiled_gradient_->layer = this;
    }
}

// Tiles enough to multiply: few rows of them would read all filters at the points for little work.
template <class T>
bool Conv<T>::tiled(const Call<T>& call) const {
    return forwards_ && call.batch * forwards_->tiles_a_sample() >= least_tiles;
}

// Filters at the points are large: all samples of a slice pass over them at once, unless one has tiles enough.
template <class T>
bool Conv<T>::local() const {
    return !forwards_ || forwards_->tiles_a_sample() >= 2 * kernels::table<T>().tile;
}

template <class T>
int64 Conv<T>::scratch(const Call<T>& call) const {
    return tiled(call) ? std::max(forwards_->scratch(), backwards_->scratch()) : 0;
}

// The window's padding, and whole tiles.
template <class T>
void Conv<T>::add_input_halo(Grid& value) const {
    window_.add_halo(value);
    for (int d = 0; d < 3 && forwards_; ++d)
        value.after[d] = std::max(value.after[d], forwards_->reach(d) - window_.before[d] - window_.input[d]);
}

// The same for δ, with whole tiles of inputs and of outputs.
template <class T>
void Conv<T>::wanted_gradient_halo(Grid& gradient) const {
    add_gradient_halo(window_, gradient);
    for (int d = 0; d < 3 && forwards_; ++d)
        gradient.after[d] = std::max({gradient.after[d],
                                      classes_[0].d[d].first_output + backwards_->reach(d) - window_.output[d],
                                      forwards_->reach(d) - (window_.window[d] - 1) - window_.output[d]});
}

template <class T>
void Conv<T>::plan(const std::vector<Edge>& edges) {
    EdgeNode<T>::plan(edges);
    Grid in = input_, back = output_gradient_;
    add_input_halo(in);
    wanted_gradient_halo(back);
    this->plan_padding(in, back);

    product_.group_offset.clear();
    group_rows_.clear();
    for (int64 a = 0; a < window_.window[0]; ++a)
        for (int64 b = 0; b < window_.window[1]; ++b)
            for (int64 c = 0; c < (contiguous() ? 1 : window_.window[2]); ++c) {
                group_rows_.push_back({a, b});
                product_.group_offset.push_back(a * window_.dilation[0] * padded_.stride[0] +
                                                b * window_.dilation[1] * padded_.stride[1] +
                                                c * window_.dilation[2] * padded_.stride[2]);
            }
}

template <class T>
void Conv<T>::extra_bytes(const Call<T>& call, std::vector<int64>& bytes) const {
    this->padding_bytes(call, this->wants_input_gradient(call) || tiled(call), bytes);
}

template <class T>
double Conv<T>::work(const Call<T>& call) const {
    return 2.0 * static_cast<double>(call.batch * window_.positions()) *
           static_cast<double>(window_.size() * own_channels_ * filters_);
}

// Where windows find more than zeros in extent d, counted from where the first one begins.
template <class T>
Range Conv<T>::reached(int d) const {
    if (this->padding_value_ != 0) return {0, window_.before[d] + window_.input[d] + window_.after[d]};
    return {window_.before[d], window_.before[d] + window_.input[d]};
}

// Whether the kernel's rows g find more than zeros for outputs at this place.
template <class T>
bool Conv<T>::reaches(const int64 (&place)[2], int64 g) const {
    if (this->padding_value_ != 0) return true;
    const std::array<int64, 2>& row = group_rows_[static_cast<size_t>(g)];
    return window_.inside(0, place[0], row[0]) && window_.inside(1, place[1], row[1]);
}

// Rows of A: output positions of one row. Taps: kernel rows; kernel columns and channels are one contiguous K, but with
// dilation or groups each column is a tap.
template <class T>
void Conv<T>::forward(const Call<T>& call, Slice slice, int, T* scratch) const {
    const auto& k = *call.kernels;
    this->pad_input(call, slice);
    const T* x = padded_input(call);
    if (tiled(call)) {
        WinogradPlaces<T> places{x, &padded_, {reached(0), reached(1), reached(2)},
                                 call.values[this->output] + output_.origin, &output_};
        places.bias = bias_ ? bias_->weights.data() : nullptr;
        places.activation = activation_;
        return forwards_->run(k, places, slice, scratch);
    }
    // parts: of the lines of positions, or of one line's positions
    const int64 lines = slice.rows() * window_.output[0] * window_.output[1], positions = window_.output[2];
    const bool by_lines = lines >= slice.parts;
    const Range own = by_lines ? slice.share(lines) : Range{0, lines};
    const Range place = by_lines ? Range{0, positions} : slice.share(positions);
    if (place.size() == 0) return;
    const int64 depth = product_.group_rows, panel_stride = kernel_->rows * k.panel;
    const int64 groups = static_cast<int64>(product_.group_offset.size());
    const int64 own_panels = kernel_->panels / options_.groups;
    kernels::Tap<T> taps[most_taps];
    for (int64 r = slice.begin; r < slice.end; ++r)
        for (int64 a = 0; a < window_.output[0]; ++a)
            for (int64 b = 0; b < window_.output[1]; ++b) {
                const int64 line = ((r - slice.begin) * window_.output[0] + a) * window_.output[1] + b;
                if (line < own.begin || line >= own.end) continue;
                const T* corner = x + r * padded_.sample + a * window_.step[0] * padded_.stride[0] +
                                  b * window_.step[1] * padded_.stride[1] + place.begin * window_.step[2] * channels_;
                T* y = call.values[this->output] + r * output_.sample + output_.origin + a * output_.stride[0] +
                       b * output_.stride[1] + place.begin * filters_;
                for (int64 group = 0; group < options_.groups; ++group, corner += own_channels_, y += own_filters_)
                    for (int64 g = 0, more = 0; g < groups || !more; more = 1) {
                        const int64 panel = group * own_panels;
                        int64 count = 0;
                        for (; g < groups && count < most_taps; ++g)
                            if (reaches({a, b}, g))
                                taps[count++] = {corner + product_.group_offset[static_cast<size_t>(g)],
                                                 kernel_->weights.data() + panel * panel_stride + g * depth * k.panel,
                                                 window_.step[2] * channels_, 1, k.panel, panel_stride, depth};
                        k.gemm({taps, count, place.size(), own_filters_, k.panel, y, filters_, k.panel,
                                bias_ ? bias_->weights.data() + panel * k.panel : nullptr, more > 0,
                                g == groups ? activation_ : Activation::linear, nullptr, 0});
                    }
            }
}

// ∂E/∂x[i, c] = Σ_a Σ_q δ[(i + p - a·d) / s, q] · W[a, c, q], a class of positions i at a time, times f'(x) of the
// layer below.
template <class T>
void Conv<T>::backward(const Call<T>& call, Slice slice, int, T* scratch) const {
    const auto& k = *call.kernels;
    if (this->wants_input_gradient(call) || tiled(call)) this->pad_gradient(call, slice);
    if (!this->wants_input_gradient(call)) return;
    const T* delta = padded_gradient(call);
    const bool slope = below_ != Activation::linear;
    if (tiled(call)) {
        const T* first = delta + padded_gradient_.origin;
        for (int d = 0; d < 3; ++d) first += classes_[0].d[d].first_output * padded_gradient_.stride[d];
        WinogradPlaces<T> places{first, &padded_gradient_, {}, call.gradients[this->input] + input_gradient_.origin,
                                 &input_gradient_};
        for (int d = 0; d < 3; ++d) {
            const int64 before = -classes_[0].d[d].first_output;
            places.inside[d] = {before, before + window_.output[d]};
        }
        if (slope) {
            places.below = call.values[this->input] + input_.origin;
            places.below_grid = &input_;
            places.below_activation = below_;
        }
        return backwards_->run(k, places, slice, scratch);
    }
    const int64 own_panels = divide_up(own_channels_, k.panel), row = window_.step[2] * channels_;
    kernels::Tap<T> taps[most_taps];
    const InputPlaces<T> at{delta, &padded_gradient_, call.gradients[this->input], &input_gradient_,
                            call.values[this->input], &input_};
    for_each_input_line(window_, classes_, slice, at, [&](const ResidueClass& c, InputLine<T> line) {
        const int64 columns = contiguous() ? 1 : c.d[2].taps;  // of a row, a tap each
        const int64 depth = contiguous() ? c.d[2].taps * filters_ : own_filters_;
        const int64 groups = c.d[2].taps ? c.d[0].taps * c.d[1].taps * columns : 0;
        for (int64 group = 0; group < options_.groups; ++group) {
            const T* panels = c.panels.data() + group * own_panels * c.depth * k.panel;
            int64 g = 0, more = 0;
            do {
                int64 count = 0;
                for (; g < groups && count < most_taps; ++g) {
                    const int64 t2 = g % columns, t = g / columns;
                    const int64 t0 = t / c.d[1].taps, t1 = t % c.d[1].taps;
                    const int64 o0 = line.output[0] + t0 * c.d[0].output_step, o1 = line.output[1] + t1 * c.d[1].output_step;
                    if (o0 < 0 || o0 >= window_.output[0] || o1 < 0 || o1 >= window_.output[1]) continue;
                    taps[count++] = {line.delta + t0 * c.d[0].output_step * padded_gradient_.stride[0] +
                                         t1 * c.d[1].output_step * padded_gradient_.stride[1] +
                                         t2 * c.d[2].output_step * padded_gradient_.stride[2],
                                     panels + g * depth * k.panel, filters_, 1, k.panel, c.depth * k.panel, depth};
                }
                const bool last = g >= groups;
                k.gemm({taps, count, line.inputs, own_channels_, k.panel, line.gradient, row, k.panel, nullptr, more > 0,
                        last ? below_ : Activation::linear, last && slope ? line.below : nullptr, row});
                more = 1;
            } while (g < groups);
            line.delta += own_filters_;
            line.gradient += own_channels_;
            line.below += own_channels_;
        }
    });
}

template <class T>
bool Conv<T>::stale_in_prediction(const Call<T>& call) const {
    return tiled(call) && forwards_->version != kernel_->version;
}

// Parts: panels of filters for forwards_, then what the input gradient reads: panels of channels for backwards_, of which
// each is transposed first, or panels of filters of every class.
template <class T>
int64 Conv<T>::stale_parts(const Call<T>& call) {
    stale_points_ = tiled(call);
    stale_forwards_ = stale_in_prediction(call) ? kernel_->panels : 0;
    if (stale_forwards_) forwards_->make_room();
    const uint64 version = stale_points_ ? std::min(version_, backwards_->version) : version_;
    stale_backwards_ = this->wants_input_gradient(call) && version != kernel_->version;
    if (!stale_backwards_) return stale_forwards_;
    const int64 panel = kernels::table<T>().panel;
    for (ResidueClass& c : classes_) c.panels.reserve(options_.groups * round_up(own_channels_, panel) * c.depth);
    if (!stale_points_) return stale_forwards_ + kernel_->panels * static_cast<int64>(classes_.size());
    backwards_->make_room();
    return stale_forwards_ + backwards_->panels();
}

template <class T>
void Conv<T>::refresh_part(const kernels::Kernels<T>& k, int64 part) {
    if (part < stale_forwards_)
        return forwards_->refresh_panel(k, part, kernel_->weights.data() + part * kernel_->rows * k.panel);
    part -= stale_forwards_;
    if (!stale_points_)
        return transpose_filters(k, classes_[static_cast<size_t>(part / kernel_->panels)], part % kernel_->panels,
                                 {0, own_channels_});
    ResidueClass& c = classes_[0];
    for (int64 p = 0; p < kernel_->panels; ++p)
        transpose_filters(k, c, p, {part * k.panel, std::min(channels_, (part + 1) * k.panel)});
    backwards_->refresh_panel(k, part, c.panels.data() + part * c.depth * k.panel);
}

template <class T>
void Conv<T>::refreshed() {
    if (stale_forwards_) forwards_->version = kernel_->version;
    if (!stale_backwards_) return;
    version_ = kernel_->version;
    if (stale_points_) backwards_->version = kernel_->version;
}

// One panel of filters, for some channels of its group, into one class, window positions flipped.
template <class T>
void Conv<T>::transpose_filters(const kernels::Kernels<T>& k, ResidueClass& c, int64 p, Range channels) {
    const int64 own_panels = kernel_->panels / options_.groups;
    const int64 first = p % own_panels * k.panel, count = std::min(k.panel, own_filters_ - first);
    T* const panels =
        c.panels.data() + (p / own_panels * round_up(own_channels_, k.panel) + channels.begin) * c.depth;
    for (int64 t0 = 0; t0 < c.d[0].taps; ++t0)
        for (int64 t1 = 0; t1 < c.d[1].taps; ++t1)
            for (int64 t2 = 0; t2 < c.d[2].taps; ++t2) {
                const int64 a0 = c.d[0].place(t0), a1 = c.d[1].place(t1), a2 = c.d[2].place(t2);
                const int64 row =
                    ((a0 * window_.window[1] + a1) * window_.window[2] + a2) * own_channels_ + channels.begin;
                const int64 tap = (t0 * c.d[1].taps + t1) * c.d[2].taps + t2;
                k.pack_transposed(channels.size(), count, kernel_->weights.data() + (p * kernel_->rows + row) * k.panel,
                                  k.panel, panels + (tap * own_filters_ + first) * k.panel, c.depth * k.panel);
            }
}

template <class T>
typename WinogradGradient<T>::Operands Conv<T>::TiledGradient::operands(const Call<T>& call) const {
    const Conv& l = *layer;
    const Grid& grid = l.padded_gradient_;  // laid out as the edge's, unless it is a copy
    return {l.padded_input(call), &l.padded_, {l.reached(0), l.reached(1), l.reached(2)},
            l.padded_gradient(call) + grid.origin, &grid};
}

template <class T>
int64 Conv<T>::Gradient::lines(const Call<T>& call) const {
    return call.batch * layer->window_.output[0] * layer->window_.output[1];
}

// Line i: one row of output positions of one sample.
template <class T>
Line<T> Conv<T>::Gradient::line(const Call<T>& call, int64 i) const {
    const Conv& l = *layer;
    const int64 b = i % l.window_.output[1], a = i / l.window_.output[1] % l.window_.output[0];
    const int64 r = i / (l.window_.output[0] * l.window_.output[1]);
    return {l.padded_input(call) + r * l.padded_.sample + a * l.window_.step[0] * l.padded_.stride[0] +
                b * l.window_.step[1] * l.padded_.stride[1],
            l.window_.step[2] * l.channels_,
            call.gradients[l.output] + r * l.output_gradient_.sample + l.output_gradient_.origin +
                a * l.output_gradient_.stride[0] + b * l.output_gradient_.stride[1],
            l.filters_, l.window_.output[2], {a, b}};
}

template class Conv<float>;
template class Conv<double>;

}  // namespace tauten
