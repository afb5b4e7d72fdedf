// What weights are held to after each update: Keras' constraints, on weights as they lie packed.
#pragma once

#include <string>
#include <vector>

#include "core/shape.h"

namespace tauten {

template <class T>
struct Parameter;

struct Constraint {
    // non_negative: w becomes max(w, 0). norm: each vector w along the axes becomes w·d / (1e-7 + n), n = √Σw²,
    // d = rate·clip(n, least, most) + (1 - rate)·n.
    enum class Kind { none, non_negative, norm };
    Kind kind = Kind::none;
    double least = 0, most = 0, rate = 1;
    // Of the norms' vectors, in Keras' rows: where each begins, and its other rows from there.
    std::vector<int64> begins, steps;
    bool across_columns = false;     // they run over all columns, too
    std::vector<int64> columns;      // where each column of row 0 lies, were its rows not turned
};

// Keras' axes of the norms, sorted and unique; none for the other kinds. Throws std::invalid_argument for axes that the
// weight does not have, and for numbers that make no sense.
template <class T>
Constraint make_constraint(const Parameter<T>& of, const std::string& kind, double least, double most, double rate,
                           const std::vector<int64>& axes);

// Parts that threads can work off in any order, and one of them.
template <class T>
int64 constraint_items(const Parameter<T>& of);
template <class T>
void constrain(Parameter<T>& of, int64 item);

}  // namespace tauten
