// Whether every number of an array is finite.
#pragma once

#include <span>

namespace graphopt {

// False where one is NaN or infinite. O(n), up to the first block that holds one. Real is float or
// double.
template <class Real>
bool all_finite(std::span<const Real> values);

}  // namespace graphopt
