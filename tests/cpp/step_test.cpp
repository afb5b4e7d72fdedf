// Whole steps of the engine: a step after the first of its size allocates nothing, whatever the lengths of its rows,
// and its weights are the same bits on any number of threads.
#include <cstdlib>
#include <cstring>
#include <atomic>
#include <cmath>
#include <functional>
#include <new>
#include <vector>

#include "check.h"
#include "core/team.h"
#include "model/engine.h"

namespace {
std::atomic<long> heap_allocations{0};
}

// Every allocation of this program is counted (the core's buffers count their own). Not inlined: GCC would see free()
// of what another new made.
[[gnu::noinline]] void* operator new(std::size_t size) {
    ++heap_allocations;
    if (void* p = std::malloc(size ? size : 1)) return p;
    throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept { std::free(p); }

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

Update momentum() {
    Update rule;
    rule.learning_rate = 0.05;
    rule.momentum = 0.9;
    return rule;
}

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
        net.finalize({build(net)});
        engine.compile({{"sparse_categorical_crossentropy", false, 1, {"sparse_categorical_accuracy"}}});
        Numbers numbers{1};
        for (const auto& p : net.parameters()) {
            std::vector<T> w(static_cast<size_t>(elements(p->shape, "")));
            for (T& v : w) v = static_cast<T>(0.2 * numbers.next());
            if (p->state)
                for (T& v : w) v = std::abs(v);  // a variance is not negative
            p->write_keras(w.data(), p->weights.data());
            ++p->version;
        }
        const int64 size = elements(shape, "");
        const bool per_step = net.edge_shape(net.outputs().front()).size() > 1;
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
        for (int64 i = 0; i < batch; ++i) index.push_back(i);
        if (ragged) cut();
        request.x = {&source};
        request.y = {&target};
        request.index = index.data();
        request.batch = batch;
        request.rule = momentum();
    }
    // Samples of unequal length, or whole again.
    void cut() {
        const int64 steps = source.shape[0];
        for (int64 i = 0; i < source.samples; ++i) {
            source.pointers.push_back(source.data + i * source.stride);
            source.lengths.push_back(1 + (i * 7) % steps);
            target.pointers.push_back(target.data + i * target.stride);
            target.lengths.push_back(source.lengths.back());
        }
        source.shape[0] = target.shape[0] = run_time;
    }
    void make_whole(int64 steps) {
        for (Source* s : {&source, &target}) s->pointers.clear(), s->lengths.clear();
        source.shape[0] = target.shape[0] = steps;
    }
};

template <class T>
int cnn(Network<T>& n) {
    Padding same;
    same.kind = Padding::Kind::same;
    int e = n.add_input("x", {9, 7, 2}, false);
    e = n.add_conv("c1", e, 5, {3, 3}, {1, 1}, same, "relu", true);
    e = n.add_pool("p", e, "max", {2, 2}, {2, 2}, {});
    e = n.add_aggregate("a", e, "average", {2, 1, 2}, {1, 1, 1}, {});
    e = n.add_aggregate("m", e, "max", {1, 1, 2}, {1, 1, 1}, {});
    e = n.add_conv("c2", e, 19, {2, 3}, {1, 2}, same, "tanh", true);
    same.value = 0.5;
    e = n.add_depthwise_conv("dw", e, 2, {3, 2}, {1, 1}, same, "relu", true);
    e = n.add_conv("g", e, 6, {2, 2}, {1, 1}, same, "tanh", true, {2, 1}, 2);
    e = n.add_dropout("drop", n.add_flatten("f", e), 0.3, 5);
    return n.add_dense("d", e, 4, "softmax", true);
}

template <class T>
int normalized(Network<T>& n) {
    Padding same;
    same.kind = Padding::Kind::same;
    int e = n.add_input("x", {9, 7, 2}, false);
    e = n.add_batch_normalization("b1", n.add_conv("c1", e, 5, {3, 3}, {1, 1}, same, "linear", false), {});
    e = n.add_spatial_dropout("s", n.add_activation("a", e, "relu"), 2, 0.3, 5);
    e = n.add_layer_normalization("l", n.add_conv("c2", e, 19, {2, 3}, {1, 2}, same, "tanh", true), 1, {});
    e = n.add_batch_normalization("b2", n.add_flatten("f", e), {});
    return n.add_dense("d", e, 4, "softmax", true);
}

template <class T>
int normalized_steps(Network<T>& n) {
    int e = n.add_input("x", {run_time, 3}, false);
    e = n.add_batch_normalization("b1", n.add_dense("d1", e, 5, "linear", true), {});
    e = n.add_layer_normalization("n", n.add_recurrent("l", e, {"lstm", 18}, true, false), 1, {});
    e = n.add_spatial_dropout("s", n.add_batch_normalization("b2", e, {}), 1, 0.3, 5);
    return n.add_dense("d2", e, 4, "softmax", true);
}

template <class T>
int lstm(Network<T>& n) {
    int e = n.add_input("x", {run_time, 3}, false);
    e = n.add_dropout("drop", e, 0.2, 6);
    e = n.add_recurrent("l", e, {"lstm", 18}, true, false);
    e = n.add_recurrent("g", e, {"gru", 7, "tanh", "sigmoid", true, 0.2, 0.3, 5}, true, true);
    e = n.add_recurrent("first", e, {"reset_first_gru", 6}, true, false);
    e = n.add_bidirectional("b", e, {"forget_gate_rnn", 5}, {"lstm", 6}, "concat", true, false);
    e = n.add_recurrent("r", e, {"simple_rnn", 7}, true, true);
    return n.add_dense("d", e, 4, "softmax", true);
}

// y = x - mean over the batch: a node whose every value needs all rows of the batch, with a moving mean as state. Sums
// go over fixed blocks of rows, so that they do not depend on who computes which rows.
template <class T>
class BatchCentre final : public Node<T> {
public:
    BatchCentre(Place place, int64 features) : Node<T>(std::move(place)), features_(features) {
        mean_ = std::make_shared<Parameter<T>>(this->name, "moving_mean", Shape{features});
        mean_->trainable = false;
        this->parameters = {mean_};
    }
    double work(const Call<T>& call) const override { return 1e4 * static_cast<double>(call.batch * features_); }
    int extra_count() const override { return 2; }
    void extra_bytes(const Call<T>& call, std::vector<int64>& bytes) const override {
        const int64 blocks = divide_up(call.batch, block_rows);
        for (int i = 0; i < 2; ++i) bytes.push_back(blocks * features_ * static_cast<int64>(sizeof(T)));
    }
    // all rows are there | sums of blocks | differences
    int forward_phases(const Call<T>&) const override { return 3; }
    int backward_phases(const Call<T>&) const override { return 3; }
    void forward(const Call<T>& call, Slice slice, int phase, T*) const override {
        centre(call, slice, phase, call.values[this->input], call.values[this->output], this->extra(call, 0));
    }
    void backward(const Call<T>& call, Slice slice, int phase, T*) const override {
        centre(call, slice, phase, call.gradients[this->output], call.gradients[this->input], this->extra(call, 1));
    }
    void update_state(const Call<T>& call) const override {
        for (int64 j = 0; j < features_; ++j) {
            T& moving = mean_->weights[mean_->at(0, j)];
            moving = T(0.5) * moving + T(0.5) * mean(call, this->extra(call, 0), j);
        }
    }

private:
    static constexpr int64 block_rows = 4;

    T mean(const Call<T>& call, const T* sums, int64 j) const {
        T total = 0;
        for (int64 b = 0; b < divide_up(call.batch, block_rows); ++b) total += sums[b * features_ + j];
        return total / static_cast<T>(call.batch);
    }
    void centre(const Call<T>& call, Slice slice, int phase, const T* x, T* y, T* sums) const {
        if (phase == 1)  // the blocks that begin in this slice
            for (int64 b = divide_up(slice.begin, block_rows); b * block_rows < slice.end; ++b)
                for (int64 j = 0; j < features_; ++j) {
                    T sum = 0;
                    for (int64 r = b * block_rows; r < std::min(call.batch, (b + 1) * block_rows); ++r)
                        sum += x[r * features_ + j];
                    sums[b * features_ + j] = sum;
                }
        if (phase == 2)
            for (int64 j = 0; j < features_; ++j) {
                const T m = mean(call, sums, j);
                for (int64 r = slice.begin; r < slice.end; ++r) y[r * features_ + j] = x[r * features_ + j] - m;
            }
    }

    int64 features_;
    std::shared_ptr<Parameter<T>> mean_;
};

template <class T>
int centred(Network<T>& n) {
    int e = n.add_dense("d1", n.add_input("x", {5}, false), 6, "linear", true);
    e = n.template add_node<BatchCentre<T>>("centre", e, Shape{6}, Activation::linear, int64{6});
    return n.add_dense("d2", e, 4, "softmax", true);
}

// A residual block, branches, one layer in two places.
template <class T>
int graph(Network<T>& n) {
    Padding same;
    same.kind = Padding::Kind::same;
    const auto conv = [&](const char* name, int input) { return n.add_conv(name, input, 4, {3, 3}, {1, 1}, same, "relu", true); };
    std::vector<int> e = n.add_fork("fork", conv("c1", n.add_input("x", {9, 7, 2}, false)), 2);
    e = n.add_fork("again", n.add_activation("relu", n.add_merge("sum", {conv("c2", e[0]), e[1]}, "add"), "relu"), 3);
    const int joined = n.add_concatenate("join", {conv("c2", e[0]), e[1]}, 3);
    const int gate = n.add_dense("gate", n.add_global_pool("pool", e[2], "average", 2, true, false), 8, "sigmoid", true);
    return n.add_dense("d", n.add_flatten("f", n.add_merge("gated", {joined, gate}, "multiply")), 4, "softmax", true);
}

// Networks of whole vectors at every level. Elsewhere kernels read past the end of a row, into what other threads write,
// and drop what they have read; here they do not, so the thread sanitizer sees every read that counts (.ci/check tsan).
template <class T>
int whole_images(Network<T>& n) {
    Padding same;
    same.kind = Padding::Kind::same;
    int e = n.add_input("x", {6, 8, 64}, false);
    e = n.add_conv("c1", e, 64, {3, 3}, {1, 1}, same, "relu", true);  // by Winograd's transforms
    e = n.add_pool("p", e, "max", {2, 2}, {2, 2}, {});
    e = n.add_batch_normalization("b", n.add_depthwise_conv("dw", e, 1, {3, 2}, {1, 1}, same, "linear", true), {});
    const std::vector<int> branches = n.add_fork("fork", n.add_activation("a", e, "gelu"), 2);
    e = n.add_conv("c2", branches[0], 64, {2, 3}, {1, 1}, same, "tanh", true);
    e = n.add_layer_normalization("l", n.add_merge("sum", {e, branches[1]}, "add"), 1, {});
    e = n.add_dropout("drop", n.add_flatten("f", n.add_conv("c3", e, 64, {2, 2}, {2, 2}, {}, "relu", true)), 0.3, 5);
    return n.add_dense("d", e, 64, "softmax", true);
}

template <class T>
int whole_steps(Network<T>& n) {
    int e = n.add_input("x", {run_time, 64}, false);
    e = n.add_recurrent("l", e, {"lstm", 64}, true, false);
    e = n.add_recurrent("g", e, {"gru", 64, "tanh", "sigmoid", true, 0.2, 0.3, 5}, true, true);
    e = n.add_recurrent("first", e, {"reset_first_gru", 64}, true, false);
    e = n.add_bidirectional("b", e, {"forget_gate_rnn", 64}, {"lstm", 64}, "concat", true, false);
    e = n.add_recurrent("r", e, {"simple_rnn", 64}, true, true);
    return n.add_dense("d", e, 64, "softmax", true);
}

// Rules with all that they may keep and do.
std::vector<Update> rules() {
    std::vector<Update> all;
    for (const kernels::Rule rule : {kernels::Rule::sgd, kernels::Rule::adam, kernels::Rule::rmsprop, kernels::Rule::adagrad})
        for (const int options : {0, 1, 2, 3}) {
            Update update;
            update.rule = rule;
            update.learning_rate = 0.01;
            update.momentum = 0.9;
            update.nesterov = update.amsgrad = update.centered = true;
            update.weight_decay = 0.01;
            (options == 0 ? update.clipvalue : options == 1 ? update.clipnorm : update.global_clipnorm) = 0.05;
            update.gradient_accumulation_steps = options == 3 ? 3 : 1;
            update.use_ema = options > 1;
            update.ema_overwrite_frequency = 4;
            all.push_back(update);
        }
    return all;
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
void same_bits(const std::function<Case<T>()>& make, const Update& rule = momentum()) {
    Case<T> first = make();
    first.request.rule = rule;
    const std::vector<T> one = weights_after(1, first);
    for (int threads = 2; threads <= 5; ++threads) {
        Case<T> other = make();
        other.request.rule = rule;
        const std::vector<T> many = weights_after(threads, other);
        CHECK_EQUAL(one.size(), many.size());
        CHECK(check::same_bits(one.data(), many.data(), static_cast<long>(one.size())));
    }
}

// A call that no other is like: it leaves no plan behind.
template <class T>
void forget_plan(Case<T>& c) {
    Request<T> request = c.request;
    request.y = {nullptr};
    request.training = false;
    c.engine.pull_back(request, false, {}, {nullptr});
}

// One of the things that a plan may follow from changes.
template <class T>
void change(Case<T>& c, int what, int which, int64 steps) {
    auto& network = c.engine.network;
    Parameter<T>& p = *network.parameters()[static_cast<size_t>(which) % network.parameters().size()];
    switch (what) {
        case 0: c.request.batch = c.source.samples - which % 4; break;
        case 1:
            c.request.rule = rules()[static_cast<size_t>(which) % rules().size()];
            c.request.rule.learning_rate = 1e-3;
            c.request.rule.centered = false;  // whose mean square less the mean's square may become negative
            c.engine.reset_slots();
            break;
        case 2:
            (p.state ? p.moves : p.trainable) ^= true;
            network.update_trainable();
            break;
        case 3:
            c.engine.compile({{"sparse_categorical_crossentropy", false, which % 2 ? 0.5 : 1.0,
                               which % 3 ? std::vector<std::string>{} : std::vector<std::string>{"sparse_categorical_accuracy"}}});
            break;
        case 4: p.l2 = p.l2 == 0 ? 0.01 : 0; break;
        case 5: set_threads(1 + which % 2); break;
        case 6:
            if (steps > 0) c.source.ragged() ? c.make_whole(steps) : c.cut();
            break;
        case 7: {  // a call that is refused
            Request<T> request = c.request;
            const int64 outside[] = {c.source.samples, 0, 1};
            request.index = outside;
            request.batch = 1 + which % 3;
            CHECK_THROWS(c.engine.test(request), std::invalid_argument, "asked for");
            break;
        }
        default: break;
    }
}

// Plans that are kept from call to call give the bits of plans made anew. steps: of sequences that may be cut, else 0.
template <class T>
void plans_are_never_stale(const std::function<Case<T>()>& make, int64 steps = 0) {
    Case<T> kept = make(), anew = make();
    Numbers numbers{11};
    const auto pick = [&](int n) { return std::min(n - 1, static_cast<int>((numbers.next() + 1) * 0.5 * n)); };
    int call = 0;
    bool fused = false;
    for (int i = 0; i < 60; ++i) {
        if (pick(3) == 0) {
            const int what = pick(8), which = pick(24);
            change(kept, what, which, steps);
            change(anew, what, which, steps);
        }
        if (pick(3) == 0) call = pick(4);
        if (pick(4) == 0) fused = !fused;
        forget_plan(anew);
        std::vector<double> results[2];
        for (Case<T>* c : {&kept, &anew}) {
            std::vector<double>& found = results[c == &anew];
            std::vector<T> outputs(static_cast<size_t>(c->source.samples * std::max<int64>(steps, 1) * 4));
            if (call == 0) c->engine.predict(c->request, {outputs.data()});
            const StepResult result = call == 0   ? StepResult{}
                                      : call == 1 ? c->engine.test(c->request)
                                                  : c->engine.train(c->request, fused);
            found = {result.loss, result.penalty, result.metrics[0], static_cast<double>(result.heads[0].rows)};
            found.insert(found.end(), outputs.begin(), outputs.end());
        }
        CHECK(std::isfinite(results[0][0]));
        CHECK_EQUAL(results[0].size(), results[1].size());
        CHECK(std::memcmp(results[0].data(), results[1].data(), results[0].size() * sizeof(double)) == 0);
    }
    const auto &mine = kept.engine.network.parameters(), &others = anew.engine.network.parameters();
    for (size_t p = 0; p < mine.size(); ++p)
        CHECK(check::same_bits(mine[p]->weights.data(), others[p]->weights.data(), static_cast<long>(mine[p]->size())));
}

template <class T>
void nothing_allocated() {
    for (int threads : {1, 2}) {
        set_threads(threads);
        Case<T> a(12, {9, 7, 2}, 4, false, cnn<T>);
        no_allocations(a);
        Case<T> b(12, {11, 3}, 4, true, lstm<T>);
        no_allocations(b);
        Case<T> c(12, {9, 7, 2}, 4, false, normalized<T>);
        no_allocations(c);
        Case<T> d(12, {11, 3}, 4, true, normalized_steps<T>);
        no_allocations(d);
        Case<T> merged(12, {9, 7, 2}, 4, false, graph<T>);
        no_allocations(merged);
        for (const Update& rule : rules()) {
            Case<T> e(12, {9, 7, 2}, 4, false, normalized<T>);
            e.request.rule = rule;
            e.engine.train(e.request, false);
            no_allocations(e);
        }
    }
}

template <class T>
void same_on_any_number_of_threads() {
    same_bits<T>([] { return Case<T>(13, {9, 7, 2}, 4, false, cnn<T>); });
    same_bits<T>([] { return Case<T>(13, {11, 3}, 4, false, lstm<T>); });
    same_bits<T>([] { return Case<T>(13, {11, 3}, 4, true, lstm<T>); });
    same_bits<T>([] { return Case<T>(13, {5}, 4, false, centred<T>); });
    same_bits<T>([] { return Case<T>(13, {9, 7, 2}, 4, false, normalized<T>); });
    same_bits<T>([] { return Case<T>(3, {9, 7, 2}, 4, false, normalized<T>); });
    same_bits<T>([] { return Case<T>(13, {11, 3}, 4, true, normalized_steps<T>); });
    same_bits<T>([] { return Case<T>(13, {9, 7, 2}, 4, false, graph<T>); });
    for (const Update& rule : rules())  // the others: tests/python/test_optimizer_rules.py
        if (rule.accumulates()) same_bits<T>([] { return Case<T>(13, {9, 7, 2}, 4, false, cnn<T>); }, rule);
}

template <class T>
void whole_vectors() {
    same_bits<T>([] { return Case<T>(7, {6, 8, 64}, 64, false, whole_images<T>); });
    same_bits<T>([] { return Case<T>(7, {5, 64}, 64, false, whole_steps<T>); });
    same_bits<T>([] { return Case<T>(7, {5, 64}, 64, true, whole_steps<T>); });
}

}  // namespace

// Gradients through a layer with synchronisation points, against differences; and its state moves with each step only.
TEST(synchronisation_points_and_state) {
    set_threads(3);
    Case<double> c(13, {5}, 4, false, centred<double>);
    auto& parameters = c.engine.network.parameters();
    std::vector<std::vector<double>> gradients;
    std::vector<double*> pointers;
    for (const auto& p : parameters) gradients.emplace_back(static_cast<size_t>(elements(p->shape, "")));
    for (auto& g : gradients) pointers.push_back(g.data());
    c.engine.gradients(c.request, pointers, {nullptr});
    for (size_t i = 0; i < parameters.size(); ++i) {
        Parameter<double>& p = *parameters[i];
        if (!p.trainable) continue;
        for (int64 row = 0; row < p.rows; ++row)
            for (int64 column = 0; column < p.columns; ++column) {
                double& w = p.weights[p.at(row, column)];
                const double old = w, step = 1e-5;
                Request<double> plain = c.request;
                w = old + step;
                const double above = c.engine.test(plain).loss;
                w = old - step;
                const double below = c.engine.test(plain).loss;
                w = old;
                CHECK_NEAR(gradients[i][static_cast<size_t>(row * p.columns + column)], (above - below) / (2 * step), 1e-8);
            }
    }
    const Parameter<double>& moving = *parameters[2];
    CHECK_EQUAL(moving.name, std::string("centre/moving_mean"));
    const double before = moving.weights[0];
    c.engine.test(c.request);
    CHECK_EQUAL(moving.weights[0], before);
    Request<double> request = c.request;
    c.engine.train(request, true);
    CHECK(moving.weights[0] != before);
}

#if !defined(TAUTEN_TEAM_OF_THREADS)  // which are allocated for each step
TEST(nothing_allocated_float) { nothing_allocated<float>(); }
TEST(nothing_allocated_double) { nothing_allocated<double>(); }
#endif
TEST(same_on_any_number_of_threads_float) { same_on_any_number_of_threads<float>(); }
TEST(same_on_any_number_of_threads_double) { same_on_any_number_of_threads<double>(); }

TEST(whole_vectors_float) { whole_vectors<float>(); }
TEST(whole_vectors_double) { whole_vectors<double>(); }

TEST(plans_are_never_stale) {
    plans_are_never_stale<float>([] { return Case<float>(9, {9, 7, 2}, 4, false, cnn<float>); });
    plans_are_never_stale<double>([] { return Case<double>(9, {9, 7, 2}, 4, false, normalized<double>); });
    plans_are_never_stale<float>([] { return Case<float>(9, {9, 7, 2}, 4, false, graph<float>); });
    plans_are_never_stale<float>([] { return Case<float>(9, {11, 3}, 4, false, lstm<float>); }, 11);
    plans_are_never_stale<double>([] { return Case<double>(9, {11, 3}, 4, true, normalized_steps<double>); }, 11);
}

CHECK_MAIN("step_test")
