// The LSTM step, forward and backward: a tile of the product goes into a scratch that stays in L1, and the cell is
// finished from there, unit by unit in the lanes. Whole-panel outputs are 0 beyond `units`.
#include "kernels/cells.h"
#include "kernels/fill.h"

namespace tauten::kernels {
namespace {

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

template <class T>
void lstm_forward(const LstmForward<T>& step) {
    constexpr int64 lanes = Vec<T>::lanes;
    with_activations(step, [&](const auto& f) __attribute__((always_inline)) {
        alignas(64) T net[tile_rows * 4 * lanes];
        for (int64 panel = 0; panel * lanes < step.units; ++panel) {
            const T* bias = step.bias == nullptr ? nullptr : step.bias + panel * 4 * lanes;
            for_tiles(step.rows, tile_rows, [&](int64 first, int64 rows) __attribute__((always_inline)) {
                gate_tile<T>(step.taps, step.tap_count, first, rows, panel,
                             bias == nullptr ? nullptr : bias + first * step.bias_row, step.bias_row, net);
                with_units<T>(step.units, panel * lanes,
                              [&](const auto& part) __attribute__((always_inline)) {
                                  finish_forward(step, f, part, first, rows, panel, net);
                              });
            });
        }
    });
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

template <class T>
void lstm_backward(const LstmBackward<T>& step) {
    with_activations(step, [&](const auto& f) __attribute__((always_inline)) {
        for_hidden_gradients<T>(step, [&](const auto& part, int64 row, int64 unit,
                                          Native<T> hidden_gradient) __attribute__((always_inline)) {
            finish_backward(step, f, part, row, unit, hidden_gradient);
        });
    });
}

template <class T>
void fill(Kernels<T>& k) {
    k.lstm_forward = lstm_forward<T>;
    k.lstm_backward = lstm_backward<T>;
}

}  // namespace

namespace TAUTEN_LEVEL {
void fill_lstm(Kernels<float>& k) { fill(k); }
void fill_lstm(Kernels<double>& k) { fill(k); }
}  // namespace TAUTEN_LEVEL

}  // namespace tauten::kernels
