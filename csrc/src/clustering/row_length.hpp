// The length of a row, for all who scale rows to unit length: the same bits everywhere.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

namespace graphopt {

// Squares of such a size are summed without a loss: what vanishes beside them, being too small for
// T, would be rounded away.
template <class T>
constexpr bool is_ordinary(T square) {
    constexpr T low = sizeof(T) == 4 ? static_cast<T>(0x1p-60f) : static_cast<T>(0x1p-800);
    return !(square < low || square > T{1} / low);  // NaN is left to itself
}

// Writes row / 2^e, which rounds nothing, and returns e: the largest entry is in [1, 2) then. A row
// of zeros, or one with an infinity, stays as it is.
template <class T>
int in_own_unit(const T* row, std::size_t width, T* scaled) {
    T largest = 0;
    for (std::size_t d = 0; d < width; ++d) largest = std::max(largest, std::abs(row[d]));
    const int exponent =
        largest > T{0} && largest <= std::numeric_limits<T>::max() ? std::ilogb(largest) : 0;
    for (std::size_t d = 0; d < width; ++d) scaled[d] = std::ldexp(row[d], -exponent);
    return exponent;
}

// What a row whose squares sum to so much is divided by: one of length 0 becomes zero, one of
// infinite length NaN.
template <class T>
T row_divisor(T square) {
    constexpr T infinity = std::numeric_limits<T>::infinity();
    if (square == T{0}) return infinity;
    return square == infinity ? std::numeric_limits<T>::quiet_NaN() : std::sqrt(square);
}

}  // namespace graphopt
