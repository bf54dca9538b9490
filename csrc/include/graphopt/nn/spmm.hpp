// Sparse times dense: the product a graph convolution spends its time in.
#pragma once

#include <cstddef>
#include <span>

#include "graphopt/support/sparse.hpp"

namespace graphopt {

// out = matrix * dense, both dense matrices row-major with `width` columns; out is overwritten.
// A row's terms are added in the order of its entries, so the result does not depend on threads.
// Real is float or double.
template <class Real>
void spmm(const SparseView<Real>& matrix, std::span<const Real> dense, std::size_t width,
          std::span<Real> out, int num_threads);

}  // namespace graphopt
