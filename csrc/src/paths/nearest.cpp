#include <algorithm>
#include <vector>

#include "graphopt/paths/shortest_paths.hpp"
#include "node_heap.hpp"
#include "support/counted.hpp"

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
    WorkCounter count;
    for (std::size_t begin = 0; begin < queue.size(); ++begin) {
        const auto u = static_cast<std::size_t>(queue[begin]);
        count(4 + 8 * graph.neighbours(u).size());
        for (const NodeId v : graph.neighbours(u)) reach(v, distances[u] + 1.0, nearest[u]);
    }
}

struct Reach {
    double length;
    std::int32_t position;
    bool operator<(const Reach& other) const noexcept {
        return length < other.length || (length == other.length && position < other.position);
    }
};

// Dijkstra's algorithm on (length, position) pairs.
void search_by_length(const CsrView& graph, std::span<const NodeId> sources,
                      std::span<double> distances, std::span<std::int32_t> nearest) {
    NodeHeap<Reach> heap(graph.n_nodes());
    const auto reach = [&](NodeId node, const Reach& by) {
        const auto v = static_cast<std::size_t>(node);
        if (nearest[v] >= 0 && !(by < Reach{distances[v], nearest[v]})) return;
        distances[v] = by.length;
        nearest[v] = by.position;
        heap.put(node, by);
    };
    for (std::size_t i = 0; i < sources.size(); ++i) {
        reach(sources[i], {0.0, static_cast<std::int32_t>(i)});
    }
    WorkCounter count;
    while (!heap.empty()) {
        const auto [by, node] = heap.pop();
        const auto u = static_cast<std::size_t>(node);
        count(64 + 8 * graph.neighbours(u).size());
        for (auto e = static_cast<std::size_t>(graph.indptr[u]);
             e < static_cast<std::size_t>(graph.indptr[u + 1]); ++e) {
            reach(graph.indices[e], {by.length + graph.weights[e], by.position});
        }
    }
}

}  // namespace

void distances_to_nearest(const CsrView& graph, std::span<const NodeId> sources,
                          std::span<double> distances, std::span<std::int32_t> nearest) {
    counted_fill(distances, unreachable<double>);
    counted_fill(nearest, std::int32_t{-1});
    if (graph.weighted()) {
        search_by_length(graph, sources, distances, nearest);
    } else {
        search_by_hops(graph, sources, distances, nearest);
    }
}

}  // namespace graphopt
