// Fine-tuning of a split in two, as Kernighan and Lin do, for modularity.
#pragma once

#include <cstddef>
#include <span>

#include "graphopt/support/sparse.hpp"

namespace graphopt {

// `strengths` are those of the group's nodes in the whole graph, `total` the sum of all strengths
// there. In one pass every node changes sides once, always the one that gains most or costs least
// modularity, the first of equal ones; the best state on the way is the start of the next pass,
// until one gains no more than rounding errors. Passes end before a side is empty. `side` is
// overwritten.
// Preconditions: the matrix is symmetric, n x n, not negative and zero on its diagonal; total > 0;
// strengths and side have n entries; neither side is empty. O(n^2 + entries) a pass.
void kernighan_lin(const SparseView<double>& matrix, std::span<const double> strengths,
                   double total, std::span<bool> side);
void kernighan_lin(std::span<const double> matrix, std::span<const double> strengths, double total,
                   std::span<bool> side);

}  // namespace graphopt
