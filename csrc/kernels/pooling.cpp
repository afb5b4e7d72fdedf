// Max and average pooling of one sample, 1D to 3D in one code, vectors over channels.
//
//   forward:   output[o] = max or mean of input[o · step - before + k], k < window, inside the input
//   backward:  input_gradient[i] = f'(input[i]) Σ_{o: i in window of o} (o's share of output_gradient[o]),
// gathered, so that each input position is written once, whether windows overlap, touch or leave gaps.
// Maximum: the first in window order wins a tie; NaN wins over numbers (and takes the gradient).
#include "kernels/fill.h"
#include "kernels/windows.h"
#include "simd/loop.h"
#include "simd/activations.h"

namespace tauten::kernels {
namespace {

// The maximum and its window index; an index fits T's integer. The loop compares only; where a sum over the window
// shows that a NaN may have passed (or infinities of both signs), the vector is done again with care.
template <class T, bool kIndex, class Window, class Part>
TAUTEN_INLINE void window_maximum(const Window& window, const T* input, const Part& part, Native<T>& largest,
                                  Bits<T>& index) {
    using Integer = typename Vec<T>::Integer;
    // A window that lies outside the input altogether: -inf.
    const Native<T> least = broadcast<T>(-MathConstants<T>::infinity);
    Native<T> total = zeros<T>();
    const Bits<T> first = Bits<T>{} + static_cast<Integer>(window.first_index());
    largest = least;
    index = first;
    window.each([&](int64 offset, int64, int64 i) __attribute__((always_inline)) {
        const Native<T> x = part.load(input + offset);
        total += x;
        if constexpr (kIndex) {
            index = x > largest ? Bits<T>{} + static_cast<Integer>(i) : index;
            largest = x > largest ? x : largest;
        } else {
            largest = maximum(x, largest);
        }
    });
    if (__builtin_expect(any_nan<T>(total), 0)) {
        largest = least;
        index = first;
        window.each([&](int64 offset, int64, int64 i) __attribute__((always_inline)) {
            const Native<T> x = part.load(input + offset);
            const Bits<T> later = ~(x <= largest) & (largest == largest);
            largest = select<T>(later, x, largest);
            index = later ? Bits<T>{} + static_cast<Integer>(i) : index;
        });
    }
}

template <class T, bool kIndex, class Window>
void max_pool_with(const PoolArguments<T>& p, Window& window) {
    over_outputs(p, [&](const int64(&o)[3], int64 dense, const Range& range) __attribute__((always_inline)) {
        window.set(p, range);
        const T* input = p.input + window_start(p, p.input_stride, o);
        T* output = p.output + at(p.output_stride, o[0], o[1], o[2]);
        over<T>(p.channels, [&](int64 c, auto part) __attribute__((always_inline)) {
            Native<T> largest;
            Bits<T> index;
            window_maximum<T, kIndex>(window, input + c, part, largest, index);
            part.store(output + c, largest);
            if constexpr (kIndex) store_bytes<T>(p.argmax + dense * p.argmax_stride + c, index, part.count);
        });
    });
}

template <class T>
void max_pool(const PoolArguments<T>& p) {
    if (window_size(p) <= ListedWindow::capacity) {
        ListedWindow window;
        p.argmax != nullptr ? max_pool_with<T, true>(p, window) : max_pool_with<T, false>(p, window);
    } else {
        WalkedWindow<T> window;
        p.argmax != nullptr ? max_pool_with<T, true>(p, window) : max_pool_with<T, false>(p, window);
    }
}

template <class T, class Window>
void average_pool_with(const PoolArguments<T>& p, Window& window) {
    over_outputs(p, [&](const int64(&o)[3], int64, const Range& range) __attribute__((always_inline)) {
        window.set(p, range);
        const T* input = p.input + window_start(p, p.input_stride, o);
        T* output = p.output + at(p.output_stride, o[0], o[1], o[2]);
        const int64 count = range.count();
        const Native<T> positions = broadcast<T>(static_cast<T>(count > 0 ? count : 1));
        over<T>(p.channels, [&](int64 c, auto part) __attribute__((always_inline)) {
            Native<T> total = zeros<T>();
            window.each([&](int64 offset, int64, int64) __attribute__((always_inline)) {
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

// input_gradient = f'(input) ⊙ gradient
template <class T, class Part>
TAUTEN_INLINE void store_through(Activation f, const Part& part, const T* input, T* input_gradient,
                                 Native<T> gradient) {
    if (f != Activation::linear) gradient = through_activation<T>(f, gradient, part.load(input));
    part.store(input_gradient, gradient);
}

// -- windows that overlap: each input position gathers the shares of the outputs whose windows hold it, in their order

// One line of outputs over one line of inputs.
template <class T>
struct OutputLine {
    const T* gradient;
    const uint8* argmax;               // max: an output's share is whole where argmax == index, else nothing
    typename Vec<T>::Integer index;    // of the line of the window that the inputs are in
    int64 positions;                   // average: of a column of the window that lie inside
    T factor;                          // average: 1 / positions of a window that no column is missing from
};

// Lines first .. first + count of those over one line of inputs, from column to column.
template <class T, bool kMax>
struct LineGather {
    static constexpr int64 capacity = 32;
    OutputLine<T> lines[capacity];
    int64 count = 0;
    int64 whole_from, whole_to;  // outputs whose windows have all their columns inside

    TAUTEN_INLINE explicit LineGather(const PoolArguments<T>& p) {
        Range window;
        whole_from = 0;
        whole_to = p.output_extent[2];
        for (; whole_from < whole_to; ++whole_from) {
            clip_window(p, 2, whole_from, window);
            if (window.from[2] == 0) break;
        }
        for (; whole_to > whole_from; --whole_to) {
            clip_window(p, 2, whole_to - 1, window);
            if (window.to[2] == p.window[2]) break;
        }
    }
    TAUTEN_INLINE void add(const PoolArguments<T>& p, const int64 (&i)[3], int64 a, int64 b, const Range& window) {
        OutputLine<T>& line = lines[count++];
        line.gradient = p.output_gradient + at(p.output_gradient_stride, a, b, 0);
        if constexpr (kMax) {
            line.argmax = p.argmax + (a * p.output_extent[1] + b) * p.output_extent[2] * p.argmax_stride;
            line.index = static_cast<typename Vec<T>::Integer>(
                ((i[0] - a * p.step[0] + p.before[0]) * p.window[1] + (i[1] - b * p.step[1] + p.before[1])) * p.window[2]);
        } else {
            line.positions = (window.to[0] - window.from[0]) * (window.to[1] - window.from[1]);
            line.factor = 1 / static_cast<T>(line.positions * p.window[2]);
        }
    }
    // total[v] += the shares in column i of outputs from .. to, for vectors v of channels from c on
    template <int64 vectors, class Part>
    TAUTEN_INLINE void gather(const PoolArguments<T>& p, int64 i, int64 from, int64 to, int64 c, const Part& part,
                              Native<T> (&total)[vectors]) const {
        for (int64 n = 0; n < count; ++n) {
            const OutputLine<T>& line = lines[n];
            for (int64 o = from; o < to; ++o) {
                const T* gradient = line.gradient + o * p.output_gradient_stride[2] + c;
                if constexpr (kMax) {
                    const uint8* argmax = line.argmax + o * p.argmax_stride + c;
                    const auto index = static_cast<typename Vec<T>::Integer>(line.index + i - o * p.step[2] + p.before[2]);
                    for (int64 v = 0; v < vectors; ++v)
                        total[v] += select<T>(load_bytes<T>(argmax + v * Vec<T>::lanes) == index,
                                              part.load(gradient + v * Vec<T>::lanes), zeros<T>());
                } else {
                    T factor = line.factor;
                    if (o < whole_from || o >= whole_to) {
                        Range window;
                        clip_window(p, 2, o, window);
                        factor = 1 / static_cast<T>(line.positions * (window.to[2] - window.from[2]));
                    }
                    for (int64 v = 0; v < vectors; ++v) total[v] += part.load(gradient + v * Vec<T>::lanes) * factor;
                }
            }
        }
    }
};

// One line of inputs; first, last: of the lines of outputs over it, so that sums begin and end here.
template <class T, bool kMax>
TAUTEN_INLINE void gather_line(const PoolArguments<T>& p, const LineGather<T, kMax>& lines, const T* input,
                               T* input_gradient, bool first, bool last) {
    constexpr int64 lanes = Vec<T>::lanes, wide = 4;
    Range outputs{{0, 0, 0}, {0, 0, 0}};
    for (int64 i = 0; i < p.input_extent[2]; ++i, input += p.input_stride[2], input_gradient += p.input_gradient_stride[2]) {
        advance_outputs(p, 2, i, outputs);
        const int64 from = outputs.from[2], to = outputs.to[2];
        const auto some = [&]<int64 vectors>(int64 c, auto part) __attribute__((always_inline)) {
            Native<T> total[vectors];
            for (int64 v = 0; v < vectors; ++v) total[v] = first ? zeros<T>() : part.load(input_gradient + c + v * lanes);
            lines.gather(p, i, from, to, c, part, total);
            for (int64 v = 0; v < vectors; ++v) {
                const int64 at = c + v * lanes;
                if (last && p.below != Activation::linear)
                    total[v] = through_activation<T>(p.below, total[v], part.load(input + at));
                part.store(input_gradient + at, total[v]);
            }
        };
        int64 c = 0;
        for (; c + wide * lanes <= p.channels; c += wide * lanes) some.template operator()<wide>(c, Whole<T>{});
        over<T>(p.channels - c, [&](int64 n, auto part) __attribute__((always_inline)) {
            some.template operator()<1>(c + n, part);
        });
    }
}

template <class T, bool kMax>
void gather_gradient(const PoolArguments<T>& p) {
    LineGather<T, kMax> lines(p);
    Range outputs{{0, 0, 0}, {0, 0, 0}}, window;
    int64 i[3] = {0, 0, 0};
    for (i[0] = 0; i[0] < p.input_extent[0]; ++i[0]) {
        advance_outputs(p, 0, i[0], outputs);
        outputs.from[1] = outputs.to[1] = 0;
        for (i[1] = 0; i[1] < p.input_extent[1]; ++i[1]) {
            advance_outputs(p, 1, i[1], outputs);
            const T* input = p.input + at(p.input_stride, i[0], i[1], 0);
            T* input_gradient = p.input_gradient + at(p.input_gradient_stride, i[0], i[1], 0);
            bool first = true;
            lines.count = 0;
            for (int64 a = outputs.from[0]; a < outputs.to[0]; ++a) {
                clip_window(p, 0, a, window);
                for (int64 b = outputs.from[1]; b < outputs.to[1]; ++b) {
                    clip_window(p, 1, b, window);
                    if (lines.count == lines.capacity) {
                        gather_line(p, lines, input, input_gradient, first, false);
                        first = false;
                        lines.count = 0;
                    }
                    lines.add(p, i, a, b, window);
                }
            }
            gather_line(p, lines, input, input_gradient, first, true);
        }
    }
}

// -- windows that do not overlap

// Whether some input position lies in no window, in dimension d.
template <class T>
TAUTEN_INLINE bool leaves_gaps(const PoolArguments<T>& p, int d) {
    const int64 end = (p.output_extent[d] - 1) * p.step[d] - p.before[d] + p.window[d];
    return end < p.input_extent[d] || (p.step[d] > p.window[d] && p.output_extent[d] > 1);
}

// Windows that do not overlap: each output writes the positions of its window, the rest is zeroed. kRelu: below is ReLU,
// known beforehand; else it is asked for.
template <class T, bool kRelu, bool kMax, class Window>
TAUTEN_INLINE void spread_gradient_with(const PoolArguments<T>& p, Window& window) {
    if (leaves_gaps(p, 0) || leaves_gaps(p, 1) || leaves_gaps(p, 2))
        over_inputs(p, [&](const int64(&i)[3], const Range& outputs) {
            if (outputs.count() != 0) return;
            T* input_gradient = p.input_gradient + at(p.input_gradient_stride, i[0], i[1], i[2]);
            over<T>(p.channels, [&](int64 c, auto part) { part.store(input_gradient + c, zeros<T>()); });
        });
    over_outputs(p, [&](const int64(&o)[3], int64 dense, const Range& range) __attribute__((always_inline)) {
        window.set(p, range);
        const T* output_gradient = p.output_gradient + at(p.output_gradient_stride, o[0], o[1], o[2]);
        const T factor = kMax ? T(1) : 1 / static_cast<T>(range.count());
        const uint8* argmax = kMax ? p.argmax + dense * p.argmax_stride : nullptr;
        const T* input = p.input + window_start(p, p.input_stride, o);
        const T* output = p.output + at(p.output_stride, o[0], o[1], o[2]);
        T* input_gradient = p.input_gradient + window_start(p, p.input_gradient_stride, o);
        over<T>(p.channels, [&](int64 c, auto part) __attribute__((always_inline)) {
            const Activation below = kRelu ? Activation::relu : p.below;
            Native<T> gradient = part.load(output_gradient + c);
            if constexpr (kMax) {  // the input that wins is the output
                const Bits<T> index = load_bytes<T>(argmax + c);
                if (below != Activation::linear) gradient = through_activation<T>(below, gradient, part.load(output + c));
                window.each([&](int64, int64 gradient_offset, int64 i) __attribute__((always_inline)) {
                    part.store(input_gradient + gradient_offset + c,
                               index == static_cast<typename Vec<T>::Integer>(i) ? gradient : zeros<T>());
                });
            } else {
                gradient *= factor;
                window.each([&](int64 offset, int64 gradient_offset, int64) __attribute__((always_inline)) {
                    store_through<T>(below, part, input + offset + c, input_gradient + gradient_offset + c, gradient);
                });
            }
        });
    });
}

template <class T, bool kMax>
void pool_gradient_as(const PoolArguments<T>& p) {
    bool apart = true;
    for (int d = 0; d < 3; ++d) apart = apart && (p.step[d] >= p.window[d] || p.output_extent[d] == 1);
    if (!apart) {
        gather_gradient<T, kMax>(p);
    } else if (window_size(p) <= ListedWindow::capacity) {
        ListedWindow window;
        if (p.below == Activation::relu)
            spread_gradient_with<T, true, kMax>(p, window);
        else
            spread_gradient_with<T, false, kMax>(p, window);
    } else {
        WalkedWindow<T> window;
        spread_gradient_with<T, false, kMax>(p, window);
    }
}

// Without argmax (windows of more than 256 positions): zeros, then each output finds its maximum again and adds.
template <class T>
void max_pool_gradient_again(const PoolArguments<T>& p) {
    using Integer = typename Vec<T>::Integer;
    over_inputs(p, [&](const int64(&i)[3], const Range&) __attribute__((always_inline)) {
        T* input_gradient = p.input_gradient + at(p.input_gradient_stride, i[0], i[1], i[2]);
        over<T>(p.channels, [&](int64 c, auto part) { part.store(input_gradient + c, zeros<T>()); });
    });
    WalkedWindow<T> window;
    over_outputs(p, [&](const int64(&o)[3], int64, const Range& range) __attribute__((always_inline)) {
        window.set(p, range);
        const T* input = p.input + window_start(p, p.input_stride, o);
        const T* gradient = p.output_gradient + at(p.output_gradient_stride, o[0], o[1], o[2]);
        over<T>(p.channels, [&](int64 c, auto part) __attribute__((always_inline)) {
            Native<T> largest;
            Bits<T> index;
            window_maximum<T, true>(window, input + c, part, largest, index);
            const Native<T> delta = through_activation<T>(p.below, part.load(gradient + c), largest);
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

template <class T, bool kMax>
void pool_gradient(const PoolArguments<T>& p) {
    if (kMax && p.argmax == nullptr)
        max_pool_gradient_again<T>(p);
    else
        pool_gradient_as<T, kMax>(p);
}

template <class T>
void fill(Kernels<T>& k) {
    k.max_pool = max_pool<T>;
    k.average_pool = average_pool<T>;
    k.max_pool_gradient = pool_gradient<T, true>;
    k.average_pool_gradient = pool_gradient<T, false>;
}

}  // namespace

namespace TAUTEN_LEVEL {
void fill_pooling(Kernels<float>& k) { fill(k); }
void fill_pooling(Kernels<double>& k) { fill(k); }
}  // namespace TAUTEN_LEVEL

}  // namespace tauten::kernels
