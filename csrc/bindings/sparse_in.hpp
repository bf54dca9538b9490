// The arrays of a sparse matrix as a kernel reads them. They may be tensors that somebody has
// changed since the matrix was made, or that come straight from torch.ops, so they are checked with
// every call: a small part of the time of a product.
#pragma once

#include "arrays.hpp"
#include "graphopt/support/sparse.hpp"

namespace graphopt::bindings {

template <class Real>
SparseView<Real> sparse_in(const Array<EdgeOffset>& indptr, const Array<NodeId>& indices,
                           const Array<Real>& values, std::size_t n_columns) {
    const SparseView<Real> matrix{vector_in(indptr, "indptr"), vector_in(indices, "indices"),
                                  vector_in(values, "values")};
    require_size(values, matrix.indices.size(), "values");
    check_sparse(matrix.indptr, matrix.indices, n_columns);
    return matrix;
}

}  // namespace graphopt::bindings
