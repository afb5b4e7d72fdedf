#include "model/source.h"

#include <cmath>
#include <cstring>
#include <type_traits>

namespace tauten {

int64 size_of(Scalar type) {
    switch (type) {
        case Scalar::f32: return 4;
        case Scalar::f64: return 8;
        case Scalar::u8: return 1;
        case Scalar::i32: return 4;
        case Scalar::i64: return 8;
        case Scalar::boolean: return 1;
    }
    return 0;
}

namespace {

// f(bytes of source, element of grid, count, sample) for every contiguous stretch of a slice.
template <class F>
void for_each_stretch(const Source& source, Rows rows, Slice slice, const Grid& grid, const Steps* axes, F&& f) {
    const int64 size = size_of(source.type);
    if (grid.time) {
        const Steps& axis = axes[grid.axis];
        for (int64 t = 0; t < axis.steps; ++t)
            for (int64 i = 0; i < axis.alive(t, slice); ++i) {
                const int64 r = slice.begin + i, sample = rows.samples[rows.order[r]];
                f(source.sample(sample) + t * grid.channels * size, (axis.offset[t] + r) * grid.channels, grid.channels,
                  sample);
            }
        return;
    }
    const int64 row = grid.extent[2] * grid.channels;
    for (int64 r = slice.begin; r < slice.end; ++r) {
        const int64 sample = rows.samples[rows.order[r]];
        const char* from = source.sample(sample);
        for (int64 a = 0; a < grid.extent[0]; ++a)
            for (int64 b = 0; b < grid.extent[1]; ++b)
                f(from + (a * grid.extent[1] + b) * row * size,
                  r * grid.sample + grid.origin + a * grid.stride[0] + b * grid.stride[1], row, sample);
    }
}

template <class From, class T>
void convert(const char* from, T* to, int64 count) {
    if constexpr (std::is_same_v<From, T>) {
        std::memcpy(to, from, static_cast<size_t>(count) * sizeof(T));  // with the widest moves that there are
        return;
    }
    const From* x = reinterpret_cast<const From*>(from);
    for (int64 i = 0; i < count; ++i) to[i] = static_cast<T>(x[i]);
}

// f(From{}) for the C++ type behind a Scalar.
template <class F>
void with_type(Scalar type, F&& f) {
    switch (type) {
        case Scalar::f32: return f(float{});
        case Scalar::f64: return f(double{});
        case Scalar::u8: return f(uint8{});
        case Scalar::i32: return f(int32{});
        case Scalar::i64: return f(int64{});
        case Scalar::boolean: return f(uint8{});
    }
}

}  // namespace

template <class T>
void gather(const Source& source, Rows rows, Slice slice, const Grid& grid, const Steps* axes, T* to) {
    with_type(source.type, [&](auto from) {
        for_each_stretch(source, rows, slice, grid, axes, [&](const char* bytes, int64 at, int64 count, int64) {
            convert<decltype(from)>(bytes, to + at, count);
        });
    });
}

template void gather<float>(const Source&, Rows, Slice, const Grid&, const Steps*, float*);
template void gather<double>(const Source&, Rows, Slice, const Grid&, const Steps*, double*);

template <class T>
T number_of(const Source& source, int64 sample) {
    T number{};
    with_type(source.type, [&](auto from) { convert<decltype(from)>(source.sample(sample), &number, 1); });
    return number;
}

template float number_of<float>(const Source&, int64);
template double number_of<double>(const Source&, int64);

void gather_integers(const Source& source, Rows rows, Slice slice, const Grid& grid, const Steps* axes, int64 limit,
                     int32* to, OutOfRange* bad) {
    with_type(source.type, [&](auto from) {
        using From = decltype(from);
        for_each_stretch(source, rows, slice, grid, axes, [&](const char* bytes, int64 at, int64 count, int64 sample) {
            const From* x = reinterpret_cast<const From*>(bytes);
            for (int64 i = 0; i < count; ++i) {
                const double value = static_cast<double>(x[i]);
                if (value >= 0 && value < static_cast<double>(limit) && value == std::floor(value)) {
                    to[at + i] = static_cast<int32>(value);
                } else {
                    if (!bad->found) *bad = {true, sample, value};
                    to[at + i] = 0;
                }
            }
        });
    });
}

}  // namespace tauten
