// Recurrent layers, their cells, and the states that they begin and end with.
#include <algorithm>
#include <iterator>

#include "core/check.h"
#include "layers/bidirectional.h"
#include "layers/forget_gate_rnn.h"
#include "layers/gru.h"
#include "layers/lstm.h"
#include "layers/reset_first_gru.h"
#include "layers/reverse.h"
#include "layers/simple_rnn.h"
#include "model/network.h"

namespace tauten {

template <class T>
const Shape& Network<T>::sequence_shape(const std::string& name, int input, int64 units) {
    const Shape& shape = read(name, input).shape;
    require(shape.size() == 2, name, ": expected a sequence (steps, features), got shape ", to_text(shape),
            "; a recurrent layer below makes one with return_sequences=True");
    require(units >= 1 && units <= largest_size / 8, name, ": units must be from 1 to 2^43, got ", units);
    return shape;
}

template <class T>
std::unique_ptr<Recurrent<T>> Network<T>::make_cell(const Place& place, int64 features, const Cell& cell,
                                                    bool return_sequences, bool reverse, const std::string& prefix) {
    const auto dropping = [&](const char* what, double rate) {
        require(rate >= 0 && rate < 1, place.name, ": ", what, " must be at least 0 and less than 1, got ", rate);
        return Dropping{rate, cell.seed, rate > 0 ? dropouts_++ : 0};
    };
    RecurrentOptions options{features, cell.units, cell.use_bias, return_sequences, reverse, prefix};
    options.input_dropout = dropping("dropout", cell.dropout);
    options.recurrent_dropout = dropping("recurrent_dropout", cell.recurrent_dropout);
    const Activation f = parse_cell_activation(place.name, cell.activation);
    if (cell.kind == "simple_rnn") return std::make_unique<SimpleRnn<T>>(place, options, f);
    const Activation g = parse_cell_activation(place.name, cell.recurrent_activation);
    if (cell.kind == "forget_gate_rnn") return std::make_unique<ForgetGateRnn<T>>(place, options, f, g);
    if (cell.kind == "reset_first_gru") return std::make_unique<ResetFirstGru<T>>(place, options, f, g);
    if (cell.kind == "gru") return std::make_unique<Gru<T>>(place, options, f, g);
    require(cell.kind == "lstm", place.name, ": unknown cell '", cell.kind,
            "'; expected simple_rnn, forget_gate_rnn, lstm, gru or reset_first_gru");
    return std::make_unique<Lstm<T>>(place, options, f, g);
}

template <class T>
int Network<T>::with_order(const std::string& name, int edge, bool reversed) {
    return reversed ? add_node<Reverse<T>>(name, edge, Shape(edge_shape(edge)), Activation::linear) : edge;
}

template <class T>
void Network<T>::check_initial(const std::string& name, int input, const std::vector<int>& initial, const Shape& widths) {
    if (initial.empty()) return;
    require(initial.size() == widths.size(), name, ": expected ", widths.size(), " initial states, got ", initial.size());
    for (size_t i = 0; i < initial.size(); ++i) {
        const Shape& shape = read(name, initial[i]).shape;
        require(shape == Shape{widths[i]}, name, ": expected an initial state of shape ", to_text({widths[i]}), ", got ",
                to_text(shape));
        require(initial[i] != input && std::count(initial.begin(), initial.end(), initial[i]) == 1, name, ": edge ", initial[i],
                " twice: fork it");
    }
}

// Edges of the cells' states behind the last step, added to what their node writes.
template <class T>
void Network<T>::add_ends(const std::string& name, const std::vector<Recurrent<T>*>& cells, std::vector<int>& written) {
    const int node = static_cast<int>(nodes_.size()) - 1;
    for (Recurrent<T>* cell : cells) {
        std::vector<int> ends;
        for (const int64 width : cell->state_widths()) ends.push_back(add_edge(name, Shape{width}, node, Activation::linear));
        cell->end_with(ends);
        written.insert(written.end(), ends.begin(), ends.end());
    }
}

template <class T>
std::vector<int> Network<T>::add_recurrent_states(const std::string& name, int input, const std::vector<int>& initial,
                                                  const Cell& cell, bool return_sequences, bool go_backwards,
                                                  bool return_state) {
    const Shape from = sequence_shape(name, input, cell.units);
    check_initial(name, input, initial, state_widths(cell));
    Recurrent<T>* made = nullptr;
    std::vector<int> written{add_made(name, input, return_sequences ? Shape{from[0], cell.units} : Shape{cell.units},
                                      Activation::linear, [&](const Place& place) {
                                          auto node = make_cell(place, from[1], cell, return_sequences, go_backwards, "");
                                          node->begin_with(initial);
                                          made = node.get();
                                          return node;
                                      })};
    if (return_state) add_ends(name, {made}, written);
    written[0] = with_order(name, written[0], go_backwards && return_sequences);
    for (const int each : written) edges_[static_cast<size_t>(each)].optional = written.size() > 1;
    return written;
}

template <class T>
int Network<T>::add_recurrent(const std::string& name, int input, const Cell& cell, bool return_sequences,
                              bool go_backwards) {
    return add_recurrent_states(name, input, {}, cell, return_sequences, go_backwards, false).front();
}

template <class T>
std::vector<int> Network<T>::add_bidirectional_states(const std::string& name, int input, const std::vector<int>& initial,
                                                      const Cell& first, const Cell& second, const std::string& merge,
                                                      bool return_sequences, bool go_backwards, bool return_state) {
    constexpr const char* names[] = {"concat", "sum", "ave", "mul", "none"};
    const auto* const found = std::find(std::begin(names), std::end(names), merge);
    require(found != std::end(names), name, ": merge_mode must be concat, sum, ave, mul or none, got '", merge, "'");
    const Merge how = static_cast<Merge>(found - std::begin(names));
    sequence_shape(name, input, second.units);
    const Shape from = sequence_shape(name, input, first.units);
    require(how == Merge::concat || how == Merge::none || first.units == second.units, name, ": merge_mode '", merge,
            "' needs as many units in both directions, got ", first.units, " and ", second.units);
    Shape widths = state_widths(first);
    const Shape more = state_widths(second);
    const size_t states = widths.size();
    widths.insert(widths.end(), more.begin(), more.end());
    check_initial(name, input, initial, widths);
    const auto middle = initial.begin() + static_cast<std::ptrdiff_t>(initial.empty() ? 0 : states);
    const auto shape = [&](int64 units) { return return_sequences ? Shape{from[0], units} : Shape{units}; };
    std::vector<Recurrent<T>*> made;
    const int edge = add_made(name, input, shape(how == Merge::concat ? first.units + second.units : first.units),
                              Activation::linear, [&](const Place& place) {
        auto one = make_cell(place, from[1], first, return_sequences, go_backwards, "forward_");
        auto other = make_cell(place, from[1], second, return_sequences, !go_backwards, "backward_");
        one->begin_with({initial.begin(), middle});
        other->begin_with({middle, initial.end()});
        made = {one.get(), other.get()};
        return std::make_unique<Bidirectional<T>>(place, std::move(one), std::move(other), how);
    });
    std::vector<int> written{edge};
    if (how == Merge::none) {
        made[1]->output = add_edge(name, shape(second.units), edges_[static_cast<size_t>(edge)].producer, Activation::linear);
        written.push_back(made[1]->output);
    }
    const size_t sequences = written.size();
    if (return_state) add_ends(name, made, written);
    for (size_t i = 0; i < sequences; ++i) written[i] = with_order(name, written[i], go_backwards && return_sequences);
    for (const int each : written) edges_[static_cast<size_t>(each)].optional = written.size() > 1;
    return written;
}

template <class T>
int Network<T>::add_bidirectional(const std::string& name, int input, const Cell& first, const Cell& second,
                                  const std::string& merge, bool return_sequences, bool go_backwards) {
    require(merge != "none", name, ": merge_mode 'none' writes two edges");
    return add_bidirectional_states(name, input, {}, first, second, merge, return_sequences, go_backwards, false).front();
}

template class Network<float>;
template class Network<double>;

}  // namespace tauten
