// Layers without weights on grids, and the order of a sample's axes.
#include <algorithm>

#include "core/check.h"
#include "layers/global_pool.h"
#include "layers/margins.h"
#include "layers/upsampling.h"
#include "model/network.h"

namespace tauten {

template <class T>
Shape Network<T>::to_shape(const int64 (&extents)[3], int64 rank, int64 channels) {
    Shape shape(extents + 3 - rank, extents + 3);
    shape.push_back(channels);
    return shape;
}

template <class T>
void Network<T>::check_spatial(const std::string& name, int input, int64 rank) {
    const Shape& shape = read(name, input).shape;
    require(rank >= 1 && rank <= 3, name, ": expected 1 to 3 spatial extents, got ", rank);
    require(static_cast<int64>(shape.size()) == rank + 1, name, ": expected an input of ", rank,
            " spatial extent(s) and channels, that is rank ", rank + 1, " without the batch, got shape ", to_text(shape));
}

template <class T>
int Network<T>::add_global_pool(const std::string& name, int input, const std::string& kind, int64 rank, bool keepdims,
                                bool channels_first) {
    require(kind == "max" || kind == "average", name, ": unknown kind of pooling '", kind, "'; expected max or average");
    check_spatial(name, input, rank);
    const Shape& from = edge_shape(input);
    const int64 channels = channels_first ? from.front() : from.back();
    const int edge = add_node<GlobalPool<T>>(name, last_channels(name, input, channels_first), Shape{channels},
                                             Activation::linear,
                                             kind == "max" ? Pool<T>::Kind::max : Pool<T>::Kind::average, channels);
    if (!keepdims) return edge;
    Shape shape(static_cast<size_t>(rank), 1);
    shape.insert(channels_first ? shape.begin() : shape.end(), channels);
    return alias(name, edge, shape);
}

template <class T>
int Network<T>::add_margins(const std::string& name, int input, const std::vector<std::pair<int64, int64>>& amounts,
                            bool channels_first) {
    const int64 rank = static_cast<int64>(amounts.size());
    check_spatial(name, input, rank);
    const Shape from = edge_shape(input);
    require(from[0] != run_time, name, ": needs extents that are known beforehand, got ", to_text(from));
    int64 before[3] = {0, 0, 0}, extents[3] = {1, 1, 1};
    for (int64 i = 0; i < rank; ++i) {
        const auto [front, back] = amounts[static_cast<size_t>(i)];
        const int64 d = 3 - rank + i, n = from[static_cast<size_t>(i + channels_first)];
        require(std::max(std::abs(front), std::abs(back)) <= largest_size, name, ": amounts must be at most 2^46, got (",
                front, ", ", back, ")");
        require(n + front + back >= 1, name, ": (", -front, ", ", -back, ") positions cannot be cut off an extent of ", n,
                ": input ", to_text(from));
        before[d] = front;
        extents[d] = n + front + back;
    }
    const int64 channels = channels_first ? from.front() : from.back();
    const int edge = add_node<Margins<T>>(name, last_channels(name, input, channels_first), to_shape(extents, rank, channels),
                                          Activation::linear, before);
    return first_channels(name, edge, channels_first);
}

template <class T>
int Network<T>::add_upsampling(const std::string& name, int input, const Shape& size, const std::string& interpolation,
                               bool channels_first) {
    require(interpolation == "nearest" || (interpolation == "bilinear" && size.size() == 2), name,
            ": interpolation must be nearest, or in two dimensions bilinear, got '", interpolation, "'");
    const int64 rank = static_cast<int64>(size.size());
    check_spatial(name, input, rank);
    const Shape from = edge_shape(input);
    require(from[0] != run_time, name, ": needs extents that are known beforehand, got ", to_text(from));
    int64 factors[3] = {1, 1, 1}, extents[3] = {1, 1, 1};
    for (int64 i = 0; i < rank; ++i) {
        const int64 d = 3 - rank + i, factor = size[static_cast<size_t>(i)];
        require(factor >= 1 && factor <= largest_size, name, ": size must be from 1 to 2^46, got ", factor);
        factors[d] = factor;
        extents[d] = multiply(factor, from[static_cast<size_t>(i + channels_first)], name);
    }
    const Shape shape = to_shape(extents, rank, channels_first ? from.front() : from.back());
    const int last = last_channels(name, input, channels_first);
    const int edge = interpolation == "nearest" ? add_node<Repeat<T>>(name, last, shape, Activation::linear, factors)
                                                : add_node<Bilinear<T>>(name, last, shape, Activation::linear, factors);
    return first_channels(name, edge, channels_first);
}

// -- the order of axes ---------------------------------------------------------------------------------------

template <class T>
int Network<T>::add_permute(const std::string& name, int input, const std::vector<int>& order) {
    const Shape from = read(name, input).shape;
    require(from[0] != run_time, name, ": needs extents that are known beforehand, got ", to_text(from));
    std::vector<int> sorted = order;
    std::sort(sorted.begin(), sorted.end());
    bool fits = sorted.size() == from.size();
    for (size_t i = 0; fits && i < sorted.size(); ++i) fits = sorted[i] == static_cast<int>(i);
    require(fits, name, ": expected an input of ", order.size(), " axes without the batch, each named once, got shape ",
            to_text(from));
    Shape shape;
    int last = -1;
    bool same = true;  // values keep their order: only extents of 1 move
    for (int axis : order) {
        shape.push_back(from[static_cast<size_t>(axis)]);
        if (shape.back() == 1) continue;
        same = same && axis > last;
        last = axis;
    }
    return same ? alias(name, input, shape) : add_node<Permute<T>>(name, input, shape, Activation::linear, order);
}

template <class T>
int Network<T>::last_channels(const std::string& name, int input, bool channels_first) {
    if (!channels_first) return input;
    std::vector<int> order;
    for (size_t i = 1; i < edge_shape(input).size(); ++i) order.push_back(static_cast<int>(i));
    order.push_back(0);
    return add_permute(name, input, order);
}

template <class T>
int Network<T>::first_channels(const std::string& name, int input, bool channels_first) {
    if (!channels_first) return input;
    std::vector<int> order{static_cast<int>(edge_shape(input).size()) - 1};
    for (int i = 0; i < order[0]; ++i) order.push_back(i);
    return add_permute(name, input, order);
}

template <class T>
const Permute<T>* Network<T>::permute_into(int edge) const {
    const int producer = edges_[static_cast<size_t>(edge)].producer;
    return producer < 0 ? nullptr : dynamic_cast<const Permute<T>*>(nodes_[static_cast<size_t>(producer)].get());
}

template <class T>
int Network<T>::below_permutes(int edge) const {
    while (const Permute<T>* permute = permute_into(edge)) edge = permute->input;
    return edge;
}

// A Permute behind the one that it undoes: what reads it reads the values below both.
template <class T>
void Network<T>::cancel_permutes() {
    for (auto& node : nodes_) {
        const auto* second = dynamic_cast<const Permute<T>*>(node.get());
        const Permute<T>* first = second ? permute_into(second->input) : nullptr;
        if (!first || first->order() != inverse(second->order())) continue;
        const int from = first->input, between = second->input, to = second->output;
        Edge &source = edges_[static_cast<size_t>(from)], &last = edges_[static_cast<size_t>(to)];
        if (last.reader == -1) continue;  // the network's output
        source.reader = last.reader;
        if (last.reader >= 0) nodes_[static_cast<size_t>(last.reader)]->replace_input(to, from);
        for (int& same : same_as_)
            if (same == to) same = from;
        nodes_[static_cast<size_t>(edges_[static_cast<size_t>(between)].producer)].reset();
        node.reset();
        for (int edge : {between, to}) {
            edges_[static_cast<size_t>(edge)].producer = edges_[static_cast<size_t>(edge)].reader = -1;
            edges_[static_cast<size_t>(edge)].unused = true;
        }
    }
    order_nodes();
}

template class Network<float>;
template class Network<double>;

}  // namespace tauten
