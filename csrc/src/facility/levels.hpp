// The two passes over a customer's row: what its sites do to a table by level, and what a table by
// level does to the sites.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "common.hpp"
#include "graphopt/facility/facility.hpp"

namespace graphopt::facility {

// A byte indexes its table directly; wider distances are clamped to the last entry.
template <class Hops>
constexpr bool is_byte = sizeof(Hops) == 1;

// Entries from one customer's table to the next: never a multiple of a cache page, where stores to
// one table would look like loads from another.
template <class Hops>
std::size_t table_stride(std::size_t n_levels) {
    return (is_byte<Hops> ? 256 : n_levels + 1) + 8;
}

// Rows whose tables are filled together: as many independent chains of multiplications.
inline constexpr std::size_t forward_rows = 8;

// tables[r][level of site i in row r] *= keep[i] for `n_rows` <= forward_rows rows of n_sites,
// tables being table_stride apart. Entries from `last` on stay or become meaningless.
template <class Hops>
void multiply_by_level(const Hops* rows, std::size_t n_rows, std::span<const double> keep,
                       Hops last, double* tables, std::size_t stride);

// Rows whose look-ups are added up together: each loads and stores the sums once.
inline constexpr std::size_t backward_rows = 8;
template <class Hops>
using Rows = std::array<const Hops*, backward_rows>;

// sums[i] += tables[0][level of site i in row 0] + ...
template <class Hops, class Real>
void add_by_level(const Rows<Hops>& rows, Hops last, const Real* tables, std::size_t stride,
                  std::span<Real> sums);

// The same by whole registers, where has_wide_permutes(): bytes with few levels, float sums. A
// table is 32 entries, the last of them 0 for what never serves; n_levels <= permute_levels. Sums
// stay in the registers' order until `unpermute`.
inline constexpr std::size_t permute_levels = 31;
void add_by_level_permuted(const Rows<std::uint8_t>& rows, const float* tables, std::size_t stride,
                           std::span<float> sums);
void unpermute(std::span<float> sums);

}  // namespace graphopt::facility
