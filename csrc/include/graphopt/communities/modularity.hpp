// Modularity of a soft assignment, and its gradient, in one pass over the edges.
#pragma once

#include <cstddef>
#include <span>

#include "graphopt/support/csr.hpp"

namespace graphopt {

// Q = (1/2m) [ sum over entries (i, j) of w_ij r_i . r_j - resolution |r^T s|^2 / 2m ], with s the
// strengths of the nodes and 2m their sum; the matrix of modularity is never formed. Writes
// dQ/dr = (1/m) [ A r - resolution s (r^T s) / 2m ] and returns Q; both are 0 without edges.
// Preconditions: graph is undirected with weights of at least 0; assignment and gradient are
// n_nodes x n_groups, row-major. Real is float or double. O((n_nodes + n_entries) n_groups).
template <class Real>
double modularity_gradient(const CsrView& graph, std::span<const Real> assignment,
                           std::size_t n_groups, double resolution, std::span<Real> gradient,
                           int num_threads);

}  // namespace graphopt
