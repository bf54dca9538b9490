#include "arrays.hpp"
#include "graphopt/nn/spmm.hpp"
#include "sparse_in.hpp"

namespace graphopt::bindings {
namespace {

template <class Real>
Array<Real> py_spmm(const Array<EdgeOffset>& indptr, const Array<NodeId>& indices,
                    const Array<Real>& values, std::size_t n_columns, const Array<Real>& dense,
                    int num_threads) {
    const auto matrix = sparse_in(indptr, indices, values, n_columns);
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
    define<float>(m);
    define<double>(m);
}

}  // namespace graphopt::bindings
