// Products by level for 64 customers at once, without a table in memory: for processors that look
// up a whole register (has_wide_permutes), distances in bytes and few levels.
//
// The sites are taken in fours, and the sum of log(1 - x) over each of the 16 subsets of a four is
// computed once. Bytes of distance are turned into bit planes, planes into one bit per (level,
// customer, site); four of those bits name a subset, so one look-up of a register serves four sites
// of 16 customers. n_levels / 64 look-ups and additions per distance, where a table by level
// needs a dependent load, multiplication and store.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "graphopt/support/simd.hpp"
#include "levels.hpp"

namespace graphopt::facility {

inline constexpr std::size_t plane_customers = 64;
inline constexpr std::size_t plane_sites = 64;

// For each four sites the sums over its subsets: float32, each within half a unit. Padded with
// sites that are never open to whole tiles of plane_sites.
class SubsetLogs {
  public:
    explicit SubsetLogs(std::span<const double> keep);
    const Line<float32x16>* of_site(std::size_t site) const { return fours_.data() + site / 4; }

  private:
    std::vector<Line<float32x16>> fours_;
};

// products[c * stride + t] = product of (1 - x_i) over the sites at level t of row c, for `n_rows`
// <= plane_customers rows and t < n_levels <= permute_levels. Logarithms are added up in float32
// within a tile and in double between tiles, so a product's relative error is about 1e-6 of its
// logarithm, whatever the number of sites.
void multiply_by_level_planes(const std::uint8_t* rows, std::size_t n_rows, std::size_t n_sites,
                              const SubsetLogs& logs, std::size_t n_levels, double* products,
                              std::size_t stride);

}  // namespace graphopt::facility
