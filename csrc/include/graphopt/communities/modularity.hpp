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
// n_nodes x n_groups, row-major. O((n_nodes + n_entries) n_groups).
double modularity_gradient(const CsrView& graph, std::span<const float> assignment,
                           std::size_t n_groups, double resolution, std::span<float> gradient,
                           int num_threads);
double modularity_gradient(const CsrView& graph, std::span<const double> assignment,
                           std::size_t n_groups, double resolution, std::span<double> gradient,
                           int num_threads);

}  // namespace graphopt
