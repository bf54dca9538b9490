#include "dijkstra.hpp"

#include <algorithm>

#include "graphopt/paths/shortest_paths.hpp"
#include "support/counted.hpp"

namespace graphopt {

void dijkstra(const CsrView& graph, NodeId source, double cutoff, std::span<double> lengths,
              NodeHeap<double>& heap) {
    counted_fill(lengths, unreachable<double>);
    WorkCounter count;
    lengths[static_cast<std::size_t>(source)] = 0.0;
    heap.put(source, 0.0);
    while (!heap.empty()) {
        const auto [length, node] = heap.pop();
        const auto u = static_cast<std::size_t>(node);
        const auto end = static_cast<std::size_t>(graph.indptr[u + 1]);
        count(64 + 8 * (end - static_cast<std::size_t>(graph.indptr[u])));
        for (auto e = static_cast<std::size_t>(graph.indptr[u]); e < end; ++e) {
            const auto v = static_cast<std::size_t>(graph.indices[e]);
            const double longer = length + (graph.weighted() ? graph.weights[e] : 1.0);
            if (longer < lengths[v] && longer <= cutoff) {
                lengths[v] = longer;
                heap.put(graph.indices[e], longer);
            }
        }
    }
    count.hand_on();
}

}  // namespace graphopt
