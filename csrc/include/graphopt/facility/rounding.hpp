// Randomised pipage rounding: from opening probabilities to sets of sites.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace graphopt {

// Draws sets of n_chosen sites. Two fractional coordinates at a time, in an order drawn at random,
// exchange mass until one of them is 0 or 1, at odds that keep both expectations; the sum never
// changes. One coordinate may be left over: within `tolerance` of an integer it is rounded to it,
// otherwise it is 1 with its own probability. Sites still missing from n_chosen are those with the
// largest opening among the unchosen, ties by the random order.
// Writes n_draws x n_chosen sites, ascending within a draw. Draw d depends on (seed, d) only.
// Preconditions: opening in [0, 1]; its sum is at most n_chosen + tolerance; n_chosen <= n_sites.
// O(n) per draw, O(n log n_chosen) at worst where sites are missing.
void pipage_rounding(std::span<const double> opening, std::size_t n_chosen, std::size_t n_draws,
                     double tolerance, std::uint64_t seed, std::span<std::int32_t> draws,
                     int num_threads);

}  // namespace graphopt
