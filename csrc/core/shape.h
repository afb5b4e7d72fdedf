// Extents of arrays and arithmetic on them that notices overflow.
#pragma once

#include <string>
#include <vector>

#include "core/types.h"

namespace tauten {

using Shape = std::vector<int64>;

// An extent known only at run time: the number of time steps.
inline constexpr int64 run_time = -1;

// Largest number of elements or bytes that any buffer may have.
inline constexpr int64 largest_size = int64{1} << 46;

// a * b for non-negative a and b; throws std::invalid_argument naming `what` beyond largest_size.
int64 multiply(int64 a, int64 b, const std::string& what);

// Number of elements; all extents are known.
int64 elements(const Shape& shape, const std::string& what);

// "(28, 28, 1)"; run-time extents print as None.
std::string to_text(const Shape& shape);

inline int64 round_up(int64 n, int64 multiple) { return (n + multiple - 1) / multiple * multiple; }
inline int64 divide_up(int64 n, int64 by) { return (n + by - 1) / by; }

}  // namespace tauten
