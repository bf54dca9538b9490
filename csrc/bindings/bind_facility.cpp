#include <algorithm>
#include <limits>

#include "arrays.hpp"
#include "graphopt/facility/facility.hpp"
#include "graphopt/support/parallel.hpp"

namespace graphopt::bindings {
namespace {

template <class T>
py::ssize_t columns_of(const Array<T>& distances) {
    require_rank(distances, 2, "distances");
    return distances.shape(1);
}

// `steps`: what is paid for every level, and by who is served by nobody.
template <class Hops>
HopTable<Hops> hops_in(const Array<Hops>& distances, const Array<double>& steps) {
    const auto n_sites = static_cast<std::size_t>(columns_of(distances));
    const std::span<const double> levels = vector_in(steps, "steps");
    if (levels.empty() || levels.size() - 1 > std::numeric_limits<Hops>::max()) {
        throw std::invalid_argument(
            "steps must have at least 1 entry, and at most what the dtype "
            "of distances counts to");
    }
    return {in(distances), static_cast<std::size_t>(distances.shape(0)), n_sites, levels};
}

template <class Hops>
std::int64_t py_largest_finite_hop(const Array<Hops>& distances, int num_threads) {
    const std::span<const Hops> values = in(distances);
    const py::gil_scoped_release nogil;
    return largest_finite_hop(values, num_threads);
}

template <class Hops, class Real>
Array<Real> py_expected_hops(const Array<Hops>& distances, const Array<Real>& opening,
                             const Array<double>& steps, int num_threads) {
    const HopTable<Hops> hops = hops_in(distances, steps);
    const std::span<const Real> x = vector_in(opening, "opening");
    require_size(opening, hops.n_sites, "opening");
    Array<Real> expected = empty<Real>({distances.shape(0)});
    const std::span<Real> result = out(expected);
    {
        const py::gil_scoped_release nogil;
        expected_hops(hops, x, result, num_threads);
    }
    return expected;
}

// Returns the expected distances and the gradient of their sum weighted by `upstream`.
template <class Hops, class Real>
py::tuple py_expected_hops_gradient(const Array<Hops>& distances, const Array<Real>& opening,
                                    const Array<Real>& upstream, const Array<double>& steps,
                                    int num_threads) {
    const HopTable<Hops> hops = hops_in(distances, steps);
    const std::span<const Real> x = vector_in(opening, "opening");
    require_size(opening, hops.n_sites, "opening");
    const std::span<const Real> weights = vector_in(upstream, "upstream");
    require_size(upstream, hops.n_customers, "upstream");
    Array<Real> expected = empty<Real>({distances.shape(0)});
    Array<Real> gradient = empty<Real>({opening.shape(0)});
    const std::span<Real> values = out(expected), slopes = out(gradient);
    {
        const py::gil_scoped_release nogil;
        expected_hops_gradient(hops, x, weights, values, slopes, num_threads);
    }
    return py::make_tuple(expected, gradient);
}

// Returns the mean of the expected distances and its gradient.
template <class Hops, class Real>
py::tuple py_mean_expected_hops(const Array<Hops>& distances, const Array<Real>& opening,
                                const Array<double>& steps, int num_threads) {
    const HopTable<Hops> hops = hops_in(distances, steps);
    const std::span<const Real> x = vector_in(opening, "opening");
    require_size(opening, hops.n_sites, "opening");
    Array<Real> gradient = empty<Real>({opening.shape(0)});
    const std::span<Real> slopes = out(gradient);
    double mean = 0.0;
    {
        const py::gil_scoped_release nogil;
        mean = mean_expected_hops(hops, x, slopes, num_threads);
    }
    return py::make_tuple(mean, gradient);
}

Array<std::int32_t> py_order_sites(const Array<double>& distances, int num_threads) {
    const auto n_sites = static_cast<std::size_t>(columns_of(distances));
    const auto n_customers = static_cast<std::size_t>(distances.shape(0));
    Array<std::int32_t> order = empty<std::int32_t>({distances.shape(0), distances.shape(1)});
    const std::span<const double> values = in(distances);
    const std::span<std::int32_t> result = out(order);
    {
        const py::gil_scoped_release nogil;
        order_sites(values, n_customers, n_sites, result, num_threads);
    }
    return order;
}

LengthTable lengths_in(const Array<double>& distances, const Array<std::int32_t>& order,
                       double charge) {
    const auto n_sites = static_cast<std::size_t>(columns_of(distances));
    require_size(order, static_cast<std::size_t>(distances.size()), "order");
    const LengthTable lengths{in(distances), in(order),
                              static_cast<std::size_t>(distances.shape(0)), n_sites, charge};
    constexpr std::size_t piece = std::size_t{1} << 16;
    for (std::size_t begin = 0; begin < lengths.order.size(); begin += piece) {
        bool inside = true;
        const std::size_t count = std::min(piece, lengths.order.size() - begin);
        for (const std::int32_t site : lengths.order.subspan(begin, count)) {
            inside &= static_cast<std::size_t>(static_cast<std::uint32_t>(site)) < n_sites;
        }
        if (!inside) throw std::invalid_argument("order must hold site numbers");
        count_work(count);
    }
    return lengths;
}

template <class Real>
Array<Real> py_expected_lengths(const Array<double>& distances, const Array<std::int32_t>& order,
                                const Array<Real>& opening, double charge, int num_threads) {
    const LengthTable lengths = lengths_in(distances, order, charge);
    const std::span<const Real> x = vector_in(opening, "opening");
    require_size(opening, lengths.n_sites, "opening");
    Array<Real> expected = empty<Real>({distances.shape(0)});
    const std::span<Real> result = out(expected);
    {
        const py::gil_scoped_release nogil;
        expected_lengths(lengths, x, result, num_threads);
    }
    return expected;
}

template <class Real>
Array<Real> py_expected_lengths_gradient(const Array<double>& distances,
                                         const Array<std::int32_t>& order,
                                         const Array<Real>& opening, const Array<Real>& upstream,
                                         double charge, int num_threads) {
    const LengthTable lengths = lengths_in(distances, order, charge);
    const std::span<const Real> x = vector_in(opening, "opening");
    require_size(opening, lengths.n_sites, "opening");
    const std::span<const Real> weights = vector_in(upstream, "upstream");
    require_size(upstream, lengths.n_customers, "upstream");
    Array<Real> gradient = empty<Real>({opening.shape(0)});
    const std::span<Real> result = out(gradient);
    {
        const py::gil_scoped_release nogil;
        expected_lengths_gradient(lengths, x, weights, result, num_threads);
    }
    return gradient;
}

template <class Hops, class Real>
void define_hops(py::module_& m) {
    m.def("expected_hops", &py_expected_hops<Hops, Real>, py::arg("distances").noconvert(),
          py::arg("opening").noconvert(), py::arg("steps").noconvert(), py::arg("num_threads"));
    m.def("expected_hops_gradient", &py_expected_hops_gradient<Hops, Real>,
          py::arg("distances").noconvert(), py::arg("opening").noconvert(),
          py::arg("upstream").noconvert(), py::arg("steps").noconvert(), py::arg("num_threads"));
    m.def("mean_expected_hops", &py_mean_expected_hops<Hops, Real>,
          py::arg("distances").noconvert(), py::arg("opening").noconvert(),
          py::arg("steps").noconvert(), py::arg("num_threads"));
}

template <class Hops>
void define_hops(py::module_& m) {
    m.def("largest_finite_hop", &py_largest_finite_hop<Hops>, py::arg("distances").noconvert(),
          py::arg("num_threads"));
    define_hops<Hops, float>(m);
    define_hops<Hops, double>(m);
}

template <class Real>
void define_lengths(py::module_& m) {
    m.def("expected_lengths", &py_expected_lengths<Real>, py::arg("distances").noconvert(),
          py::arg("order").noconvert(), py::arg("opening").noconvert(), py::arg("charge"),
          py::arg("num_threads"));
    m.def("expected_lengths_gradient", &py_expected_lengths_gradient<Real>,
          py::arg("distances").noconvert(), py::arg("order").noconvert(),
          py::arg("opening").noconvert(), py::arg("upstream").noconvert(), py::arg("charge"),
          py::arg("num_threads"));
}

}  // namespace

void register_facility(py::module_& m) {
    define_hops<std::uint8_t>(m);
    define_hops<std::uint16_t>(m);
    define_hops<std::uint32_t>(m);
    m.def("order_sites", &py_order_sites, py::arg("distances").noconvert(), py::arg("num_threads"));
    define_lengths<float>(m);
    define_lengths<double>(m);
}

}  // namespace graphopt::bindings
