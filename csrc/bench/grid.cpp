// The building block over a grid of products M x N x K, as a dense layer uses it: forward (M rows, K features, N units)
// and for the gradient of its weights (M features, N units, K rows), packing included.
#include "bench/families.h"
#include "bench/measure.h"
#include "bench/model.h"

namespace tauten::bench {

namespace {

constexpr int64 most_bytes = 700 << 10;  // the operands fit L2

template <class T>
void product(benchmark::State& state, int64 m, int64 n, int64 k, Part part) {
    const auto [rows, features] = part == Part::forward ? std::pair{m, k} : std::pair{k, m};
    Model<T> dense(parse(text("dense ", rows, ' ', features, " dense/", n)));
    const Work work{2.0 * static_cast<double>(m * n * k), 0};
    measure<T>(state, work, [&] { dense.run(0, part, kernels::table<T>()); });
}

}  // namespace

void add_grid() {
    each_type([]<class T>() {
        for (const Part part : {Part::forward, Part::gradients})
            for (const int64 k : {5, 25, 64, 100, 160, 288, 512, 800})
                for (const int64 n : {10, 32, 48, 100, 128, 256})
                    for (const int64 m : {8, 14, 28, 32, 64, 100, 128})
                        if ((m * k + n * k + m * n) * static_cast<int64>(sizeof(T)) <= most_bytes)
                            add<T>("gemm_grid", text(part_name(part), '/', m, 'x', n, 'x', k),
                                   [=](benchmark::State& s) { product<T>(s, m, n, k, part); });
    });
}

}  // namespace tauten::bench
