#include "layers/margins.h"

#include <cstring>

namespace tauten {

namespace {

// y_i = x_{i - sign·before}, zero outside x.
template <class T>
void copy_shifted(const Grid& from, const Grid& to, const int64 (&before)[3], int64 sign, const T* x, T* y) {
    const int64 shift[3] = {sign * before[0], sign * before[1], sign * before[2]}, c = to.channels;
    const int64 begin = std::clamp<int64>(shift[2], 0, to.extent[2]);
    const int64 end = std::clamp<int64>(from.extent[2] + shift[2], begin, to.extent[2]);
    const auto bytes = [&](int64 columns) { return static_cast<size_t>(columns * c) * sizeof(T); };
    for (int64 a = 0; a < to.extent[0]; ++a)
        for (int64 b = 0; b < to.extent[1]; ++b) {
            T* line = y + a * to.stride[0] + b * to.stride[1];
            const int64 i = a - shift[0], j = b - shift[1];
            if (i < 0 || i >= from.extent[0] || j < 0 || j >= from.extent[1]) {
                std::memset(line, 0, bytes(to.extent[2]));
                continue;
            }
            std::memset(line, 0, bytes(begin));
            if (end > begin)
                std::memcpy(line + begin * c, x + i * from.stride[0] + j * from.stride[1] + (begin - shift[2]) * c,
                            bytes(end - begin));
            std::memset(line + end * c, 0, bytes(to.extent[2] - end));
        }
}

}  // namespace

template <class T>
void Margins<T>::forward(const Call<T>& call, Slice slice, int, T*) const {
    for (int64 r = slice.begin; r < slice.end; ++r)
        copy_shifted(this->input_, this->output_, before_, 1, this->input_of(call, r), this->output_of(call, r));
}

// What was cut off has no gradient, zeros pass none on.
template <class T>
void Margins<T>::backward(const Call<T>& call, Slice slice, int, T*) const {
    if (!this->wants_input_gradient(call)) return;
    for (int64 r = slice.begin; r < slice.end; ++r) {
        copy_shifted(this->output_gradient_, this->input_gradient_, before_, -1, this->output_gradient_of(call, r),
                     this->input_gradient_of(call, r));
        this->through_below(call, r);
    }
}

template class Margins<float>;
template class Margins<double>;

}  // namespace tauten
