#include "core/shape.h"

#include "core/check.h"

namespace tauten {

int64 multiply(int64 a, int64 b, const std::string& what) {
    int64 product = 0;
    if (__builtin_mul_overflow(a, b, &product) || product > largest_size)
        fail(what, ": ", a, " x ", b, " elements are more than this library can address");
    return product;
}

int64 elements(const Shape& shape, const std::string& what) {
    int64 product = 1;
    for (int64 extent : shape) product = multiply(product, extent, what);
    return product;
}

std::string to_text(const Shape& shape) {
    std::string out = "(";
    for (size_t i = 0; i < shape.size(); ++i) {
        if (i) out += ", ";
        out += shape[i] == run_time ? "None" : std::to_string(shape[i]);
    }
    out += shape.size() == 1 ? ",)" : ")";
    return out;
}

}  // namespace tauten
