// What goes between the caller's arrays and a step's edges.
#include <algorithm>
#include <cstring>

#include "core/check.h"
#include "model/step.h"

namespace tauten {

// f(place in the user's array, place in the edge, how many numbers) for the rows of a slice: in the user's order, steps of
// unequal lengths one sample after the other.
template <class T>
template <class F>
void Step<T>::for_each_output(size_t h, Slice slice, F&& f) const {
    const Grid& grid = network_.edges()[static_cast<size_t>(network_.outputs()[h])].value;
    const int64 channels = grid.channels;
    for (int64 r = slice.begin; r < slice.end; ++r) {
        const int64 place = work_.order[static_cast<size_t>(r)];
        if (!grid.time) {
            f(place * grid.sample, r * grid.sample, grid.sample);
            continue;
        }
        const Steps& axis = *work_.heads[h].axis;
        const int64 first = work_.first_row(axis, place);
        const int64 steps = axis.full ? axis.steps : work_.lengths[static_cast<size_t>(r)];
        for (int64 t = 0; t < steps; ++t) f((first + t) * channels, (axis.offset[t] + r) * channels, channels);
    }
}

// -- in --------------------------------------------------------------------------------------------------

template <class T>
void Step<T>::check_targets(size_t h) const {
    const Head& head = objective_.heads[h];
    if (!head.reads_targets()) return;
    const Edge& output = network_.edges()[static_cast<size_t>(head.output)];
    const HeadRows<T>& rows = work_.heads[h];
    require(h < request_.y.size() && request_.y[h], output.name, ": no targets given");
    const Source& y = *request_.y[h];
    // class numbers have the output's shape but for its channels, which may be there as a 1
    const size_t rank = output.shape.size() - (head.labels ? 1 : 0);
    bool fits = y.shape.size() == rank || (head.labels && y.shape.size() == rank + 1 && y.shape.back() == 1);
    for (size_t i = 0; fits && i < rank; ++i)
        fits = y.shape[i] == output.shape[i] || y.shape[i] == run_time || output.shape[i] == run_time;
    if (!fits)
        fail(output.name, ": expected targets of shape ",
             to_text(Shape(output.shape.begin(), output.shape.begin() + static_cast<std::ptrdiff_t>(rank))), " a sample",
             head.labels ? " (class numbers)" : "", ", got ", to_text(y.shape), " a sample");
    const Source* weight = sample_weight(h);
    const bool per_step = weight && !weight->shape.empty();
    if (weight) {
        require(weight->samples == y.samples, "sample_weight must have one entry a sample, (", y.samples, ",)");
        require(!per_step || (weight->shape.size() == 1 && output.shape.size() == 2), output.name,
                ": expected one weight a sample", output.shape.size() == 2 ? " or a step" : "", ", got weights of shape ",
                to_text(weight->shape), " a sample");
    }
    for (int64 r = 0; r < request_.batch; ++r) {
        const int64 sample = request_.index[work_.order[static_cast<size_t>(r)]];
        require(sample < y.samples, "sample ", sample, " asked for, but the targets have ", y.samples);
        if (rank == 0) continue;
        const int64 steps = !rows.axis        ? output.shape[0]
                            : rows.axis->full ? rows.axis->steps
                                              : work_.lengths[static_cast<size_t>(r)];
        require(y.length(sample) == steps, output.name, ": targets of sample ", sample, " have ", y.length(sample),
                " steps, expected ", steps);
        if (per_step)
            require(weight->length(sample) == steps, output.name, ": weights of sample ", sample, " are ",
                    weight->length(sample), ", expected one for each of ", steps, " steps");
    }
}

template <class T>
const Source* Step<T>::sample_weight(size_t h) const {
    return h < request_.sample_weight.size() ? request_.sample_weight[h] : nullptr;
}

// The rows of a slice out of the user's arrays.
template <class T>
void Step<T>::gather_rows(Slice slice) {
    read_states(slice);
    const Rows rows{request_.index, work_.order.data()};
    for (size_t i = 0; i < request_.x.size(); ++i) {
        const int e = network_.inputs()[i];
        const Edge& edge = network_.edges()[static_cast<size_t>(e)];
        if (edge.index)
            gather_checked(*request_.x[i], slice, edge.value, network_.widest_vocabulary(e),
                           reinterpret_cast<int32*>(call_.values[e]), "token", edge.name);
        else
            gather(*request_.x[i], rows, slice, edge.value, call_.axes, call_.values[e]);
    }
    for (size_t h = 0; request_.loss && h < work_.heads.size(); ++h)
        if (objective_.heads[h].reads_targets()) gather_targets(h, slice);
}

template <class T>
void Step<T>::gather_targets(size_t h, Slice slice) {
    const Head& head = objective_.heads[h];
    const HeadRows<T>& to = work_.heads[h];
    const Edge& output = network_.edges()[static_cast<size_t>(head.output)];
    const Rows rows{request_.index, work_.order.data()};
    Grid one = output.value;
    one.channels = 1;
    one.lay_out();
    if (head.labels)
        gather_checked(*request_.y[h], slice, one, output.value.channels, to.labels, "label", output.name);
    else
        gather(*request_.y[h], rows, slice, output.value, call_.axes, to.targets);
    if (!sample_weight(h)) return;
    const Source& weights = *sample_weight(h);
    if (!weights.shape.empty()) {
        gather(weights, rows, slice, one, call_.axes, to.weights);
        return;
    }
    const auto weight = [&](int64 r) {
        return number_of<T>(weights, request_.index[work_.order[static_cast<size_t>(r)]]);
    };
    if (!to.axis) {
        const int64 positions = one.positions();
        for (int64 r = slice.begin; r < slice.end; ++r)
            std::fill_n(to.weights + r * positions, positions, weight(r));
        return;
    }
    const Steps& axis = *to.axis;
    int64 length = axis.steps;
    for (int64 r = slice.begin; r < slice.end; ++r) {
        while (length > 0 && axis.active[length - 1] <= r) --length;  // the longest come first
        const T w = weight(r);
        for (int64 t = 0; t < length; ++t) to.weights[axis.offset[t] + r] = w;
    }
}

template <class T>
void Step<T>::read_states(Slice slice) const {
    for (size_t i = 0; i < request_.initial_states.size(); ++i) {
        const State& state = network_.states()[i];
        const Strided<T> rows = network_.nodes()[static_cast<size_t>(state.node)]->initial_state(call_, state.number);
        if (!rows.data) continue;  // a layer's
        const T* from = request_.initial_states[i];
        for (int64 r = slice.begin; r < slice.end; ++r) {
            if (from)
                std::memcpy(rows.row(r), from + work_.order[static_cast<size_t>(r)] * state.width,
                            static_cast<size_t>(state.width) * sizeof(T));
            else
                std::fill_n(rows.row(r), state.width, T{0});
        }
    }
}

template <class T>
void Step<T>::gather_checked(const Source& source, Slice slice, const Grid& grid, int64 limit, int32* to,
                             const char* what, const std::string& name) {
    OutOfRange found;
    gather_integers(source, {request_.index, work_.order.data()}, slice, grid, call_.axes, limit, to, &found);
    if (!found.found) return;
    std::lock_guard lock(bad_guard_);
    failed_.store(true);
    if (bad_.found && bad_.sample <= found.sample) return;
    bad_ = found;
    bad_text_ = text(name, ": ", what);
    bad_limit_ = limit;
}

// The gradients that losses computed outside begin the backward phase with.
template <class T>
void Step<T>::read_gradients(Slice slice) const {
    for (size_t h = 0; outside && h < outside->size(); ++h) {
        const Head& head = objective_.heads[h];
        if (!head.scored || head.loss != Loss::outside) continue;
        const Edge& edge = network_.edges()[static_cast<size_t>(head.edge)];
        const T* const from = (*outside)[h].gradient;
        T* const delta = call_.gradients[head.edge];
        if (!delta) continue;
        for_each_output(h, slice, [&](int64 there, int64 here, int64 count) {
            std::memcpy(delta + here, from + there, static_cast<size_t>(count) * sizeof(T));
        });
        if (edge.activation == Activation::linear) continue;
        const int64 c = edge.value.channels;
        for_each_run(edge.value, call_.batch, call_.axes, slice, [&](int64 first, int64 count) {
            if (count == 0) return;
            k_.activation_gradient(edge.activation, count, c, call_.values[head.edge] + first * c, c, delta + first * c, c);
        });
    }
}

// -- out -------------------------------------------------------------------------------------------------

template <class T>
void Step<T>::write_outputs(size_t h, Slice slice) const {
    const T* const y = call_.values[network_.outputs()[h]];
    T* const out = (*outputs)[h];
    for_each_output(h, slice, [&](int64 there, int64 here, int64 count) {
        std::memcpy(out + there, y + here, static_cast<size_t>(count) * sizeof(T));
    });
}

template <class T>
void Step<T>::write_input_gradients(Slice slice) const {
    for (size_t i = 0; input_gradients && i < input_gradients->size(); ++i)
        if ((*input_gradients)[i]) write_input_gradient(static_cast<int>(i), slice);
}

template <class T>
void Step<T>::write_input_gradient(int input, Slice slice) const {
    const int e = network_.inputs()[static_cast<size_t>(input)];
    const Grid& grid = network_.edges()[static_cast<size_t>(e)].gradient;
    const T* gradient = call_.gradients[e];
    T* to = (*input_gradients)[static_cast<size_t>(input)];
    for (int64 r = slice.begin; r < slice.end; ++r) {
        const int64 place = work_.order[static_cast<size_t>(r)];
        if (!grid.time) {
            std::memcpy(to + place * grid.sample, gradient + r * grid.sample, static_cast<size_t>(grid.sample) * sizeof(T));
            continue;
        }
        const Steps& axis = call_.axes[grid.axis];
        const int64 steps = axis.full ? axis.steps : work_.lengths[static_cast<size_t>(r)];
        for (int64 t = 0; t < steps; ++t)
            std::memcpy(to + (work_.first_row(axis, place) + t) * grid.channels, gradient + (axis.offset[t] + r) * grid.channels,
                        static_cast<size_t>(grid.channels) * sizeof(T));
    }
}

template <class T>
void Step<T>::write_states(Slice slice) const {
    for (size_t i = 0; i < request_.final_states.size(); ++i) {
        T* to = request_.final_states[i];
        if (!to) continue;
        const State& state = network_.states()[i];
        const Strided<T> rows = network_.nodes()[static_cast<size_t>(state.node)]->final_state(call_, state.number);
        for (int64 r = slice.begin; r < slice.end; ++r)
            std::memcpy(to + work_.order[static_cast<size_t>(r)] * state.width, rows.row(r),
                        static_cast<size_t>(state.width) * sizeof(T));
    }
}

template class Step<float>;
template class Step<double>;

}  // namespace tauten
