// The facility objective, and rounding.
#include "graphopt/facility/facility.hpp"

#include <limits>

#include "def_kernel.hpp"
#include "graphopt/facility/rounding.hpp"
#include "graphopt/support/element_types.hpp"

namespace graphopt::bindings {
namespace {

// `steps`: what is paid for every level; the last one is paid where nobody serves.
template <class Hops>
HopTable<Hops> hops_in(const Array<Hops>& distances, const Array<double>& steps) {
    require_rank(distances, 2, "distances");
    const std::span<const double> levels = vector_in(steps, "steps");
    if (levels.empty() || levels.size() - 1 > std::numeric_limits<Hops>::max()) {
        throw std::invalid_argument(
            "steps must have at least 1 entry, and at most what the dtype of distances counts to");
    }
    return {in(distances), size_of(distances, 0), size_of(distances, 1), levels};
}

template <class Hops>
std::int64_t py_largest_finite_hop(const Array<Hops>& distances, int num_threads) {
    return without_lock(largest_finite_hop<Hops>, in(distances), num_threads);
}

template <class Hops, class Real>
Array<Real> py_expected_hops(const Array<Hops>& distances, const Array<Real>& opening,
                             const Array<double>& steps, int num_threads) {
    const HopTable<Hops> hops = hops_in(distances, steps);
    auto expected = empty<Real>(hops.n_customers);
    without_lock(expected_hops<Hops, Real>, hops, vector_in(opening, hops.n_sites, "opening"),
                 out(expected), num_threads);
    return expected;
}

// Returns the expected distances and the gradient of their sum weighted by `upstream`.
template <class Hops, class Real>
py::tuple py_expected_hops_gradient(const Array<Hops>& distances, const Array<Real>& opening,
                                    const Array<Real>& upstream, const Array<double>& steps,
                                    int num_threads) {
    const HopTable<Hops> hops = hops_in(distances, steps);
    auto expected = empty<Real>(hops.n_customers);
    auto gradient = empty<Real>(hops.n_sites);
    without_lock(expected_hops_gradient<Hops, Real>, hops,
                 vector_in(opening, hops.n_sites, "opening"),
                 vector_in(upstream, hops.n_customers, "upstream"), out(expected), out(gradient),
                 num_threads);
    return py::make_tuple(expected, gradient);
}

// Returns the mean of the expected distances and its gradient.
template <class Hops, class Real>
py::tuple py_mean_expected_hops(const Array<Hops>& distances, const Array<Real>& opening,
                                const Array<double>& steps, int num_threads) {
    const HopTable<Hops> hops = hops_in(distances, steps);
    auto gradient = empty<Real>(hops.n_sites);
    const double mean =
        without_lock(mean_expected_hops<Hops, Real>, hops,
                     vector_in(opening, hops.n_sites, "opening"), out(gradient), num_threads);
    return py::make_tuple(mean, gradient);
}

Array<std::int32_t> py_order_sites(const Array<double>& distances, int num_threads) {
    require_rank(distances, 2, "distances");
    auto order = empty<std::int32_t>(distances.shape(0), distances.shape(1));
    without_lock(order_sites, in(distances), size_of(distances, 0), size_of(distances, 1),
                 out(order), num_threads);
    return order;
}

LengthTable lengths_in(const Array<double>& distances, const Array<std::int32_t>& order,
                       double charge) {
    require_rank(distances, 2, "distances");
    const LengthTable lengths{in(distances), sized_in(order, in(distances).size(), "order"),
                              size_of(distances, 0), size_of(distances, 1), charge};
    check_indices(lengths.order, lengths.n_sites, "order");
    return lengths;
}

template <class Real>
Array<Real> py_expected_lengths(const Array<double>& distances, const Array<std::int32_t>& order,
                                const Array<Real>& opening, double charge, int num_threads) {
    const LengthTable lengths = lengths_in(distances, order, charge);
    auto expected = empty<Real>(lengths.n_customers);
    without_lock(expected_lengths<Real>, lengths, vector_in(opening, lengths.n_sites, "opening"),
                 out(expected), num_threads);
    return expected;
}

template <class Real>
Array<Real> py_expected_lengths_gradient(const Array<double>& distances,
                                         const Array<std::int32_t>& order,
                                         const Array<Real>& opening, const Array<Real>& upstream,
                                         double charge, int num_threads) {
    const LengthTable lengths = lengths_in(distances, order, charge);
    auto gradient = empty<Real>(lengths.n_sites);
    without_lock(expected_lengths_gradient<Real>, lengths,
                 vector_in(opening, lengths.n_sites, "opening"),
                 vector_in(upstream, lengths.n_customers, "upstream"), out(gradient), num_threads);
    return gradient;
}

Array<std::int32_t> py_pipage_rounding(const Array<double>& opening, std::size_t n_chosen,
                                       std::size_t n_draws, double tolerance, std::uint64_t seed,
                                       int num_threads) {
    const auto x = vector_in(opening, "opening");
    if (n_chosen > x.size()) {
        throw std::invalid_argument("n_chosen must be at most the number of sites");
    }
    auto draws = empty<std::int32_t>(n_draws, n_chosen);
    without_lock(pipage_rounding, x, n_chosen, n_draws, tolerance, seed, out(draws), num_threads);
    return draws;
}

}  // namespace

void register_facility(py::module_& m) {
    for_each_hops([&]<class Hops>() {
        def_kernel(m, "largest_finite_hop", &py_largest_finite_hop<Hops>, "distances",
                   "num_threads");
        for_each_real([&]<class Real>() {
            def_kernel(m, "expected_hops", &py_expected_hops<Hops, Real>, "distances", "opening",
                       "steps", "num_threads");
            def_kernel(m, "expected_hops_gradient", &py_expected_hops_gradient<Hops, Real>,
                       "distances", "opening", "upstream", "steps", "num_threads");
            def_kernel(m, "mean_expected_hops", &py_mean_expected_hops<Hops, Real>, "distances",
                       "opening", "steps", "num_threads");
        });
    });
    def_kernel(m, "order_sites", &py_order_sites, "distances", "num_threads");
    for_each_real([&]<class Real>() {
        def_kernel(m, "expected_lengths", &py_expected_lengths<Real>, "distances", "order",
                   "opening", "charge", "num_threads");
        def_kernel(m, "expected_lengths_gradient", &py_expected_lengths_gradient<Real>, "distances",
                   "order", "opening", "upstream", "charge", "num_threads");
    });
    def_kernel(m, "pipage_rounding", &py_pipage_rounding, "opening", "n_chosen", "n_draws",
               "tolerance", "seed", "num_threads");
}

}  // namespace graphopt::bindings
