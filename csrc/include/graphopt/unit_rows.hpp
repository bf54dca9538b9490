// Rows scaled to unit length, and the gradient of that. T is float or double.
#pragma once

#include <cstddef>
#include <span>

namespace graphopt {

// Writes each row of x (n_rows x width) divided by its Euclidean length, and the lengths. A row
// shorter than the root of the smallest normal number (1e-19 in float, 1.5e-154 in double) counts
// as zero: it becomes zero and its length is recorded as 0.
template <class T>
void unit_rows(std::span<const T> x, std::size_t width, int num_threads, std::span<T> unit,
               std::span<T> lengths);

// (g - (g . unit) unit) / length for each row g of `gradient`; 0 where the length is 0.
template <class T>
void unit_rows_vjp(std::span<const T> unit, std::span<const T> lengths, std::span<const T> gradient,
                   std::size_t width, int num_threads, std::span<T> to_x);

}  // namespace graphopt
