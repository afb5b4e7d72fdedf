#include "layers/halo.h"

#include <algorithm>
#include <cstring>

namespace tauten {

template <class T>
void copy_interior(const Grid& from, const Grid& to, Slice slice, const T* x, T* y, int64 times) {
    const int64 count = from.extent[2] * from.channels;
    const Range own = slice.share(from.extent[0] * from.extent[1]);
    for (int64 r = slice.begin; r < slice.end; ++r)
        for (int64 line = own.begin; line < own.end; ++line) {
            const int64 a = line / from.extent[1], b = line % from.extent[1];
            const T* values = x + r * from.sample + from.origin + a * from.stride[0] + b * from.stride[1];
            T* copy = y + r * to.sample + to.origin + a * to.stride[0] + b * to.stride[1];
            if (times == 1) {
                std::memcpy(copy, values, static_cast<size_t>(count) * sizeof(T));
                continue;
            }
            for (int64 i = 0; i < count; ++i)
                for (int64 t = 0; t < times; ++t) *copy++ = values[i];
        }
}

template <class T>
void fill_halo(const Grid& grid, Slice slice, T value, T* y) {
    const int64 channels = grid.channels, line = grid.stride[1];
    const int64 front = grid.before[2] * channels, back = front + grid.extent[2] * channels;
    for (int64 r = slice.begin; r < slice.end; ++r) {
        T* to = y + r * grid.sample;
        for (int64 a = -grid.before[0]; a < grid.extent[0] + grid.after[0]; ++a)
            for (int64 b = -grid.before[1]; b < grid.extent[1] + grid.after[1]; ++b, to += line) {
                if (a < 0 || a >= grid.extent[0] || b < 0 || b >= grid.extent[1]) {
                    std::fill_n(to, line, value);
                } else {
                    std::fill_n(to, front, value);
                    std::fill_n(to + back, line - back, value);
                }
            }
    }
}

template void copy_interior(const Grid&, const Grid&, Slice, const float*, float*, int64);
template void copy_interior(const Grid&, const Grid&, Slice, const double*, double*, int64);
template void fill_halo(const Grid&, Slice, float, float*);
template void fill_halo(const Grid&, Slice, double, double*);

}  // namespace tauten
