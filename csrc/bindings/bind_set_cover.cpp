#include "arrays.hpp"
#include "graphopt/centers/set_cover.hpp"
#include "graphopt/support/distance_types.hpp"

namespace graphopt::bindings {
namespace {

template <class T>
py::tuple reduce(const Array<T>& distances, const Array<T>& limits,
                 const Array<std::uint8_t>& may_open, const Array<std::uint8_t>& needed,
                 double seconds, std::size_t entries, int num_threads) {
    require_rank(distances, 2, "distances");
    require_size(may_open, static_cast<std::size_t>(distances.shape(0)), "may_open");
    require_size(limits, static_cast<std::size_t>(distances.shape(1)), "limits");
    require_size(needed, static_cast<std::size_t>(distances.shape(1)), "needed");
    const auto table = in(distances), within = in(limits);
    const auto open = in(may_open), served = in(needed);
    CoverRest rest;
    {
        const py::gil_scoped_release nogil;
        rest = reduce_cover(table, within, open, served, num_threads, {seconds, entries});
    }
    return py::make_tuple(rest.feasible, rest.finished, adopt(std::move(rest.forced)),
                          adopt(std::move(rest.sites)), adopt(std::move(rest.customers)),
                          adopt(std::move(rest.indptr)), adopt(std::move(rest.served)));
}

template <class T>
void register_type(py::module_& m) {
    m.def("reduce_cover", &reduce<T>, py::arg("distances").noconvert(),
          py::arg("limits").noconvert(), py::arg("may_open").noconvert(),
          py::arg("needed").noconvert(), py::arg("seconds"), py::arg("entries"),
          py::arg("num_threads"));
}

}  // namespace

void register_set_cover(py::module_& m) {
    for_each_distance_type([&]<class T>() { register_type<T>(m); });
}

}  // namespace graphopt::bindings
