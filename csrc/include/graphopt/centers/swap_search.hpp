// Facility location by swaps: exchange an open site for a closed one as long as that lowers costs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "graphopt/support/csr.hpp"

namespace graphopt {

// A row per site, a column per customer; a customer pays for the nearest open site.
template <class T>
struct SwapProblem {
    std::span<const T> table;  // n_sites * n_customers
    std::size_t n_sites = 0;
    std::size_t n_customers = 0;
    // Integers: what an entry costs, ascending; entries beyond the end cost what the last does.
    // Floats: empty; the entries themselves are costs.
    std::span<const double> costs = {};
    double lost = 0.0;  // what unreachable<T> costs, at least as much as everything else
    std::span<const double> weights = {};  // of the customers, not negative; empty: 1
    // Customers come in scenarios of equal size, one after another. The objective is the mean of
    // the scenarios' costs over the `tail` worst scenarios, the last of them in part (conditional
    // value at risk); tail == n_scenarios: the plain mean.
    std::size_t n_scenarios = 1;
    double tail = 1.0;
};

struct SwapRules {
    std::span<const std::uint8_t> may_open = {};  // a byte per site; empty: all may
    std::size_t n_fixed = 0;                      // the first sites of the start stay open
    std::size_t first_site = 0;                   // where looking for a site to open begins
    std::size_t max_swaps = std::numeric_limits<std::size_t>::max();
    double seconds = std::numeric_limits<double>::infinity();  // looked at between blocks of sites
};

struct SwapResult {
    std::vector<NodeId> centers;  // a new site takes the place of the one it replaced
    double cost = 0.0;            // the objective
    std::size_t n_swaps = 0;
    bool finished = false;  // no swap lowers the objective
};

// Sites are looked at in blocks, round and round; the best swap of a block is made if it lowers the
// objective by more than rounding may, ties going to the smallest site, then to the first place.
// A round costs one pass over the table, whatever the number of open sites: a swap is judged by
// what each customer pays for its nearest and its second nearest open site (Resende and Werneck,
// European Journal of Operational Research 174, 2007). Preconditions: `start` holds distinct sites.
SwapResult swap_search(const SwapProblem<std::uint8_t>& problem, std::span<const NodeId> start,
                       const SwapRules& rules, int num_threads);
SwapResult swap_search(const SwapProblem<std::uint16_t>& problem, std::span<const NodeId> start,
                       const SwapRules& rules, int num_threads);
SwapResult swap_search(const SwapProblem<std::uint32_t>& problem, std::span<const NodeId> start,
                       const SwapRules& rules, int num_threads);
SwapResult swap_search(const SwapProblem<float>& problem, std::span<const NodeId> start,
                       const SwapRules& rules, int num_threads);
SwapResult swap_search(const SwapProblem<double>& problem, std::span<const NodeId> start,
                       const SwapRules& rules, int num_threads);

}  // namespace graphopt
