#include "bench/networks.h"

#include <cstdlib>
#include <sstream>

#include "core/check.h"

namespace tauten::bench {

double number(const std::string& word) {
    char* end = nullptr;
    const double value = std::strtod(word.c_str(), &end);
    require(end != word.c_str() && *end == '\0', "expected a number, got '", word, "'");
    return value;
}

namespace {

std::vector<std::string> split(const std::string& words, char separator) {
    std::vector<std::string> parts;
    std::istringstream in(words);
    for (std::string part; std::getline(in, part, separator);)
        if (!part.empty()) parts.push_back(part);
    return parts;
}

int64 extent(const std::string& word) { return static_cast<int64>(number(word)); }

// The native cell behind a name of layers, "" if there is none.
std::string cell_kind(const std::string& name) {
    if (name == "rnn") return "simple_rnn";
    if (name == "forget") return "forget_gate_rnn";
    return name == "gru" || name == "lstm" ? name : "";
}

template <class T>
int add_layer(Network<T>& net, const std::string& name, const std::vector<std::string>& layer, int edge) {
    const std::string& kind = layer[0];
    const auto word = [&](size_t i) {
        require(i < layer.size(), name, ": needs ", i, " values behind its name");
        return layer[i];
    };
    const Shape& shape = net.edge_shape(edge);
    const auto everywhere = [&](int64 size) { return Shape(shape.size() - 1, size); };
    if (kind == "conv") {
        Padding same;
        same.kind = Padding::Kind::same;
        return net.add_conv(name, edge, extent(word(1)), everywhere(extent(word(2))),
                            everywhere(layer.size() > 3 ? extent(layer[3]) : 1), same, "relu", true);
    }
    if (kind == "max_pool" || kind == "average_pool") {
        const Shape size = everywhere(extent(word(1)));
        return net.add_pool(name, edge, kind.substr(0, kind.find('_')), size, size, {});
    }
    if (kind == "flatten") return net.add_flatten(name, edge);
    if (kind == "dense")
        return net.add_dense(name, edge, extent(word(1)), layer.size() > 2 ? layer[2] : "linear", true);
    const bool sequences = layer.back() != "last";
    const bool both = kind.starts_with("bi");
    if (const std::string native = cell_kind(both ? kind.substr(2) : kind); !native.empty()) {
        const Cell cell{native, extent(word(1))};
        return both ? net.add_bidirectional(name, edge, cell, cell, "concat", sequences, false)
                    : net.add_recurrent(name, edge, cell, sequences, false);
    }
    if (kind == "embedding") return net.add_embedding(name, edge, extent(word(1)), extent(word(2)));
    if (kind == "dropout") return net.add_dropout(name, edge, number(word(1)), 1);
    fail("unknown layer '", kind, "'");
}

}  // namespace

Description parse(const std::string& description) {
    const std::vector<std::string> words = split(description, ' ');
    require(words.size() > 3, "expected a name, a batch, a shape and layers, got '", description, "'");
    Description d{words[0], extent(words[1]), {}, {}};
    for (const std::string& e : split(words[2], 'x')) d.shape.push_back(extent(e));
    for (size_t i = 3; i < words.size(); ++i) d.layers.push_back(split(words[i], '/'));
    return d;
}

int64 vocabulary(const Description& d) { return d.layers[0][0] == "embedding" ? extent(d.layers[0].at(1)) : 0; }

template <class T>
void build(const Description& d, Network<T>& network) {
    int edge = network.add_input("input", d.shape, vocabulary(d) > 0);
    for (size_t i = 0; i < d.layers.size(); ++i)
        edge = add_layer(network, text(i + 1, '_', d.layers[i][0]), d.layers[i], edge);
    network.finalize({network.add_activation("softmax", edge, "softmax")});
}

template void build(const Description&, Network<float>&);
template void build(const Description&, Network<double>&);

}  // namespace tauten::bench
