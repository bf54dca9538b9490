#include "arrays.hpp"
#include "graphopt/communities/cnm.hpp"

namespace graphopt::bindings {
namespace {

py::tuple py_cnm(const Array<double>& weights, std::size_t n_groups) {
    require_rank(weights, 2, "weights");
    const auto n = static_cast<std::size_t>(weights.shape(0));
    require_size(weights, n * n, "weights");
    if (n_groups < 1 || n_groups > n) {
        throw std::invalid_argument("n_groups must be in 1.." + std::to_string(n) + ", not " +
                                    std::to_string(n_groups));
    }
    const std::span<const double> values = in(weights);
    std::vector<Merge> merges;
    {
        const py::gil_scoped_release nogil;
        merges = cnm(values, n, n_groups);
    }
    const auto count = static_cast<py::ssize_t>(merges.size());
    Array<NodeId> pairs = empty<NodeId>({count, 2});
    Array<double> gains = empty<double>({count});
    for (std::size_t step = 0; step < merges.size(); ++step) {
        out(pairs)[2 * step] = merges[step].kept;
        out(pairs)[2 * step + 1] = merges[step].gone;
        out(gains)[step] = merges[step].gain;
    }
    return py::make_tuple(pairs, gains);
}

}  // namespace

void register_cnm(py::module_& m) {
    m.def("cnm", &py_cnm, py::arg("weights").noconvert(), py::arg("n_groups"));
}

}  // namespace graphopt::bindings
