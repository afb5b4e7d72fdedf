// Copies of samples into a grid with the halo that a layer needs, where the edge has none.
#pragma once

#include "layers/edge.h"

namespace tauten {

// Rows of a slice, or a part's lines of them, halos apart: zeros already, or fill_halo()'s. Each channel `times` times,
// one after the other.
template <class T>
void copy_interior(const Grid& from, const Grid& to, Slice slice, const T* x, T* y, int64 times = 1);

// All halos of a slice.
template <class T>
void fill_halo(const Grid& grid, Slice slice, T value, T* y);

}  // namespace tauten
