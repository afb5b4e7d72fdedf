// Calls on plain arrays of a model with one input and one output: each looks at its arrays itself, in one pass without the
// GIL, and does nothing (None) where anything is unusual. What is usual here passes the checks of python/tauten/_feeding.py.
#include <limits>
#include <numeric>

#include "bindings/network.h"
#include "bindings/unlocked.h"

namespace tauten::bindings {

namespace {

// Arrays that take longer to look at than a call's overhead go the general way, which can be interrupted meanwhile.
constexpr int64 most_values = int64{1} << 22;

int64 values_of(const Source& source) {
    int64 n = source.samples;
    for (const int64 extent : source.shape) n *= extent;
    return n;
}

template <class S>
bool within(const Source& source, double low, double high) {
    const S* const values = reinterpret_cast<const S*>(source.data);
    bool inside = true;
    for (int64 i = 0, n = values_of(source); i < n; ++i) {
        const double value = static_cast<double>(values[i]);
        inside &= value >= low && value <= high;  // NaN is not
    }
    return inside;
}

bool all_within(const Source& source, double low, double high) {
    switch (source.type) {
        case Scalar::f32: return within<float>(source, low, high);
        case Scalar::f64: return within<double>(source, low, high);
        case Scalar::u8: return within<uint8_t>(source, low, high);
        case Scalar::i32: return within<int32>(source, low, high);
        case Scalar::i64: return within<int64>(source, low, high);
        case Scalar::boolean: return low <= 0 && high >= 1;
    }
    return false;
}

bool is_float(Scalar type) { return type == Scalar::f32 || type == Scalar::f64; }

// Finite, also as a T.
template <class T>
bool all_finite(const Source& source) {
    if (!is_float(source.type)) return true;
    if (source.type == (sizeof(T) == 4 ? Scalar::f32 : Scalar::f64))
        return kernels::table<T>().all_finite(values_of(source), reinterpret_cast<const T*>(source.data));
    constexpr double largest = std::numeric_limits<T>::max();
    return all_within(source, -largest, largest);
}

// Targets in their shape a sample; a last extent of 1 may be missing, or be there for nothing.
bool reshape(Source& source, const Shape& wanted) {
    const Shape& shape = source.shape;
    const size_t common = std::min(shape.size(), wanted.size());
    if (std::max(shape.size(), wanted.size()) > common + 1 || !std::equal(shape.begin(), shape.begin() + static_cast<std::ptrdiff_t>(common), wanted.begin()))
        return false;
    if (shape.size() != wanted.size() && (shape.size() > common ? shape : wanted).back() != 1) return false;
    source.shape = wanted;
    return true;
}

template <class T>
struct Arrays {
    Source x, y;
    std::vector<int64> index;
    Request<T> request;
    Loss loss = Loss::given;
    int64 classes = 0;

    // Types, shapes and extents, with the GIL held.
    bool take_x(const Engine<T>& engine, const py::handle& array) {
        const Network<T>& network = engine.network;
        if (network.inputs().size() != 1 || network.outputs().size() != 1) return false;
        const Edge& input = network.edges()[static_cast<size_t>(network.inputs().front())];
        if (input.index || !read_plain(array, x) || x.shape != input.shape || values_of(x) > most_values) return false;
        index.resize(static_cast<size_t>(x.samples));
        std::iota(index.begin(), index.end(), int64{0});
        request.x.push_back(&x);
        request.index = index.data();
        request.batch = x.samples;
        return true;
    }
    bool take(const Engine<T>& engine, const py::handle& of_x, const py::handle& of_y) {
        if (!engine.compiled() || !take_x(engine, of_x)) return false;
        const Head& head = engine.objective().heads.front();
        Shape shape = engine.network.edges()[static_cast<size_t>(head.output)].shape;
        loss = head.loss;
        classes = shape.back();
        if (takes_labels(loss)) shape.pop_back();
        if (!read_plain(of_y, y) || y.samples != x.samples || !reshape(y, shape) || values_of(y) > most_values) return false;
        request.y.push_back(&y);
        return true;
    }
    // Their values.
    bool usual() const {
        if (!all_finite<T>(x)) return false;
        if (takes_labels(loss)) return !is_float(y.type) && all_within(y, 0, static_cast<double>(classes - 1));
        return loss == Loss::mean_squared_error ? all_finite<T>(y) : all_within(y, 0, 1);
    }
};

// Loss and metrics as the running means over this one batch, a number or a list (tauten._compiled.Means).
py::object means(const StepResult& result) {
    const auto mean = [](double value, int64 rows) {
        return (0.0 + value * static_cast<double>(rows)) / static_cast<double>(std::max<int64>(rows, 1));
    };
    const double loss = mean(result.loss, result.samples);
    const StepResult::Head& head = result.heads[0];
    if (head.metric_count == 0) return py::float_(loss);
    py::list out(1 + static_cast<size_t>(head.metric_count));
    out[0] = loss;
    for (int i = 0; i < head.metric_count; ++i) out[1 + static_cast<size_t>(i)] = mean(result.metrics[i], head.rows);
    return out;
}

// call(engine, request) on arrays that are usual, else None.
template <class F>
py::object step(const PyNetwork& network, const py::handle& x, const py::handle& y, F&& call) {
    return network.with([&]<class T>(Engine<T>& engine) -> py::object {
        Arrays<T> arrays;
        if (!arrays.take(engine, x, y)) return py::none();
        bool usual = false;
        StepResult result;
        unlocked(network, [&] {
            usual = arrays.usual();
            if (usual) result = call(engine, arrays.request);
        });
        return usual ? means(result) : py::none();
    });
}

py::object train(const PyNetwork& network, const py::handle& x, const py::handle& y, const Update& rule, bool fused) {
    return step(network, x, y, [&, rule](auto& engine, auto& request) {
        request.rule = rule;
        return engine.train(request, fused);
    });
}

py::object test(const PyNetwork& network, const py::handle& x, const py::handle& y) {
    return step(network, x, y, [](auto& engine, auto& request) { return engine.test(request); });
}

py::object predict(const PyNetwork& network, const py::handle& x) {
    return network.with([&]<class T>(Engine<T>& engine) -> py::object {
        Arrays<T> arrays;
        if (!arrays.take_x(engine, x)) return py::none();
        const Shape& shape = engine.network.edges()[static_cast<size_t>(engine.network.outputs().front())].shape;
        if (std::find(shape.begin(), shape.end(), run_time) != shape.end()) return py::none();
        std::vector<py::ssize_t> extents{static_cast<py::ssize_t>(arrays.x.samples)};
        extents.insert(extents.end(), shape.begin(), shape.end());
        py::array_t<T> out(std::move(extents));
        const std::vector<T*> to{out.mutable_data()};
        unlocked(network, [&] { engine.predict(arrays.request, to); });
        return out;
    });
}

}  // namespace

void bind_direct(py::class_<PyNetwork>& c) {
    c.def("train_arrays", &train, py::arg("x"), py::arg("y"), py::arg("rule"), py::arg("fused"));
    c.def("test_arrays", &test, py::arg("x"), py::arg("y"));
    c.def("predict_array", &predict, py::arg("x"));
}

}  // namespace tauten::bindings
