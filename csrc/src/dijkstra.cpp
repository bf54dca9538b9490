#include <algorithm>
#include <vector>

#include "graphopt/parallel.hpp"
#include "graphopt/shortest_paths.hpp"
#include "heap.hpp"

namespace graphopt {
namespace {

struct Reached {
    double length;
    NodeId node;
    bool operator<(const Reached& other) const noexcept { return length < other.length; }
};

void search_from(const CsrView& graph, NodeId source, double cutoff, double* row,
                 Heap<Reached>& heap) {
    heap.clear();
    row[source] = 0.0;
    heap.push({0.0, source});
    while (!heap.empty()) {
        const auto [length, u] = heap.pop();
        if (length > row[u]) continue;  // reached by a shorter path since
        const auto end = static_cast<std::size_t>(graph.indptr[static_cast<std::size_t>(u) + 1]);
        for (auto e = static_cast<std::size_t>(graph.indptr[static_cast<std::size_t>(u)]); e < end;
             ++e) {
            const NodeId v = graph.indices[e];
            const double longer = length + (graph.weighted() ? graph.weights[e] : 1.0);
            if (longer < row[v] && longer <= cutoff) {
                row[v] = longer;
                heap.push({longer, v});
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
    std::vector<Heap<Reached>> heaps(static_cast<std::size_t>(
        usable_threads(num_threads, chunk_count(sources.size(), at_once))));
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
