#include "arrays.hpp"
#include "graphopt/facility/rounding.hpp"

namespace graphopt::bindings {
namespace {

Array<std::int32_t> py_pipage_rounding(const Array<double>& opening, std::size_t n_chosen,
                                       std::size_t n_draws, double tolerance, std::uint64_t seed,
                                       int num_threads) {
    const std::span<const double> x = vector_in(opening, "opening");
    if (n_chosen > x.size()) {
        throw std::invalid_argument("n_chosen must be at most the number of sites");
    }
    Array<std::int32_t> draws = empty<std::int32_t>(
        {static_cast<py::ssize_t>(n_draws), static_cast<py::ssize_t>(n_chosen)});
    const std::span<std::int32_t> result = out(draws);
    {
        const py::gil_scoped_release nogil;
        pipage_rounding(x, n_chosen, n_draws, tolerance, seed, result, num_threads);
    }
    return draws;
}

}  // namespace

void register_rounding(py::module_& m) {
    m.def("pipage_rounding", &py_pipage_rounding, py::arg("opening").noconvert(),
          py::arg("n_chosen"), py::arg("n_draws"), py::arg("tolerance"), py::arg("seed"),
          py::arg("num_threads"));
}

}  // namespace graphopt::bindings
