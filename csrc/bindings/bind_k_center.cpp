#include "arrays.hpp"
#include "graphopt/k_center.hpp"

namespace graphopt::bindings {
namespace {

py::tuple as_tuple(KCenter&& found) {
    return py::make_tuple(adopt(std::move(found.centers)), adopt(std::move(found.assignment)),
                          found.radius);
}

void require_k(std::size_t k, std::size_t n) {
    if (k < 1 || k > n) throw std::invalid_argument("k must be in 1..n");
}

void require_node(NodeId first, std::size_t n) {
    if (first < 0 || static_cast<std::size_t>(first) >= n) {
        throw std::invalid_argument("first must be a node number");
    }
}

template <class T>
std::size_t require_square(const Array<T>& distances) {
    require_rank(distances, 2, "distances");
    if (distances.shape(0) != distances.shape(1)) {
        throw std::invalid_argument("distances must be square");
    }
    return static_cast<std::size_t>(distances.shape(0));
}

py::tuple gonzalez_graph(const Array<EdgeOffset>& indptr, const Array<NodeId>& indices,
                         const std::optional<Array<double>>& weights, std::size_t k, NodeId first) {
    const CsrView graph = csr_in(indptr, indices, weights);
    require_k(k, graph.n_nodes());
    require_node(first, graph.n_nodes());
    KCenter found;
    {
        const py::gil_scoped_release nogil;
        found = gonzalez(graph, k, first);
    }
    return as_tuple(std::move(found));
}

template <class T>
py::tuple gonzalez_matrix(const Array<T>& distances, std::size_t k, NodeId first) {
    const std::size_t n = require_square(distances);
    require_k(k, n);
    require_node(first, n);
    const auto matrix = in(distances);
    KCenter found;
    {
        const py::gil_scoped_release nogil;
        found = gonzalez(matrix, n, k, first);
    }
    return as_tuple(std::move(found));
}

template <class T>
py::tuple greedy_matrix(const Array<T>& distances, std::size_t k, int num_threads) {
    const std::size_t n = require_square(distances);
    require_k(k, n);
    const auto matrix = in(distances);
    KCenter found;
    {
        const py::gil_scoped_release nogil;
        found = greedy_k_center(matrix, n, k, num_threads);
    }
    return as_tuple(std::move(found));
}

template <class T>
void register_matrix(py::module_& m) {
    m.def("gonzalez_from_matrix", &gonzalez_matrix<T>, py::arg("distances").noconvert(),
          py::arg("k"), py::arg("first"));
    m.def("greedy_k_center", &greedy_matrix<T>, py::arg("distances").noconvert(), py::arg("k"),
          py::arg("num_threads"));
}

}  // namespace

void register_k_center(py::module_& m) {
    m.def("gonzalez_from_graph", &gonzalez_graph, py::arg("indptr").noconvert(),
          py::arg("indices").noconvert(), py::arg("weights").noconvert().none(true), py::arg("k"),
          py::arg("first"));
    register_matrix<std::uint8_t>(m);
    register_matrix<std::uint16_t>(m);
    register_matrix<std::uint32_t>(m);
    register_matrix<float>(m);
    register_matrix<double>(m);
}

}  // namespace graphopt::bindings
