#include "layers/recurrent.h"

#include <cstring>

namespace tauten {

// Rows at multiples of this fall on few sets of a first-level cache, where a tile's rows push each other out.
constexpr int64 set_stride = 2048;

template <class T>
Recurrent<T>::Recurrent(Place place, const RecurrentOptions& options, int64 gates, int states, int64 slots)
    : Node<T>(std::move(place)), features_(options.features), units_(options.units), sequences_(options.return_sequences),
      reverse_(options.reverse), states_(states), input_dropout_(options.input_dropout),
      recurrent_dropout_(options.recurrent_dropout) {
    const auto weight = [&](const char* own_name, const Shape& shape) {
        this->parameters.push_back(std::make_shared<Parameter<T>>(this->name, options.prefix + own_name, shape, gates));
        return this->parameters.back();
    };
    kernel_ = weight("kernel", {features_, gates * units_});
    recurrent_kernel_ = weight("recurrent_kernel", {units_, gates * units_});
    if (options.use_bias) bias_ = weight("bias", {gates * units_});
    net_width_ = gates > 1 ? kernel_->padded_columns() : units_;
    slot_width_ = gates > 1 ? slots * kernel_->lanes : kernel_->width;
    net_row_ = gates > 1 ? kernel_->panels * slot_width_ : units_;
    if (gates > 1 && net_row_ * static_cast<int64>(sizeof(T)) % set_stride == 0) net_row_ += 64 / static_cast<int64>(sizeof(T));
    input_product_.layer = recurrent_product_.layer = this;
    recurrent_product_.follows = slots == gates;  // else it reads other net values
    input_product_.kernel = kernel_.get();
    input_product_.bias = bias_.get();
    input_product_.group_rows = features_;
    recurrent_product_.kernel = recurrent_kernel_.get();
    recurrent_product_.group_rows = units_;
    input_product_.b_panel = recurrent_product_.b_panel = slot_width_;
}

template <class T>
void Recurrent<T>::set_bias(int64 of_input, int64 of_recurrent) {
    input_product_.bias = recurrent_product_.bias = bias_.get();
    input_product_.bias_offset = of_input;
    recurrent_product_.bias_offset = of_recurrent;
    recurrent_product_.zeros.resize(static_cast<size_t>(units_ + kernels::slack));
}

template <class T>
void Recurrent<T>::plan(const std::vector<Edge>& edges) {
    for (Beginning& state : begins_) state.below = edges[static_cast<size_t>(state.edge)].activation;
    const Edge& in = edges[static_cast<size_t>(this->input)];
    below_ = in.activation;
    input_ = in.value;
    input_gradient_grid_ = in.gradient;
    output_ = edges[static_cast<size_t>(this->output)].value;
    if (input_.time) axis_ = input_.axis;
    output_row_ = values_buffer_ < 0 ? output_.channels : units_;
    hidden_row_ = sequences_ ? output_row_ : units_;
}

// -- where things lie ----------------------------------------------------------------------------------

template <class T>
T* Recurrent<T>::outputs(const Call<T>& call) const {
    return values_buffer_ < 0 ? call.values[this->output] + first_column_ : static_cast<T*>(call.extra[values_buffer_]);
}

template <class T>
T* Recurrent<T>::output_gradients(const Call<T>& call) const {
    if (gradients_buffer_ >= 0) return static_cast<T*>(call.extra[gradients_buffer_]);
    return call.gradients[this->output] + first_column_;
}

template <class T>
void Recurrent<T>::extra_bytes(const Call<T>& call, std::vector<int64>& bytes) const {
    const int64 row = units_ * static_cast<int64>(sizeof(T)), total = steps(call).total;
    for (int i = 0; i < states_; ++i) bytes.push_back(call.initial_states && begins_.empty() ? call.batch * row : 0);
    for (int i = 0; i < states_; ++i) bytes.push_back(call.final_states ? call.batch * row : 0);
    bytes.push_back(sequences_ ? 0 : (call.backward ? total : 2 * call.batch) * row);
    bytes.push_back(drops(call) ? (total + call.batch) * row : 0);  // of all steps, then of the beginning
    bytes.push_back(drops(call) && call.backward ? call.batch * row : 0);
    const int64 input_row = features_ * static_cast<int64>(sizeof(T));
    bytes.push_back(drops_input(call) ? total * input_row : 0);
    bytes.push_back(drops_input(call) && call.backward ? call.batch * input_row : 0);
    bytes.push_back(!ends_.empty() && call.backward ? call.batch * row : 0);
    cell_bytes(call, bytes);
}

template <class T>
int64 Recurrent<T>::scratch(const Call<T>&) const {
    const int64 taps = slot_width_ == kernel_->width ? 1 : kernel_->panels;
    return std::max(start_size(), divide_up(taps * static_cast<int64>(sizeof(kernels::Tap<T>)), static_cast<int64>(sizeof(T))));
}

template <class T>
Strided<T> Recurrent<T>::initial_state(const Call<T>& call, int state) const {
    if (!begins_.empty()) return {};
    return {this->template extra<T>(call, state), units_};
}

template <class T>
Strided<T> Recurrent<T>::final_state(const Call<T>& call, int state) const {
    return {this->template extra<T>(call, states_ + state), units_};
}

template <class T>
Strided<T> Recurrent<T>::state_rows(const Call<T>& call, int, int64 t, int64 first) const {
    return {hidden(call) + (row_of(call, sequences_ || call.backward, t) + first) * hidden_row_, hidden_row_};
}

template <class T>
Strided<T> Recurrent<T>::state_before(const Call<T>& call, int state, int64 before, int64 first) const {
    if (before >= 0) return state_rows(call, state, before, first);
    if (!begins(call)) return {};
    T* const all = begins_.empty() ? this->template extra<T>(call, state) : call.values[begins_[static_cast<size_t>(state)].edge];
    return {all + first * units_, units_};
}

template <class T>
Strided<T> Recurrent<T>::read_by_product(const Call<T>& call, int64 before, int64 first) const {
    if (!drops(call) || (before < 0 && !begins(call))) return state_before(call, 0, before, first);
    const int64 row = before >= 0 ? steps(call).offset[before] : steps(call).total;
    return {this->template extra<T>(call, dropped_buffer()) + (row + first) * units_, units_};
}

template <class T>
void Recurrent<T>::drop(const Call<T>& call, const Dropping& how, int64 row, int64 first, int64 count, const T* from,
                        T* to) const {
    const kernels::DropoutKey key{how.seed, call.number, how.number};
    call.kernels->dropout(key, static_cast<T>(1.0 - how.rate), static_cast<uint64>(call.order[row]),
                          static_cast<uint64>(first), count, from, to);
}

template <class T>
Strided<T> Recurrent<T>::input_rows(const Grid& grid, T* memory, const Call<T>& call, int64 t, int64 first) const {
    if (grid.time) return {memory + (steps(call).offset[t] + first) * features_, features_};
    return {memory + first * grid.sample + grid.origin + t * features_, grid.sample};
}

template <class T>
void Recurrent<T>::drop_input(const Call<T>& call, Slice slice) const {
    T* to = this->template extra<T>(call, dropped_input_buffer());
    for (int64 t = 0; t < steps(call).steps; ++t) {
        const Strided<T> from = input_rows(input_, call.values[this->input], call, t, slice.begin);
        for (int64 i = 0; i < steps(call).alive(t, slice); ++i)
            drop(call, input_dropout_, slice.begin + i, 0, features_, from.row(i),
                 to + (steps(call).offset[t] + slice.begin + i) * features_);
    }
}

// -- who does what -------------------------------------------------------------------------------------

template <class T>
void Recurrent<T>::read_row(const Call<T>& call, bool deltas, int64 row, T* to) const {
    const Parameter<T>& w = *kernel_;
    const T* from = (deltas ? delta(call) : gates(call)) + row * net_row_;
    for (int64 gate = 0; gate < w.gates; ++gate)
        for (int64 unit = 0; unit < units_; ++unit)
            *to++ = from[w.gates > 1 ? unit / w.lanes * slot_width_ + w.place(0, gate) * w.lanes + unit % w.lanes : unit];
}

template <class T>
double Recurrent<T>::work(const Call<T>& call) const {
    return 2.0 * static_cast<double>((features_ + units_) * net_width_) * static_cast<double>(steps(call).total);
}

// Parts meet at every step: it has to be worth it.
template <class T>
bool Recurrent<T>::in_parts(const Call<T>& call, Way way) const {
    constexpr double least_flops = 1e5;
    return way == Way::forward && !call.backward && kernel_->panels > 1 && work(call) >= least_flops * static_cast<double>(steps(call).steps);
}

template <class T>
typename Recurrent<T>::Units Recurrent<T>::share(const Slice& slice) const {
    const Range own = slice.share(kernel_->panels);
    const int64 width = kernel_->width / kernel_->gates;
    return {own.begin, own.begin * width, std::min(units_, own.end * width) - own.begin * width};
}

// -- forwards ------------------------------------------------------------------------------------------

template <class T>
kernels::Tap<T> Recurrent<T>::input_tap(const Call<T>& call, int64 t, int64 begin, int64 panel) const {
    const int64 width = kernel_->width, stride = features_ * width;
    Strided<T> x = input_rows(input_, call.values[this->input], call, t, begin);
    if (drops_input(call)) {
        T* dropped = this->template extra<T>(call, dropped_input_buffer());
        x = {dropped + (steps(call).offset[t] + begin) * features_, features_};
    }
    return {x.data, kernel_->weights.data() + panel * stride, x.stride, 1, width, stride, features_};
}

template <class T>
bool Recurrent<T>::few_rows(const Call<T>& call) const {
    constexpr int64 few = 4, many_steps = 4;
    return !call.backward && call.batch <= few && steps(call).steps >= many_steps && !drops_input(call) &&
           (input_.time || call.batch == 1);
}

template <class T>
bool Recurrent<T>::products_first(const Call<T>& call, Slice slice) const {
    return few_rows(call) && slice.rows() == call.batch && nets(call) != nullptr;
}

template <class T>
void Recurrent<T>::take_products(const Call<T>& call, const Units& units, const T* start) const {
    if (units.count <= 0) return;
    const int64 width = kernel_->width, rows = steps(call).total;
    T* net = nets(call) + units.panel * slot_width_;
    const int64 columns = kernel_->gates > 1 ? divide_up(units.count * kernel_->gates, width) * width : units.count;
    kernels::Tap<T> tap = input_tap(call, 0, 0, units.panel);
    tap.a_row = features_;  // of one sample, or of time rows: x_t follow each other
    const bool apart = slot_width_ != width;  // what the product leaves out of a panel is there already
    if (apart)
        for (int64 r = 0; r < rows; ++r)
            std::memcpy(net + r * net_row_, start + units.panel * slot_width_,
                        static_cast<size_t>(columns / width * slot_width_) * sizeof(T));
    call.kernels->gemm({&tap, 1, rows, columns, width, net, net_row_, slot_width_,
                        apart || !start ? nullptr : start + units.panel * slot_width_, apart, Activation::linear, nullptr, 0});
}

template <class T>
void Recurrent<T>::forward(const Call<T>& call, Slice slice, int, T* scratch) const {
    const Units units = share(slice);
    const bool dropping = drops(call), first_products = products_first(call, slice);
    T* h = hidden(call);
    const T* begin = start(scratch);
    const int64 net = units.panel * slot_width_;  // first net value
    const auto drop_rows = [&](int64 first, int64 rows, Strided<T> from, int64 step) {
        const T* all = from.data;
        T* to = this->template extra<T>(call, dropped_buffer()) + (step + first) * units_;
        for (int64 r = 0; r < rows; ++r)
            drop(call, recurrent_dropout_, first + r, units.first, units.count, all + r * from.stride + units.first, to + r * units_ + units.first);
    };
    if (first_products) take_products(call, units, begin);
    if (drops_input(call)) {
        if (slice.part == 0) drop_input(call, slice);
        slice.meet();
    }
    if (dropping && begins(call) && units.count > 0)
        drop_rows(slice.begin, slice.rows(), state_before(call, 0, -1, slice.begin), steps(call).total);
    if (dropping && begins(call)) slice.meet();
    if (slice.part == 0) finish_stepless(call, slice);
    for_each_step(call, slice, [&](int64 t, int64 first, int64 rows, int64 before) {
        kernels::Tap<T> taps[2];
        Forward step{taps, 0, first_products, t, before, first, rows, units, begin ? begin + net : nullptr, 0, {}, nullptr};
        step.hidden_before = state_before(call, 0, before, first);
        if (first_products) {
            step.start = nets(call) + (steps(call).offset[t] + first) * net_row_ + net;
            step.start_row = net_row_;
        } else {
            taps[step.tap_count++] = input_tap(call, t, first, units.panel);
        }
        if (const Strided<T> from = read_by_product(call, before, first); from.data) {
            const int64 width = recurrent_kernel_->width, stride = units_ * width;
            taps[step.tap_count++] = {from.data, recurrent_kernel_->weights.data() + units.panel * stride, from.stride, 1,
                                      width, stride, units_};
        }
        if (step.hidden_before.data) step.hidden_before.data += units.first;
        step.hidden = h + (row_of(call, sequences_ || call.backward, t) + first) * hidden_row_ + units.first;
        if (units.count > 0) {
            step_forward(call, step);
            if (dropping) drop_rows(first, rows, {step.hidden - units.first, hidden_row_}, steps(call).offset[t]);
        }
        slice.meet();
        if (slice.part == 0 && (!sequences_ || call.final_states || !ends_.empty())) finish_rows(call, {first, first + rows}, t);
    });
}

template <class T>
void Recurrent<T>::finish_rows(const Call<T>& call, Slice slice, int64 t) const {
    const int64 now = steps(call).alive(t, slice);
    const int64 going = reverse_ ? (t > 0 ? now : 0) : steps(call).alive(t + 1, slice), first = slice.begin + going;
    const auto copy = [&](Strided<T> from, T* to, int64 to_row) {
        for (int64 r = 0; r < now - going; ++r)
            std::memcpy(to + r * to_row, from.row(r), static_cast<size_t>(units_) * sizeof(T));
    };
    if (now <= going) return;
    if (!sequences_) copy(state_rows(call, 0, t, first), outputs(call) + first * output_row_, output_row_);
    for (int i = 0; i < states_; ++i) {
        if (call.final_states) copy(state_rows(call, i, t, first), final_state(call, i).row(first), units_);
        if (!ends_.empty())
            copy(state_rows(call, i, t, first), call.values[ends_[static_cast<size_t>(i)]] + first * units_, units_);
    }
}

template <class T>
void Recurrent<T>::finish_stepless(const Call<T>& call, Slice slice) const {
    for (int64 r = std::max(slice.begin, steps(call).active[0]); r < slice.end; ++r) {
        const auto end = [&](int state, T* to) {
            if (const Strided<T> from = state_before(call, state, -1, r); from.data)
                std::memcpy(to, from.data, static_cast<size_t>(units_) * sizeof(T));
            else
                std::memset(to, 0, static_cast<size_t>(units_) * sizeof(T));
        };
        if (!sequences_) end(0, outputs(call) + r * output_row_);
        for (int i = 0; i < states_; ++i) {
            if (call.final_states) end(i, final_state(call, i).row(r));
            if (!ends_.empty()) end(i, call.values[ends_[static_cast<size_t>(i)]] + r * units_);
        }
    }
}

// -- backwards -----------------------------------------------------------------------------------------

template <class T>
int64 Recurrent<T>::transposed_taps(const kernels::Kernels<T>& k, const T* d, const DerivedPanels<T>& w, int64 vectors,
                                    kernels::Tap<T>* taps) const {
    const int64 width = kernel_->width, panel = net_width_ * k.panel;
    if (slot_width_ == width) {
        taps[0] = {d, w.panels.data(), net_row_, 1, k.panel, panel, net_width_};
        return 1;
    }
    for (int64 p = 0; p < kernel_->panels; ++p)
        taps[p] = {d + p * slot_width_, w.panels.data() + p * width * k.panel, net_row_, 1, k.panel, panel,
                   vectors > 0 ? vectors * kernel_->lanes : width};
    return kernel_->panels;
}

// Long ago written, by now in memory or a far cache: on its way while the step before is computed.
template <class T>
void Recurrent<T>::fetch(const Call<T>& call, int64 t, int64 first, int64 rows) const {
    const auto lines = [&](const T* memory, int64 row, int64 columns) {
        const T* from = memory + (steps(call).offset[t] + first) * row;
        for (int64 r = 0; r < rows; ++r)
            for (int64 i = 0; i < columns; i += 64 / static_cast<int64>(sizeof(T))) __builtin_prefetch(from + r * row + i, 1);
    };
    lines(gates(call), net_row_, kernel_->gates > 1 ? net_row_ : units_);
    if (sequences_) lines(output_gradients(call), output_row_, units_);
}

template <class T>
void Recurrent<T>::backward(const Call<T>& call, Slice slice, int, T* scratch) const {
    const auto& k = *call.kernels;
    const Steps& steps = this->steps(call);
    auto* taps = reinterpret_cast<kernels::Tap<T>*>(scratch);
    for_each_step_back(call, slice, [&](int64 t, int64 first, int64 rows, int64 before, int64 after) {
        Backward step{taps, 0, t, before, first, rows, after < 0, {}, state_before(call, 0, before, first)};
        if (sequences_ || step.ends)
            step.above = {output_gradients(call) + ((sequences_ ? steps.offset[t] : 0) + first) * output_row_, output_row_};
        if (step.ends) step.above = last_gradient(call, step.above, first, rows);
        if (!step.ends) {
            const T* d = delta(call) + (steps.offset[after] + first) * net_row_ + first_slot_;
            step.tap_count = transposed_taps(k, d, recurrent_transposed_, recurrent_vectors_, taps);
        }
        if (!step.ends && drops(call)) {
            T* sent = this->template extra<T>(call, sent_back_buffer()) + first * units_;
            k.gemm({taps, step.tap_count, rows, units_, k.panel, sent, units_, k.panel, nullptr, false, Activation::linear,
                    nullptr, 0});
            drop_rows(call, first, rows, sent);
            for (int64 r = 0; step.above.data && r < rows; ++r) k.add(units_, step.above.row(r), sent + r * units_);
            step.above = {sent, units_};
            step.tap_count = 0;
        }
        if (before >= 0) fetch(call, before, first, rows);
        step_backward(call, step);
        if (before < 0) begin_gradient(call, t, first, rows, taps);
    });
    stepless_gradient(call, slice);
    input_gradient(call, slice, scratch);
}

template <class T>
void Recurrent<T>::input_gradient(const Call<T>& call, Slice slice, T* scratch) const {
    if (!wants_data_gradient(call)) return;
    if (drops_input(call)) return dropped_input_gradient(call, slice, scratch);
    const auto& k = *call.kernels;
    const Activation below = last_ ? below_ : Activation::linear;
    const bool slope = below != Activation::linear;
    auto* taps = reinterpret_cast<kernels::Tap<T>*>(scratch);
    const auto product = [&](const T* d, int64 rows, T* gradient, const T* x, int64 row) {
        const int64 count = transposed_taps(k, d, input_transposed_, 0, taps);
        k.gemm({taps, count, rows, features_, k.panel, gradient, row, k.panel, nullptr, adds_, below, slope ? x : nullptr,
                row});
    };
    const T* d = delta(call);
    const T* x = call.values[this->input];
    T* gradient = call.gradients[this->input];
    if (input_.time) {
        for_each_run(input_, call.batch, call.axes, slice, [&](int64 first, int64 rows) {
            product(d + first * net_row_, rows, gradient + first * features_, x + first * features_, features_);
        });
        return;
    }
    for (int64 t = 0; t < steps(call).steps; ++t)
        product(d + (steps(call).offset[t] + slice.begin) * net_row_, slice.rows(),
                gradient + slice.begin * input_gradient_grid_.sample + input_gradient_grid_.origin + t * features_,
                x + slice.begin * input_.sample + input_.origin + t * features_, input_gradient_grid_.sample);
}

// The same through the mask on x, step by step.
template <class T>
void Recurrent<T>::dropped_input_gradient(const Call<T>& call, Slice slice, T* scratch) const {
    const auto& k = *call.kernels;
    auto* taps = reinterpret_cast<kernels::Tap<T>*>(scratch);
    T* sent = this->template extra<T>(call, input_sent_back_buffer()) + slice.begin * features_;
    for (int64 t = 0; t < steps(call).steps; ++t) {
        const int64 rows = steps(call).alive(t, slice);
        const T* d = delta(call) + (steps(call).offset[t] + slice.begin) * net_row_;
        const int64 count = transposed_taps(k, d, input_transposed_, 0, taps);
        k.gemm({taps, count, rows, features_, k.panel, sent, features_, k.panel, nullptr, false, Activation::linear, nullptr,
                0});
        const Strided<T> to = input_rows(input_gradient_grid_, call.gradients[this->input], call, t, slice.begin);
        const Strided<T> x = input_rows(input_, call.values[this->input], call, t, slice.begin);
        for (int64 r = 0; r < rows; ++r) {
            drop(call, input_dropout_, slice.begin + r, 0, features_, sent + r * features_, sent + r * features_);
            if (adds_)
                k.add(features_, sent + r * features_, to.row(r));
            else
                std::memcpy(to.row(r), sent + r * features_, static_cast<size_t>(features_) * sizeof(T));
        }
        if (last_ && below_ != Activation::linear)
            k.activation_gradient(below_, rows, features_, x.data, x.stride, to.data, to.stride);
    }
}

// Parts: the panels of W_h, then, where somebody wants ∂E/∂x, those of W_i, each into its transposed panels.
template <class T>
int64 Recurrent<T>::stale_parts(const Call<T>& call) {
    const int64 panel = kernels::table<T>().panel;
    const bool recurrent = recurrent_transposed_.stale(*recurrent_kernel_);
    input_refreshed_ = wants_data_gradient(call);
    if (!recurrent && !(input_refreshed_ && input_transposed_.stale(*kernel_))) return 0;
    recurrent_transposed_.panels.reserve(round_up(units_, panel) * net_width_);
    if (input_refreshed_) input_transposed_.panels.reserve(round_up(features_, panel) * net_width_);
    return (1 + input_refreshed_) * kernel_->panels;
}

template <class T>
void Recurrent<T>::refresh_part(const kernels::Kernels<T>& k, int64 part) {
    const bool recurrent = part < kernel_->panels;
    const Parameter<T>& from = recurrent ? *recurrent_kernel_ : *kernel_;
    DerivedPanels<T>& to = recurrent ? recurrent_transposed_ : input_transposed_;
    const int64 p = recurrent ? part : part - kernel_->panels, first = p * from.width;
    k.pack_transposed(from.rows, std::min(from.width, net_width_ - first),
                      from.weights.data() + p * from.rows * from.width, from.width, to.panels.data() + first * k.panel,
                      net_width_ * k.panel);
}

template <class T>
void Recurrent<T>::refreshed() {
    recurrent_transposed_.version = recurrent_kernel_->version;
    if (input_refreshed_) input_transposed_.version = kernel_->version;
}

// -- weight gradients ----------------------------------------------------------------------------------

// With equal lengths h_{t-1} and δ_t are the same packed rows, one batch apart: lines are pieces of line_rows, and those
// of the first step, which has none before, are apart. Else lines are steps; against time, where some rows of a step
// begin and others go on, two a step.
template <class T>
typename Recurrent<T>::Rows Recurrent<T>::rows_of_line(const Call<T>& call, int64 i) const {
    const Steps& steps = this->steps(call);
    if (in_pieces(call)) {
        const int64 cut = reverse_ ? steps.total - call.batch : call.batch, lower = divide_up(cut, line_rows);
        const int64 begin = i < lower ? i * line_rows : cut + (i - lower) * line_rows;
        const int64 end = std::min(begin + line_rows, i < lower ? cut : steps.total);
        if ((i < lower) != reverse_) return {-1, begin, end - begin, begin - (reverse_ ? cut : 0), -1};
        return {begin + (reverse_ ? call.batch : -call.batch), begin, end - begin, 0, -1};
    }
    const int64 t = reverse_ ? i / 2 : i, at = steps.offset[t];
    if (!reverse_) return {t > 0 ? steps.offset[t - 1] : -1, at, steps.active[t], 0, t};
    const int64 going = steps.active[t + 1];
    if (i % 2 == 0) return {steps.offset[t + 1], at, going, 0, t};
    return {-1, at + going, steps.active[t] - going, going, t};
}

template <class T>
int64 Recurrent<T>::Gradient::lines(const Call<T>& call) const {
    const Steps& steps = layer->steps(call);
    if (!layer->in_pieces(call)) return layer->reverse_ ? 2 * steps.steps : steps.steps;
    return divide_up(steps.total - call.batch, line_rows) + divide_up(call.batch, line_rows);
}

template <class T>
Line<T> Recurrent<T>::InputGradient::line(const Call<T>& call, int64 i) const {
    const Recurrent& l = *this->layer;
    const Rows rows = l.rows_of_line(call, i);
    const T* delta = l.delta(call) + rows.first * l.net_row_;
    const T* x = call.values[l.input];
    if (l.drops_input(call)) x = l.template extra<T>(call, l.dropped_input_buffer());
    if (l.input_.time || l.drops_input(call)) return {x + rows.first * l.features_, l.features_, delta, l.net_row_, rows.count};
    const int64 sample = rows.first - l.steps(call).offset[rows.step];
    return {x + sample * l.input_.sample + l.input_.origin + rows.step * l.features_, l.input_.sample, delta, l.net_row_,
            rows.count};
}

template <class T>
Line<T> Recurrent<T>::RecurrentGradient::line(const Call<T>& call, int64 i) const {
    const Recurrent& l = *this->layer;
    const Rows rows = l.rows_of_line(call, i);
    const T* delta = l.delta(call) + rows.first * l.net_row_ + l.first_slot_;
    if (rows.before >= 0) {
        const Strided<T> h = l.drops(call) ? Strided<T>{l.template extra<T>(call, l.dropped_buffer()), l.units_}
                                           : Strided<T>{l.hidden(call), l.hidden_row_};
        return {h.row(rows.before), h.stride, delta, l.net_row_, rows.count};
    }
    // h before the first step: the caller's, or zeros, which only a bias of this product's own makes worth taking
    const Strided<T> h = l.read_by_product(call, -1, rows.sample);
    return {h.data ? h.data : zeros.data(), h.stride, delta, l.net_row_, h.data || this->bias ? rows.count : 0};
}

template class Recurrent<float>;
template class Recurrent<double>;

}  // namespace tauten
