// Dropout whose mask is a function of a seed and the position, so that it need not be stored: the
// gradient draws it again.
#pragma once

#include <cstdint>
#include <span>

namespace graphopt {

// out[i] = 0 with probability `share`, else values[i] / (1 - share); independent over i, and the
// same for the same seed at any number of threads. Preconditions: equal lengths, share in [0, 1).
// The share is met to 2^-32. Real is float or double.
template <class Real>
void dropout(std::span<const Real> values, double share, std::uint64_t seed, std::span<Real> out,
             int num_threads);

}  // namespace graphopt
