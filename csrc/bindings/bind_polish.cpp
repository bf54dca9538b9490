#include <algorithm>

#include "arrays.hpp"
#include "graphopt/communities/polish.hpp"

namespace graphopt::bindings {
namespace {

Array<NodeId> py_polish(const Array<EdgeOffset>& indptr, const Array<NodeId>& indices,
                        const std::optional<Array<double>>& weights, const Array<NodeId>& starts,
                        std::size_t n_groups, double resolution, bool keep_all,
                        std::size_t perturbations, std::uint64_t seed, int num_threads) {
    const CsrView graph = csr_in(indptr, indices, weights);
    require_rank(starts, 2, "starts");
    const auto n_starts = static_cast<std::size_t>(starts.shape(0));
    if (n_starts < 1) throw std::invalid_argument("starts must have a row");
    require_size(starts, n_starts * graph.n_nodes(), "starts");
    const std::span<const NodeId> rows = in(starts);
    const bool fits = std::ranges::all_of(rows, [n_groups](NodeId label) {
        return label >= 0 && static_cast<std::size_t>(label) < n_groups;
    });
    if (!fits) {
        throw std::invalid_argument("starts must hold labels below " + std::to_string(n_groups));
    }
    const PolishOptions options{n_groups, resolution, keep_all, perturbations, seed};
    Array<NodeId> labels = empty<NodeId>({starts.shape(1)});
    const std::span<NodeId> result = out(labels);
    {
        const py::gil_scoped_release nogil;
        polish(graph, rows, n_starts, options, result, num_threads);
    }
    return labels;
}

}  // namespace

void register_polish(py::module_& m) {
    m.def("polish", &py_polish, py::arg("indptr").noconvert(), py::arg("indices").noconvert(),
          py::arg("weights").noconvert(), py::arg("starts").noconvert(), py::arg("n_groups"),
          py::arg("resolution"), py::arg("keep_all"), py::arg("perturbations"), py::arg("seed"),
          py::arg("num_threads"));
}

}  // namespace graphopt::bindings
