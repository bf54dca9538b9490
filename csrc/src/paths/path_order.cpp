#include "path_order.hpp"

#include <cstddef>

#include "graphopt/paths/shortest_paths.hpp"
#include "node_heap.hpp"
#include "support/counted.hpp"

namespace graphopt {
namespace {

constexpr NodeId no_node = -1;

struct Forest {
    std::vector<NodeId> parent;   // no_node at a root
    std::vector<NodeId> settled;  // every node, a parent before its children
};

// Dijkstra's algorithm from each node that those before it do not reach.
Forest shortest_path_forest(const CsrView& graph) {
    const std::size_t n = graph.n_nodes();
    Forest forest{std::vector<NodeId>(n, no_node), {}};
    forest.settled.reserve(n);
    constexpr double settled = -1.0;  // less than any length: a later tree leaves the node alone
    std::vector<double> lengths(n, unreachable<double>);
    NodeHeap<double> heap(n);
    WorkCounter count;
    for (std::size_t root = 0; root < n; ++root) {
        if (lengths[root] != unreachable<double>) continue;
        lengths[root] = 0.0;
        heap.put(static_cast<NodeId>(root), 0.0);
        while (!heap.empty()) {
            const auto [length, node] = heap.pop();
            forest.settled.push_back(node);
            const auto u = static_cast<std::size_t>(node);
            lengths[u] = settled;
            count(64 + 8 * graph.neighbours(u).size());
            for (auto e = static_cast<std::size_t>(graph.indptr[u]);
                 e < static_cast<std::size_t>(graph.indptr[u + 1]); ++e) {
                const auto v = static_cast<std::size_t>(graph.indices[e]);
                const double longer = length + (graph.weighted() ? graph.weights[e] : 1.0);
                if (longer < lengths[v]) {
                    lengths[v] = longer;
                    forest.parent[v] = node;
                    heap.put(graph.indices[e], longer);
                }
            }
        }
    }
    return forest;
}

}  // namespace

std::vector<NodeId> path_order(const CsrView& graph) {
    const std::size_t n = graph.n_nodes();
    const Forest forest = shortest_path_forest(graph);
    const auto parent = [&](NodeId node) { return forest.parent[static_cast<std::size_t>(node)]; };

    std::vector<NodeId> size(n, 1);  // of the subtree below each node
    for (std::size_t i = n; i-- > 0;) {
        const NodeId node = forest.settled[i];
        if (parent(node) == no_node) continue;
        size[static_cast<std::size_t>(parent(node))] += size[static_cast<std::size_t>(node)];
    }
    std::vector<NodeId> place(n), next(n);  // next: where the next child's subtree begins
    NodeId next_tree = 0;
    for (const NodeId node : forest.settled) {
        const auto u = static_cast<std::size_t>(node);
        NodeId& begin =
            parent(node) == no_node ? next_tree : next[static_cast<std::size_t>(parent(node))];
        place[u] = begin;
        next[u] = begin + 1;
        begin += size[u];
    }
    return place;
}

Csr renumbered(const CsrView& graph, std::span<const NodeId> place) {
    const std::size_t n = graph.n_nodes();
    std::vector<NodeId> node_at(n);
    for (std::size_t u = 0; u < n; ++u) {
        node_at[static_cast<std::size_t>(place[u])] = static_cast<NodeId>(u);
    }
    Csr result;
    result.indptr.reserve(n + 1);
    result.indices.reserve(graph.n_entries());
    result.weights.reserve(graph.n_entries());
    result.indptr.push_back(0);
    WorkCounter count;
    for (const NodeId node : node_at) {
        const auto u = static_cast<std::size_t>(node);
        count(2 + 4 * graph.neighbours(u).size());
        for (auto e = static_cast<std::size_t>(graph.indptr[u]);
             e < static_cast<std::size_t>(graph.indptr[u + 1]); ++e) {
            result.indices.push_back(place[static_cast<std::size_t>(graph.indices[e])]);
            result.weights.push_back(graph.weighted() ? graph.weights[e] : 1.0);
        }
        result.indptr.push_back(static_cast<EdgeOffset>(result.indices.size()));
    }
    return result;
}

}  // namespace graphopt
