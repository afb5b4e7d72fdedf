// The whole test harness: TEST(name) { CHECK...(...); } in a file that ends with CHECK_MAIN("file_name").
// A failed check prints file:line and the values and goes on; main returns 1 if any failed. Arguments name
// the tests to run, all without.
#pragma once

#include <cmath>
#include <cstdio>
#include <cstring>
#include <sstream>
#include <string>
#include <vector>

namespace check {

inline constexpr int shown = 20;  // failures printed in full

struct Test {
    const char* name;
    void (*run)();
};
struct State {
    std::vector<Test> tests;
    long passed = 0, failed = 0;
    std::string context;  // printed with a failure: which case of a loop
};
inline State& state() {
    static State s;
    return s;
}
inline int enter(const char* name, void (*run)()) {
    state().tests.push_back({name, run});
    return 0;
}

inline void record(bool ok, const char* file, int line, const char* what, const std::string& values) {
    if (ok) {
        ++state().passed;
        return;
    }
    if (++state().failed > shown) return;
    std::printf("%s:%d: %s%s%s%s%s\n", file, line, what, values.empty() ? "" : "  ", values.c_str(),
                state().context.empty() ? "" : "  in ", state().context.c_str());
}

template <class A, class B>
std::string both(const A& a, const B& b) {
    std::ostringstream out;
    out.precision(17);
    out << "[" << a << " against " << b << "]";
    return out.str();
}

// Within an absolute tolerance; NaN equals NaN, infinities equal themselves.
inline bool near(double a, double b, double tolerance) {
    if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b);
    return a == b || std::fabs(a - b) <= tolerance;
}

template <class T>
bool same_bits(const T* a, const T* b, long n) {
    return n == 0 || std::memcmp(a, b, static_cast<std::size_t>(n) * sizeof(T)) == 0;  // of no values, both may be null
}

inline int finish(const char* program, int count, char** names) {
    for (const Test& t : state().tests) {
        bool wanted = count <= 1;
        for (int i = 1; i < count; ++i) wanted = wanted || std::strcmp(names[i], t.name) == 0;
        if (!wanted) continue;
        const long failed = state().failed;
        state().context.clear();
        t.run();
        if (state().failed != failed) std::printf("%s: FAILED\n", t.name);
    }
    if (state().failed != 0)
        std::printf("%s: %ld checks passed, %ld FAILED\n", program, state().passed, state().failed);
    else
        std::printf("%s: %ld checks passed\n", program, state().passed);
    return state().failed == 0 && state().passed > 0 ? 0 : 1;
}

}  // namespace check

#define CHECK_JOIN_(a, b) a##b
#define TEST(name)                                                                   \
    static void name();                                                              \
    [[maybe_unused]] static const int CHECK_JOIN_(entered_, name) = ::check::enter(#name, name); \
    static void name()

#define CHECK(condition) ::check::record(static_cast<bool>(condition), __FILE__, __LINE__, #condition, "")
#define CHECK_EQUAL(a, b)                                                                              \
    do {                                                                                               \
        const auto& check_a = (a);                                                                     \
        const auto& check_b = (b);                                                                     \
        const bool check_ok = check_a == check_b;                                                      \
        ::check::record(check_ok, __FILE__, __LINE__, #a " == " #b,                                    \
                        check_ok ? std::string() : ::check::both(check_a, check_b));                   \
    } while (false)
#define CHECK_NEAR(a, b, tolerance)                                                                    \
    do {                                                                                               \
        const double check_a = (a), check_b = (b), check_t = (tolerance);                              \
        const bool check_ok = ::check::near(check_a, check_b, check_t);                                \
        ::check::record(check_ok, __FILE__, __LINE__, #a " ~ " #b,                                     \
                        check_ok ? std::string()                                                       \
                                 : ::check::both(check_a, check_b) + " tolerance " + std::to_string(check_t)); \
    } while (false)
// The expression throws exactly such an exception, and its message contains `part`.
#define CHECK_THROWS(expression, Exception, part)                                                      \
    do {                                                                                               \
        std::string check_what = "nothing was thrown";                                                 \
        bool check_ok = false;                                                                         \
        try {                                                                                          \
            static_cast<void>(expression);                                                             \
        } catch (const Exception& e) {                                                                 \
            check_what = e.what();                                                                     \
            check_ok = check_what.find(part) != std::string::npos;                                     \
        } catch (...) {                                                                                \
            check_what = "another type was thrown";                                                    \
        }                                                                                              \
        ::check::record(check_ok, __FILE__, __LINE__, #expression " throws " #Exception, check_what);  \
    } while (false)
#define CHECK_MAIN(program) \
    int main(int count, char** names) { return ::check::finish(program, count, names); }
