// What every customer is expected to pay for the distance to its nearest open site, and the
// gradient.
//
// Site i is open, independently of the others, with probability x_i. A customer pays steps[t] for
// every level t at which no site within t is open; sites at n_levels or further serve nobody. So
//     E_j = sum over t of steps[t] * product of (1 - x_i) over {i : d(i, j) <= t},
// where the last step is paid by who is served by nobody. Steps of 1 make E the expected distance.
// Nothing is sampled or sorted for hop distances: one pass over a customer's row multiplies
// (1 - x_i) into a table by level, and the gradient is one look-up per entry of the row.
// O(n_customers (n_sites + n_levels)) time. Value and gradient come together from one reading of
// the distances, block by block of customers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace graphopt {

// Distances counted in hops. Preconditions: distances is n_customers x n_sites, row-major; steps
// has n_levels + 1 finite entries, and n_levels is at most the dtype's maximum, which stands for an
// unreachable site.
// Hops: std::uint8_t, std::uint16_t or std::uint32_t.
template <class Hops>
struct HopTable {
    std::span<const Hops> distances;
    std::size_t n_customers;
    std::size_t n_sites;
    std::span<const double> steps;

    std::size_t n_levels() const noexcept { return steps.size() - 1; }
};

// The largest distance below the dtype's maximum, or -1 if there is none.
template <class Hops>
std::int64_t largest_finite_hop(std::span<const Hops> distances, int num_threads);

// Preconditions: opening has n_sites entries in [0, 1]; expected has n_customers.
// Real: float or double. Products and sums over levels are double in either case; for float, the
// sums of logarithms and of gradients within a block of sites or customers may be float.
template <class Hops, class Real>
void expected_hops(const HopTable<Hops>& hops, std::span<const Real> opening,
                   std::span<Real> expected, int num_threads);

// The same, and gradient_i = sum over customers j of upstream_j dE_j / dx_i. A site that is sure to
// be open (x_i = 1) has the one-sided derivative, which is 0 unless it is a customer's nearest such
// site.
template <class Hops, class Real>
void expected_hops_gradient(const HopTable<Hops>& hops, std::span<const Real> opening,
                            std::span<const Real> upstream, std::span<Real> expected,
                            std::span<Real> gradient, int num_threads);

// Returns the mean over customers, 0 if there are none, and writes its gradient.
template <class Hops, class Real>
double mean_expected_hops(const HopTable<Hops>& hops, std::span<const Real> opening,
                          std::span<Real> gradient, int num_threads);

// Distances that are real numbers, with the order of the sites by distance for every customer.
// Preconditions: distances is n_customers x n_sites, at least 0, no NaN, infinite where
// unreachable; every row of order is a permutation of the sites that sorts the row of distances;
// charge is finite and greater than 0.
struct LengthTable {
    std::span<const double> distances;
    std::span<const std::int32_t> order;
    std::size_t n_customers;
    std::size_t n_sites;
    double charge;
};

// Fills such an order, ties by site; O(n log n) a customer.
void order_sites(std::span<const double> distances, std::size_t n_customers, std::size_t n_sites,
                 std::span<std::int32_t> order, int num_threads);

// The same expectation: the integral over t from 0 to charge of the product at t.
template <class Real>
void expected_lengths(const LengthTable& lengths, std::span<const Real> opening,
                      std::span<Real> expected, int num_threads);

template <class Real>
void expected_lengths_gradient(const LengthTable& lengths, std::span<const Real> opening,
                               std::span<const Real> upstream, std::span<Real> gradient,
                               int num_threads);

}  // namespace graphopt
