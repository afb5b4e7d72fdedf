// Each layer's parts of a training step, on the values and at the places of a whole step: alone, on one thread, over
// the whole batch.
#include "bench/families.h"
#include "bench/measure.h"
#include "bench/model.h"

namespace tauten::bench {

namespace {

template <class T>
void part_of(benchmark::State& state, const Description& network, int node, Part part) {
    Model<T>& of = model<T>(network);
    measure<T>(state, of.work(node, part), [&] { of.run(node, part, kernels::table<T>()); });
}

}  // namespace

void add_layers(const std::vector<Description>& networks) {
    for_each_part(networks, [](const Description& d, int i, const Node<float>& node, Part part) {
        each_type([&]<class T>() {
            add<T>("layer", text(d.name, '/', node.name, '/', part_name(part)),
                   [=](benchmark::State& s) { part_of<T>(s, d, i, part); });
        });
    });
}

}  // namespace tauten::bench
