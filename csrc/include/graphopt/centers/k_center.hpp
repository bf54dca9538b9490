// k-center: choose k nodes so that the largest distance from a node to its nearest choice is small.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "graphopt/support/csr.hpp"

namespace graphopt {

struct KCenter {
    std::vector<NodeId> centers;
    std::vector<std::int32_t> assignment;  // position of the nearest centre, the first on ties; -1
    double radius = 0.0;                   // infinity where a node is reached by no centre
};

// Which nodes may become centres.
struct SiteRules {
    std::span<const NodeId> must_open = {};       // the first centres, in this order
    std::span<const std::uint8_t> may_open = {};  // a byte per node; empty: all may
};

// Distances are a square matrix, row c holding those from candidate c to every customer;
// unreachable<T> (shortest_paths.hpp) counts as larger than everything. It need not be symmetric.
// Preconditions of all: 1 <= k <= n; distances or weights are not negative (nor NaN);
// distances.size() == n * n; `first` is a node that may open, or -1 where some must open; those
// that must are distinct and may open; at least k nodes may, at most k must.

// Farthest first: each centre after `first` is the node farthest from those chosen, the smallest on
// ties, of those that may open and are not chosen; `first` comes after those that must open. From a
// graph: k searches, each entering only nodes that it brings closer; no matrix. At most 2 times the
// optimum where distances are symmetric and obey the triangle inequality (T. Gonzalez, 1985).
KCenter gonzalez(const CsrView& graph, std::size_t k, NodeId first, const SiteRules& rules = {});
KCenter gonzalez(std::span<const std::uint8_t> distances, std::size_t n, std::size_t k,
                 NodeId first, const SiteRules& rules = {});
KCenter gonzalez(std::span<const std::uint16_t> distances, std::size_t n, std::size_t k,
                 NodeId first, const SiteRules& rules = {});
KCenter gonzalez(std::span<const std::uint32_t> distances, std::size_t n, std::size_t k,
                 NodeId first, const SiteRules& rules = {});
KCenter gonzalez(std::span<const float> distances, std::size_t n, std::size_t k, NodeId first,
                 const SiteRules& rules = {});
KCenter gonzalez(std::span<const double> distances, std::size_t n, std::size_t k, NodeId first,
                 const SiteRules& rules = {});

// Each step adds the candidate that leaves the smallest largest distance; on ties the fewest
// customers at that distance, then the smallest sum of finite distances, then the smallest node.
// Customers with needed[j] == 0 (empty: none) count as being at distance 0, and are assigned to
// none. O(k n^2) at worst; most candidates are given up at the first of the farthest customers.
KCenter greedy_k_center(std::span<const std::uint8_t> distances, std::size_t n, std::size_t k,
                        int num_threads, const SiteRules& rules = {},
                        std::span<const std::uint8_t> needed = {});
KCenter greedy_k_center(std::span<const std::uint16_t> distances, std::size_t n, std::size_t k,
                        int num_threads, const SiteRules& rules = {},
                        std::span<const std::uint8_t> needed = {});
KCenter greedy_k_center(std::span<const std::uint32_t> distances, std::size_t n, std::size_t k,
                        int num_threads, const SiteRules& rules = {},
                        std::span<const std::uint8_t> needed = {});
KCenter greedy_k_center(std::span<const float> distances, std::size_t n, std::size_t k,
                        int num_threads, const SiteRules& rules = {},
                        std::span<const std::uint8_t> needed = {});
KCenter greedy_k_center(std::span<const double> distances, std::size_t n, std::size_t k,
                        int num_threads, const SiteRules& rules = {},
                        std::span<const std::uint8_t> needed = {});

}  // namespace graphopt
