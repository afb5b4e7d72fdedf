// The building block and the cells on it at the shapes of real layers: each part of each layer is run once on a table
// whose heavy kernels only write down their arguments; the call that makes up most of the part is then timed on its
// own, operands in the cache. What the same part loses in layers.cpp beyond this is memory, packing and overhead.
#include <optional>
#include <variant>
#include <vector>

#include "bench/families.h"
#include "bench/measure.h"
#include "bench/model.h"

namespace tauten::bench {

namespace {

using kernels::ForgetGateBackward;
using kernels::ForgetGateForward;
using kernels::GemmArguments;
using kernels::LstmBackward;
using kernels::LstmForward;
using kernels::Tap;

template <class T>
struct BlockCall {
    std::variant<GemmArguments<T>, LstmForward<T>, LstmBackward<T>, ForgetGateForward<T>, ForgetGateBackward<T>>
        arguments;
    std::vector<Tap<T>> taps;
    int64 rows, columns, depth;  // depth: Σ K over the taps

    double flops() const { return 2.0 * static_cast<double>(rows * columns) * static_cast<double>(depth); }
    bool same_shape(const BlockCall& other) const {
        return rows == other.rows && columns == other.columns && depth == other.depth &&
               taps.size() == other.taps.size();
    }
    std::string label() const {
        constexpr const char* names[] = {"gemm", "lstm_forward", "lstm_backward", "forget_gate_forward",
                                           "forget_gate_backward"};
        return text(names[arguments.index()], ' ', rows, 'x', columns, 'x', depth, ", taps ", taps.size());
    }
    void run(const kernels::Kernels<T>& k) {
        std::visit([&](auto& a) { a.taps = taps.data(); }, arguments);
        if (const auto* g = std::get_if<GemmArguments<T>>(&arguments)) k.gemm(*g);
        if (const auto* f = std::get_if<LstmForward<T>>(&arguments)) k.lstm_forward(*f);
        if (const auto* b = std::get_if<LstmBackward<T>>(&arguments)) k.lstm_backward(*b);
        if (const auto* f = std::get_if<ForgetGateForward<T>>(&arguments)) k.forget_gate_forward(*f);
        if (const auto* b = std::get_if<ForgetGateBackward<T>>(&arguments)) k.forget_gate_backward(*b);
    }
};

template <class T>
std::vector<BlockCall<T>> recorded;

template <class T, class Arguments>
void record(const Arguments& a, int64 columns) {
    BlockCall<T> call{a, {a.taps, a.taps + a.tap_count}, a.rows, columns, 0};
    for (const Tap<T>& tap : call.taps) call.depth += tap.k;
    recorded<T>.push_back(std::move(call));
}

// The call whose shape does most of the part's operations; none if the part's kernel is not among those recorded.
template <class T>
std::optional<BlockCall<T>> heaviest_call(Model<T>& of, int node, Part part) {
    kernels::Kernels<T> recording = kernels::table<T>();
    recording.gemm = [](const GemmArguments<T>& g) { record<T>(g, g.columns); };
    recording.lstm_forward = [](const LstmForward<T>& f) { record<T>(f, 4 * f.units); };
    recording.lstm_backward = [](const LstmBackward<T>& b) { record<T>(b, b.units); };
    recording.forget_gate_forward = [](const ForgetGateForward<T>& f) { record<T>(f, 2 * f.units); };
    recording.forget_gate_backward = [](const ForgetGateBackward<T>& b) { record<T>(b, b.units); };
    recorded<T>.clear();
    of.run(node, part, recording);
    struct Shape {
        const BlockCall<T>* call;
        double flops;
    };
    std::vector<Shape> shapes;
    for (const BlockCall<T>& call : recorded<T>) {
        const auto same = [&](const Shape& s) { return s.call->same_shape(call); };
        const auto known = std::find_if(shapes.begin(), shapes.end(), same);
        if (known == shapes.end())
            shapes.push_back({&call, call.flops()});
        else
            known->flops += call.flops();
    }
    if (shapes.empty()) return std::nullopt;
    const auto lighter = [](const Shape& a, const Shape& b) { return a.flops < b.flops; };
    return *std::max_element(shapes.begin(), shapes.end(), lighter)->call;
}

template <class T>
void block(benchmark::State& state, const Description& network, int node, Part part) {
    Model<T>& of = model<T>(network);
    std::optional<BlockCall<T>> call = heaviest_call(of, node, part);
    if (!call) {
        measure<T>(state, of.work(node, part), [&] { of.run(node, part, kernels::table<T>()); });
        state.SetLabel("the whole part: its kernel is not recorded");
        return;
    }
    measure<T>(state, {call->flops(), 0}, [&] { call->run(kernels::table<T>()); });
    state.SetLabel(call->label());
}

}  // namespace

void add_blocks(const std::vector<Description>& networks) {
    for_each_part(networks, [](const Description& d, int i, Node<float>& node, Part part) {
        if (node.products().empty() || part == Part::update || part == Part::refresh) return;
        each_type([&]<class T>() {
            add<T>("gemm", text(d.name, '/', node.name, '/', part_name(part)),
                   [=](benchmark::State& s) { block<T>(s, d, i, part); });
        });
    });
}

}  // namespace tauten::bench
