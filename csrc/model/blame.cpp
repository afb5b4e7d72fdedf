#include "model/blame.h"

#include "core/check.h"

namespace tauten {

namespace {

template <class T>
bool finite(const Call<T>& call, const Grid& grid, const T* data) {
    return !data || call.kernels->all_finite(grid.size(call.batch, call.axes), data);
}

template <class T>
bool finite_value(const Network<T>& network, const Call<T>& call, int edge) {
    const Edge& e = network.edges()[static_cast<size_t>(edge)];
    return e.index || finite(call, e.value, call.values[edge]);
}

template <class T>
bool finite_gradient(const Network<T>& network, const Call<T>& call, int edge) {
    return finite(call, network.edges()[static_cast<size_t>(edge)].gradient, call.gradients[edge]);
}

}  // namespace

template <class T>
std::string blame_forward(const Network<T>& network, const Workspace<T>& work) {
    const Call<T>& call = work.call;
    for (const int input : network.inputs())
        if (!finite_value(network, call, input))
            return text("input '", network.edges()[static_cast<size_t>(input)].name, "' is not finite");
    for (size_t i = 0; i < network.nodes().size(); ++i) {
        const Node<T>& node = *network.nodes()[i];
        if (work.unread[i] || finite_value(network, call, node.output)) continue;
        const std::string& written = network.edges()[static_cast<size_t>(node.output)].name;  // a sum's, that it adds itself
        std::string blame = text("layer '", node.name, written == node.name ? "'" : "' with the sum '" + written + "'",
                                 " is the first whose output is not finite");
        for (const auto& p : node.parameters)
            if (!call.kernels->all_finite(p->size(), p->weights.data())) return text(blame, ": its ", p->name, " is not");
        return blame;
    }
    return "the outputs of all layers are finite";
}

template <class T>
std::string blame_backward(const Network<T>& network, const Workspace<T>& work, const Objective& objective) {
    const Call<T>& call = work.call;
    for (const Head& head : objective.heads)
        if (head.edge >= 0 && !finite_gradient(network, call, head.edge)) return "the loss's own gradient is not finite";
    for (size_t i = network.nodes().size(); i-- > 0;) {
        const Node<T>& node = *network.nodes()[i];
        if (work.scored[i] || !node.wants_input_gradient(call)) continue;  // it has written none
        for (const int input : node.inputs())
            if (!finite_gradient(network, call, input))
                return text("layer '", node.name, "' is the first to send down a gradient that is not finite");
    }
    return {};
}

template std::string blame_forward(const Network<float>&, const Workspace<float>&);
template std::string blame_forward(const Network<double>&, const Workspace<double>&);
template std::string blame_backward(const Network<float>&, const Workspace<float>&, const Objective&);
template std::string blame_backward(const Network<double>&, const Workspace<double>&, const Objective&);

}  // namespace tauten
