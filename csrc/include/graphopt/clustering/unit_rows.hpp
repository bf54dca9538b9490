// Rows scaled to unit length, and the gradient of that. T is float or double.
#pragma once

#include <cstddef>
#include <span>

namespace graphopt {

// Writes each row of x (n_rows x width) divided by its Euclidean length, and the lengths. A row of
// zeros stays zero; its length is 0. Rows times a power of two become the same unit rows, to the
// bit. A length too large for T is recorded as infinite.
template <class T>
void unit_rows(std::span<const T> x, std::size_t width, int num_threads, std::span<T> unit,
               std::span<T> lengths);

// (g - (g . unit) unit) / length for each row g of `gradient`; 0 where the length is 0 or infinite.
template <class T>
void unit_rows_vjp(std::span<const T> unit, std::span<const T> lengths, std::span<const T> gradient,
                   std::size_t width, int num_threads, std::span<T> to_x);

}  // namespace graphopt
