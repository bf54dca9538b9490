// The length of a row, for all who scale rows to unit length: the same bits everywhere.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "graphopt/vector_math.hpp"

namespace graphopt {

// Where the plain sum of squares overflows.
template <class T>
T scaled_length(const T* row, std::size_t width) {
    T largest = 0;
    for (std::size_t d = 0; d < width; ++d) largest = std::max(largest, std::abs(row[d]));
    double sum = 0.0;
    for (std::size_t d = 0; d < width; ++d) {
        const double part = static_cast<double>(row[d] / largest);
        sum += part * part;
    }
    return static_cast<T>(static_cast<double>(largest) * std::sqrt(sum));
}

template <class S, class T = ScalarOf<S>>
GRAPHOPT_ALWAYS_INLINE T row_length(const T* row, std::size_t width) {
    const T square = dot<S>(row, row, width);
    const T length = square < std::numeric_limits<T>::min() ? T{0} : std::sqrt(square);
    return length > std::numeric_limits<T>::max() ? scaled_length(row, width) : length;
}

// What the row is divided by: a row of length 0 becomes zero.
template <class T>
T row_divisor(T length) {
    return length == T{0} ? std::numeric_limits<T>::infinity() : length;
}

}  // namespace graphopt
