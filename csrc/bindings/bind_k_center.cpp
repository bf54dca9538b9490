#include "arrays.hpp"
#include "graphopt/centers/k_center.hpp"
#include "graphopt/support/distance_types.hpp"

namespace graphopt::bindings {
namespace {

py::tuple as_tuple(KCenter&& found) {
    return py::make_tuple(adopt(std::move(found.centers)), adopt(std::move(found.assignment)),
                          found.radius);
}

void require_k(std::size_t k, std::size_t n) {
    if (k < 1 || k > n) throw std::invalid_argument("k must be in 1..n");
}

using Nodes = Array<NodeId>;
using Mask = std::optional<Array<std::uint8_t>>;

void require_node(NodeId node, std::size_t n, const char* name) {
    if (node < 0 || static_cast<std::size_t>(node) >= n) {
        throw std::invalid_argument(std::string(name) + " must be a node number");
    }
}

std::span<const std::uint8_t> mask_in(const Mask& mask, std::size_t n, const char* name) {
    if (!mask) return {};
    require_size(*mask, n, name);
    return vector_in(*mask, name);
}

// What the kernels take for granted: k different nodes can be opened, the required ones among them.
SiteRules rules_in(const Nodes& must_open, const Mask& may_open, std::size_t n, std::size_t k) {
    const SiteRules rules{vector_in(must_open, "must_open"), mask_in(may_open, n, "may_open")};
    for (const NodeId node : rules.must_open) require_node(node, n, "must_open");
    if (rules.must_open.size() > k) throw std::invalid_argument("must_open must be at most k");
    std::vector<std::uint8_t> allowed(n, 1);
    if (may_open) allowed.assign(rules.may_open.begin(), rules.may_open.end());
    for (const NodeId node : rules.must_open) {
        if (allowed[static_cast<std::size_t>(node)] == 0) {
            throw std::invalid_argument("must_open must be distinct nodes that may_open allows");
        }
        allowed[static_cast<std::size_t>(node)] = 0;
    }
    std::size_t n_sites = rules.must_open.size();
    for (const std::uint8_t site : allowed) n_sites += site != 0 ? 1 : 0;
    if (n_sites < k) throw std::invalid_argument("may_open must allow at least k nodes");
    return rules;
}

void require_first(NodeId first, const SiteRules& rules, std::size_t n) {
    if (first == -1 && !rules.must_open.empty()) return;
    require_node(first, n, "first");
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
                         const std::optional<Array<double>>& weights, std::size_t k, NodeId first,
                         const Nodes& must_open, const Mask& may_open) {
    const CsrView graph = csr_in(indptr, indices, weights);
    require_k(k, graph.n_nodes());
    const SiteRules rules = rules_in(must_open, may_open, graph.n_nodes(), k);
    require_first(first, rules, graph.n_nodes());
    KCenter found;
    {
        const py::gil_scoped_release nogil;
        found = gonzalez(graph, k, first, rules);
    }
    return as_tuple(std::move(found));
}

template <class T>
py::tuple gonzalez_matrix(const Array<T>& distances, std::size_t k, NodeId first,
                          const Nodes& must_open, const Mask& may_open) {
    const std::size_t n = require_square(distances);
    require_k(k, n);
    const SiteRules rules = rules_in(must_open, may_open, n, k);
    require_first(first, rules, n);
    const auto matrix = in(distances);
    KCenter found;
    {
        const py::gil_scoped_release nogil;
        found = gonzalez(matrix, n, k, first, rules);
    }
    return as_tuple(std::move(found));
}

template <class T>
py::tuple greedy_matrix(const Array<T>& distances, std::size_t k, const Nodes& must_open,
                        const Mask& may_open, const Mask& needed, int num_threads) {
    const std::size_t n = require_square(distances);
    require_k(k, n);
    const SiteRules rules = rules_in(must_open, may_open, n, k);
    const auto served = mask_in(needed, n, "needed");
    const auto matrix = in(distances);
    KCenter found;
    {
        const py::gil_scoped_release nogil;
        found = greedy_k_center(matrix, n, k, num_threads, rules, served);
    }
    return as_tuple(std::move(found));
}

template <class T>
void register_matrix(py::module_& m) {
    m.def("gonzalez_from_matrix", &gonzalez_matrix<T>, py::arg("distances").noconvert(),
          py::arg("k"), py::arg("first"), py::arg("must_open").noconvert(),
          py::arg("may_open").noconvert().none(true));
    m.def("greedy_k_center", &greedy_matrix<T>, py::arg("distances").noconvert(), py::arg("k"),
          py::arg("must_open").noconvert(), py::arg("may_open").noconvert().none(true),
          py::arg("needed").noconvert().none(true), py::arg("num_threads"));
}

}  // namespace

void register_k_center(py::module_& m) {
    m.def("gonzalez_from_graph", &gonzalez_graph, py::arg("indptr").noconvert(),
          py::arg("indices").noconvert(), py::arg("weights").noconvert().none(true), py::arg("k"),
          py::arg("first"), py::arg("must_open").noconvert(),
          py::arg("may_open").noconvert().none(true));
    for_each_distance_type([&]<class T>() { register_matrix<T>(m); });
}

}  // namespace graphopt::bindings
