// Whole calls of the engine: a training step (materialised, plain SGD) and a prediction, beside the multiply-add peak
// of as many threads.
#include "bench/families.h"
#include "bench/measure.h"
#include "bench/model.h"

namespace tauten::bench {

namespace {

template <class T>
void whole(benchmark::State& state, const Description& network, bool training, int team) {
    Model<T>& of = model<T>(network);
    set_threads(team);
    measure<T>(state, {of.flops(training), 0}, [&] { training ? of.train() : of.predict(); }, team);
    set_threads(1);
}

}  // namespace

void add_steps(const std::vector<Description>& networks) {
    for (const Description& d : networks)
        for (const bool training : {true, false})
            for (const int team : {1, 2})
                if (team <= default_threads())
                    each_type([&]<class T>() {
                        add<T>(training ? "step" : "predict", text(d.name, "/threads:", team),
                               [=](benchmark::State& s) { whole<T>(s, d, training, team); });
                    });
}

}  // namespace tauten::bench
