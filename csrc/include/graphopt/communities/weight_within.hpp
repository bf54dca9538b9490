// The weight between nodes of the same group, from a full matrix of weights.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace graphopt {

// The sum of matrix[i][j] over i < j with group[i] == group[j]; no more of the matrix than its
// upper triangle is read. Preconditions: `group` has n elements, any numbers, and the matrix n x n,
// row-major. O(n^2).
double weight_within(std::span<const double> matrix, std::span<const std::int64_t> group,
                     int num_threads);

}  // namespace graphopt
