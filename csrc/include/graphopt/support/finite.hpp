// Whether every number of an array is finite.
#pragma once

#include <span>

namespace graphopt {

// False where one is NaN or infinite. O(n), up to the first block that holds one.
bool all_finite(std::span<const float> values);
bool all_finite(std::span<const double> values);

}  // namespace graphopt
