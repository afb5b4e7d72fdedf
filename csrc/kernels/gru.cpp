// The GRU step, forward and backward: as the LSTM's, with four net values a unit, of which the product with x_t makes the
// first three and that with h_{t-1} the last three.
#include "kernels/cells.h"
#include "kernels/fill.h"

namespace tauten::kernels {
namespace {

template <class T>
struct GruTile {
    const GruForward<T>& step;
    int64 first_row, panel;
    const T* start;
    T* net;  // rows x 4 lanes
};

template <class T, int MR>
void run_gru_tile(const GruTile<T>& tile) {
    constexpr int64 lanes = Vec<T>::lanes;
    const GruForward<T>& step = tile.step;
    Native<T> acc[MR][4];
    const T* start = tile.start;
    TAUTEN_UNROLL(r, MR, {
        TAUTEN_UNROLL(v, 4, { acc[r][v] = load<T>(start + v * lanes); });
        start += step.start_row;
    });
    if (step.input != nullptr)
        reduce_rows<T, MR, 3, 0>(*step.input, tile.first_row, step.input->b + tile.panel * step.input->b_panel, acc);
    if (step.recurrent != nullptr)
        reduce_rows<T, MR, 3, 1>(*step.recurrent, tile.first_row, step.recurrent->b + tile.panel * step.recurrent->b_panel, acc);
    T* net = tile.net;
    TAUTEN_UNROLL(r, MR, {
        TAUTEN_UNROLL(v, 4, { store<T>(net + v * lanes, acc[r][v]); });
        net += 4 * lanes;
    });
}

template <class T>
using GruTileFunction = void (*)(const GruTile<T>&);

// functions[rows - 1], for 1 .. kRows rows.
template <class T, int kRows, int... MR>
struct GruTileFunctions : GruTileFunctions<T, kRows - 1, kRows, MR...> {};
template <class T, int... MR>
struct GruTileFunctions<T, 0, MR...> {
    static constexpr GruTileFunction<T> functions[] = {run_gru_tile<T, MR>...};
};

//   u = f(n_0 + r ⊙ n_3);  h_t = z ⊙ h_{t-1} + (1 - z) ⊙ u  for `rows` rows of one panel
template <class T, class Functions, class Part>
TAUTEN_INLINE void finish_forward(const GruForward<T>& step, const Functions& f, const Part& part, int64 first_row,
                                  int64 rows, int64 unit, const T* net) {
    constexpr int64 lanes = Vec<T>::lanes;
    for (int64 i = 0; i < rows; ++i) {
        const int64 r = first_row + i;
        const T* own = net + i * 4 * lanes;
        const Native<T> update = activation_value<T>(f.gate, load<T>(own + lanes));
        const Native<T> reset = activation_value<T>(f.gate, load<T>(own + 2 * lanes));
        const Native<T> recurrent = load<T>(own + 3 * lanes);
        const Native<T> candidate = activation_value<T>(f.cell, fma(reset, recurrent, load<T>(own)));
        Native<T> before = zeros<T>();
        if (step.hidden_before != nullptr) before = load<T>(step.hidden_before + r * step.hidden_before_row + unit);
        if (step.values != nullptr) {
            T* values = step.values + r * step.values_row + 4 * unit;
            store<T>(values, part.keep(candidate, zeros<T>()));
            store<T>(values + lanes, part.keep(update, zeros<T>()));
            store<T>(values + 2 * lanes, part.keep(reset, zeros<T>()));
            store<T>(values + 3 * lanes, part.keep(recurrent, zeros<T>()));
        }
        part.store(step.hidden + r * step.hidden_row + unit, fma(update, before - candidate, candidate));
    }
}

template <class T>
void gru_forward(const GruForward<T>& step) {
    constexpr int64 lanes = Vec<T>::lanes;
    with_activations(step, [&](const auto& f) __attribute__((always_inline)) {
        alignas(64) T net[gate_rows * 4 * lanes];
        for (int64 panel = 0; panel * lanes < step.units; ++panel)
            for_tiles(step.rows, gate_rows, [&](int64 first, int64 rows) __attribute__((always_inline)) {
                const T* start = step.start + panel * 4 * lanes + first * step.start_row;
                GruTileFunctions<T, gate_rows>::functions[rows - 1]({step, first, panel, start, net});
                with_units<T>(step.units, panel * lanes,
                              [&](const auto& part) __attribute__((always_inline)) {
                                  finish_forward(step, f, part, first, rows, panel * lanes, net);
                              });
            });
    });
}

//   δh += carried;  δz = δh ⊙ (h_{t-1} - u) ⊙ σ'(z);  δu = δh ⊙ (1 - z) ⊙ f'(u);  δr = δu ⊙ n_3 ⊙ σ'(r);
//   carried = δh ⊙ z
template <class T, class Functions, class Part>
TAUTEN_INLINE void finish_backward(const GruBackward<T>& step, const Functions& f, const Part& part, int64 row, int64 unit,
                                   Native<T> hidden_gradient) {
    constexpr int64 lanes = Vec<T>::lanes;
    T* values = step.values + row * step.values_row + 4 * unit;
    T* carried = step.carried + row * step.carried_row + unit;
    const Native<T> candidate = load<T>(values), update = load<T>(values + lanes), reset = load<T>(values + 2 * lanes),
                    recurrent = load<T>(values + 3 * lanes);
    Native<T> before = zeros<T>();
    if (step.hidden_before != nullptr) before = load<T>(step.hidden_before + row * step.hidden_before_row + unit);
    const Native<T> gradient = hidden_gradient + load<T>(carried);
    const Native<T> kept = gradient * update;
    const Native<T> d_update = through_activation<T>(f.gate, gradient * (before - candidate), update);
    const Native<T> d_candidate = through_activation<T>(f.cell, gradient - kept, candidate);
    const Native<T> d_reset = through_activation<T>(f.gate, d_candidate * recurrent, reset);
    store<T>(values, part.keep(d_candidate, zeros<T>()));
    store<T>(values + lanes, part.keep(d_update, zeros<T>()));
    store<T>(values + 2 * lanes, part.keep(d_reset, zeros<T>()));
    store<T>(values + 3 * lanes, part.keep(d_candidate * reset, zeros<T>()));
    store<T>(carried, part.keep(kept, zeros<T>()));
}

template <class T>
void gru_backward(const GruBackward<T>& step) {
    with_activations(step, [&](const auto& f) __attribute__((always_inline)) {
        for_hidden_gradients<T>(step, [&](const auto& part, int64 row, int64 unit,
                                          Native<T> hidden_gradient) __attribute__((always_inline)) {
            finish_backward(step, f, part, row, unit, hidden_gradient);
        });
    });
}

template <class T>
void fill(Kernels<T>& k) {
    k.gru_forward = gru_forward<T>;
    k.gru_backward = gru_backward<T>;
}

}  // namespace

namespace TAUTEN_LEVEL {
void fill_gru(Kernels<float>& k) { fill(k); }
void fill_gru(Kernels<double>& k) { fill(k); }
}  // namespace TAUTEN_LEVEL

}  // namespace tauten::kernels
