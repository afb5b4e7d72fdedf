// Weight gradients as products (model/gradients.h): every way to cut them gives the plain sum over their lines.
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "check.h"
#include "model/engine.h"
#include "model/step.h"

using namespace tauten;

namespace {

// A network after one step: values and deltas lie in `work`, gradients in the parameters.
struct Case {
    Engine<double> engine;
    std::vector<double> x;
    std::vector<int64> y, index;
    Source source, target;
    Workspace<double> work;

    Case(int64 batch, Shape shape, int64 labels, bool ragged, const std::function<int(Network<double>&)>& build,
         const std::vector<std::string>& frozen = {}) {
        Network<double>& net = engine.network;
        net.finalize({build(net)});
        engine.compile({{"sparse_categorical_crossentropy", false, 1, {}}});
        int64 number = 0;
        const auto next = [&] { return static_cast<double>(++number * 7919 % 1000) / 1000 - 0.5; };
        for (const auto& p : net.parameters()) {
            std::vector<double> w(static_cast<size_t>(elements(p->shape, "")));
            for (double& v : w) v = 0.3 * next();
            p->write_keras(w.data(), p->weights.data());
            ++p->version;
            for (const std::string& name : frozen)
                if (p->name == name) p->trainable = false;
        }
        net.update_trainable();
        const int64 size = elements(shape, "");
        x.resize(static_cast<size_t>(batch * size));
        for (double& v : x) v = next();
        y.resize(static_cast<size_t>(batch * labels));
        for (size_t i = 0; i < y.size(); ++i) y[i] = static_cast<int64>(i % 3);
        source.type = Scalar::f64;
        target.type = Scalar::i64;
        source.samples = target.samples = batch;
        source.shape = shape;
        target.shape = shape.size() == 2 ? Shape{labels} : Shape{};
        source.stride = size * 8;
        target.stride = labels * 8;
        source.data = reinterpret_cast<const char*>(x.data());
        target.data = reinterpret_cast<const char*>(y.data());
        for (int64 i = 0; i < batch; ++i) {
            index.push_back(i);
            if (!ragged) continue;
            source.pointers.push_back(source.data + i * source.stride);
            source.lengths.push_back(1 + i * 7 % shape[0]);
            target.pointers.push_back(target.data + i * target.stride);
            target.lengths.push_back(source.lengths.back());
        }
        if (ragged) source.shape[0] = target.shape[0] = run_time;
        Request<double> request;
        request.x = {&source};
        request.y = {&target};
        request.index = index.data();
        request.batch = batch;
        request.training = request.backward = request.loss = true;
        request.sink.store = true;
        Step<double>(net, engine.objective(), work, request, 0).run();
    }
};

// The sums, row by row as Keras has W, and of B's columns.
struct Sums {
    std::vector<double> kernel, bias;
};

Sums plain_sums(const Product<double>& product, const Call<double>& call) {
    const Parameter<double>& w = *product.kernel;
    const int64 columns = w.gates > 1 ? w.padded_columns() : w.columns;
    Sums sums;
    sums.kernel.resize(static_cast<size_t>(w.rows * columns));
    sums.bias.resize(static_cast<size_t>(columns));
    for (int64 i = 0; i < product.lines(call); ++i) {
        const Line<double> line = product.line(call, i);
        for (int64 k = 0; k < line.k; ++k)
            for (int64 n = 0; n < columns; ++n) {
                const int64 part = columns / product.column_groups, own = n / part;
                const double b = line.b[k * line.b_row + own * product.b_group + n % part];
                sums.bias[static_cast<size_t>(n)] += b;
                for (int64 m = 0; m < w.rows; ++m) {
                    const int64 group = m / product.group_rows;
                    const double a = line.a[k * line.a_column + product.group_offset[static_cast<size_t>(group)] +
                                            own * product.a_group + m % product.group_rows];
                    sums.kernel[static_cast<size_t>(m * columns + n)] += a * b;
                }
            }
    }
    return sums;
}

// Panels against rows; what lies behind the last column (of a group) is zero.
void check_panels(const Parameter<double>& p, const double* packed, const std::vector<double>& rows, int64 row_count,
                  int64 groups) {
    const int64 columns = static_cast<int64>(rows.size()) / row_count, own = columns / groups, own_panels = p.panels / groups;
    int64 wrong = 0;  // NaN is
    for (int64 i = 0; i < p.padded_columns(); ++i)
        for (int64 m = 0; m < row_count; ++m) {
            const int64 panel = i / p.width, place = panel % own_panels * p.width + i % p.width;
            const int64 n = panel / own_panels * own + place;
            const double got = packed[(panel * row_count + m) * p.width + i % p.width];
            const double expected = place < own ? rows[static_cast<size_t>(m * columns + n)] : 0;
            if (!(std::abs(got - expected) <= (place < own ? 1e-12 * (1 + std::abs(expected)) : 0))) ++wrong;
        }
    CHECK_EQUAL(wrong, int64{0});
}

void check_gradients(const ProductPlan<double>& plan, const Call<double>& call) {
    for (int64 i = 0; i < plan.count; ++i) {
        const Product<double>& product = *plan.products[i];
        const Sums sums = plain_sums(product, call);
        if (product.kernel->trainable)
            check_panels(*product.kernel, product.kernel->gradient.data(), sums.kernel, product.kernel->rows,
                         product.column_groups);
        if (product.bias && product.bias->trainable)
            check_panels(*product.bias, product.bias->gradient.data(), sums.bias, 1, product.column_groups);
    }
}

void every_cut(Case& c, size_t plans) {
    const kernels::Kernels<double>& k = kernels::table<double>();
    const Call<double>& call = c.work.call;
    CHECK_EQUAL(c.work.products.size(), plans);
    for (const ProductPlan<double>& chosen : c.work.products) {
        check_gradients(chosen, call);  // as the step left them
        for (const int64 blocks : {1, 2, 3, 7})
            for (const int64 group_panels : {1, 2, 5})
                for (const int64 stretches : {1, 2, 3}) {
                    ProductPlan<double> plan = chosen;
                    plan.block_rows = divide_up(plan.rows, blocks);
                    plan.blocks = divide_up(plan.rows, plan.block_rows);
                    plan.group_panels = std::min(group_panels, plan.panels);
                    plan.groups = divide_up(plan.panels, plan.group_panels);
                    plan.stretches = stretches;
                    Buffer<double> partials(plan.partial_size() + 1), scratch(plan.scratch());
                    plan.partials = partials.data();
                    std::fill_n(partials.data(), plan.partial_size(), NAN);
                    std::fill_n(scratch.data(), plan.scratch(), NAN);
                    for (int64 i = 0; i < plan.count; ++i)
                        for (Parameter<double>* p : {plan.products[i]->kernel, plan.products[i]->bias})
                            if (p && p->trainable) std::fill_n(p->gradient.data(), p->size(), NAN);
                    Sink<double> sink;
                    sink.store = true;
                    for (int64 item = 0; item < plan.items(); ++item) plan.run(k, call, sink, item, scratch.data());
                    for (int64 item = 0; item < plan.merge_items(); ++item) plan.merge(k, sink, item, scratch.data());
                    check_gradients(plan, call);
                }
    }
}

int conv(Network<double>& n) {
    Padding same;
    same.kind = Padding::Kind::same;
    int e = n.add_input("x", {9, 7, 2}, false);
    e = n.add_conv("c1", e, 35, {3, 3}, {1, 1}, same, "relu", true);
    e = n.add_conv("c2", e, 19, {2, 3}, {1, 2}, same, "tanh", true);
    return n.add_dense("d", n.add_flatten("f", e), 3, "softmax", true);
}

// Groups of several panels and of a part of one; kernel columns apart.
int groups(Network<double>& n) {
    Padding same;
    same.kind = Padding::Kind::same;
    int e = n.add_input("x", {9, 7, 6}, false);
    e = n.add_conv("c1", e, 105, {3, 2}, {1, 1}, same, "relu", true, {2, 1}, 3);
    e = n.add_conv("c2", e, 20, {2, 3}, {1, 2}, same, "tanh", true, {}, 5);
    e = n.add_conv("c3", e, 19, {2, 2}, {1, 1}, same, "tanh", true, {1, 2});
    return n.add_dense("d", n.add_flatten("f", e), 3, "softmax", true);
}

int recurrent(Network<double>& n) {
    int e = n.add_input("x", {run_time, 21}, false);
    e = n.add_recurrent("l", e, {"lstm", 33}, true, false);
    e = n.add_bidirectional("b", e, {"simple_rnn", 35}, {"forget_gate_rnn", 18}, "concat", true, false);
    return n.add_dense("d", e, 3, "softmax", true);
}

}  // namespace

TEST(convolutions_in_every_cut) {
    Case c(5, {9, 7, 2}, 1, false, conv);
    every_cut(c, 3);
}

TEST(groups_in_every_cut) {
    Case c(5, {9, 7, 6}, 1, false, groups);
    every_cut(c, 4);
}

// A recurrent layer's two products are one plan.
TEST(recurrent_layers_in_every_cut) {
    Case equal(12, {23, 21}, 23, false, recurrent);
    every_cut(equal, 4);
    Case one_sample(1, {23, 21}, 23, false, recurrent);
    every_cut(one_sample, 4);
    Case one_step(3, {1, 21}, 1, false, recurrent);
    every_cut(one_step, 4);
    Case ragged(12, {23, 21}, 23, true, recurrent);
    every_cut(ragged, 4);
}

// Without the first product of a layer the second has a plan of its own; a frozen kernel with a bias to train has one.
TEST(frozen_weights_in_every_cut) {
    Case first(12, {23, 21}, 23, false, recurrent, {"l/kernel", "l/bias"});
    every_cut(first, 4);
    CHECK_EQUAL(first.work.products[0].count, int64{1});
    Case kernel(12, {23, 21}, 23, true, recurrent, {"l/kernel"});
    every_cut(kernel, 4);
    CHECK_EQUAL(kernel.work.products[0].count, int64{2});
    Case second(12, {23, 21}, 23, true, recurrent, {"l/recurrent_kernel"});
    every_cut(second, 4);
    CHECK_EQUAL(second.work.products[0].count, int64{1});
    Case whole(12, {23, 21}, 23, true, recurrent, {"l/kernel", "l/recurrent_kernel", "l/bias"});
    every_cut(whole, 3);
}

CHECK_MAIN("gradients_test")
