// Set covering with a radius: open sites such that every customer has one within its limit. What is
// dominated is taken out, which often leaves little or nothing to search.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "graphopt/support/csr.hpp"

namespace graphopt {

// What remains of an instance. The whole has a cover with at most k sites if and only if the rest
// has one with at most k - forced.size(); the union of both is a cover of the whole.
struct CoverRest {
    bool feasible = true;              // false: some customer has no site within its limit
    bool finished = true;              // false: a limit was met; the rest is empty
    std::vector<NodeId> forced;        // sites to open
    std::vector<NodeId> sites;         // left to choose from, ascending
    std::vector<NodeId> customers;     // left to serve, ascending
    std::vector<EdgeOffset> indptr;    // of each such customer,
    std::vector<std::int32_t> served;  // the positions in `sites` that serve it
};

struct CoverLimits {
    double seconds = std::numeric_limits<double>::infinity();
    std::size_t entries = std::numeric_limits<std::size_t>::max();
};

// Takes out, until nothing changes: a customer who is served by every site that serves another
// one; a site that serves no customer beyond those of another one; a site that alone serves some
// customer (it is forced, and those it serves are done). Equal ones keep the smallest.
//
// Row s of `distances` holds those from site s to all customers; site s serves customer j where
// the distance is at most limits[j]. Sites with may_open[s] == 0 and customers with needed[j] == 0
// do not exist. Bit sets of n_sites x n_customers twice; O(n^3 / 64) at worst, far less in
// practice. Given up where that takes longer than the seconds, or leaves more entries, than
// allowed.
//
// Preconditions: sizes agree; no NaN.
CoverRest reduce_cover(std::span<const std::uint8_t> distances,
                       std::span<const std::uint8_t> limits, std::span<const std::uint8_t> may_open,
                       std::span<const std::uint8_t> needed, int num_threads,
                       const CoverLimits& most = {});
CoverRest reduce_cover(std::span<const std::uint16_t> distances,
                       std::span<const std::uint16_t> limits,
                       std::span<const std::uint8_t> may_open, std::span<const std::uint8_t> needed,
                       int num_threads, const CoverLimits& most = {});
CoverRest reduce_cover(std::span<const std::uint32_t> distances,
                       std::span<const std::uint32_t> limits,
                       std::span<const std::uint8_t> may_open, std::span<const std::uint8_t> needed,
                       int num_threads, const CoverLimits& most = {});
CoverRest reduce_cover(std::span<const float> distances, std::span<const float> limits,
                       std::span<const std::uint8_t> may_open, std::span<const std::uint8_t> needed,
                       int num_threads, const CoverLimits& most = {});
CoverRest reduce_cover(std::span<const double> distances, std::span<const double> limits,
                       std::span<const std::uint8_t> may_open, std::span<const std::uint8_t> needed,
                       int num_threads, const CoverLimits& most = {});

}  // namespace graphopt
