#include "layers/constraint.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "layers/parameter.h"

namespace tauten {

namespace {

constexpr int64 block = 4096;      // weights an item, of non_negative
constexpr double epsilon = 1e-7;   // Keras'

// All rows whose digits outside of `along` are 0: sums of the extents' strides.
std::vector<int64> rows_along(const Shape& extents, const std::vector<bool>& along) {
    std::vector<int64> rows{0};
    int64 stride = 1;
    for (size_t i = extents.size(); i-- > 0; stride *= extents[i]) {
        if (!along[i]) continue;
        const std::vector<int64> inner = rows;
        for (int64 digit = 1; digit < extents[i]; ++digit)
            for (const int64 row : inner) rows.push_back(digit * stride + row);
    }
    return rows;
}

}  // namespace

template <class T>
Constraint make_constraint(const Parameter<T>& of, const std::string& kind, double least, double most, double rate,
                           const std::vector<int64>& axes) {
    Constraint made;
    if (kind == "none") return made;
    if (kind == "non_negative") {
        made.kind = Constraint::Kind::non_negative;
        return made;
    }
    require(kind == "norm", "unknown constraint '", kind, "'; expected none, non_negative or norm");
    require(std::isfinite(least) && std::isfinite(most) && std::isfinite(rate) && least >= 0 && most >= least && rate >= 0 &&
                rate <= 1,
            of.name, ": a constraint needs 0 <= least <= most and a rate in [0, 1], got ", least, ", ", most, " and ", rate);
    made.kind = Constraint::Kind::norm;
    made.least = least, made.most = most, made.rate = rate;
    std::vector<bool> along(of.shape.size());
    for (const int64 axis : axes) {
        const int64 rank = static_cast<int64>(along.size());
        require(axis >= -rank && axis < rank, of.name, ": a constraint's axis must be from ", -rank, " to ", rank - 1, ", got ",
                axis);
        along[static_cast<size_t>(axis < 0 ? axis + rank : axis)] = true;
    }
    made.across_columns = along.back();
    Shape extents(of.shape.begin(), of.shape.end() - 1);
    along.pop_back();
    made.steps = rows_along(extents, along);
    along.flip();
    made.begins = rows_along(extents, along);
    const int64 last = of.rows - 1;  // which is not turned, or all are
    for (int64 column = 0; column < of.columns; ++column) made.columns.push_back(of.at(last, column) - last * of.row_step());
    return made;
}

template <class T>
int64 constraint_items(const Parameter<T>& of) {
    const Constraint& c = of.constraint;
    if (c.kind == Constraint::Kind::none) return 0;
    if (c.kind == Constraint::Kind::non_negative) return divide_up(of.size(), block);
    return c.across_columns ? static_cast<int64>(c.begins.size()) : of.columns;
}

template <class T>
void constrain(Parameter<T>& of, int64 item) {
    const Constraint& c = of.constraint;
    T* const w = of.weights.data();
    if (c.kind == Constraint::Kind::non_negative) {
        const int64 end = std::min(of.size(), (item + 1) * block);
        for (int64 i = item * block; i < end; ++i) w[i] = std::max(w[i], T{0});
        return;
    }
    const int64 step = of.row_step(), turned = of.turned_rows();
    const auto hold = [&](int64 first, int64 from, int64 to) {
        const auto each = [&](auto&& act) {
            for (const int64 more : c.steps) {
                const int64 row = first + more;
                if (row < turned)
                    for (int64 column = from; column < to; ++column) act(w[of.at(row, column)]);
                else
                    for (int64 column = from; column < to; ++column) act(w[c.columns[static_cast<size_t>(column)] + row * step]);
            }
        };
        double squares = 0;
        each([&](T& x) { squares += static_cast<double>(x) * static_cast<double>(x); });
        const double norm = std::sqrt(squares);
        const double wanted = c.rate * std::clamp(norm, c.least, c.most) + (1 - c.rate) * norm;
        const T scale = static_cast<T>(wanted / (epsilon + norm));
        each([&](T& x) { x *= scale; });
    };
    if (c.across_columns)
        hold(c.begins[static_cast<size_t>(item)], 0, of.columns);
    else
        for (const int64 first : c.begins) hold(first, item, item + 1);
}

template Constraint make_constraint(const Parameter<float>&, const std::string&, double, double, double, const std::vector<int64>&);
template Constraint make_constraint(const Parameter<double>&, const std::string&, double, double, double, const std::vector<int64>&);
template int64 constraint_items(const Parameter<float>&);
template int64 constraint_items(const Parameter<double>&);
template void constrain(Parameter<float>&, int64);
template void constrain(Parameter<double>&, int64);

}  // namespace tauten
