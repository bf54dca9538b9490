#include "arrays.hpp"
#include "graphopt/paths/shortest_paths.hpp"

namespace graphopt::bindings {
namespace {

std::span<const NodeId> nodes_in(const Array<NodeId>& nodes, std::size_t n_nodes,
                                 const char* name) {
    const auto span = vector_in(nodes, name);
    for (const NodeId node : span) {
        if (node < 0 || static_cast<std::size_t>(node) >= n_nodes) {
            throw std::invalid_argument(std::string(name) + " must hold node numbers");
        }
    }
    return span;
}

template <class T>
py::object hop_matrix(const CsrView& graph, bool directed, std::span<const NodeId> sources,
                      std::uint32_t cutoff, int num_threads) {
    auto distances = empty<T>(
        {static_cast<py::ssize_t>(sources.size()), static_cast<py::ssize_t>(graph.n_nodes())});
    const auto target = out(distances);
    bool fits = false;
    {
        const py::gil_scoped_release nogil;
        fits = hop_distances(graph, directed, sources, cutoff, target, num_threads);
    }
    if (!fits) return py::none();
    return distances;
}

py::object py_hop_distances(const Array<EdgeOffset>& indptr, const Array<NodeId>& indices,
                            bool directed, const Array<NodeId>& sources, std::uint32_t cutoff,
                            int bytes, int num_threads) {
    const CsrView graph = csr_in(indptr, indices, std::nullopt);
    const auto from = nodes_in(sources, graph.n_nodes(), "sources");
    switch (bytes) {
        case 1:
            return hop_matrix<std::uint8_t>(graph, directed, from, cutoff, num_threads);
        case 2:
            return hop_matrix<std::uint16_t>(graph, directed, from, cutoff, num_threads);
        case 4:
            return hop_matrix<std::uint32_t>(graph, directed, from, cutoff, num_threads);
        default:
            throw std::invalid_argument("bytes must be 1, 2 or 4");
    }
}

Array<double> py_path_lengths(const Array<EdgeOffset>& indptr, const Array<NodeId>& indices,
                              const std::optional<Array<double>>& weights, bool directed,
                              const Array<NodeId>& sources, double cutoff, int num_threads) {
    const CsrView graph = csr_in(indptr, indices, weights);
    const auto from = nodes_in(sources, graph.n_nodes(), "sources");
    auto lengths = empty<double>(
        {static_cast<py::ssize_t>(from.size()), static_cast<py::ssize_t>(graph.n_nodes())});
    const auto target = out(lengths);
    {
        const py::gil_scoped_release nogil;
        path_lengths(graph, directed, from, cutoff, target, num_threads);
    }
    return lengths;
}

Array<double> py_floyd_warshall(const Array<EdgeOffset>& indptr, const Array<NodeId>& indices,
                                const std::optional<Array<double>>& weights, bool directed,
                                int num_threads) {
    const CsrView graph = csr_in(indptr, indices, weights);
    const auto n = static_cast<py::ssize_t>(graph.n_nodes());
    auto lengths = empty<double>({n, n});
    const auto target = out(lengths);
    {
        const py::gil_scoped_release nogil;
        floyd_warshall(graph, directed, target, num_threads);
    }
    return lengths;
}

py::tuple py_distances_to_nearest(const Array<EdgeOffset>& indptr, const Array<NodeId>& indices,
                                  const std::optional<Array<double>>& weights,
                                  const Array<NodeId>& sources) {
    const CsrView graph = csr_in(indptr, indices, weights);
    const auto from = nodes_in(sources, graph.n_nodes(), "sources");
    const auto n = static_cast<py::ssize_t>(graph.n_nodes());
    auto distances = empty<double>({n});
    auto nearest = empty<std::int32_t>({n});
    const auto distance_out = out(distances);
    const auto nearest_out = out(nearest);
    {
        const py::gil_scoped_release nogil;
        distances_to_nearest(graph, from, distance_out, nearest_out);
    }
    return py::make_tuple(distances, nearest);
}

}  // namespace

void register_paths(py::module_& m) {
    m.def("hop_distances", &py_hop_distances, py::arg("indptr").noconvert(),
          py::arg("indices").noconvert(), py::arg("directed"), py::arg("sources").noconvert(),
          py::arg("cutoff"), py::arg("bytes"), py::arg("num_threads"));
    m.def("path_lengths", &py_path_lengths, py::arg("indptr").noconvert(),
          py::arg("indices").noconvert(), py::arg("weights").noconvert().none(true),
          py::arg("directed"), py::arg("sources").noconvert(), py::arg("cutoff"),
          py::arg("num_threads"));
    m.def("floyd_warshall", &py_floyd_warshall, py::arg("indptr").noconvert(),
          py::arg("indices").noconvert(), py::arg("weights").noconvert().none(true),
          py::arg("directed"), py::arg("num_threads"));
    m.def("distances_to_nearest", &py_distances_to_nearest, py::arg("indptr").noconvert(),
          py::arg("indices").noconvert(), py::arg("weights").noconvert().none(true),
          py::arg("sources").noconvert());
}

}  // namespace graphopt::bindings
