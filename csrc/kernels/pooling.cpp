// Max and average pooling of one sample, 1D to 3D in one code, vectors over channels.
//
//   forward:   output[o] = max or mean of input[o · step - before + k], k < window, inside the input
//   backward:  input_gradient[i] = f'(input[i]) Σ_{o: i in window of o} (o's share of output_gradient[o]),
// gathered, so that each input position is written once, whether windows overlap, touch or leave gaps.
// Maximum: the first in window order wins a tie; NaN wins over numbers (and takes the gradient).
#include "kernels/fill.h"
#include "simd/loop.h"
#include "simd/math.h"

namespace tauten::kernels {
namespace {

// A range of positions or window indices in each dimension.
struct Range {
    int64 from[3], to[3];
    TAUTEN_INLINE int64 count() const { return (to[0] - from[0]) * (to[1] - from[1]) * (to[2] - from[2]); }
};

TAUTEN_INLINE int64 at(const int64 (&stride)[3], int64 i, int64 j, int64 k) {
    return i * stride[0] + j * stride[1] + k * stride[2];
}

// The part of output o's window that lies inside the input, in dimension d: window indices from .. to.
template <class T>
TAUTEN_INLINE void clip_window(const PoolArguments<T>& p, int d, int64 o, Range& window) {
    const int64 start = o * p.step[d] - p.before[d], left = p.input_extent[d] - start;
    window.from[d] = start < 0 ? -start : 0;
    window.to[d] = left < p.window[d] ? left : p.window[d];
    if (window.to[d] < window.from[d]) window.to[d] = window.from[d];
}

// body(output position, index of it in dense order, window) for all outputs in order.
template <class T, class Body>
TAUTEN_INLINE void over_outputs(const PoolArguments<T>& p, const Body& body) {
    Range window;
    int64 dense = 0, o[3];
    for (o[0] = 0; o[0] < p.output_extent[0]; ++o[0]) {
        clip_window(p, 0, o[0], window);
        for (o[1] = 0; o[1] < p.output_extent[1]; ++o[1]) {
            clip_window(p, 1, o[1], window);
            for (o[2] = 0; o[2] < p.output_extent[2]; ++o[2], ++dense) {
                clip_window(p, 2, o[2], window);
                body(o, dense, window);
            }
        }
    }
}

// The positions of one window: offset in the input and index in the window, in window order. Small windows are
// listed, the list kept from one output to the next while the clipping is the same; large ones are walked.
struct ListedWindow {
    static constexpr int64 capacity = 64;
    int64 offset[capacity];
    int32 index[capacity];
    int64 count = 0;
    Range range{{-1, -1, -1}, {-1, -1, -1}};

    template <class T>
    TAUTEN_INLINE void set(const PoolArguments<T>& p, const Range& r) {
        bool same = true;
        for (int d = 0; d < 3; ++d) same = same && r.from[d] == range.from[d] && r.to[d] == range.to[d];
        if (same) return;
        range = r;
        count = 0;
        for (int64 i = r.from[0]; i < r.to[0]; ++i)
            for (int64 j = r.from[1]; j < r.to[1]; ++j)
                for (int64 k = r.from[2]; k < r.to[2]; ++k, ++count) {
                    offset[count] = at(p.input_stride, i, j, k);
                    index[count] = static_cast<int32>((i * p.window[1] + j) * p.window[2] + k);
                }
    }
    template <class Body>
    TAUTEN_INLINE void each(const Body& body) const {
        for (int64 n = 0; n < count; ++n) body(offset[n], index[n]);
    }
};
template <class T>
struct WalkedWindow {
    const PoolArguments<T>* p = nullptr;
    Range range;
    TAUTEN_INLINE void set(const PoolArguments<T>& arguments, const Range& r) {
        p = &arguments;
        range = r;
    }
    template <class Body>
    TAUTEN_INLINE void each(const Body& body) const {
        for (int64 i = range.from[0]; i < range.to[0]; ++i)
            for (int64 j = range.from[1]; j < range.to[1]; ++j)
                for (int64 k = range.from[2]; k < range.to[2]; ++k)
                    body(at(p->input_stride, i, j, k), (i * p->window[1] + j) * p->window[2] + k);
    }
};

template <class T>
TAUTEN_INLINE int64 window_size(const PoolArguments<T>& p) {
    return p.window[0] * p.window[1] * p.window[2];
}
// Of the input: where the window of output o would begin, were it not clipped.
template <class T>
TAUTEN_INLINE int64 window_start(const PoolArguments<T>& p, const int64 (&o)[3]) {
    return at(p.input_stride, o[0] * p.step[0] - p.before[0], o[1] * p.step[1] - p.before[1],
              o[2] * p.step[2] - p.before[2]);
}

// Whether a later value x takes over from the largest so far.
template <class T>
TAUTEN_INLINE Bits<T> takes_over(Native<T> x, Native<T> largest) {
    return ~(x <= largest) & (largest == largest);
}

// The maximum and its window index; an index fits T's integer.
template <class T, class Window, class Part>
TAUTEN_INLINE void window_maximum(const Window& window, const T* input, const Part& part, Native<T>& largest,
                                  Bits<T>& index) {
    using Integer = typename Vec<T>::Integer;
    largest = broadcast<T>(-MathConstants<T>::infinity);
    index = Bits<T>{} - 1;  // taken over by the first position even where that is -inf
    window.each([&](int64 offset, int64 i) __attribute__((always_inline)) {
        const Native<T> x = part.load(input + offset);
        const Bits<T> later = takes_over<T>(x, largest) | (index < 0);
        largest = select<T>(later, x, largest);
        index = later ? Bits<T>{} + static_cast<Integer>(i) : index;
    });
}

// (GCC loses a dependent vector_size on a typedef inside a function template.)
template <class T>
struct ByteLanes {
    typedef uint8 Type __attribute__((vector_size(Vec<T>::lanes)));
};
template <class T>
TAUTEN_INLINE void store_bytes(uint8* p, Bits<T> index, int64 count) {
    using Bytes = typename ByteLanes<T>::Type;
    const Bytes bytes = __builtin_convertvector(index, Bytes);
    if (count == Vec<T>::lanes)
        __builtin_memcpy(p, &bytes, sizeof bytes);
    else
        for (int64 i = 0; i < count; ++i) p[i] = bytes[i];
}
template <class T>
TAUTEN_INLINE Bits<T> load_bytes(const uint8* p, int64 count) {
    using Bytes = typename ByteLanes<T>::Type;
    Bytes bytes{};
    if (count == Vec<T>::lanes)
        __builtin_memcpy(&bytes, p, sizeof bytes);
    else
        for (int64 i = 0; i < count; ++i) bytes[i] = p[i];
    return __builtin_convertvector(bytes, Bits<T>);
}

template <class T, class Window>
void max_pool_with(const PoolArguments<T>& p, Window& window) {
    over_outputs(p, [&](const int64(&o)[3], int64 dense, const Range& range) __attribute__((always_inline)) {
        window.set(p, range);
        const T* input = p.input + window_start(p, o);
        T* output = p.output + at(p.output_stride, o[0], o[1], o[2]);
        uint8* argmax = p.argmax == nullptr ? nullptr : p.argmax + dense * p.channels;
        over<T>(p.channels, [&](int64 c, auto part) __attribute__((always_inline)) {
            Native<T> largest;
            Bits<T> index;
            window_maximum<T>(window, input + c, part, largest, index);
            part.store(output + c, largest);
            if (argmax != nullptr) store_bytes<T>(argmax + c, index, part.count);
        });
    });
}

template <class T>
void max_pool(const PoolArguments<T>& p) {
    if (window_size(p) <= ListedWindow::capacity) {
        ListedWindow window;
        max_pool_with(p, window);
    } else {
        WalkedWindow<T> window;
        max_pool_with(p, window);
    }
}

template <class T, class Window>
void average_pool_with(const PoolArguments<T>& p, Window& window) {
    over_outputs(p, [&](const int64(&o)[3], int64, const Range& range) __attribute__((always_inline)) {
        window.set(p, range);
        const T* input = p.input + window_start(p, o);
        T* output = p.output + at(p.output_stride, o[0], o[1], o[2]);
        const int64 count = range.count();
        const Native<T> positions = broadcast<T>(static_cast<T>(count > 0 ? count : 1));
        over<T>(p.channels, [&](int64 c, auto part) __attribute__((always_inline)) {
            Native<T> total = zeros<T>();
            window.each([&](int64 offset, int64) __attribute__((always_inline)) {
                total += part.load(input + c + offset);
            });
            part.store(output + c, total / positions);
        });
    });
}

template <class T>
void average_pool(const PoolArguments<T>& p) {
    if (window_size(p) <= ListedWindow::capacity) {
        ListedWindow window;
        average_pool_with(p, window);
    } else {
        WalkedWindow<T> window;
        average_pool_with(p, window);
    }
}

// The outputs whose windows hold input position i in dimension d: o · step - before <= i < o · step - before + window.
// Called with i ascending: the range only moves forward.
template <class T>
TAUTEN_INLINE void advance_outputs(const PoolArguments<T>& p, int d, int64 i, Range& outputs) {
    const int64 padded = i + p.before[d];
    while (outputs.from[d] < p.output_extent[d] && outputs.from[d] * p.step[d] + p.window[d] <= padded)
        ++outputs.from[d];
    while (outputs.to[d] < p.output_extent[d] && outputs.to[d] * p.step[d] <= padded) ++outputs.to[d];
    if (outputs.to[d] < outputs.from[d]) outputs.to[d] = outputs.from[d];
}

// body(input position, outputs whose windows hold it) for all input positions in order.
template <class T, class Body>
TAUTEN_INLINE void over_inputs(const PoolArguments<T>& p, const Body& body) {
    Range outputs{{0, 0, 0}, {0, 0, 0}};
    int64 i[3];
    for (i[0] = 0; i[0] < p.input_extent[0]; ++i[0]) {
        advance_outputs(p, 0, i[0], outputs);
        outputs.from[1] = outputs.to[1] = 0;
        for (i[1] = 0; i[1] < p.input_extent[1]; ++i[1]) {
            advance_outputs(p, 1, i[1], outputs);
            outputs.from[2] = outputs.to[2] = 0;
            for (i[2] = 0; i[2] < p.input_extent[2]; ++i[2]) {
                advance_outputs(p, 2, i[2], outputs);
                body(i, outputs);
            }
        }
    }
}

// input_gradient = f'(input) ⊙ gradient
template <class T, class Part>
TAUTEN_INLINE void store_through(Activation f, const Part& part, const T* input, T* input_gradient,
                                 Native<T> gradient) {
    if (f != Activation::linear) gradient = through_activation<T>(f, gradient, part.load(input));
    part.store(input_gradient, gradient);
}

template <class T, Activation below>
void max_pool_gradient_from_argmax(const PoolArguments<T>& p) {
    using Integer = typename Vec<T>::Integer;
    over_inputs(p, [&](const int64(&i)[3], const Range& outputs) __attribute__((always_inline)) {
        const T* input = p.input + at(p.input_stride, i[0], i[1], i[2]);
        T* input_gradient = p.input_gradient + at(p.input_gradient_stride, i[0], i[1], i[2]);
        over<T>(p.channels, [&](int64 c, auto part) __attribute__((always_inline)) {
            Native<T> total = zeros<T>();
            for (int64 a = outputs.from[0]; a < outputs.to[0]; ++a)
                for (int64 b = outputs.from[1]; b < outputs.to[1]; ++b)
                    for (int64 d = outputs.from[2]; d < outputs.to[2]; ++d) {
                        const int64 index = ((i[0] - a * p.step[0] + p.before[0]) * p.window[1] +
                                             (i[1] - b * p.step[1] + p.before[1])) * p.window[2] +
                                            (i[2] - d * p.step[2] + p.before[2]);
                        const int64 dense = (a * p.output_extent[1] + b) * p.output_extent[2] + d;
                        const T* gradient = p.output_gradient + at(p.output_gradient_stride, a, b, d);
                        const Bits<T> chosen =
                            load_bytes<T>(p.argmax + dense * p.channels + c, part.count) == static_cast<Integer>(index);
                        total += select<T>(chosen, part.load(gradient + c), zeros<T>());
                    }
            store_through<T>(below, part, input + c, input_gradient + c, total);
        });
    });
}

template <class T, Activation below>
void average_pool_gradient_as(const PoolArguments<T>& p) {
    over_inputs(p, [&](const int64(&i)[3], const Range& outputs) __attribute__((always_inline)) {
        const T* input = p.input + at(p.input_stride, i[0], i[1], i[2]);
        T* input_gradient = p.input_gradient + at(p.input_gradient_stride, i[0], i[1], i[2]);
        over<T>(p.channels, [&](int64 c, auto part) __attribute__((always_inline)) {
            Native<T> total = zeros<T>();
            Range window;
            for (int64 a = outputs.from[0]; a < outputs.to[0]; ++a) {
                clip_window(p, 0, a, window);
                for (int64 b = outputs.from[1]; b < outputs.to[1]; ++b) {
                    clip_window(p, 1, b, window);
                    for (int64 d = outputs.from[2]; d < outputs.to[2]; ++d) {
                        clip_window(p, 2, d, window);
                        const T* gradient = p.output_gradient + at(p.output_gradient_stride, a, b, d);
                        const T share = 1 / static_cast<T>(window.count());
                        total = fma(part.load(gradient + c), broadcast<T>(share), total);
                    }
                }
            }
            store_through<T>(below, part, input + c, input_gradient + c, total);
        });
    });
}

// Without argmax (windows of more than 256 positions): zeros, then each output finds its maximum again and adds.
template <class T, Activation below>
void max_pool_gradient_again(const PoolArguments<T>& p) {
    using Integer = typename Vec<T>::Integer;
    over_inputs(p, [&](const int64(&i)[3], const Range&) __attribute__((always_inline)) {
        T* input_gradient = p.input_gradient + at(p.input_gradient_stride, i[0], i[1], i[2]);
        over<T>(p.channels, [&](int64 c, auto part) { part.store(input_gradient + c, zeros<T>()); });
    });
    WalkedWindow<T> window;
    over_outputs(p, [&](const int64(&o)[3], int64, const Range& range) __attribute__((always_inline)) {
        window.set(p, range);
        const T* input = p.input + window_start(p, o);
        const T* gradient = p.output_gradient + at(p.output_gradient_stride, o[0], o[1], o[2]);
        over<T>(p.channels, [&](int64 c, auto part) __attribute__((always_inline)) {
            Native<T> largest;
            Bits<T> index;
            window_maximum<T>(window, input + c, part, largest, index);
            const Native<T> delta = through_activation<T>(below, part.load(gradient + c), largest);
            for (int64 i = range.from[0]; i < range.to[0]; ++i)
                for (int64 j = range.from[1]; j < range.to[1]; ++j)
                    for (int64 k = range.from[2]; k < range.to[2]; ++k) {
                        const int64 number = (i * p.window[1] + j) * p.window[2] + k;
                        T* to = p.input_gradient + c +
                                at(p.input_gradient_stride, o[0] * p.step[0] - p.before[0] + i,
                                   o[1] * p.step[1] - p.before[1] + j, o[2] * p.step[2] - p.before[2] + k);
                        const Bits<T> chosen = index == static_cast<Integer>(number);
                        part.store(to, part.load(to) + select<T>(chosen, delta, zeros<T>()));
                    }
        });
    });
}

template <class T, Activation below>
void max_pool_gradient_as(const PoolArguments<T>& p) {
    if (p.argmax != nullptr)
        max_pool_gradient_from_argmax<T, below>(p);
    else
        max_pool_gradient_again<T, below>(p);
}

template <class T>
void max_pool_gradient(const PoolArguments<T>& p) {
    switch (p.below) {
        case Activation::linear: return max_pool_gradient_as<T, Activation::linear>(p);
        case Activation::relu: return max_pool_gradient_as<T, Activation::relu>(p);
        case Activation::tanh: return max_pool_gradient_as<T, Activation::tanh>(p);
        case Activation::sigmoid: return max_pool_gradient_as<T, Activation::sigmoid>(p);
    }
}

template <class T>
void average_pool_gradient(const PoolArguments<T>& p) {
    switch (p.below) {
        case Activation::linear: return average_pool_gradient_as<T, Activation::linear>(p);
        case Activation::relu: return average_pool_gradient_as<T, Activation::relu>(p);
        case Activation::tanh: return average_pool_gradient_as<T, Activation::tanh>(p);
        case Activation::sigmoid: return average_pool_gradient_as<T, Activation::sigmoid>(p);
    }
}

template <class T>
void fill(Kernels<T>& k) {
    k.max_pool = max_pool<T>;
    k.average_pool = average_pool<T>;
    k.max_pool_gradient = max_pool_gradient<T>;
    k.average_pool_gradient = average_pool_gradient<T>;
}

}  // namespace

namespace TAUTEN_LEVEL {
void fill_pooling(Kernels<float>& k) { fill(k); }
void fill_pooling(Kernels<double>& k) { fill(k); }
}  // namespace TAUTEN_LEVEL

}  // namespace tauten::kernels
