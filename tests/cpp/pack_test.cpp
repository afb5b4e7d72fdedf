// Transposed copies of weights in panels, at every level, element by element. Everything around the weights is NaN.
#include "kernel_test.h"

using namespace check;

TEST(panels_of_the_transposed) {
    each_level([]<class T>(const Kernels<T>& kernels) {
        const T canary = static_cast<T>(-12345.5), nan = std::numeric_limits<T>::quiet_NaN();
        for (int64 k = 0; k <= 2 * kernels.panel + 1; k += k < 5 ? 1 : 3)
            for (int64 columns = 0; columns <= 2 * kernels.panel + 1; ++columns) {
                const int64 w_row = columns + integer_below(4), shift = integer_below(3);
                std::vector<T> w(static_cast<std::size_t>(shift + k * w_row + kernels::slack), nan);
                const auto at = [&](int64 i, int64 n) { return static_cast<std::size_t>(shift + i * w_row + n); };
                for (int64 i = 0; i < k; ++i)
                    for (int64 n = 0; n < columns; ++n) w[at(i, n)] = static_cast<T>(uniform());
                const int64 width = kernels.panel, stride = columns * width + integer_below(3), count = (k + width - 1) / width;
                std::vector<T> expected(static_cast<std::size_t>(shift + count * stride + 8), canary), got = expected;
                for (int64 p = 0; p < count; ++p)
                    for (int64 n = 0; n < columns; ++n)
                        for (int64 j = 0; j < width; ++j)
                            expected[static_cast<std::size_t>(shift + p * stride + n * width + j)] =
                                p * width + j < k ? w[at(p * width + j, n)] : 0;
                kernels.pack_transposed(k, columns, w.data() + shift, w_row, got.data() + shift, stride);
                CHECK(got == expected);
            }
    });
}

CHECK_MAIN("pack_test")
