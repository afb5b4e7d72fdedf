// Sources: the user's samples where they lie, in their own type. A step gathers, converts and lays out only the
// rows it needs, in one pass.
#pragma once

#include <string>
#include <vector>

#include "core/shape.h"
#include "layers/edge.h"

namespace tauten {

enum class Scalar : int { f32, f64, u8, i32, i64, boolean };
int64 size_of(Scalar type);

// Either an array (samples, ...) or samples of unequal length (steps_i, ...). Whoever makes a Source keeps the memory.
struct Source {
    Scalar type = Scalar::f32;
    Shape shape;                       // of one sample; first extent run_time if ragged
    int64 samples = 0;
    const char* data = nullptr;        // even: sample i at data + i * stride bytes
    int64 stride = 0;
    std::vector<const char*> pointers; // ragged: one a sample
    std::vector<int64> lengths;        // ragged: steps of each
    bool may_be_empty = false;         // ragged: a sample may have no steps, as one has whose steps are all masked

    bool ragged() const { return !lengths.empty(); }
    const char* sample(int64 i) const { return ragged() ? pointers[static_cast<size_t>(i)] : data + i * stride; }
    int64 length(int64 i) const { return ragged() ? lengths[static_cast<size_t>(i)] : shape.empty() ? 1 : shape[0]; }
};

// What a batch is made of: samples[order[r]] is the sample of row r.
struct Rows {
    const int64* samples;
    const int64* order;
};

// Values of the rows of a slice from source into grid (values only, never the halo). Row r has `steps` steps in a time
// grid. `channels` of the grid are contiguous in the source.
template <class T>
void gather(const Source& source, Rows rows, Slice slice, const Grid& grid, const Steps* axes, T* to);

// The number of one sample of a source of numbers.
template <class T>
T number_of(const Source& source, int64 sample);

// Integers the same way, checked against [0, limit): the first outside is returned in *bad with its row, and 0 stored.
struct OutOfRange {
    bool found = false;
    int64 sample = 0;
    double value = 0;
};
void gather_integers(const Source& source, Rows rows, Slice slice, const Grid& grid, const Steps* axes, int64 limit,
                     int32* to, OutOfRange* bad);

}  // namespace tauten
