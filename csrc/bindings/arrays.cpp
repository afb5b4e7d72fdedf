#include "bindings/arrays.h"

namespace tauten::bindings {

namespace {

std::optional<Scalar> known_scalar(const py::dtype& type) {
    const char kind = type.kind();
    const auto size = type.itemsize();
    const bool native = type.byteorder() == '=' || type.byteorder() == '|';
    if (native && kind == 'f' && size == 4) return Scalar::f32;
    if (native && kind == 'f' && size == 8) return Scalar::f64;
    if (native && kind == 'u' && size == 1) return Scalar::u8;
    if (native && kind == 'i' && size == 4) return Scalar::i32;
    if (native && kind == 'i' && size == 8) return Scalar::i64;
    if (kind == 'b') return Scalar::boolean;
    return std::nullopt;
}

Scalar scalar_of(const py::dtype& type) {
    if (const auto known = known_scalar(type)) return *known;
    throw TypeError(text("arrays of dtype ", std::string(py::str(static_cast<const py::object&>(type))),
                         " are not read; expected float32, float64, uint8, int32, int64 or bool"));
}

// Each sample must lie in one piece; samples themselves may be any stride apart.
bool contiguous_from(const py::array& array, py::ssize_t first) {
    if (array.size() == 0) return true;
    if (!(array.flags() & py::detail::npy_api::NPY_ARRAY_ALIGNED_)) fail("a source needs aligned arrays; pass array.copy()");
    py::ssize_t expected = array.itemsize();
    for (py::ssize_t d = array.ndim() - 1; d >= first; --d) {
        if (array.shape(d) > 1 && array.strides(d) != expected) return false;
        expected *= array.shape(d);
    }
    return true;
}

}  // namespace

// A subclass may mean more by its values than they say (masked arrays).
bool read_plain(const py::handle& value, Source& to) {
    using api = py::detail::npy_api;
    if (reinterpret_cast<PyObject*>(Py_TYPE(value.ptr())) != reinterpret_cast<PyObject*>(api::get().PyArray_Type_)) return false;
    const py::array array = py::reinterpret_borrow<py::array>(value);
    constexpr int wanted = api::NPY_ARRAY_C_CONTIGUOUS_ | api::NPY_ARRAY_ALIGNED_;
    if ((array.flags() & wanted) != wanted || array.ndim() < 1 || array.size() < 1) return false;
    const auto type = known_scalar(array.dtype());
    if (!type) return false;
    to.type = *type;
    to.samples = array.shape(0);
    to.data = static_cast<const char*>(array.data());
    to.stride = array.itemsize() * (array.size() / array.shape(0));
    to.shape.assign(array.shape() + 1, array.shape() + array.ndim());
    return true;
}

void ArraySource::one_array(const py::array& array) {
    if (array.ndim() < 1) fail("a source needs an array of at least one dimension, the samples");
    source_.type = scalar_of(array.dtype());
    if (!contiguous_from(array, 1)) fail("each sample of a source must be C-contiguous; pass numpy.ascontiguousarray(...)");
    source_.samples = array.shape(0);
    source_.data = static_cast<const char*>(array.data());
    source_.stride = array.strides(0);
    source_.shape.assign(array.shape() + 1, array.shape() + array.ndim());
    keep_.push_back(array);
}

void ArraySource::many_arrays(const py::sequence& arrays) {
    source_.samples = static_cast<int64>(py::len(arrays));
    if (source_.samples == 0) fail("a source of no arrays");
    for (const py::handle& item : arrays) {
        if (!py::isinstance<py::array>(item)) throw TypeError("a list for a source must hold NumPy arrays only");
        const py::array array = py::reinterpret_borrow<py::array>(item);
        const int64 place = static_cast<int64>(keep_.size());
        if (array.ndim() < 1) fail("sample ", place, " of a source is a scalar; expected (steps, ...)");
        if (!contiguous_from(array, 0)) fail("sample ", place, " of a source is not C-contiguous");
        const Shape shape(array.shape() + 1, array.shape() + array.ndim());
        if (place == 0) {
            source_.type = scalar_of(array.dtype());
            source_.shape = shape;
            source_.shape.insert(source_.shape.begin(), run_time);
        } else {
            const Shape first(source_.shape.begin() + 1, source_.shape.end());
            if (shape != first)
                fail("samples of a source differ beyond their steps: sample 0 has ", to_text(first), " a step, sample ",
                     place, " has ", to_text(shape));
            if (scalar_of(array.dtype()) != source_.type)
                throw TypeError(text("samples of a source differ in dtype: sample ", place));
        }
        source_.pointers.push_back(static_cast<const char*>(array.data()));
        source_.lengths.push_back(array.shape(0));
        keep_.push_back(array);
    }
}

ArraySource::ArraySource(const py::object& data) {
    if (py::isinstance<py::array>(data))
        one_array(py::reinterpret_borrow<py::array>(data));
    else if (py::isinstance<py::list>(data) || py::isinstance<py::tuple>(data))
        many_arrays(py::reinterpret_borrow<py::sequence>(data));
    else
        throw TypeError("a source is a NumPy array or a list of NumPy arrays");
}

ArraySource::ArraySource(const py::array& rows, const Index& first, const Index& lengths) {
    if (rows.ndim() < 1) fail("a source of stretches needs an array of rows");
    source_.type = scalar_of(rows.dtype());
    if (!contiguous_from(rows, 0)) fail("the rows of a source of stretches must be C-contiguous");
    require(first.ndim() == 1 && lengths.ndim() == 1 && first.size() == lengths.size() && first.size() > 0,
            "a source of stretches needs as many first rows as lengths, and at least one");
    source_.samples = first.size();
    source_.shape.assign(rows.shape() + 1, rows.shape() + rows.ndim());
    source_.shape.insert(source_.shape.begin(), run_time);
    source_.may_be_empty = true;
    py::ssize_t row_bytes = rows.itemsize();
    for (py::ssize_t d = 1; d < rows.ndim(); ++d) row_bytes *= rows.shape(d);
    for (int64 i = 0; i < source_.samples; ++i) {
        const int64 from = first.data()[i], count = lengths.data()[i];
        require(from >= 0 && count >= 0 && from <= rows.shape(0) && count <= rows.shape(0) - from, "sample ", i,
                " of a source: there are no rows ", from, " to ", from, " + ", count, " among ", rows.shape(0));
        source_.pointers.push_back(static_cast<const char*>(rows.data()) + from * row_bytes);
        source_.lengths.push_back(count);
    }
    keep_.push_back(rows);
}

py::tuple shape_tuple(const Shape& shape) {
    py::tuple out(shape.size());
    for (size_t i = 0; i < shape.size(); ++i)
        out[i] = shape[i] == run_time ? py::object(py::none()) : py::object(py::int_(shape[i]));
    return out;
}

Shape shape_from(const py::handle& shape, const std::string& name) {
    Shape out;
    for (const py::handle& extent : shape) {
        if (extent.is_none()) {
            out.push_back(run_time);
            continue;
        }
        const int64 value = extent.cast<int64>();
        require(value >= 1, name, ": extents must be positive, got ", value);
        out.push_back(value);
    }
    return out;
}

void bind_source(py::module_& module) {
    py::class_<ArraySource>(module, "Source")
        .def(py::init<const py::object&>(), py::arg("data"))
        .def(py::init<const py::array&, const Index&, const Index&>(), py::arg("rows"), py::arg("first"),
             py::arg("lengths"))
        .def_property_readonly("samples", [](const ArraySource& s) { return s.source().samples; })
        .def_property_readonly("shape", [](const ArraySource& s) { return shape_tuple(s.source().shape); });
}

}  // namespace tauten::bindings
