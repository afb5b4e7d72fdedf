// A weight array: one master copy, kept packed as the kernels read it; the gradient and the optimizer's slots lie the same
// way.
#pragma once

#include <algorithm>
#include <memory>
#include <string>

#include "core/memory.h"
#include "core/shape.h"
#include "kernels/table.h"
#include "layers/constraint.h"

namespace tauten {

// What parameters may share: those of a layer that stands in several places, of one network or of several. Each has its
// own gradient.
template <class T>
class SharedBuffer {
public:
    T* data() const { return buffer_->data(); }
    void reserve(int64 size) { buffer_->reserve(size); }
    T& operator[](int64 i) const { return data()[i]; }
    void renew(int64 size) { buffer_ = std::make_shared<Buffer<T>>(size); }

private:
    std::shared_ptr<Buffer<T>> buffer_ = std::make_shared<Buffer<T>>();
};

// Grows with every change of the weights.
class Version {
public:
    operator uint64() const { return *number_; }
    void operator++() { ++*number_; }
    // Become the other's, at a number that none of both has had: copies made before are out of date.
    void share(const Version& other) {
        const uint64 before = *number_;
        number_ = other.number_;
        *number_ = std::max(*number_, before) + 1;
    }

private:
    std::shared_ptr<uint64> number_ = std::make_shared<uint64>(1);
};

// What an optimizer keeps a weight: its rule's memory (kernels::Rule), an average of the weights, a sum of gradients.
enum class Slot : int { first, second, third, average, accumulator };
inline constexpr int slot_count = 5;
static_assert(kernels::rule_slots == static_cast<int>(Slot::average));

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
    // A state: no gradient, but its node moves it with each training step, unless the layer is frozen.
    bool state = false, moves = true;
    double l1 = 0, l2 = 0;
    Constraint constraint;
    bool reused = false;    // one of several places of a network that share its weights
    Version version;

    SharedBuffer<T> weights;
    Buffer<T> gradient;   // materialised mode only
    Buffer<T> slots[slot_count];  // empty until a step needs them

    Parameter(std::string layer_name, const std::string& parameter_name, Shape keras_shape, int64 gate_count = 1);
    // From now on the weights are the other's. Throws std::invalid_argument if they do not lie in the same way.
    void share(const Parameter& other);
    void be_state() { state = true, trainable = false; }
    // Unpanelled: rows lie one after the other (embedding tables).
    void lay_out_plain();
    // Columns in equal parts (a convolution's groups), each in panels of its own.
    void lay_out_in_groups(int64 groups);
    // All panels of a row, then those of the next (biases of several products).
    void lay_out_by_rows() { row_stride_ = padded_columns(), panel_stride_ = width; }
    // In the first rows of a matrix with gates, Keras' last gate lies in front of the others.
    void last_gate_first(int64 in_rows) { turned_rows_ = in_rows; }

    int64 size() const { return panels * rows * width; }
    // From a row of a column to the next, but for the first turned_rows(), which at() knows.
    int64 row_step() const { return gates > 1 ? row_stride_ : width; }
    int64 turned_rows() const { return turned_rows_; }
    int64 padded_columns() const { return panels * width; }
    // Which of a panel's vectors is Keras' gate.
    int64 place(int64 row, int64 gate) const { return row < turned_rows_ ? (gate + 1) % gates : gate; }
    // Where Keras' element (row, column) lies.
    int64 at(int64 row, int64 column) const {
        if (gates > 1) {
            const int64 units = columns / gates, gate = column / units, unit = column % units;
            return (unit / lanes) * panel_stride_ + row * row_stride_ + place(row, gate) * lanes + unit % lanes;
        }
        const int64 group = column / group_columns_, place = column % group_columns_;
        return ((group * group_panels_ + place / width) * rows + row) * width + place % width;
    }
    void write_keras(const T* from, T* packed) const;
    void read_keras(const T* packed, T* to) const;
    bool penalised() const { return l1 != 0 || l2 != 0; }

private:
    int64 panel_stride_ = 0, row_stride_ = 0, turned_rows_ = 0;  // with gates
    int64 group_columns_ = 0, group_panels_ = 0;                 // without
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
