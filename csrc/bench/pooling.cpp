// Pooling of one sample of 28 x 28 x channels: windows that touch and windows that overlap, stride 2.
#include "bench/families.h"
#include "bench/measure.h"

namespace tauten::bench {

namespace {

enum Kind { max, max_gradient, average, average_gradient };
constexpr const char* names[] = {"max", "max_gradient", "average", "average_gradient"};

template <class T>
void pooling(benchmark::State& state, Kind kind, int64 window, int64 channels) {
    constexpr int64 side = 28, out = side / 2;
    const int64 n = side * side * channels, m = out * out * channels;
    const Buffer<T> input = filled<T>(n), output_gradient = filled<T>(m);
    Buffer<T> output(m), input_gradient(n);
    Buffer<uint8> argmax(m);
    kernels::PoolArguments<T> p{};
    p.channels = channels;
    for (int d = 0; d < 3; ++d) {
        const bool spatial = d > 0;
        p.input_extent[d] = spatial ? side : 1;
        p.output_extent[d] = spatial ? out : 1;
        p.window[d] = spatial ? window : 1;
        p.step[d] = spatial ? 2 : 1;
    }
    for (int64* strides : {p.input_stride, p.input_gradient_stride}) {
        strides[2] = channels;
        strides[1] = side * channels;
    }
    for (int64* strides : {p.output_stride, p.output_gradient_stride}) {
        strides[2] = channels;
        strides[1] = out * channels;
    }
    p.input = input.data();
    p.output = output.data();
    p.argmax = argmax.data();
    p.output_gradient = output_gradient.data();
    p.input_gradient = input_gradient.data();
    p.below = Activation::relu;
    const kernels::Kernels<T>& k = kernels::table<T>();
    k.max_pool(p);
    void (*const kernel[])(const kernels::PoolArguments<T>&) = {k.max_pool, k.max_pool_gradient, k.average_pool,
                                                                k.average_pool_gradient};
    // input and output; or the input, its gradient and the output's
    const int64 values = kind == max || kind == average ? n + m : 2 * n + m;
    const int64 bytes = values * static_cast<int64>(sizeof(T)) + (kind == max || kind == max_gradient ? m : 0);
    measure<T>(state, {0, static_cast<double>(bytes)}, [&] { kernel[kind](p); });
}

}  // namespace

void add_pooling() {
    each_type([]<class T>() {
        for (const Kind kind : {max, max_gradient, average, average_gradient})
            for (const int64 window : {2, 3})
                for (const int64 channels : {1, 10, 64})
                    add<T>("pooling", text(names[kind], '/', window, "x", window, "/28x28x", channels),
                           [=](benchmark::State& s) { pooling<T>(s, kind, window, channels); });
    });
}

}  // namespace tauten::bench
