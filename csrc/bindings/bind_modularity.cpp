#include "arrays.hpp"
#include "graphopt/communities/modularity.hpp"
#include "graphopt/support/sparse.hpp"

namespace graphopt::bindings {
namespace {

template <class Real>
py::tuple py_modularity_gradient(const Array<EdgeOffset>& indptr, const Array<NodeId>& indices,
                                 const std::optional<Array<double>>& weights,
                                 const Array<Real>& assignment, double resolution,
                                 int num_threads) {
    const CsrView graph = csr_in(indptr, indices, weights);
    // Tensors, which unlike the arrays of a Graph can be changed.
    check_sparse(graph.indptr, graph.indices, graph.n_nodes());
    require_rank(assignment, 2, "assignment");
    const auto n_groups = static_cast<std::size_t>(assignment.shape(1));
    require_size(assignment, graph.n_nodes() * n_groups, "assignment");
    Array<Real> gradient = empty<Real>({assignment.shape(0), assignment.shape(1)});
    const std::span<const Real> r = in(assignment);
    const std::span<Real> result = out(gradient);
    double value = 0.0;
    {
        const py::gil_scoped_release nogil;
        value = modularity_gradient(graph, r, n_groups, resolution, result, num_threads);
    }
    return py::make_tuple(value, gradient);
}

template <class Real>
void define(py::module_& m) {
    m.def("modularity_gradient", &py_modularity_gradient<Real>, py::arg("indptr").noconvert(),
          py::arg("indices").noconvert(), py::arg("weights").noconvert().none(true),
          py::arg("assignment").noconvert(), py::arg("resolution"), py::arg("num_threads"));
}

}  // namespace

void register_modularity(py::module_& m) {
    define<float>(m);
    define<double>(m);
}

}  // namespace graphopt::bindings
