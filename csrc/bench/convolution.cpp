// A convolution's phases by themselves, for benchmarks.convolutions: part of the shared library tauten_probe, called from
// Python. They run on a team as model/step.cpp runs them, in a workspace that a step would have; what surrounds a step
// (samples in, outputs out, the loss, the update) is left out.
#include <cstring>
#include <numeric>
#include <string>

#include "bench/peak.h"
#include "core/check.h"
#include "model/step.h"

namespace tauten::bench {

namespace {

enum Phase : int { forward, input_gradient, weight_gradient, refresh };

struct Extents {
    int64 batch, size, channels, filters, kernel, stride;
};

class Convolution {
public:
    // x (batch, size, size, channels), kernel (kernel, kernel, channels, filters), bias (filters), delta = ∂E/∂y
    Convolution(const Extents& e, const float* x, const float* kernel, const float* bias, const float* delta, int threads)
        : threads_(threads), index_(static_cast<size_t>(e.batch)) {
        const int input = network_.add_input("input", {e.size, e.size, e.channels}, false);
        // as PyTorch pads, on both sides alike: "same" but for where the windows of stride 2 begin
        Padding padding;
        padding.kind = Padding::Kind::given;
        padding.amounts = {{e.kernel / 2, e.kernel / 2}, {e.kernel / 2, e.kernel / 2}};
        const int output = network_.add_conv("conv", input, e.filters, {e.kernel, e.kernel}, {e.stride, e.stride}, padding,
                                             "linear", true);
        // one filter that reads it: the gradient lies as inside a network, with the halo that backward reads
        network_.finalize({network_.add_conv("reader", output, 1, {1, 1}, {1, 1}, {}, "linear", false)});
        node_ = network_.nodes()[0].get();
        products_ = node_->products();
        weights().write_keras(kernel, weights().weights.data());
        biases().write_keras(bias, biases().weights.data());
        for (const auto& p : network_.parameters()) {
            ++p->version;
            p->gradient.reserve(p->size());
        }

        std::iota(index_.begin(), index_.end(), int64{0});
        const Shape& shape = network_.edge_shape(node_->output);
        const Source samples = source(x, {e.size, e.size, e.channels}, e.batch);
        const Source gradients = source(delta, shape, e.batch);
        prepare(prediction_, samples, false);
        prepare(training_, samples, true);
        copy_in(training_, gradients, edge(node_->output).gradient, training_.call.gradients[node_->output]);
        sink_.store = true;
        sink_.not_finite = &not_finite_;
        refresh_all();
        forward_pass(training_);
        for (const Phase phase : {forward, input_gradient, weight_gradient}) once(phase);
    }

    double run(int phase, int64 calls) {
        const double start = now();
        for (int64 i = 0; i < calls; ++i) once(static_cast<Phase>(phase));
        return now() - start;
    }

    // What the last call of a phase left: y; ∂E/∂x; ∂E/∂kernel, then ∂E/∂bias.
    void read(int phase, float* to) const {
        if (phase == forward) return copy_out(edge(node_->output).value, prediction_.call.values[node_->output], to);
        if (phase == input_gradient) return copy_out(edge(node_->input).gradient, training_.call.gradients[node_->input], to);
        weights().read_keras(weights().gradient.data(), to);
        biases().read_keras(biases().gradient.data(), to + elements(weights().shape, "kernel"));
    }

    std::string detail() const { return node_->detail(); }

private:
    Parameter<float>& weights() const { return *products_[0]->kernel; }
    Parameter<float>& biases() const { return *products_[0]->bias; }
    const Edge& edge(int e) const { return network_.edges()[static_cast<size_t>(e)]; }

    static Source source(const float* data, const Shape& shape, int64 samples) {
        Source s;
        s.shape = shape;
        s.samples = samples;
        s.data = reinterpret_cast<const char*>(data);
        s.stride = elements(shape, "convolution") * size_of(s.type);
        return s;
    }

    void prepare(Workspace<float>& work, const Source& samples, bool backward) {
        Request<float> request;
        request.x = {&samples};
        request.index = index_.data();
        request.batch = samples.samples;
        request.training = request.backward = request.input_gradients = backward;
        work.prepare(kernels_, network_, Objective{}, request, threads_);
        copy_in(work, samples, edge(node_->input).value, work.call.values[node_->input]);
    }

    void copy_in(const Workspace<float>& work, const Source& from, const Grid& grid, float* to) const {
        gather(from, {index_.data(), work.order.data()}, {0, work.call.batch}, grid, work.call.axes, to);
    }

    void copy_out(const Grid& grid, const float* from, float* to) const {
        const int64 values = grid.extent[2] * grid.channels;
        for (int64 r = 0; r < training_.call.batch; ++r)
            for (int64 b = 0; b < grid.extent[1]; ++b, to += values)
                std::memcpy(to, from + r * grid.sample + grid.origin + b * grid.stride[1],
                            static_cast<size_t>(values) * sizeof(float));
    }

    // As many threads as a step would have for this layer alone.
    int team(bool backward) const {
        const double flops = node_->work(training_.call) * (backward ? 3 : 1);
        return static_cast<int>(std::clamp(flops / work_a_thread(), 1.0, static_cast<double>(threads_)));
    }

    // The network is the layer and one that reads it.
    int64 segment_bytes(const Workspace<float>& work) const { return work.forward_segments[0].bytes; }

    template <class F>
    void over_rows(const Workspace<float>& work, const Member& member, int64 bytes, F&& f) const {
        const int64 batch = work.call.batch;
        in_passes({batch * member.index / member.count, batch * (member.index + 1) / member.count}, bytes, batch, f);
    }

    // Filters at Winograd's points are there, as they are after the first prediction.
    void forward_pass(const Workspace<float>& work) {
        const Call<float>& call = work.call;
        const bool in_parts = !call.backward && call.batch < team(false) && node_->in_parts(call, Way::forward);
        run_team(team(false), [&](const Member& member) {
            float* const scratch = work.scratch(member.index);
            if (in_parts) return node_->forward(call, {0, call.batch, member.index, member.count, &member}, 0, scratch);
            over_rows(work, member, segment_bytes(work), [&](Slice s) { node_->forward(call, s, 0, scratch); });
        });
    }

    void refresh_all() {
        const int64 parts = node_->stale_parts(training_.call);
        for (int64 i = 0; i < parts; ++i) node_->refresh_part(kernels_, i);
        node_->refreshed();
    }

    // The filters as backward reads them are made anew, as in every step; those that only forward reads, which come first,
    // are as they were. And the pass, or not.
    void backward_pass(bool pass) {
        const Call<float>& call = training_.call;
        ++weights().version;
        const int64 first = node_->stale_in_prediction(call) ? weights().panels : 0, parts = node_->stale_parts(call);
        const bool in_parts = call.batch < team(true) && node_->in_parts(call, Way::backward);
        items_.reset();
        run_team(team(true), [&](const Member& member) {
            float* const scratch = training_.scratch(member.index);
            for (int64 i; (i = first + items_.take()) < parts;) node_->refresh_part(kernels_, i);
            if (!pass) return;
            member.barrier();
            if (in_parts) return node_->backward(call, {0, call.batch, member.index, member.count, &member}, 0, scratch);
            over_rows(training_, member, 2 * segment_bytes(training_),
                      [&](Slice s) { node_->backward(call, s, 0, scratch); });
        });
        node_->refreshed();
    }

    void gradient_pass() {
        for (ProductPlan<float>& plan : training_.products) {
            if (plan.products[0] != products_[0]) continue;
            items_.reset();
            merge_items_.reset();
            run_team(team(true), [&](const Member& member) {
                float* const scratch = training_.scratch(member.index);
                for (int64 i; (i = items_.take()) < plan.items();) plan.run(kernels_, training_.call, sink_, i, scratch);
                if (plan.merge_items() == 0) return;
                member.barrier();
                for (int64 i; (i = merge_items_.take()) < plan.merge_items();) plan.merge(kernels_, sink_, i, scratch);
            });
        }
    }

    void once(Phase phase) {
        switch (phase) {
            case forward: return forward_pass(prediction_);
            case input_gradient: return backward_pass(true);
            case weight_gradient: return gradient_pass();
            case refresh: return backward_pass(false);
        }
        fail("no phase ", static_cast<int>(phase));
    }

    const kernels::Kernels<float>& kernels_ = kernels::table<float>();
    const int threads_;
    Network<float> network_;
    Node<float>* node_ = nullptr;
    std::vector<Product<float>*> products_;
    std::vector<int64> index_;
    Workspace<float> prediction_, training_;
    Sink<float> sink_;
    std::atomic<const Parameter<float>*> not_finite_{nullptr};
    Items items_, merge_items_;
};

std::string last_error;

}  // namespace

}  // namespace tauten::bench

// Extents as above. nullptr: see tauten_convolution_error().
extern "C" __attribute__((visibility("default"))) void* tauten_convolution_new(
    const tauten::int64* extents, const float* x, const float* kernel, const float* bias, const float* delta, int threads) try {
    const auto* e = extents;
    return new tauten::bench::Convolution({e[0], e[1], e[2], e[3], e[4], e[5]}, x, kernel, bias, delta, threads);
} catch (const std::exception& error) {
    tauten::bench::last_error = error.what();
    return nullptr;
}
extern "C" __attribute__((visibility("default"))) const char* tauten_convolution_error() {
    return tauten::bench::last_error.c_str();
}
// How it is computed, "" for the plain product.
extern "C" __attribute__((visibility("default"))) const char* tauten_convolution_detail(void* of) {
    thread_local std::string said;
    said = static_cast<tauten::bench::Convolution*>(of)->detail();
    return said.c_str();
}
// Seconds of so many calls; phases: 0 forward, 1 input gradient, 2 weight gradient, 3 what the second does to the
// filters.
extern "C" __attribute__((visibility("default"))) double tauten_convolution_run(void* of, int phase, tauten::int64 calls) {
    return static_cast<tauten::bench::Convolution*>(of)->run(phase, calls);
}
extern "C" __attribute__((visibility("default"))) void tauten_convolution_read(void* of, int phase, float* to) {
    static_cast<tauten::bench::Convolution*>(of)->read(phase, to);
}
extern "C" __attribute__((visibility("default"))) void tauten_convolution_free(void* of) {
    delete static_cast<tauten::bench::Convolution*>(of);
}
