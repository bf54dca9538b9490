#include "coverage.hpp"
#include "graphopt/parallel.hpp"
#include "node_heap.hpp"

namespace graphopt {
namespace {

// `reach(coverage)` improves every customer that the centre opened last brings closer.
template <class T, class Reach>
KCenter farthest_first(std::size_t n, std::size_t k, NodeId first, Reach reach) {
    Coverage<T> coverage(n);
    InterruptPoll poll;
    NodeId center = first;
    for (;;) {
        poll();
        coverage.open(center);
        reach(coverage, center);
        if (coverage.n_centers() == k) return std::move(coverage).result();
        center = coverage.farthest();
    }
}

template <class T>
KCenter from_matrix(std::span<const T> distances, std::size_t n, std::size_t k, NodeId first) {
    return farthest_first<T>(n, k, first, [&](Coverage<T>& coverage, NodeId center) {
        const T* const row = distances.data() + static_cast<std::size_t>(center) * n;
        for (std::size_t j = 0; j < n; ++j) coverage.improve(j, row[j]);
    });
}

// A search may stop at a node that has a centre at least as near: whatever lies behind it has, too.
KCenter by_hops(const CsrView& graph, std::size_t k, NodeId first) {
    std::vector<NodeId> queue;
    queue.reserve(graph.n_nodes());
    return farthest_first<std::uint32_t>(
        graph.n_nodes(), k, first, [&](Coverage<std::uint32_t>& coverage, NodeId center) {
            queue.clear();
            const auto reach = [&](NodeId node, std::uint32_t hops) {
                if (coverage.improve(static_cast<std::size_t>(node), hops)) queue.push_back(node);
            };
            reach(center, 0);
            for (std::size_t begin = 0; begin < queue.size(); ++begin) {
                const auto u = static_cast<std::size_t>(queue[begin]);
                for (const NodeId v : graph.neighbours(u)) reach(v, coverage.distances()[u] + 1);
            }
        });
}

KCenter by_length(const CsrView& graph, std::size_t k, NodeId first) {
    NodeHeap<double> heap(graph.n_nodes());
    return farthest_first<double>(
        graph.n_nodes(), k, first, [&](Coverage<double>& coverage, NodeId center) {
            const auto reach = [&](NodeId node, double length) {
                if (coverage.improve(static_cast<std::size_t>(node), length)) {
                    heap.put(node, length);
                }
            };
            reach(center, 0.0);
            while (!heap.empty()) {
                const auto [length, node] = heap.pop();
                const auto u = static_cast<std::size_t>(node);
                for (auto e = static_cast<std::size_t>(graph.indptr[u]);
                     e < static_cast<std::size_t>(graph.indptr[u + 1]); ++e) {
                    reach(graph.indices[e], length + graph.weights[e]);
                }
            }
        });
}

}  // namespace

KCenter gonzalez(const CsrView& graph, std::size_t k, NodeId first) {
    return graph.weighted() ? by_length(graph, k, first) : by_hops(graph, k, first);
}

KCenter gonzalez(std::span<const std::uint8_t> distances, std::size_t n, std::size_t k,
                 NodeId first) {
    return from_matrix(distances, n, k, first);
}
KCenter gonzalez(std::span<const std::uint16_t> distances, std::size_t n, std::size_t k,
                 NodeId first) {
    return from_matrix(distances, n, k, first);
}
KCenter gonzalez(std::span<const std::uint32_t> distances, std::size_t n, std::size_t k,
                 NodeId first) {
    return from_matrix(distances, n, k, first);
}
KCenter gonzalez(std::span<const float> distances, std::size_t n, std::size_t k, NodeId first) {
    return from_matrix(distances, n, k, first);
}
KCenter gonzalez(std::span<const double> distances, std::size_t n, std::size_t k, NodeId first) {
    return from_matrix(distances, n, k, first);
}

}  // namespace graphopt
