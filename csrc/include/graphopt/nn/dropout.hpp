// Dropout whose mask is a function of a seed and the position, so that it need not be stored: the
// gradient draws it again.
#pragma once

#include <cstdint>
#include <span>

namespace graphopt {

// out[i] = 0 with probability `share`, else values[i] / (1 - share); independent over i, and the
// same for the same seed at any number of threads. Preconditions: equal lengths, share in [0, 1).
// The share is met to 2^-32.
void dropout(std::span<const float> values, double share, std::uint64_t seed, std::span<float> out,
             int num_threads);
void dropout(std::span<const double> values, double share, std::uint64_t seed,
             std::span<double> out, int num_threads);

}  // namespace graphopt
