#include "arrays.hpp"
#include "graphopt/communities/weight_within.hpp"

namespace graphopt::bindings {
namespace {

double py_weight_within(const Array<double>& matrix, const Array<std::int64_t>& group,
                        int num_threads) {
    const std::span<const std::int64_t> groups = vector_in(group, "group");
    require_square(matrix, "matrix");
    require_size(group, static_cast<std::size_t>(matrix.shape(0)), "group");
    const std::span<const double> weights = in(matrix);
    const py::gil_scoped_release nogil;
    return weight_within(weights, groups, num_threads);
}

}  // namespace

void register_weight_within(py::module_& m) {
    m.def("weight_within", &py_weight_within, py::arg("matrix").noconvert(),
          py::arg("group").noconvert(), py::arg("num_threads"));
}

}  // namespace graphopt::bindings
