// Errors with words: what was expected, what came, and where. They reach Python as ValueError, TypeError
// and FloatingPointError.
#pragma once

#include <new>
#include <sstream>
#include <stdexcept>
#include <string>

namespace tauten {

struct TypeError : std::invalid_argument {
    using std::invalid_argument::invalid_argument;
};

// A loss that is NaN or infinite. The weights are as they were before the step.
struct NonFiniteError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// Memory that is not to be had; reaches Python as MemoryError.
class OutOfMemory : public std::bad_alloc {
public:
    explicit OutOfMemory(std::string what) : what_(std::move(what)) {}
    const char* what() const noexcept override { return what_.c_str(); }

private:
    std::string what_;
};

template <class... Parts>
std::string text(const Parts&... parts) {
    std::ostringstream out;
    (out << ... << parts);
    return out.str();
}

template <class... Parts>
[[noreturn]] void fail(const Parts&... parts) {
    throw std::invalid_argument(text(parts...));
}

template <class... Parts>
void require(bool condition, const Parts&... parts) {
    if (!condition) fail(parts...);
}

}  // namespace tauten
