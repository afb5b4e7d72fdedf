// NumPy arrays to and from the core: sources, indices, results.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <optional>
#include <string>
#include <vector>

#include "core/check.h"
#include "core/shape.h"
#include "model/source.h"

namespace py = pybind11;

namespace tauten::bindings {

using Index = py::array_t<int64, py::array::c_style | py::array::forcecast>;

// A Source that keeps the arrays it points into alive.
class ArraySource {
public:
    explicit ArraySource(const py::object& data);
    // Samples that are stretches of the rows of one array; they may have no rows.
    ArraySource(const py::array& rows, const Index& first, const Index& lengths);
    const Source& source() const { return source_; }

private:
    void one_array(const py::array& array);
    void many_arrays(const py::sequence& arrays);

    Source source_;
    std::vector<py::array> keep_;
};

// An array of samples that the core reads as it lies: aligned, C-contiguous, of a type of Source's, not empty, and no
// subclass. False for anything else. The caller keeps it alive.
bool read_plain(const py::handle& value, Source& to);

// Extents with None for run_time.
py::tuple shape_tuple(const Shape& shape);
Shape shape_from(const py::handle& shape, const std::string& name);

void bind_source(py::module_& module);
void bind_network(py::module_& module);
void bind_machine(py::module_& module);

}  // namespace tauten::bindings
