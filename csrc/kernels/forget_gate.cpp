// The step of an RNN with a forget gate, forward and backward: as the LSTM's, with two gates a unit.
#include "kernels/cells.h"
#include "kernels/fill.h"

namespace tauten::kernels {
namespace {

//   h_t = φ ⊙ h_{t-1} + (1 - φ) ⊙ u  for `rows` rows of one panel; net is rows x 2 lanes.
template <class T, class Functions, class Part>
TAUTEN_INLINE void finish_forward(const ForgetGateForward<T>& step, const Functions& f, const Part& part,
                                  int64 first_row, int64 rows, int64 unit, const T* net) {
    constexpr int64 lanes = Vec<T>::lanes;
    for (int64 i = 0; i < rows; ++i) {
        const int64 r = first_row + i;
        const T* own = net + i * 2 * lanes;
        const Native<T> forget = activation_value<T>(f.gate, load<T>(own));
        const Native<T> candidate = activation_value<T>(f.cell, load<T>(own + lanes));
        Native<T> before = zeros<T>();
        if (step.hidden_before != nullptr) before = load<T>(step.hidden_before + r * step.hidden_before_row + unit);
        if (step.gates != nullptr) {
            T* gates = step.gates + r * step.gates_row + 2 * unit;
            store<T>(gates, part.keep(forget, zeros<T>()));
            store<T>(gates + lanes, part.keep(candidate, zeros<T>()));
        }
        part.store(step.hidden + r * step.hidden_row + unit, fma(forget, before - candidate, candidate));
    }
}

template <class T>
void forget_gate_forward(const ForgetGateForward<T>& step) {
    constexpr int64 lanes = Vec<T>::lanes;
    with_activations(step, [&](const auto& f) __attribute__((always_inline)) {
        alignas(64) T net[tile_rows * 2 * lanes];
        for (int64 panel = 0; panel * lanes < step.units; ++panel) {
            const T* bias = step.bias == nullptr ? nullptr : step.bias + panel * 2 * lanes;
            for_tiles(step.rows, tile_rows, [&](int64 first, int64 rows) __attribute__((always_inline)) {
                const T* start = bias == nullptr ? nullptr : bias + first * step.bias_row;
                const Tile<T> tile{step.taps, step.tap_count, first, panel, 0, start, step.bias_row, net, 2 * lanes, false};
                tile_function<T, 2, false, tile_rows>(rows)(tile);
                with_units<T>(step.units, panel * lanes,
                              [&](const auto& part) __attribute__((always_inline)) {
                                  finish_forward(step, f, part, first, rows, panel * lanes, net);
                              });
            });
        }
    });
}

//   δh += carried;  δφ = δh ⊙ (h_{t-1} - u) ⊙ σ'(φ);  δu = δh ⊙ (1 - φ) ⊙ f'(u);  carried = δh ⊙ φ
template <class T, class Functions, class Part>
TAUTEN_INLINE void finish_backward(const ForgetGateBackward<T>& step, const Functions& f, const Part& part, int64 row,
                                   int64 unit, Native<T> hidden_gradient) {
    constexpr int64 lanes = Vec<T>::lanes;
    T* gates = step.gates + row * step.gates_row + 2 * unit;
    T* carried = step.carried + row * step.carried_row + unit;
    const Native<T> forget = load<T>(gates), candidate = load<T>(gates + lanes);
    Native<T> before = zeros<T>();
    if (step.hidden_before != nullptr) before = load<T>(step.hidden_before + row * step.hidden_before_row + unit);
    const Native<T> gradient = hidden_gradient + load<T>(carried);
    const Native<T> kept = gradient * forget;
    store<T>(gates, part.keep(through_activation<T>(f.gate, gradient * (before - candidate), forget), zeros<T>()));
    store<T>(gates + lanes, part.keep(through_activation<T>(f.cell, gradient - kept, candidate), zeros<T>()));
    store<T>(carried, part.keep(kept, zeros<T>()));
}

template <class T>
void forget_gate_backward(const ForgetGateBackward<T>& step) {
    with_activations(step, [&](const auto& f) __attribute__((always_inline)) {
        for_hidden_gradients<T>(step, [&](const auto& part, int64 row, int64 unit,
                                          Native<T> hidden_gradient) __attribute__((always_inline)) {
            finish_backward(step, f, part, row, unit, hidden_gradient);
        });
    });
}

template <class T>
void fill(Kernels<T>& k) {
    k.forget_gate_forward = forget_gate_forward<T>;
    k.forget_gate_backward = forget_gate_backward<T>;
}

}  // namespace

namespace TAUTEN_LEVEL {
void fill_forget_gate(Kernels<float>& k) { fill(k); }
void fill_forget_gate(Kernels<double>& k) { fill(k); }
}  // namespace TAUTEN_LEVEL

}  // namespace tauten::kernels
