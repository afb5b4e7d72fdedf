// What the gated cells share: tiles of a step, activations known at compile time where they are the usual ones.
#pragma once

#include "kernels/tile.h"
#include "simd/loop.h"
#include "simd/activations.h"

namespace tauten::kernels {
namespace {

template <Activation kCell, Activation kGate>
struct Fixed {
    static constexpr Activation cell = kCell, gate = kGate;
};
struct Chosen {
    Activation cell, gate;
};

// f(first row, rows) for the fewest tiles of at most `most` rows, as equal as can be.
template <class F>
TAUTEN_INLINE void for_tiles(int64 rows, int64 most, const F& f) {
    const int64 tiles = (rows + most - 1) / most;
    for (int64 tile = 0; tile < tiles; ++tile) {
        const int64 first = tile * rows / tiles;
        f(first, (tile + 1) * rows / tiles - first);
    }
}

// f(functions) for a step's activations.
template <class Step, class F>
TAUTEN_INLINE void with_activations(const Step& step, const F& f) {
    if (step.activation == Activation::tanh && step.recurrent_activation == Activation::sigmoid)
        f(Fixed<Activation::tanh, Activation::sigmoid>{});
    else
        f(Chosen{step.activation, step.recurrent_activation});
}

// f(part) for the whole vector of units from `first` on, or for those that there are.
template <class T, class F>
TAUTEN_INLINE void with_units(int64 units, int64 first, const F& f) {
    const int64 left = units - first;
    if (left >= Vec<T>::lanes)
        f(Whole<T>{});
    else if (left > 0)
        f(First<T>{left});
}

// δh of all rows of a backward step: f(part, row, unit, δh) vector by vector, δh = above + Σ_taps A · B. A panel of the
// product holds two vectors of units.
template <class T, class Step, class F>
TAUTEN_INLINE void for_hidden_gradients(const Step& step, const F& f) {
    constexpr int64 lanes = Vec<T>::lanes, columns = 2 * lanes;
    alignas(64) T product[tile_rows * columns];
    for (int64 panel = 0; panel * columns < step.units; ++panel)
        for_tiles(step.rows, tile_rows, [&](int64 first, int64 rows) __attribute__((always_inline)) {
            const int64 unit = panel * columns;
            const T* above = step.above == nullptr ? nullptr : step.above + first * step.above_row + unit;
            // whole vectors of `above`: at most one panel past its end, within slack
            const Tile<T> work{step.taps, step.tap_count, first, panel,   0,
                               above,     step.above_row, product, columns, false};
            tile_function<T, 2, false, tile_rows>(rows)(work);
            for (int64 half = 0; half < 2; ++half)
                with_units<T>(step.units, unit + half * lanes, [&](const auto& part) __attribute__((always_inline)) {
                    for (int64 r = 0; r < rows; ++r)
                        f(part, first + r, unit + half * lanes, load<T>(product + r * columns + half * lanes));
                });
        });
}

}  // namespace
}  // namespace tauten::kernels
