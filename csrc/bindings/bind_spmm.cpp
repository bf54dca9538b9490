#include "arrays.hpp"
#include "graphopt/spmm.hpp"

namespace graphopt::bindings {
namespace {

void py_check_sparse(const Array<EdgeOffset>& indptr, const Array<NodeId>& indices,
                     std::size_t n_columns) {
    const auto pointers = vector_in(indptr, "indptr");
    const auto columns = vector_in(indices, "indices");
    const py::gil_scoped_release nogil;
    check_sparse(pointers, columns, n_columns);
}

// Indices were checked when the matrix was made (check_sparse against `n_columns`); what can differ
// from call to call is looked at here.
template <class Real>
Array<Real> py_spmm(const Array<EdgeOffset>& indptr, const Array<NodeId>& indices,
                    const Array<Real>& values, std::size_t n_columns, const Array<Real>& dense,
                    int num_threads) {
    const SparseView<Real> matrix{vector_in(indptr, "indptr"), vector_in(indices, "indices"),
                                  vector_in(values, "values")};
    require_size(values, matrix.indices.size(), "values");
    require_rank(dense, 2, "dense");
    if (static_cast<std::size_t>(dense.shape(0)) != n_columns) {
        throw std::invalid_argument("dense must have " + std::to_string(n_columns) + " rows, not " +
                                    std::to_string(dense.shape(0)));
    }
    const auto width = static_cast<std::size_t>(dense.shape(1));
    auto result = empty<Real>({static_cast<py::ssize_t>(matrix.n_rows()), dense.shape(1)});
    const auto source = in(dense);
    const auto target = out(result);
    {
        const py::gil_scoped_release nogil;
        spmm(matrix, source, width, target, num_threads);
    }
    return result;
}

template <class Real>
void define(py::module_& m) {
    m.def("spmm", &py_spmm<Real>, py::arg("indptr").noconvert(), py::arg("indices").noconvert(),
          py::arg("values").noconvert(), py::arg("n_columns"), py::arg("dense").noconvert(),
          py::arg("num_threads"));
}

}  // namespace

void register_spmm(py::module_& m) {
    m.def("check_sparse", &py_check_sparse, py::arg("indptr").noconvert(),
          py::arg("indices").noconvert(), py::arg("n_columns"));
    define<float>(m);
    define<double>(m);
}

}  // namespace graphopt::bindings
