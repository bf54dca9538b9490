// Sparse times dense: the product a graph convolution spends its time in.
#pragma once

#include <cstddef>
#include <span>

#include "graphopt/support/sparse.hpp"

namespace graphopt {

// out = matrix * dense, both dense matrices row-major with `width` columns; out is overwritten.
// A row's terms are added in the order of its entries, so the result does not depend on threads.
void spmm(const SparseView<float>& matrix, std::span<const float> dense, std::size_t width,
          std::span<float> out, int num_threads);
void spmm(const SparseView<double>& matrix, std::span<const double> dense, std::size_t width,
          std::span<double> out, int num_threads);

}  // namespace graphopt
