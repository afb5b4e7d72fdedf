// Which level runs, and the tables. Compiled for no level in particular.
// CMake defines TAUTEN_HAS_<level> for the levels that this build has.
#include "kernels/table.h"

#include <cstdlib>
#include <stdexcept>
#include <string>

#include "kernels/fill.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace tauten::kernels {
namespace {

constexpr Level all_levels[] = {Level::baseline, Level::avx2, Level::avx512};

#if defined(__x86_64__)
// Clang 16's __builtin_cpu_supports does not know these two.
bool has_f16c_and_lzcnt() {
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || (c & bit_F16C) == 0) return false;
    return __get_cpuid(0x80000001, &a, &b, &c, &d) && (c & bit_LZCNT) != 0;
}
#endif

// The processor's and the operating system's word: __builtin_cpu_supports looks at XCR0 too.
bool processor_has(Level l) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    const bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
                    __builtin_cpu_supports("bmi2") && has_f16c_and_lzcnt();
    switch (l) {
        case Level::baseline: return true;
        case Level::avx2: return v3;
        case Level::avx512:
            return v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                   __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                   __builtin_cpu_supports("avx512vl");
    }
    return false;
#else
    return l == Level::baseline;
#endif
}

bool built(Level l) {
    switch (l) {
#ifdef TAUTEN_HAS_baseline
        case Level::baseline: return true;
#endif
#ifdef TAUTEN_HAS_avx2
        case Level::avx2: return true;
#endif
#ifdef TAUTEN_HAS_avx512
        case Level::avx512: return true;
#endif
        default: return false;
    }
}

std::string available_names() {
    std::string names;
    for (const Level l : all_levels)
        if (level_available(l)) names += (names.empty() ? "" : ", ") + std::string(level_name(l));
    return names;
}

Level resolve() {
    const char* asked = std::getenv("TAUTEN_ISA");
    if (asked == nullptr || *asked == '\0') {
        Level best = Level::baseline;
        for (const Level l : all_levels)
            if (level_available(l)) best = l;
        return best;
    }
    const std::string name = asked;
    for (const Level l : all_levels) {
        if (name != level_name(l)) continue;
        if (level_available(l)) return l;
        throw std::invalid_argument("TAUTEN_ISA asks for \"" + name + "\", which this " +
                                    (built(l) ? "processor" : "build") + " lacks; available: " + available_names());
    }
    throw std::invalid_argument("TAUTEN_ISA is \"" + name + "\", not an instruction-set level; available: " +
                                available_names());
}

#define TAUTEN_FILL(level)       \
    do {                         \
        level::fill_gemm(k);     \
        level::fill_pack(k);     \
        level::fill_lstm(k);     \
        level::fill_forget_gate(k); \
        level::fill_gru(k);      \
        level::fill_elementwise(k); \
        level::fill_pointwise(k); \
        level::fill_combination(k); \
        level::fill_normalization(k); \
        level::fill_depthwise(k); \
        level::fill_pooling(k);  \
        level::fill_aggregation(k); \
        level::fill_losses(k);   \
        level::fill_updates(k);  \
        level::fill_winograd(k); \
        level::fill_math(k);     \
    } while (false)

template <class T, Level l>
const Kernels<T>& filled() {
    static const Kernels<T> kernels = [] {
        Kernels<T> k{};
#ifdef TAUTEN_HAS_baseline
        if constexpr (l == Level::baseline) TAUTEN_FILL(baseline);
#endif
#ifdef TAUTEN_HAS_avx2
        if constexpr (l == Level::avx2) TAUTEN_FILL(avx2);
#endif
#ifdef TAUTEN_HAS_avx512
        if constexpr (l == Level::avx512) TAUTEN_FILL(avx512);
#endif
        return k;
    }();
    return kernels;
}

}  // namespace

const char* level_name(Level l) {
    switch (l) {
        case Level::baseline: return "baseline";
        case Level::avx2: return "avx2";
        case Level::avx512: return "avx512";
    }
    return "unknown";
}

bool level_available(Level l) { return built(l) && processor_has(l); }

Level level() {
    static const Level resolved = resolve();
    return resolved;
}

template <class T>
const Kernels<T>& table(Level l) {
    if (!level_available(l))
        throw std::invalid_argument(std::string("instruction-set level \"") + level_name(l) +
                                    "\" is not available; available: " + available_names());
    switch (l) {
        case Level::avx2: return filled<T, Level::avx2>();
        case Level::avx512: return filled<T, Level::avx512>();
        case Level::baseline: break;
    }
    return filled<T, Level::baseline>();
}

template <class T>
const Kernels<T>& table() {
    static const Kernels<T>& resolved = table<T>(level());
    return resolved;
}

template const Kernels<float>& table<float>(Level);
template const Kernels<double>& table<double>(Level);
template const Kernels<float>& table<float>();
template const Kernels<double>& table<double>();

}  // namespace tauten::kernels
