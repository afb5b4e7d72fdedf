// What the kernel tests share: every level, guarded buffers, random numbers.
#pragma once

#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "check.h"
#include "kernels/table.h"

namespace check {

using namespace tauten;  // NOLINT: tests only
using kernels::Kernels;
using kernels::Level;

// body(kernels) with Kernels<float> and Kernels<double> of every level that this machine has.
template <class Body>
void each_level(const Body& body) {
    for (const Level level : {Level::baseline, Level::avx2, Level::avx512}) {
        if (!kernels::level_available(level)) continue;
        state().context = std::string(kernels::level_name(level)) + " float";
        body(kernels::table<float>(level));
        state().context = std::string(kernels::level_name(level)) + " double";
        body(kernels::table<double>(level));
    }
    state().context.clear();
}

// rows x columns, `row` apart, at any alignment, in the middle of NaNs of a known pattern; the elements
// themselves start as NaN too, so that whatever is not assigned shows.
template <class T>
class Guarded {
public:
    explicit Guarded(int64 columns, int64 shift = 0) : Guarded(1, columns, columns, shift) {}
    Guarded(int64 rows, int64 columns, int64 row, int64 shift)
        : rows_(rows), columns_(columns), row_(row), start_(kernels::slack + shift),
          memory_(static_cast<std::size_t>(start_ + rows * row + kernels::slack + 8), canary()) {}

    T* data() { return memory_.data() + start_; }
    const T* data() const { return memory_.data() + start_; }
    T& operator()(int64 r, int64 c) { return data()[r * row_ + c]; }
    T operator()(int64 r, int64 c) const { return data()[r * row_ + c]; }
    T& operator[](int64 i) { return data()[i]; }
    T operator[](int64 i) const { return data()[i]; }
    int64 row() const { return row_; }

    template <class F>
    void fill(const F& value) {
        for (int64 r = 0; r < rows_; ++r)
            for (int64 c = 0; c < columns_; ++c) (*this)(r, c) = static_cast<T>(value());
    }
    // Nothing outside the elements was written, gaps between rows included.
    bool intact() const {
        const T expected = canary();
        for (int64 i = 0; i < static_cast<int64>(memory_.size()); ++i) {
            const int64 at = i - start_;
            if (at >= 0 && at < rows_ * row_ && at % row_ < columns_) continue;
            if (std::memcmp(&memory_[static_cast<std::size_t>(i)], &expected, sizeof(T)) != 0) return false;
        }
        return true;
    }

private:
    static T canary() {
        const std::uint64_t wide = 0x7ff8beefbeefbeefull;
        const std::uint32_t narrow = 0x7fc0beefu;
        T value;
        if constexpr (sizeof(T) == 4)
            std::memcpy(&value, &narrow, 4);
        else
            std::memcpy(&value, &wide, 8);
        return value;
    }
    int64 rows_, columns_, row_, start_;
    std::vector<T> memory_;
};

inline std::mt19937& generator() {
    static std::mt19937 g(7);
    return g;
}
// Uniform in [low, high).
inline double uniform(double low = -1, double high = 1) {
    return low + (high - low) * (static_cast<double>(generator()()) * 0x1p-32);
}
inline int64 integer_below(int64 n) { return static_cast<int64>(generator()() % static_cast<std::uint32_t>(n)); }

// A few roundings of T at this magnitude.
template <class T>
double roundings(double count, double magnitude = 1) {
    return count * static_cast<double>(std::numeric_limits<T>::epsilon()) * (std::fabs(magnitude) + 1);
}

inline double activation(Activation f, double x) {
    switch (f) {
        case Activation::relu: return x > 0 || std::isnan(x) ? x : 0;
        case Activation::tanh: return std::tanh(x);
        case Activation::sigmoid: return 1 / (1 + std::exp(-x));
        case Activation::hard_sigmoid: return std::fmin(1, std::fmax(0, x / 6 + 0.5));
        case Activation::hard_tanh: return std::fmin(1, std::fmax(-1, x));
        case Activation::relu6: return std::fmin(6, std::fmax(0, x));
        case Activation::leaky_relu: return x > 0 ? x : leaky_slope * x;
        case Activation::elu: return x > 0 ? x : std::expm1(x);
        case Activation::selu: return x > 0 ? selu_scale * x : selu_alpha * std::expm1(x);
        case Activation::softsign: return x / (1 + std::fabs(x));
        case Activation::linear: break;
    }
    return x;
}
inline double slope(Activation f, double y) {
    switch (f) {
        case Activation::relu: return y > 0 ? 1 : 0;
        case Activation::tanh: return 1 - y * y;
        case Activation::sigmoid: return y * (1 - y);
        case Activation::hard_sigmoid: return y > 0 && y < 1 ? 1.0 / 6 : 0;
        case Activation::hard_tanh: return std::fabs(y) < 1;
        case Activation::relu6: return y > 0 && y < 6;
        case Activation::leaky_relu: return y > 0 ? 1 : leaky_slope;
        case Activation::elu: return y > 0 ? 1 : y + 1;
        case Activation::selu: return y > 0 ? selu_scale : y + selu_alpha;
        case Activation::softsign: return (1 - std::fabs(y)) * (1 - std::fabs(y));
        case Activation::linear: break;
    }
    return 1;
}
inline constexpr Activation activations[] = {Activation::linear, Activation::relu, Activation::tanh,
                                             Activation::sigmoid};
inline constexpr Activation cell_activations[] = {
    Activation::linear,    Activation::relu,  Activation::tanh,       Activation::sigmoid, Activation::hard_sigmoid,
    Activation::hard_tanh, Activation::relu6, Activation::leaky_relu, Activation::elu,     Activation::selu,
    Activation::softsign};

}  // namespace check
