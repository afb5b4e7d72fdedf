// Convolutions backwards: lines of input positions whose gradients are one product.
#pragma once

#include <vector>

#include "layers/window.h"

namespace tauten {

// δ and ∂E/∂x where their grids begin, and the values below whose f' is applied.
template <class T>
struct InputPlaces {
    const T* delta;
    const Grid* delta_grid;
    T* gradient;
    const Grid* gradient_grid;
    const T* below;
    const Grid* below_grid;
};

// Inputs of one residue in every extent, along the last: δ of the first output that reaches the first of them, the
// gradient and the value of that. output: that output, in the extents in front.
template <class T>
struct InputLine {
    const T* delta;
    T* gradient;
    const T* below;
    int64 inputs;
    int64 output[2];
};

// f(class, line) for all lines of a slice; classes have their residues in d. Parts: of the lines, or of one's inputs.
template <class T, class Class, class F>
void for_each_input_line(const Window& window, const std::vector<Class>& classes, Slice slice, const InputPlaces<T>& at,
                         F&& f) {
    int64 lines = 0;
    for (const Class& c : classes) lines += slice.rows() * c.d[0].inputs * c.d[1].inputs;
    const bool by_lines = lines >= slice.parts;
    const Range own = by_lines ? slice.share(lines) : Range{0, lines};
    int64 next = 0;
    for (int64 r = slice.begin; r < slice.end; ++r)
        for (const Class& c : classes)
            for (int64 a = 0; a < c.d[0].inputs; ++a)
                for (int64 b = 0; b < c.d[1].inputs; ++b) {
                    const int64 line = next++;
                    if (line < own.begin || line >= own.end) continue;
                    const Range place = by_lines ? Range{0, c.d[2].inputs} : slice.share(c.d[2].inputs);
                    if (place.size() == 0) continue;
                    const int64 o[3] = {c.d[0].first_output + a, c.d[1].first_output + b,
                                        c.d[2].first_output + place.begin};
                    const int64 i[3] = {c.d[0].first_input + a * window.step[0], c.d[1].first_input + b * window.step[1],
                                        c.d[2].first_input + place.begin * window.step[2]};
                    const auto offset = [r](const Grid& g, const int64 (&p)[3]) {
                        return r * g.sample + g.origin + p[0] * g.stride[0] + p[1] * g.stride[1] + p[2] * g.stride[2];
                    };
                    f(c, InputLine<T>{at.delta + offset(*at.delta_grid, o), at.gradient + offset(*at.gradient_grid, i),
                                      at.below + offset(*at.below_grid, i), place.size(), {o[0], o[1]}});
                }
}

}  // namespace tauten
