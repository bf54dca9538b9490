#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <vector>

#include "dijkstra.hpp"
#include "graphopt/paths/shortest_paths.hpp"
#include "graphopt/support/parallel.hpp"
#include "path_order.hpp"
#include "sweep_search.hpp"

namespace graphopt {
namespace {

// Sources one by one.
void single_searches(const CsrView& graph, std::span<const NodeId> sources, double cutoff,
                     std::span<double> out, int num_threads) {
    const std::size_t n = graph.n_nodes();
    const std::size_t each = n + graph.n_entries() + 1;
    const std::size_t at_once = std::clamp<std::size_t>((std::size_t{1} << 14) / each, 1, 64);
    const auto n_workers =
        static_cast<std::size_t>(usable_threads(num_threads, chunk_count(sources.size(), at_once)));
    std::vector<NodeHeap<double>> heaps(n_workers, NodeHeap<double>(n));
    parallel_ranges(sources.size(), at_once, num_threads,
                    [&](std::size_t begin, std::size_t end, std::size_t, int worker) {
                        for (std::size_t i = begin; i < end; ++i) {
                            dijkstra(graph, sources[i], cutoff, out.subspan(i * n, n),
                                     heaps[static_cast<std::size_t>(worker)]);
                        }
                    });
}

// Sources 32 at a time, neighbours together.
void swept_searches(const CsrView& graph, bool directed, std::span<const NodeId> sources,
                    double cutoff, std::span<double> out, int num_threads) {
    const std::size_t n = graph.n_nodes();
    const std::vector<NodeId> place = path_order(graph);
    const Csr edges_out = renumbered(graph, place);
    const Csr backwards =
        directed ? transpose({edges_out.indptr, edges_out.indices, edges_out.weights}) : Csr{};
    const Csr& edges_in = directed ? backwards : edges_out;

    const auto place_of = [&](std::size_t i) {
        return place[static_cast<std::size_t>(sources[i])];
    };
    std::vector<std::size_t> along(sources.size());  // positions in `sources`
    std::iota(along.begin(), along.end(), std::size_t{0});
    std::ranges::sort(along, {}, [&](std::size_t i) { return std::pair(place_of(i), i); });

    constexpr std::size_t lanes = SweepSearch::n_lanes;
    const auto n_workers =
        static_cast<std::size_t>(usable_threads(num_threads, chunk_count(sources.size(), lanes)));
    std::vector<SweepSearch> searches(n_workers, SweepSearch(edges_in, edges_out));
    std::vector<NodeHeap<double>> heaps(n_workers, NodeHeap<double>(n));
    parallel_ranges(sources.size(), lanes, num_threads,
                    [&](std::size_t begin, std::size_t end, std::size_t, int worker) {
                        SweepSearch& search = searches[static_cast<std::size_t>(worker)];
                        std::array<NodeId, lanes> starts{};
                        std::array<double*, lanes> rows{};
                        const std::size_t count = end - begin;
                        for (std::size_t lane = 0; lane < count; ++lane) {
                            starts[lane] = place_of(along[begin + lane]);
                            rows[lane] = out.data() + along[begin + lane] * n;
                        }
                        if (search.run(std::span(starts).first(count), cutoff)) {
                            search.write(place, std::span(rows).first(count));
                            return;
                        }
                        for (std::size_t i = begin; i < end; ++i) {
                            dijkstra(graph, sources[along[i]], cutoff, out.subspan(along[i] * n, n),
                                     heaps[static_cast<std::size_t>(worker)]);
                        }
                    });
}

}  // namespace

void path_lengths(const CsrView& graph, bool directed, std::span<const NodeId> sources,
                  double cutoff, std::span<double> out, int num_threads) {
    // With a cutoff, single searches may see little of the graph, but the numbering sees all of it.
    const std::size_t worthwhile = std::isinf(cutoff) ? SweepSearch::n_lanes : 512;
    if (sources.size() < worthwhile) {
        single_searches(graph, sources, cutoff, out, num_threads);
    } else {
        swept_searches(graph, directed, sources, cutoff, out, num_threads);
    }
}

}  // namespace graphopt
