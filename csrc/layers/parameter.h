// A weight array: one master copy, kept packed as the kernels read it; gradient and velocity lie the same way.
#pragma once

#include <string>

#include "core/memory.h"
#include "core/shape.h"
#include "kernels/table.h"

namespace tauten {

// A matrix of `rows` x `columns` in panels: weights[panel][row][width]. A convolution's kernel is the matrix
// (taps · channels) x filters, a bias is one row. With gates > 1 (LSTM: 4) Keras' columns [gate][unit] are dealt so
// that a panel holds all gates of `lanes` units (kernels/table.h, LstmForward).
template <class T>
struct Parameter {
    std::string name;
    std::string layer;
    Shape shape;     // Keras'
    int64 rows = 0;
    int64 columns = 0;
    int64 gates = 1;
    int64 width = 0;   // columns a panel
    int64 panels = 0;
    int64 lanes = 0;
    bool trainable = true;
    double l1 = 0, l2 = 0;
    uint64 version = 1;  // grows with every change of the weights

    Buffer<T> weights;
    Buffer<T> gradient;   // materialised mode only
    Buffer<T> velocity;   // with momentum only

    Parameter(std::string layer_name, std::string parameter_name, Shape keras_shape, int64 gate_count = 1);
    // Unpanelled: rows lie one after the other (embedding tables).
    void lay_out_plain();

    int64 size() const { return panels * rows * width; }
    int64 padded_columns() const { return panels * width; }
    // Where Keras' element (row, column) lies.
    int64 at(int64 row, int64 column) const {
        if (gates > 1) {
            const int64 units = columns / gates, gate = column / units, unit = column % units;
            return ((unit / lanes) * rows + row) * width + gate * lanes + unit % lanes;
        }
        return ((column / width) * rows + row) * width + column % width;
    }
    void write_keras(const T* from, T* packed) const;
    void read_keras(const T* packed, T* to) const;
    bool penalised() const { return l1 != 0 || l2 != 0; }
};

// A second copy of a parameter in another arrangement (transposed, flipped), made when first needed and again
// whenever the parameter has changed.
template <class T>
struct DerivedPanels {
    Buffer<T> panels;
    uint64 version = 0;
    bool stale(const Parameter<T>& of) const { return version != of.version; }
};

}  // namespace tauten
