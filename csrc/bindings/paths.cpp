#include "def_kernel.hpp"
#include "graphopt/paths/shortest_paths.hpp"

namespace graphopt::bindings {
namespace {

std::span<const NodeId> sources_in(const Nodes& sources, const CsrView& graph) {
    const auto nodes = vector_in(sources, "sources");
    check_indices(nodes, graph.n_nodes(), "sources");
    return nodes;
}

template <class Hops>
py::object hop_matrix(const CsrView& graph, bool directed, std::span<const NodeId> sources,
                      std::uint32_t cutoff, int num_threads) {
    auto distances = empty<Hops>(sources.size(), graph.n_nodes());
    const bool fits = without_lock(hop_distances<Hops>, graph, directed, sources, cutoff,
                                   out(distances), num_threads);
    return fits ? py::object(std::move(distances)) : py::none();
}

py::object py_hop_distances(const Offsets& indptr, const Nodes& indices, bool directed,
                            const Nodes& sources, std::uint32_t cutoff, int bytes,
                            int num_threads) {
    const CsrView graph = csr_in(indptr, indices, std::nullopt);
    const auto from = sources_in(sources, graph);
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

Array<double> py_path_lengths(const Offsets& indptr, const Nodes& indices, const Weights& weights,
                              bool directed, const Nodes& sources, double cutoff, int num_threads) {
    const CsrView graph = csr_in(indptr, indices, weights);
    const auto from = sources_in(sources, graph);
    auto lengths = empty<double>(from.size(), graph.n_nodes());
    without_lock(path_lengths, graph, directed, from, cutoff, out(lengths), num_threads);
    return lengths;
}

Array<double> py_floyd_warshall(const Offsets& indptr, const Nodes& indices, const Weights& weights,
                                bool directed, int num_threads) {
    const CsrView graph = csr_in(indptr, indices, weights);
    auto lengths = empty<double>(graph.n_nodes(), graph.n_nodes());
    without_lock(floyd_warshall, graph, directed, out(lengths), num_threads);
    return lengths;
}

py::tuple py_distances_to_nearest(const Offsets& indptr, const Nodes& indices,
                                  const Weights& weights, const Nodes& sources) {
    const CsrView graph = csr_in(indptr, indices, weights);
    const auto from = sources_in(sources, graph);
    auto distances = empty<double>(graph.n_nodes());
    auto nearest = empty<std::int32_t>(graph.n_nodes());
    without_lock(distances_to_nearest, graph, from, out(distances), out(nearest));
    return py::make_tuple(distances, nearest);
}

}  // namespace

void register_paths(py::module_& m) {
    def_kernel(m, "hop_distances", &py_hop_distances, "indptr", "indices", "directed", "sources",
               "cutoff", "bytes", "num_threads");
    def_kernel(m, "path_lengths", &py_path_lengths, "indptr", "indices", "weights", "directed",
               "sources", "cutoff", "num_threads");
    def_kernel(m, "floyd_warshall", &py_floyd_warshall, "indptr", "indices", "weights", "directed",
               "num_threads");
    def_kernel(m, "distances_to_nearest", &py_distances_to_nearest, "indptr", "indices", "weights",
               "sources");
}

}  // namespace graphopt::bindings
