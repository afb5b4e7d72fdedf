// Layers that read or write several edges.
#include <algorithm>

#include "core/check.h"
#include "layers/fork.h"
#include "layers/merge.h"
#include "model/network.h"

namespace tauten {

template <class T>
std::vector<int> Network<T>::add_fork(const std::string& name, int input, int64 count) {
    require(input >= 0 && input < static_cast<int>(edges_.size()), name, ": there is no edge ", input);
    const bool index = edges_[static_cast<size_t>(input)].index;
    read(name, input, index);
    require(count >= 2 && count <= 1 << 16, name, ": expected from 2 to 65536 readers, got ", count);
    const int node = static_cast<int>(nodes_.size());
    std::vector<int> outputs;
    for (int64 i = 0; i < count; ++i) {
        outputs.push_back(add_edge(edge(input).name, Shape(edge(input).shape), node, Activation::linear));
        edges_.back().index = index;
    }
    nodes_.push_back(std::make_unique<Fork<T>>(Place{name, input, outputs.front()}, outputs));
    edge(input).reader = node;
    return outputs;
}

// The inputs' shapes, each free to be read, none of them twice.
template <class T>
std::vector<Shape> Network<T>::shapes_of(const std::string& name, const std::vector<int>& inputs) {
    require(inputs.size() >= 2 && inputs.size() <= most_merged, name, ": expected from 2 to ", most_merged, " inputs, got ",
            inputs.size());
    std::vector<Shape> shapes;
    for (int input : inputs) {
        shapes.push_back(read(name, input).shape);
        require(std::count(inputs.begin(), inputs.end(), input) == 1, name, ": edge ", input, " twice: fork it");
        require(shapes.back().size() == shapes.front().size(), name, ": expected inputs of one rank, got shapes ",
                to_text(shapes.front()), " and ", to_text(shapes.back()));
    }
    return shapes;
}

template <class T>
int Network<T>::add_merge(const std::string& name, const std::vector<int>& inputs, const std::string& kind) {
    const MergeKind how = parse_merge(name, kind);
    const std::vector<Shape> shapes = shapes_of(name, inputs);
    require(how != MergeKind::subtract || inputs.size() == 2, name, ": expected two inputs to subtract, got ", inputs.size());
    Shape shape = shapes.front();
    for (const Shape& other : shapes)
        for (size_t d = 0; d < shape.size(); ++d) {
            require(shape[d] == other[d] || shape[d] == 1 || other[d] == 1, name, ": expected inputs of one shape, or with "
                    "extents of 1, got ", to_text(shapes.front()), " and ", to_text(other));
            if (shape[d] == 1) shape[d] = other[d];
        }
    const bool spread = std::any_of(shapes.begin(), shapes.end(), [&](const Shape& s) { return s != shape; });
    require(!spread || shape[0] != run_time, name, ": inputs of other extents need a number of steps that is known beforehand, got ",
            to_text(shapes[0]), " and ", to_text(shapes[1]));
    require(!spread || shape.size() <= 4, name, ": expected inputs of one shape, or of at most three extents and channels, got ",
            to_text(shapes[0]), " and ", to_text(shapes[1]));
    return add_node<Merge<T>>(name, inputs.front(), shape, Activation::linear, inputs, how, spread);
}

template <class T>
int Network<T>::add_concatenate(const std::string& name, const std::vector<int>& inputs, int64 axis) {
    const std::vector<Shape> shapes = shapes_of(name, inputs);
    Shape shape = shapes.front();
    const int64 rank = static_cast<int64>(shape.size());
    require(axis >= 1 && axis <= rank, name, ": axis must be from 1 to ", rank, " (0 is the batch), got ", axis);
    const size_t along = static_cast<size_t>(axis) - 1;
    shape[along] = 0;
    std::vector<int64> sizes;
    for (const Shape& other : shapes) {
        require(other[along] != run_time, name, ": cannot concatenate along time steps that are known only at run time, got ",
                to_text(other));
        for (size_t d = 0; d < shape.size(); ++d)
            require(d == along || other[d] == shape[d], name, ": expected inputs that differ only along axis ", axis, ", got ",
                    to_text(shapes.front()), " and ", to_text(other));
        shape[along] += other[along];
        require(shape[along] <= largest_size, name, ": more than 2^46 values along axis ", axis);
        sizes.push_back(elements(Shape(other.begin() + static_cast<std::ptrdiff_t>(along), other.end()), name));
    }
    return add_node<Concatenate<T>>(name, inputs.front(), shape, Activation::linear, inputs, sizes, axis == rank);
}

template class Network<float>;
template class Network<double>;

}  // namespace tauten
