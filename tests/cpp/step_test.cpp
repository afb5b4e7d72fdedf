// Whole steps of the engine: a step after the first of its size allocates nothing, whatever the lengths of its rows,
// and its weights are the same bits on any number of threads.
#include <cstdlib>
#include <cstring>
#include <atomic>
#include <functional>
#include <new>
#include <vector>

#include "check.h"
#include "core/team.h"
#include "model/engine.h"

namespace {
std::atomic<long> heap_allocations{0};
}

// Every allocation of this program is counted (the core's buffers count their own).
void* operator new(std::size_t size) {
    ++heap_allocations;
    if (void* p = std::malloc(size ? size : 1)) return p;
    throw std::bad_alloc();
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }

using namespace tauten;

namespace {

// Values that repeat for a seed, in [-1, 1).
struct Numbers {
    uint64 state;
    double next() {
        state = state * 6364136223846793005ull + 1442695040888963407ull;
        return static_cast<double>(state >> 11) / 4503599627370496.0 - 1.0;
    }
};

// An engine with its data: `batch` samples of the shape, or of 1 .. shape[0] steps each.
template <class T>
struct Case {
    Engine<T> engine;
    std::vector<T> x;
    std::vector<int64> y, index;
    Source source, target;
    Request<T> request;

    Case(int64 batch, Shape shape, int64 classes, bool ragged, const std::function<int(Network<T>&)>& build) {
        Network<T>& net = engine.network;
        net.finalize(build(net));
        engine.compile("sparse_categorical_crossentropy", false, {"sparse_categorical_accuracy"});
        Numbers numbers{1};
        for (const auto& p : net.parameters()) {
            std::vector<T> w(static_cast<size_t>(elements(p->shape, "")));
            for (T& v : w) v = static_cast<T>(0.2 * numbers.next());
            p->write_keras(w.data(), p->weights.data());
            ++p->version;
        }
        const int64 size = elements(shape, "");
        const bool per_step = net.edge_shape(net.output()).size() > 1;
        x.resize(static_cast<size_t>(batch * size));
        for (T& v : x) v = static_cast<T>(numbers.next());
        y.resize(static_cast<size_t>(batch * (per_step ? shape[0] : 1)));
        for (int64& v : y) v = static_cast<int64>((numbers.next() + 1) * 0.5 * static_cast<double>(classes));
        source.type = sizeof(T) == 4 ? Scalar::f32 : Scalar::f64;
        target.type = Scalar::i64;
        source.samples = target.samples = batch;
        source.shape = shape;
        target.shape = per_step ? Shape{shape[0]} : Shape{};
        source.stride = size * static_cast<int64>(sizeof(T));
        target.stride = static_cast<int64>(per_step ? shape[0] : 1) * 8;
        source.data = reinterpret_cast<const char*>(x.data());
        target.data = reinterpret_cast<const char*>(y.data());
        for (int64 i = 0; i < batch; ++i) {
            index.push_back(i);
            if (!ragged) continue;
            source.pointers.push_back(source.data + i * source.stride);
            source.lengths.push_back(1 + (i * 7) % shape[0]);
            target.pointers.push_back(target.data + i * target.stride);
            target.lengths.push_back(source.lengths.back());
        }
        if (ragged) source.shape[0] = target.shape[0] = run_time;
        request.x = {&source};
        request.y = &target;
        request.index = index.data();
        request.batch = batch;
        request.sink.sgd = {static_cast<T>(0.05), static_cast<T>(0.9), false, 0, 0};
    }
};

template <class T>
int cnn(Network<T>& n) {
    Padding same;
    same.kind = Padding::Kind::same;
    int e = n.add_input("x", {9, 7, 2}, false);
    e = n.add_conv("c1", e, 5, {3, 3}, {1, 1}, same, "relu", true);
    e = n.add_pool("p", e, "max", {2, 2}, {2, 2}, {});
    e = n.add_conv("c2", e, 19, {2, 3}, {1, 2}, same, "tanh", true);
    e = n.add_dropout("drop", n.add_flatten("f", e), 0.3, 5);
    return n.add_dense("d", e, 4, "softmax", true);
}

template <class T>
int lstm(Network<T>& n) {
    int e = n.add_input("x", {run_time, 3}, false);
    e = n.add_dropout("drop", e, 0.2, 6);
    e = n.add_lstm("l", e, 18, "tanh", "sigmoid", true, true);
    e = n.add_simple_rnn("r", e, 7, "tanh", true, true);
    return n.add_dense("d", e, 4, "softmax", true);
}

template <class T>
void no_allocations(Case<T>& c) {
    c.engine.train(c.request, true);
    const int64 arenas = c.engine.allocations();
    Request<T> request = c.request;
    const int64 batch = request.batch;
    for (int64 step = 0; step < 20; ++step) {
        request.batch = batch - step % 3;  // never more than the first time
        const long before = heap_allocations.load();
        c.engine.train(request, step % 2 == 0);
        // the first materialised step makes the gradients' memory
        if (step > 1) CHECK_EQUAL(heap_allocations.load() - before, 0L);
    }
    CHECK_EQUAL(c.engine.allocations(), arenas);
}

template <class T>
std::vector<T> weights_after(int threads, Case<T>& c) {
    set_threads(threads);
    for (int i = 0; i < 20; ++i) c.engine.train(c.request, i % 2 == 0);
    std::vector<T> out;
    for (const auto& p : c.engine.network.parameters()) out.insert(out.end(), p->weights.data(), p->weights.data() + p->size());
    return out;
}

template <class T>
void same_bits(const std::function<Case<T>()>& make) {
    Case<T> first = make();
    const std::vector<T> one = weights_after(1, first);
    for (int threads = 2; threads <= 5; ++threads) {
        Case<T> other = make();
        const std::vector<T> many = weights_after(threads, other);
        CHECK_EQUAL(one.size(), many.size());
        CHECK(check::same_bits(one.data(), many.data(), static_cast<long>(one.size())));
    }
}

template <class T>
void nothing_allocated() {
    for (int threads : {1, 2}) {
        set_threads(threads);
        Case<T> a(12, {9, 7, 2}, 4, false, cnn<T>);
        no_allocations(a);
        Case<T> b(12, {11, 3}, 4, true, lstm<T>);
        no_allocations(b);
    }
}

template <class T>
void same_on_any_number_of_threads() {
    same_bits<T>([] { return Case<T>(13, {9, 7, 2}, 4, false, cnn<T>); });
    same_bits<T>([] { return Case<T>(13, {11, 3}, 4, false, lstm<T>); });
    same_bits<T>([] { return Case<T>(13, {11, 3}, 4, true, lstm<T>); });
}

}  // namespace

TEST(nothing_allocated_float) { nothing_allocated<float>(); }
TEST(nothing_allocated_double) { nothing_allocated<double>(); }
TEST(same_on_any_number_of_threads_float) { same_on_any_number_of_threads<float>(); }
TEST(same_on_any_number_of_threads_double) { same_on_any_number_of_threads<double>(); }

CHECK_MAIN("step_test")
