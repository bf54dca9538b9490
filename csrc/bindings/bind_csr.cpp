#include "arrays.hpp"
#include "graphopt/support/csr.hpp"
#include "graphopt/support/sparse.hpp"

namespace graphopt::bindings {
namespace {

Duplicates duplicates_from(const std::string& name) {
    if (name == "first") return Duplicates::first;
    if (name == "last") return Duplicates::last;
    if (name == "sum") return Duplicates::sum;
    if (name == "min") return Duplicates::minimum;
    if (name == "max") return Duplicates::maximum;
    if (name == "error") return Duplicates::error;
    throw std::invalid_argument("duplicates must be first, last, sum, min, max or error, not " +
                                name);
}

py::tuple as_tuple(Csr&& csr, bool weighted) {
    py::object weights = py::none();
    if (weighted) weights = adopt(std::move(csr.weights));
    return py::make_tuple(adopt(std::move(csr.indptr)), adopt(std::move(csr.indices)), weights);
}

py::tuple py_build_csr(std::size_t n_nodes, const Array<std::int64_t>& sources,
                       const Array<std::int64_t>& targets,
                       const std::optional<Array<double>>& weights, bool directed,
                       bool drop_self_loops, const std::string& duplicates) {
    EdgeList edges{vector_in(sources, "sources"), vector_in(targets, "targets"), {}};
    require_size(targets, edges.sources.size(), "targets");
    if (weights) {
        edges.weights = vector_in(*weights, "weights");
        require_size(*weights, edges.sources.size(), "weights");
    }
    const BuildOptions options{directed, drop_self_loops, duplicates_from(duplicates)};
    Csr csr;
    {
        const py::gil_scoped_release nogil;
        csr = build_csr(n_nodes, edges, options);
    }
    return as_tuple(std::move(csr), weights.has_value());
}

void py_check_csr(const Array<EdgeOffset>& indptr, const Array<NodeId>& indices,
                  const std::optional<Array<double>>& weights) {
    CsrView view{vector_in(indptr, "indptr"), vector_in(indices, "indices"), {}};
    if (weights) {
        view.weights = vector_in(*weights, "weights");
        require_size(*weights, view.indices.size(), "weights");
    }
    const py::gil_scoped_release nogil;
    check_csr(view);
}

template <class Offset, class Index>
void py_check_sparse(const Array<Offset>& indptr, const Array<Index>& indices,
                     std::size_t n_columns) {
    const auto offsets = vector_in(indptr, "indptr");
    const auto columns = vector_in(indices, "indices");
    const py::gil_scoped_release nogil;
    check_sparse(offsets, columns, n_columns);
}

template <class Index>
void py_check_indices(const Array<Index>& indices, std::size_t size, const char* name) {
    const auto values = vector_in(indices, name);
    const py::gil_scoped_release nogil;
    check_indices(values, size, name);
}

// The types that SciPy has indices in.
template <class Index>
void define_checks(py::module_& m) {
    m.def("check_sparse", &py_check_sparse<Index, Index>, py::arg("indptr").noconvert(),
          py::arg("indices").noconvert(), py::arg("n_columns"));
    m.def("check_indices", &py_check_indices<Index>, py::arg("indices").noconvert(),
          py::arg("size"), py::arg("name"));
}

py::tuple py_transpose(const Array<EdgeOffset>& indptr, const Array<NodeId>& indices,
                       const std::optional<Array<double>>& weights) {
    const CsrView view = csr_in(indptr, indices, weights);
    Csr csr;
    {
        const py::gil_scoped_release nogil;
        csr = transpose(view);
    }
    return as_tuple(std::move(csr), weights.has_value());
}

}  // namespace

void register_csr(py::module_& m) {
    m.def("build_csr", &py_build_csr, py::arg("n_nodes"), py::arg("sources").noconvert(),
          py::arg("targets").noconvert(), py::arg("weights").noconvert().none(true),
          py::arg("directed"), py::arg("drop_self_loops"), py::arg("duplicates"));
    m.def("check_csr", &py_check_csr, py::arg("indptr").noconvert(), py::arg("indices").noconvert(),
          py::arg("weights").noconvert().none(true));
    define_checks<std::int32_t>(m);
    define_checks<std::int64_t>(m);
    m.def("check_sparse", &py_check_sparse<EdgeOffset, NodeId>, py::arg("indptr").noconvert(),
          py::arg("indices").noconvert(), py::arg("n_columns"));
    m.def("transpose_csr", &py_transpose, py::arg("indptr").noconvert(),
          py::arg("indices").noconvert(), py::arg("weights").noconvert().none(true));
}

}  // namespace graphopt::bindings
