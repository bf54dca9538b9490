#include <algorithm>

#include "arrays.hpp"
#include "graphopt/communities/kernighan_lin.hpp"
#include "sparse_in.hpp"

namespace graphopt::bindings {
namespace {

Array<bool> start_of(const Array<double>& strengths, const Array<bool>& side) {
    require_rank(side, 1, "side");
    require_rank(strengths, 1, "strengths");
    require_size(strengths, static_cast<std::size_t>(side.size()), "strengths");
    Array<bool> result = empty<bool>({side.size()});
    std::ranges::copy(in(side), result.mutable_data());
    return result;
}

Array<bool> py_kernighan_lin_sparse(const Array<EdgeOffset>& indptr, const Array<NodeId>& indices,
                                    const Array<double>& values, const Array<double>& strengths,
                                    double total, const Array<bool>& side) {
    Array<bool> result = start_of(strengths, side);
    const auto n = static_cast<std::size_t>(side.size());
    require_size(indptr, n + 1, "indptr");
    const auto matrix = sparse_in(indptr, indices, values, n);
    const auto shares = in(strengths);
    const auto sides = out(result);
    {
        const py::gil_scoped_release nogil;
        kernighan_lin(matrix, shares, total, sides);
    }
    return result;
}

Array<bool> py_kernighan_lin(const Array<double>& matrix, const Array<double>& strengths,
                             double total, const Array<bool>& side) {
    Array<bool> result = start_of(strengths, side);
    require_rank(matrix, 2, "matrix");
    const auto n = static_cast<std::size_t>(side.size());
    require_size(matrix, n * n, "matrix");
    const auto weights = in(matrix);
    const auto shares = in(strengths);
    const auto sides = out(result);
    {
        const py::gil_scoped_release nogil;
        kernighan_lin(weights, shares, total, sides);
    }
    return result;
}

}  // namespace

void register_kernighan_lin(py::module_& m) {
    m.def("kernighan_lin_sparse", &py_kernighan_lin_sparse, py::arg("indptr").noconvert(),
          py::arg("indices").noconvert(), py::arg("values").noconvert(),
          py::arg("strengths").noconvert(), py::arg("total"), py::arg("side").noconvert());
    m.def("kernighan_lin", &py_kernighan_lin, py::arg("matrix").noconvert(),
          py::arg("strengths").noconvert(), py::arg("total"), py::arg("side").noconvert());
}

}  // namespace graphopt::bindings
