// A network with its engine, a batch of data, and the parts of its training step one by one.
#pragma once

#include <vector>

#include "bench/measure.h"
#include "bench/networks.h"
#include "model/engine.h"

namespace tauten::bench {

// What a node does in a training step. refresh: the transposed copies of its weights.
enum class Part { forward, backward, gradients, update, refresh };
inline constexpr Part all_parts[] = {Part::forward, Part::backward, Part::gradients, Part::update, Part::refresh};
const char* part_name(Part part);

template <class T>
class Model {
public:
    explicit Model(const Description& description);

    void train() { engine_.train(request_, false); }
    void predict() { engine_.predict(request_, {outputs_.data()}); }

    const Network<T>& network() const { return engine_.network; }
    Node<T>& node(int i) const { return *network().nodes()[static_cast<size_t>(i)]; }
    // Whether a step has that part of node i to do.
    bool has_part(int i, Part part);
    // The part of node i, over the whole batch on one thread, with the kernels given; its neighbours' values are those
    // of a whole step.
    void run(int i, Part part, const kernels::Kernels<T>& k);
    Work work(int i, Part part) const;
    // Operations of all nodes: of a prediction, of a training step.
    double flops(bool training) const;

private:
    double product_flops(const Product<T>& product) const;
    // Parts of the copies of weights that are stale once the weights have changed, as in a step.
    int64 stale_parts(Node<T>& node);
    void run_gradients(Node<T>& node, const Call<T>& call);
    void run_update(Node<T>& node, const kernels::Kernels<T>& k);

    Engine<T> engine_;
    std::vector<int64> tokens_, labels_, index_;
    Buffer<T> x_, outputs_;
    Buffer<T> no_gradient_;  // zeros: updates leave the weights as they are
    Source source_, target_;
    Request<T> request_;
    Workspace<T> work_;  // as one step left it
};

// One for each description, made when first asked for.
template <class T>
Model<T>& model(const Description& description);

// f(description, number of the node, node, part) for every part that the networks' steps have.
template <class F>
void for_each_part(const std::vector<Description>& descriptions, const F& f) {
    for (const Description& description : descriptions) {
        Model<float>& of = model<float>(description);
        for (int i = 0; i < static_cast<int>(of.network().nodes().size()); ++i)
            for (const Part part : all_parts)
                if (of.has_part(i, part)) f(description, i, of.node(i), part);
    }
}

}  // namespace tauten::bench
