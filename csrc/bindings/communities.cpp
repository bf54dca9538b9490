#include <algorithm>

#include "def_kernel.hpp"
#include "graphopt/communities/cnm.hpp"
#include "graphopt/communities/kernighan_lin.hpp"
#include "graphopt/communities/modularity.hpp"
#include "graphopt/communities/polish.hpp"
#include "graphopt/communities/symmetric_product.hpp"
#include "graphopt/communities/weight_within.hpp"
#include "graphopt/support/element_types.hpp"

namespace graphopt::bindings {
namespace {

py::tuple py_cnm(const Array<double>& weights, std::size_t n_groups) {
    const std::size_t n = require_square(weights, "weights");
    if (n_groups < 1 || n_groups > n) {
        throw std::invalid_argument("n_groups must be in 1.." + std::to_string(n) + ", not " +
                                    std::to_string(n_groups));
    }
    const std::vector<Merge> merges = without_lock(cnm, in(weights), n, n_groups);
    auto pairs = empty<NodeId>(merges.size(), 2);
    auto gains = empty<double>(merges.size());
    for (std::size_t step = 0; step < merges.size(); ++step) {
        out(pairs)[2 * step] = merges[step].kept;
        out(pairs)[2 * step + 1] = merges[step].gone;
        out(gains)[step] = merges[step].gain;
    }
    return py::make_tuple(pairs, gains);
}

// Fine-tunes a copy of `side`.
template <class Matrix>
Array<bool> fine_tuned(const Matrix& matrix, const Array<double>& strengths, double total,
                       const Array<bool>& side) {
    auto result = empty_like(side);
    std::ranges::copy(in(side), result.mutable_data());
    const auto shares = vector_in(strengths, out(result).size(), "strengths");
    without_lock([&, sides = out(result)] { kernighan_lin(matrix, shares, total, sides); });
    return result;
}

Array<bool> py_kernighan_lin_sparse(const Offsets& indptr, const Nodes& indices,
                                    const Array<double>& values, const Array<double>& strengths,
                                    double total, const Array<bool>& side) {
    const std::size_t n = vector_in(side, "side").size();
    require_size(indptr, n + 1, "indptr");
    return fine_tuned(sparse_in(indptr, indices, values, n), strengths, total, side);
}

Array<bool> py_kernighan_lin(const Array<double>& matrix, const Array<double>& strengths,
                             double total, const Array<bool>& side) {
    const std::size_t n = vector_in(side, "side").size();
    require_shape(matrix, n, n, "matrix");
    return fine_tuned(in(matrix), strengths, total, side);
}

template <class Real>
py::tuple py_modularity_gradient(const Offsets& indptr, const Nodes& indices,
                                 const Weights& weights, const Array<Real>& assignment,
                                 double resolution, int num_threads) {
    const CsrView graph = csr_in(indptr, indices, weights);
    // Tensors, which unlike the arrays of a Graph can be changed.
    check_sparse(graph.indptr, graph.indices, graph.n_nodes());
    require_rank(assignment, 2, "assignment");
    const std::size_t n_groups = size_of(assignment, 1);
    require_shape(assignment, graph.n_nodes(), n_groups, "assignment");
    auto gradient = empty_like(assignment);
    const double value = without_lock(modularity_gradient<Real>, graph, in(assignment), n_groups,
                                      resolution, out(gradient), num_threads);
    return py::make_tuple(value, gradient);
}

Nodes py_polish(const Offsets& indptr, const Nodes& indices, const Weights& weights,
                const Nodes& starts, std::size_t n_groups, double resolution, bool keep_all,
                std::size_t perturbations, std::uint64_t seed, int num_threads) {
    const CsrView graph = csr_in(indptr, indices, weights);
    require_rank(starts, 2, "starts");
    const std::size_t n_starts = size_of(starts, 0);
    if (n_starts < 1) throw std::invalid_argument("starts must have a row");
    require_shape(starts, n_starts, graph.n_nodes(), "starts");
    check_indices(in(starts), n_groups, "starts");
    auto labels = empty<NodeId>(graph.n_nodes());
    without_lock(polish, graph, in(starts), n_starts,
                 PolishOptions{n_groups, resolution, keep_all, perturbations, seed}, out(labels),
                 num_threads);
    return labels;
}

Array<double> py_symmetric_product(const Array<double>& matrix, const Array<double>& vector,
                                   int num_threads) {
    const std::size_t n = require_square(matrix, "matrix");
    auto product = empty<double>(n);
    without_lock(symmetric_product, in(matrix), vector_in(vector, n, "vector"), out(product),
                 num_threads);
    return product;
}

double py_weight_within(const Array<double>& matrix, const Array<std::int64_t>& group,
                        int num_threads) {
    const std::size_t n = require_square(matrix, "matrix");
    return without_lock(weight_within, in(matrix), vector_in(group, n, "group"), num_threads);
}

}  // namespace

void register_communities(py::module_& m) {
    def_kernel(m, "cnm", &py_cnm, "weights", "n_groups");
    def_kernel(m, "kernighan_lin_sparse", &py_kernighan_lin_sparse, "indptr", "indices", "values",
               "strengths", "total", "side");
    def_kernel(m, "kernighan_lin", &py_kernighan_lin, "matrix", "strengths", "total", "side");
    for_each_real([&]<class Real>() {
        def_kernel(m, "modularity_gradient", &py_modularity_gradient<Real>, "indptr", "indices",
                   "weights", "assignment", "resolution", "num_threads");
    });
    def_kernel(m, "polish", &py_polish, "indptr", "indices", "weights", "starts", "n_groups",
               "resolution", "keep_all", "perturbations", "seed", "num_threads");
    def_kernel(m, "symmetric_product", &py_symmetric_product, "matrix", "vector", "num_threads");
    def_kernel(m, "weight_within", &py_weight_within, "matrix", "group", "num_threads");
}

}  // namespace graphopt::bindings
