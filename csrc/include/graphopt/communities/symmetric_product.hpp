// A dense symmetric matrix times a vector, from half of the matrix.
#pragma once

#include <cstddef>
#include <span>

namespace graphopt {

// product = A vector for the symmetric A whose upper triangle is that of `matrix`, n x n row-major;
// what lies below its diagonal is not read, so that half as much memory is. Preconditions: vector
// and product have n elements and do not overlap. O(n^2), with O(n) scratch space per chunk of the
// triangle; there are at most 64.
void symmetric_product(std::span<const double> matrix, std::span<const double> vector,
                       std::span<double> product, int num_threads);

}  // namespace graphopt
