// The LSTM step, forward and backward: a tile of the product goes into a scratch that stays in L1, and the cell is
// finished from there, unit by unit in the lanes. Whole-panel outputs are 0 beyond `units`.
#include "kernels/fill.h"
#include "kernels/tile.h"
#include "simd/loop.h"
#include "simd/math.h"

namespace tauten::kernels {
namespace {

// A pair of activations known at compile time where they are the usual ones.
template <Activation kCell, Activation kGate>
struct Fixed {
    static constexpr Activation cell = kCell, gate = kGate;
};
struct Chosen {
    Activation cell, gate;
};

// rows cut into the fewest tiles of at most `most` rows, as equal as can be: tile i of n is
// [i * rows / n, (i + 1) * rows / n).
TAUTEN_INLINE int64 tile_count(int64 rows, int64 most) { return (rows + most - 1) / most; }

//   c_t = κ ⊙ u + φ ⊙ c_{t-1};  h_t = ω ⊙ f(c_t)  for `rows` rows of one panel; net is rows x 4 lanes.
// In two passes: f(c_t) hangs on all of c_t's chain, and the rows are independent.
template <class T, class Functions, class Part>
TAUTEN_INLINE void finish_forward(const LstmForward<T>& step, const Functions& f, const Part& part, int64 first_row,
                                  int64 rows, int64 panel, T* net) {
    constexpr int64 lanes = Vec<T>::lanes;
    const int64 unit = panel * lanes;
    for (int64 i = 0; i < rows; ++i) {
        const int64 r = first_row + i;
        T* own = net + i * 4 * lanes;
        const Native<T> input = activation_value<T>(f.gate, load<T>(own));
        const Native<T> forget = activation_value<T>(f.gate, load<T>(own + lanes));
        const Native<T> candidate = activation_value<T>(f.cell, load<T>(own + 2 * lanes));
        const Native<T> output = activation_value<T>(f.gate, load<T>(own + 3 * lanes));
        Native<T> memory = input * candidate;
        if (step.memory_before != nullptr)
            memory = fma(forget, load<T>(step.memory_before + r * step.memory_before_row + unit), memory);
        if (step.gates != nullptr) {
            T* gates = step.gates + r * step.gates_row + 4 * unit;
            store<T>(gates, part.keep(input, zeros<T>()));
            store<T>(gates + lanes, part.keep(forget, zeros<T>()));
            store<T>(gates + 2 * lanes, part.keep(candidate, zeros<T>()));
            store<T>(gates + 3 * lanes, part.keep(output, zeros<T>()));
        }
        store<T>(step.memory + r * step.memory_row + unit, part.keep(memory, zeros<T>()));
        store<T>(own, output);
    }
    for (int64 i = 0; i < rows; ++i) {
        const int64 r = first_row + i;
        const Native<T> memory = load<T>(step.memory + r * step.memory_row + unit);
        const Native<T> output = load<T>(net + i * 4 * lanes);
        part.store(step.hidden + r * step.hidden_row + unit, output * activation_value<T>(f.cell, memory));
    }
}

template <class T, class Functions>
TAUTEN_INLINE void forward_as(const LstmForward<T>& step, const Functions& f) {
    constexpr int64 lanes = Vec<T>::lanes;
    alignas(64) T net[gate_rows * 4 * lanes];
    const int64 tiles = tile_count(step.rows, gate_rows);
    for (int64 panel = 0; panel * lanes < step.units; ++panel) {
        const T* bias = step.bias == nullptr ? nullptr : step.bias + panel * 4 * lanes;
        const int64 units = step.units - panel * lanes;
        for (int64 tile = 0; tile < tiles; ++tile) {
            const int64 first = tile * step.rows / tiles, rows = (tile + 1) * step.rows / tiles - first;
            gate_tile<T>(step.taps, step.tap_count, first, rows, panel, bias, net);
            if (units >= lanes)
                finish_forward(step, f, Whole<T>{}, first, rows, panel, net);
            else
                finish_forward(step, f, First<T>{units}, first, rows, panel, net);
        }
    }
}

template <class T>
void lstm_forward(const LstmForward<T>& step) {
    if (step.activation == Activation::tanh && step.recurrent_activation == Activation::sigmoid)
        forward_as(step, Fixed<Activation::tanh, Activation::sigmoid>{});
    else
        forward_as(step, Chosen{step.activation, step.recurrent_activation});
}

//   δc += δh ⊙ ω ⊙ f'(f(c_t));  δω = δh ⊙ f(c_t) ⊙ σ'(ω);  δφ = δc ⊙ c_{t-1} ⊙ σ'(φ);
//   δκ = δc ⊙ u ⊙ σ'(κ);  δu = δc ⊙ κ ⊙ f'(u);  δc = δc ⊙ φ        for one row of one gate panel
template <class T, class Functions, class Part>
TAUTEN_INLINE void finish_backward(const LstmBackward<T>& step, const Functions& f, const Part& part, int64 row,
                                   int64 unit, Native<T> hidden_gradient) {
    constexpr int64 lanes = Vec<T>::lanes;
    T* gates = step.gates + row * step.gates_row + 4 * unit;
    T* carried = step.memory_gradient + row * step.memory_gradient_row + unit;
    const Native<T> input = load<T>(gates), forget = load<T>(gates + lanes), candidate = load<T>(gates + 2 * lanes),
                    output = load<T>(gates + 3 * lanes);
    const Native<T> squashed = activation_value<T>(f.cell, load<T>(step.memory + row * step.memory_row + unit));
    const Native<T> memory_gradient =
        load<T>(carried) + through_activation<T>(f.cell, hidden_gradient * output, squashed);

    const Native<T> d_output = through_activation<T>(f.gate, hidden_gradient * squashed, output);
    Native<T> d_forget = zeros<T>();
    if (step.memory_before != nullptr) {
        const Native<T> before = load<T>(step.memory_before + row * step.memory_before_row + unit);
        d_forget = through_activation<T>(f.gate, memory_gradient * before, forget);
    }
    const Native<T> d_input = through_activation<T>(f.gate, memory_gradient * candidate, input);
    const Native<T> d_candidate = through_activation<T>(f.cell, memory_gradient * input, candidate);

    store<T>(gates, part.keep(d_input, zeros<T>()));
    store<T>(gates + lanes, part.keep(d_forget, zeros<T>()));
    store<T>(gates + 2 * lanes, part.keep(d_candidate, zeros<T>()));
    store<T>(gates + 3 * lanes, part.keep(d_output, zeros<T>()));
    store<T>(carried, part.keep(memory_gradient * forget, zeros<T>()));
}

// A panel of the δh product holds the units of two gate panels.
template <class T, class Functions>
TAUTEN_INLINE void backward_as(const LstmBackward<T>& step, const Functions& f) {
    constexpr int64 lanes = Vec<T>::lanes, panel_columns = 2 * lanes;
    alignas(64) T product[tile_rows * panel_columns];
    const int64 tiles = tile_count(step.rows, tile_rows);
    for (int64 panel = 0; panel * panel_columns < step.units; ++panel) {
        const int64 unit = panel * panel_columns;
        for (int64 tile = 0; tile < tiles; ++tile) {
            const int64 first = tile * step.rows / tiles, rows = (tile + 1) * step.rows / tiles - first;
            const T* above = step.above == nullptr ? nullptr : step.above + first * step.above_row + unit;
            // whole vectors of `above`: at most one panel past its end, within slack
            const Tile<T> work{step.taps, step.tap_count, first, panel,         0,
                               above,     step.above_row, product, panel_columns, false};
            tile_function<T, 2, false, tile_rows>(rows)(work);
            for (int64 half = 0; half < 2; ++half) {
                const int64 units = step.units - unit - half * lanes;
                for (int64 r = 0; units > 0 && r < rows; ++r) {
                    const Native<T> hidden_gradient = load<T>(product + r * panel_columns + half * lanes);
                    if (units >= lanes)
                        finish_backward(step, f, Whole<T>{}, first + r, unit + half * lanes, hidden_gradient);
                    else
                        finish_backward(step, f, First<T>{units}, first + r, unit + half * lanes, hidden_gradient);
                }
            }
        }
    }
}

template <class T>
void lstm_backward(const LstmBackward<T>& step) {
    if (step.activation == Activation::tanh && step.recurrent_activation == Activation::sigmoid)
        backward_as(step, Fixed<Activation::tanh, Activation::sigmoid>{});
    else
        backward_as(step, Chosen{step.activation, step.recurrent_activation});
}

template <class T>
void fill(Kernels<T>& k) {
    k.lstm_forward = lstm_forward<T>;
    k.lstm_backward = lstm_backward<T>;
}

}  // namespace

namespace TAUTEN_LEVEL {
void fill_cells(Kernels<float>& k) { fill(k); }
void fill_cells(Kernels<double>& k) { fill(k); }
}  // namespace TAUTEN_LEVEL

}  // namespace tauten::kernels
