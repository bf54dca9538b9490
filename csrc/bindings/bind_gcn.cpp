#include "arrays.hpp"
#include "graphopt/nn/gcn.hpp"
#include "sparse_in.hpp"

namespace graphopt::bindings {
namespace {

template <class Real>
SparseView<Real> square_in(const Array<EdgeOffset>& indptr, const Array<NodeId>& indices,
                           const Array<Real>& values, std::size_t n_columns) {
    const auto matrix = sparse_in(indptr, indices, values, n_columns);
    if (matrix.indptr.size() != n_columns + 1) {
        throw std::invalid_argument("indptr must be that of a square matrix");
    }
    return matrix;
}

template <class Real>
void require_shape(const Array<Real>& array, py::ssize_t rows, py::ssize_t columns,
                   const char* name) {
    require_rank(array, 2, name);
    if (array.shape(0) != rows || array.shape(1) != columns) {
        throw std::invalid_argument(std::string(name) + " must have shape (" +
                                    std::to_string(rows) + ", " + std::to_string(columns) + ")");
    }
}

void require_share(double dropout) {
    if (!(dropout >= 0.0 && dropout < 1.0)) {
        throw std::invalid_argument("dropout must be at least 0 and less than 1");
    }
}

template <class Real>
py::tuple py_gcn_layers(const Array<EdgeOffset>& indptr, const Array<NodeId>& indices,
                        const Array<Real>& values, std::size_t n_columns,
                        const Array<Real>& projected, const Array<Real>& hidden_bias,
                        const Array<Real>& out_weight, const Array<Real>& out_bias, double dropout,
                        std::uint64_t seed, int num_threads) {
    const SparseView<Real> matrix = square_in(indptr, indices, values, n_columns);
    const auto n = static_cast<py::ssize_t>(matrix.n_rows());
    const GcnLayers<Real> layers{vector_in(hidden_bias, "hidden_bias"), in(out_weight),
                                 vector_in(out_bias, "out_bias"), dropout, seed};
    require_share(dropout);
    require_shape(projected, n, hidden_bias.size(), "projected");
    require_shape(out_weight, hidden_bias.size(), out_bias.size(), "out_weight");
    auto hidden = empty<Real>({n, hidden_bias.size()});
    auto result = empty<Real>({n, out_bias.size()});
    const auto source = in(projected);
    const auto middle = out(hidden);
    const auto target = out(result);
    {
        const py::gil_scoped_release nogil;
        gcn_layers(matrix, layers, source, middle, target, num_threads);
    }
    return py::make_tuple(result, hidden);
}

template <class Real>
py::tuple py_gcn_layers_gradient(const Array<EdgeOffset>& indptr, const Array<NodeId>& indices,
                                 const Array<Real>& values, std::size_t n_columns,
                                 const Array<Real>& hidden, const Array<Real>& out_weight,
                                 double dropout, const Array<Real>& upstream, int num_threads) {
    const SparseView<Real> matrix = square_in(indptr, indices, values, n_columns);
    const auto n = static_cast<py::ssize_t>(matrix.n_rows());
    require_share(dropout);
    require_rank(out_weight, 2, "out_weight");
    const py::ssize_t h = out_weight.shape(0), p = out_weight.shape(1);
    require_shape(hidden, n, h, "hidden");
    require_shape(upstream, n, p, "upstream");
    auto by_projected = empty<Real>({n, h});
    auto by_hidden_bias = empty<Real>({h});
    auto by_out_weight = empty<Real>({h, p});
    auto by_out_bias = empty<Real>({p});
    const GcnGradients<Real> gradients{out(by_projected), out(by_hidden_bias), out(by_out_weight),
                                       out(by_out_bias)};
    // The gradient asks for the sizes of the biases, not for their values.
    const GcnLayers<Real> layers{gradients.hidden_bias, in(out_weight), gradients.out_bias, dropout,
                                 0};
    const auto kept = in(hidden);
    const auto above = in(upstream);
    {
        const py::gil_scoped_release nogil;
        gcn_layers_gradient(matrix, layers, kept, above, gradients, num_threads);
    }
    return py::make_tuple(by_projected, by_hidden_bias, by_out_weight, by_out_bias);
}

template <class Real>
void define(py::module_& m) {
    m.def("gcn_layers", &py_gcn_layers<Real>, py::arg("indptr").noconvert(),
          py::arg("indices").noconvert(), py::arg("values").noconvert(), py::arg("n_columns"),
          py::arg("projected").noconvert(), py::arg("hidden_bias").noconvert(),
          py::arg("out_weight").noconvert(), py::arg("out_bias").noconvert(), py::arg("dropout"),
          py::arg("seed"), py::arg("num_threads"));
    m.def("gcn_layers_gradient", &py_gcn_layers_gradient<Real>, py::arg("indptr").noconvert(),
          py::arg("indices").noconvert(), py::arg("values").noconvert(), py::arg("n_columns"),
          py::arg("hidden").noconvert(), py::arg("out_weight").noconvert(), py::arg("dropout"),
          py::arg("upstream").noconvert(), py::arg("num_threads"));
}

}  // namespace

void register_gcn(py::module_& m) {
    define<float>(m);
    define<double>(m);
}

}  // namespace graphopt::bindings
