// What networks spend their time in, and the optimizer.
#include "def_kernel.hpp"
#include "graphopt/nn/adam.hpp"
#include "graphopt/nn/dropout.hpp"
#include "graphopt/nn/gcn.hpp"
#include "graphopt/nn/spmm.hpp"
#include "graphopt/nn/tall_product.hpp"
#include "graphopt/support/element_types.hpp"

namespace graphopt::bindings {
namespace {

void require_share(double share, const std::string& name) {
    if (!(share >= 0.0 && share < 1.0)) {
        throw std::invalid_argument(name + " must be at least 0 and less than 1");
    }
}

template <class Real>
void require_rows(const Array<Real>& matrix, std::size_t n_rows, const std::string& name) {
    require_rank(matrix, 2, name.c_str());
    if (size_of(matrix, 0) != n_rows) {
        throw std::invalid_argument(name + " must have " + std::to_string(n_rows) + " rows, not " +
                                    std::to_string(matrix.shape(0)));
    }
}

// The one function that changes its arguments: an optimizer's purpose. NumPy refuses memory that
// is read-only.
template <class Real>
void py_adam_step(Array<Real>& parameter, const Array<Real>& gradient, Array<Real>& first,
                  Array<Real>& second, double learning_rate, double weight_decay, double beta1,
                  double beta2, double epsilon, double step, int num_threads) {
    const auto target = out(parameter);
    require_size(first, target.size(), "first");
    require_size(second, target.size(), "second");
    without_lock(adam_step<Real>, target, sized_in(gradient, target.size(), "gradient"), out(first),
                 out(second),
                 AdamSettings{learning_rate, weight_decay, beta1, beta2, epsilon, step},
                 num_threads);
}

template <class Real>
Array<Real> py_dropout(const Array<Real>& values, double share, std::uint64_t seed,
                       int num_threads) {
    require_share(share, "share");
    auto result = empty_like(values);
    without_lock(dropout<Real>, in(values), share, seed, out(result), num_threads);
    return result;
}

template <class Real>
Array<Real> py_spmm(const Offsets& indptr, const Nodes& indices, const Array<Real>& values,
                    std::size_t n_columns, const Array<Real>& dense, int num_threads) {
    const auto matrix = sparse_in(indptr, indices, values, n_columns);
    require_rows(dense, n_columns, "dense");
    auto result = empty<Real>(matrix.n_rows(), dense.shape(1));
    without_lock(spmm<Real>, matrix, in(dense), size_of(dense, 1), out(result), num_threads);
    return result;
}

template <class Real>
SparseView<Real> square_in(const Offsets& indptr, const Nodes& indices, const Array<Real>& values,
                           std::size_t n_columns) {
    const auto matrix = sparse_in(indptr, indices, values, n_columns);
    if (matrix.n_rows() != n_columns) {
        throw std::invalid_argument("indptr must be that of a square matrix");
    }
    return matrix;
}

template <class Real>
py::tuple py_gcn_layers(const Offsets& indptr, const Nodes& indices, const Array<Real>& values,
                        std::size_t n_columns, const Array<Real>& projected,
                        const Array<Real>& hidden_bias, const Array<Real>& out_weight,
                        const Array<Real>& out_bias, double dropout, std::uint64_t seed,
                        int num_threads) {
    const SparseView<Real> matrix = square_in(indptr, indices, values, n_columns);
    const GcnLayers<Real> layers{vector_in(hidden_bias, "hidden_bias"), in(out_weight),
                                 vector_in(out_bias, "out_bias"), dropout, seed};
    const std::size_t n = matrix.n_rows(), h = layers.hidden_bias.size();
    const std::size_t p = layers.out_bias.size();
    require_share(dropout, "dropout");
    require_shape(projected, n, h, "projected");
    require_shape(out_weight, h, p, "out_weight");
    auto hidden = empty<Real>(n, h);
    auto result = empty<Real>(n, p);
    without_lock(gcn_layers<Real>, matrix, layers, in(projected), out(hidden), out(result),
                 num_threads);
    return py::make_tuple(result, hidden);
}

template <class Real>
py::tuple py_gcn_layers_gradient(const Offsets& indptr, const Nodes& indices,
                                 const Array<Real>& values, std::size_t n_columns,
                                 const Array<Real>& hidden, const Array<Real>& out_weight,
                                 double dropout, const Array<Real>& upstream, int num_threads) {
    const SparseView<Real> matrix = square_in(indptr, indices, values, n_columns);
    require_share(dropout, "dropout");
    require_rank(out_weight, 2, "out_weight");
    const std::size_t n = matrix.n_rows(), h = size_of(out_weight, 0), p = size_of(out_weight, 1);
    require_shape(hidden, n, h, "hidden");
    require_shape(upstream, n, p, "upstream");
    auto by_projected = empty<Real>(n, h);
    auto by_hidden_bias = empty<Real>(h);
    auto by_out_weight = empty<Real>(h, p);
    auto by_out_bias = empty<Real>(p);
    const GcnGradients<Real> gradients{out(by_projected), out(by_hidden_bias), out(by_out_weight),
                                       out(by_out_bias)};
    // The gradient asks for the sizes of the biases, not for their values.
    const GcnLayers<Real> layers{gradients.hidden_bias, in(out_weight), gradients.out_bias, dropout,
                                 0};
    without_lock(gcn_layers_gradient<Real>, matrix, layers, in(hidden), in(upstream), gradients,
                 num_threads);
    return py::make_tuple(by_projected, by_hidden_bias, by_out_weight, by_out_bias);
}

template <class Real>
Array<Real> py_tall_product(const Array<Real>& tall, const Array<Real>& other, int num_threads) {
    require_rank(tall, 2, "tall");
    const std::size_t n_rows = size_of(tall, 0), n_columns = size_of(tall, 1);
    require_rows(other, n_columns, "other");
    auto product = empty<Real>(n_rows, other.shape(1));
    without_lock(tall_product<Real>, TallShape{n_rows, n_columns, size_of(other, 1)}, in(tall),
                 in(other), out(product), num_threads);
    return product;
}

template <class Real>
Array<Real> py_transposed_tall_product(const Array<Real>& tall, const Array<Real>& other,
                                       int num_threads) {
    require_rank(tall, 2, "tall");
    const std::size_t n_rows = size_of(tall, 0), n_columns = size_of(tall, 1);
    require_rows(other, n_rows, "other");
    auto product = empty<Real>(n_columns, other.shape(1));
    without_lock(transposed_tall_product<Real>, TallShape{n_rows, n_columns, size_of(other, 1)},
                 in(tall), in(other), out(product), num_threads);
    return product;
}

}  // namespace

void register_nn(py::module_& m) {
    for_each_real([&]<class Real>() {
        def_kernel(m, "adam_step", &py_adam_step<Real>, "parameter", "gradient", "first", "second",
                   "learning_rate", "weight_decay", "beta1", "beta2", "epsilon", "step",
                   "num_threads");
        def_kernel(m, "dropout", &py_dropout<Real>, "values", "share", "seed", "num_threads");
        def_kernel(m, "spmm", &py_spmm<Real>, "indptr", "indices", "values", "n_columns", "dense",
                   "num_threads");
        def_kernel(m, "gcn_layers", &py_gcn_layers<Real>, "indptr", "indices", "values",
                   "n_columns", "projected", "hidden_bias", "out_weight", "out_bias", "dropout",
                   "seed", "num_threads");
        def_kernel(m, "gcn_layers_gradient", &py_gcn_layers_gradient<Real>, "indptr", "indices",
                   "values", "n_columns", "hidden", "out_weight", "dropout", "upstream",
                   "num_threads");
        def_kernel(m, "tall_product", &py_tall_product<Real>, "tall", "other", "num_threads");
        def_kernel(m, "transposed_tall_product", &py_transposed_tall_product<Real>, "tall", "other",
                   "num_threads");
    });
}

}  // namespace graphopt::bindings
