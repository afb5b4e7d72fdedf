#include "layers/parameter.h"

#include <algorithm>

#include "core/check.h"

namespace tauten {

template <class T>
Parameter<T>::Parameter(std::string layer_name, const std::string& parameter_name, Shape keras_shape,
                        int64 gate_count)
    : name(layer_name + "/" + parameter_name), layer(std::move(layer_name)), shape(std::move(keras_shape)),
      gates(gate_count) {
    const auto& k = kernels::table<T>();
    columns = shape.back();
    rows = elements(shape, name) / columns;
    lanes = k.lanes;
    width = gates > 1 ? gates * lanes : k.panel;
    panels = gates > 1 ? divide_up(columns / gates, lanes) : divide_up(columns, width);
    panel_stride_ = rows * width;
    row_stride_ = width;
    group_columns_ = columns;
    group_panels_ = panels;
    weights.reserve(multiply(multiply(panels, rows, name), width, name));
}

template <class T>
void Parameter<T>::lay_out_plain() {
    width = columns;
    panels = 1;
    weights.renew(multiply(rows, columns, name));  // less than panels need
}

template <class T>
void Parameter<T>::lay_out_in_groups(int64 groups) {
    group_columns_ = columns / groups;
    group_panels_ = divide_up(group_columns_, width);
    panels = groups * group_panels_;
    weights.reserve(multiply(multiply(panels, rows, name), width, name));
}

template <class T>
void Parameter<T>::share(const Parameter& other) {
    const bool same = shape == other.shape && rows == other.rows && columns == other.columns && gates == other.gates &&
                      width == other.width && panels == other.panels && group_columns_ == other.group_columns_ &&
                      turned_rows_ == other.turned_rows_;
    require(same, name, ": shape ", to_text(shape), " here, ", to_text(other.shape), " in the place that it shares weights with");
    weights = other.weights;
    version.share(other.version);
}

template <class T>
void Parameter<T>::write_keras(const T* from, T* packed) const {
    std::fill(packed, packed + size(), T{0});
    for (int64 row = 0; row < rows; ++row)
        for (int64 column = 0; column < columns; ++column) packed[at(row, column)] = from[row * columns + column];
}

template <class T>
void Parameter<T>::read_keras(const T* packed, T* to) const {
    for (int64 row = 0; row < rows; ++row)
        for (int64 column = 0; column < columns; ++column) to[row * columns + column] = packed[at(row, column)];
}

template struct Parameter<float>;
template struct Parameter<double>;

}  // namespace tauten
