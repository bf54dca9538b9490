#include <algorithm>
#include <vector>

#include "graphopt/shortest_paths.hpp"
#include "heap.hpp"

namespace graphopt {
namespace {

// First come, first served: the queue starts in the order of `sources` and stays sorted by
// (distance, position), so the first to reach a node has the smallest position of all that tie.
void search_by_hops(const CsrView& graph, std::span<const NodeId> sources,
                    std::span<double> distances, std::span<std::int32_t> nearest) {
    std::vector<NodeId> queue;
    queue.reserve(graph.n_nodes());
    const auto reach = [&](NodeId node, double distance, std::int32_t position) {
        const auto v = static_cast<std::size_t>(node);
        if (nearest[v] >= 0) return;
        distances[v] = distance;
        nearest[v] = position;
        queue.push_back(node);
    };
    for (std::size_t i = 0; i < sources.size(); ++i) {
        reach(sources[i], 0.0, static_cast<std::int32_t>(i));
    }
    for (std::size_t begin = 0; begin < queue.size(); ++begin) {
        const auto u = static_cast<std::size_t>(queue[begin]);
        for (const NodeId v : graph.neighbours(u)) reach(v, distances[u] + 1.0, nearest[u]);
    }
}

struct Reached {
    double length;
    std::int32_t position;
    NodeId node;
    bool operator<(const Reached& other) const noexcept {
        return length < other.length || (length == other.length && position < other.position);
    }
};

// Dijkstra's algorithm on (length, position) pairs.
void search_by_length(const CsrView& graph, std::span<const NodeId> sources,
                      std::span<double> distances, std::span<std::int32_t> nearest) {
    Heap<Reached> heap;
    const auto reach = [&](const Reached& by) {
        const auto v = static_cast<std::size_t>(by.node);
        if (nearest[v] >= 0 && !(by < Reached{distances[v], nearest[v], by.node})) return;
        distances[v] = by.length;
        nearest[v] = by.position;
        heap.push(by);
    };
    for (std::size_t i = 0; i < sources.size(); ++i) {
        reach({0.0, static_cast<std::int32_t>(i), sources[i]});
    }
    while (!heap.empty()) {
        const Reached top = heap.pop();
        const auto u = static_cast<std::size_t>(top.node);
        if (Reached{distances[u], nearest[u], top.node} < top) continue;
        for (auto e = static_cast<std::size_t>(graph.indptr[u]);
             e < static_cast<std::size_t>(graph.indptr[u + 1]); ++e) {
            reach({top.length + graph.weights[e], top.position, graph.indices[e]});
        }
    }
}

}  // namespace

void distances_to_nearest(const CsrView& graph, std::span<const NodeId> sources,
                          std::span<double> distances, std::span<std::int32_t> nearest) {
    std::fill(distances.begin(), distances.end(), unreachable<double>);
    std::fill(nearest.begin(), nearest.end(), -1);
    if (graph.weighted()) {
        search_by_length(graph, sources, distances, nearest);
    } else {
        search_by_hops(graph, sources, distances, nearest);
    }
}

}  // namespace graphopt
