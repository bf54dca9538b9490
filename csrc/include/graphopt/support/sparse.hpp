// Sparse matrices in compressed sparse row form, and what makes them safe to read.
#pragma once

#include <cstddef>
#include <span>

#include "graphopt/support/csr.hpp"

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

// What makes compressed rows safe to read, of a graph or of any other sparse matrix; offsets and
// indices are int32 or int64. Each throws std::invalid_argument. All are fast enough to be called
// with every product.
//
// check_offsets: indptr starts at 0, never decreases and ends at n_entries.
// check_indices: every index is in [0, size); the error calls it `name`.
// check_sparse: both, for a matrix of so many columns.
template <class Offset>
void check_offsets(std::span<const Offset> indptr, std::size_t n_entries);
template <class Index>
void check_indices(std::span<const Index> indices, std::size_t size, const char* name);
template <class Offset, class Index>
void check_sparse(std::span<const Offset> indptr, std::span<const Index> indices,
                  std::size_t n_columns) {
    check_offsets(indptr, indices.size());
    check_indices(indices, n_columns, "indices");
}

}  // namespace graphopt
