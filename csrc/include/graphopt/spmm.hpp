// Sparse times dense: the product a graph convolution spends its time in.
#pragma once

#include <cstddef>
#include <span>

#include "graphopt/csr.hpp"

namespace graphopt {

// A rectangular sparse matrix. indptr has n_rows + 1 entries, starts at 0, never decreases and ends
// at indices.size() == values.size(); every index is in [0, n_columns) (see check_sparse). Rows
// need not be sorted.
template <class Real>
struct SparseView {
    std::span<const EdgeOffset> indptr;
    std::span<const NodeId> indices;
    std::span<const Real> values;

    std::size_t n_rows() const noexcept { return indptr.size() - 1; }
};

// out = matrix * dense, both dense matrices row-major with `width` columns; out is overwritten.
// A row's terms are added in the order of its entries, so the result does not depend on threads.
void spmm(const SparseView<float>& matrix, std::span<const float> dense, std::size_t width,
          std::span<float> out, int num_threads);
void spmm(const SparseView<double>& matrix, std::span<const double> dense, std::size_t width,
          std::span<double> out, int num_threads);

}  // namespace graphopt
