#include "model/trace.h"

namespace tauten {

namespace {

template <class T>
Trace<T> read_trace(const Recurrent<T>& layer, const Workspace<T>& work, bool deltas) {
    const Steps& axis = layer.steps(work.call);
    const Parameter<T>& weight = layer.recurrent_kernel();
    Trace<T> trace{weight.name, weight.gates, layer.units(), std::vector<int64>(work.order.size()), {}};
    const int64 width = trace.gates * trace.units;
    trace.values.resize(static_cast<size_t>(axis.total * width));
    for (size_t r = 0; r < work.order.size(); ++r) {
        const int64 place = work.order[r], steps = axis.full ? axis.steps : work.lengths[r];
        trace.steps[static_cast<size_t>(place)] = steps;
        T* to = trace.values.data() + work.first_row(axis, place) * width;
        for (int64 t = 0; t < steps; ++t)
            layer.read_row(work.call, deltas, axis.offset[t] + static_cast<int64>(r), to + t * width);
    }
    return trace;
}

}  // namespace

template <class T>
std::vector<Trace<T>> read_traces(const Network<T>& network, const Workspace<T>& work, bool deltas) {
    std::vector<Trace<T>> traces;
    for (const auto& node : network.nodes())
        for (const Recurrent<T>* layer : node->recurrences()) traces.push_back(read_trace(*layer, work, deltas));
    return traces;
}

template std::vector<Trace<float>> read_traces(const Network<float>&, const Workspace<float>&, bool);
template std::vector<Trace<double>> read_traces(const Network<double>&, const Workspace<double>&, bool);

}  // namespace tauten
