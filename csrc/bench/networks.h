// Networks written as text, so that whoever starts the program says what is timed:
//
//   lenet_b8 8 28x28x1 conv/32/5 max_pool/2 flatten dense/128/relu dense/10
//
// is a name, a batch, the shape of a sample and the layers: conv/filters/kernel[/stride] (relu, "same" padding; as many
// dimensions as the sample has), max_pool/size, average_pool/size, flatten, dense/units[/activation],
// CELL/units[/last] and biCELL/units[/last] where CELL is rnn, forget, gru or lstm, embedding/vocabulary/units (first),
// dropout/rate. A softmax ends it.
#pragma once

#include <string>
#include <vector>

#include "model/network.h"

namespace tauten::bench {

struct Description {
    std::string name;
    int64 batch = 0;
    Shape shape;
    std::vector<std::vector<std::string>> layers;  // each its kind, then its numbers
};

// Both throw std::invalid_argument.
double number(const std::string& word);
Description parse(const std::string& description);

// Builds and closes the network. Layers are named 1_conv, 2_max_pool, ...
template <class T>
void build(const Description& description, Network<T>& network);

// Tokens of the input are below this; 0: the input is no tokens.
int64 vocabulary(const Description& description);

}  // namespace tauten::bench
