#include <algorithm>
#include <vector>

#include "graphopt/parallel.hpp"
#include "graphopt/shortest_paths.hpp"
#include "node_heap.hpp"

namespace graphopt {
namespace {

// `row` is all unreachable, `heap` empty, before; `heap` is empty again after.
void search_from(const CsrView& graph, NodeId source, double cutoff, double* row,
                 NodeHeap<double>& heap) {
    row[source] = 0.0;
    heap.put(source, 0.0);
    while (!heap.empty()) {
        const auto [length, node] = heap.pop();
        const auto u = static_cast<std::size_t>(node);
        const auto end = static_cast<std::size_t>(graph.indptr[u + 1]);
        for (auto e = static_cast<std::size_t>(graph.indptr[u]); e < end; ++e) {
            const NodeId v = graph.indices[e];
            const double longer = length + (graph.weighted() ? graph.weights[e] : 1.0);
            if (longer < row[v] && longer <= cutoff) {
                row[v] = longer;
                heap.put(v, longer);
            }
        }
    }
}

}  // namespace

void path_lengths(const CsrView& graph, std::span<const NodeId> sources, double cutoff,
                  std::span<double> out, int num_threads) {
    const std::size_t n = graph.n_nodes();
    const std::size_t each = n + graph.n_entries() + 1;
    const std::size_t at_once = std::clamp<std::size_t>((std::size_t{1} << 14) / each, 1, 64);
    std::vector<NodeHeap<double>> heaps(
        static_cast<std::size_t>(usable_threads(num_threads, chunk_count(sources.size(), at_once))),
        NodeHeap<double>(n));
    parallel_ranges(sources.size(), at_once, num_threads,
                    [&](std::size_t begin, std::size_t end, std::size_t, int worker) {
                        for (std::size_t i = begin; i < end; ++i) {
                            double* const row = out.data() + i * n;
                            std::fill_n(row, n, unreachable<double>);
                            search_from(graph, sources[i], cutoff, row,
                                        heaps[static_cast<std::size_t>(worker)]);
                        }
                    });
}

}  // namespace graphopt
