#include <bit>
#include <optional>
#include <span>

#include "coverage.hpp"
#include "graphopt/support/parallel.hpp"
#include "paths/node_heap.hpp"
#include "support/counted.hpp"

namespace graphopt {
namespace {

constexpr std::size_t nodes_counted_at_once = 256;

// `reach(coverage)` improves every customer that the centre opened last brings closer.
template <class T, class Reach>
KCenter farthest_first(std::size_t n, std::size_t k, NodeId first, const SiteRules& rules,
                       Reach reach) {
    Coverage<T> coverage(n);
    const auto open = [&](NodeId center) {
        coverage.open(center);
        count_work(2 * n);  // to find the next one
        reach(coverage, center);
    };
    for (const NodeId center : rules.must_open) open(center);
    if (first >= 0 && coverage.n_centers() < k && !coverage.chosen(static_cast<std::size_t>(first)))
        open(first);
    while (coverage.n_centers() < k) open(coverage.farthest(rules.may_open));
    return std::move(coverage).result();
}

template <class T>
KCenter from_matrix(std::span<const T> distances, std::size_t n, std::size_t k, NodeId first,
                    const SiteRules& rules) {
    return farthest_first<T>(n, k, first, rules, [&](Coverage<T>& coverage, NodeId center) {
        const T* const row = distances.data() + static_cast<std::size_t>(center) * n;
        for (std::size_t j = 0; j < n; ++j) coverage.improve(j, row[j]);
        count_work(2 * n);
    });
}

// Sorts distinct nodes by marking them in a bit set: cheap when they are many.
class NodeSorter {
  public:
    explicit NodeSorter(std::size_t n_nodes) : words_(chunk_count(n_nodes, 64), 0) {}

    void operator()(std::span<NodeId> nodes) {
        for (const NodeId v : nodes) {
            words_[static_cast<std::size_t>(v) / 64] |= 1ULL << static_cast<std::size_t>(v) % 64;
        }
        auto next = nodes.begin();
        for (std::size_t w = 0; w < words_.size(); ++w) {
            for (; words_[w] != 0; words_[w] &= words_[w] - 1) {
                *next++ = static_cast<NodeId>(
                    w * 64 + static_cast<std::size_t>(std::countr_zero(words_[w])));
            }
        }
    }

  private:
    std::vector<std::uint64_t> words_;  // zero between calls
};

// A search may stop at a node that has a centre at least as near: whatever lies behind it has, too.
// Nothing if a distance needs a wider type: a narrow one keeps what is read in no order, the
// distances, in the cache.
template <class T>
std::optional<KCenter> by_hops(const CsrView& graph, std::size_t k, NodeId first,
                               const SiteRules& rules) {
    const std::size_t n = graph.n_nodes();
    std::vector<NodeId> queue(n + 1);  // the loop writes one past what it keeps
    NodeSorter sort(n);
    bool fits = true;
    KCenter found =
        farthest_first<T>(n, k, first, rules, [&](Coverage<T>& coverage, NodeId center) {
            coverage.lower(static_cast<std::size_t>(center), 0);
            queue[0] = center;
            std::size_t begin = 0, end = 1;
            for (T hops = 1; begin < end && fits; ++hops) {
                const std::size_t level_end = end;
                if (hops == unreachable<T>) fits = false;
                // The rows of many nodes are read faster in the order in which they lie in memory.
                if (level_end - begin > n / 64) sort(std::span(queue).subspan(begin, end - begin));
                while (begin < level_end) {
                    // Counted by pieces: counting each node would take a tenth of the time.
                    const std::size_t piece = std::min(begin + nodes_counted_at_once, level_end);
                    std::size_t edges = 0;
                    for (; begin < piece; ++begin) {
                        const auto neighbours =
                            graph.neighbours(static_cast<std::size_t>(queue[begin]));
                        edges += neighbours.size();
                        for (const NodeId v : neighbours) {
                            queue[end] = v;
                            end += coverage.lower(static_cast<std::size_t>(v), hops) ? 1 : 0;
                        }
                    }
                    count_work(4 * nodes_counted_at_once + 2 * edges);
                }
            }
            coverage.assign(std::span(queue).first(end));
        });
    if (!fits) return std::nullopt;
    return found;
}

KCenter by_length(const CsrView& graph, std::size_t k, NodeId first, const SiteRules& rules) {
    NodeHeap<double> heap(graph.n_nodes());
    return farthest_first<double>(
        graph.n_nodes(), k, first, rules, [&](Coverage<double>& coverage, NodeId center) {
            WorkCounter count;
            const auto reach = [&](NodeId node, double length) {
                if (coverage.improve(static_cast<std::size_t>(node), length)) {
                    heap.put(node, length);
                }
            };
            reach(center, 0.0);
            while (!heap.empty()) {
                const auto [length, node] = heap.pop();
                const auto u = static_cast<std::size_t>(node);
                count(64 + 8 * graph.neighbours(u).size());
                for (auto e = static_cast<std::size_t>(graph.indptr[u]);
                     e < static_cast<std::size_t>(graph.indptr[u + 1]); ++e) {
                    reach(graph.indices[e], length + graph.weights[e]);
                }
            }
        });
}

}  // namespace

KCenter gonzalez(const CsrView& graph, std::size_t k, NodeId first, const SiteRules& rules) {
    if (graph.weighted()) return by_length(graph, k, first, rules);
    if (auto found = by_hops<std::uint8_t>(graph, k, first, rules)) return *std::move(found);
    return *by_hops<std::uint32_t>(graph, k, first, rules);
}

KCenter gonzalez(std::span<const std::uint8_t> distances, std::size_t n, std::size_t k,
                 NodeId first, const SiteRules& rules) {
    return from_matrix(distances, n, k, first, rules);
}
KCenter gonzalez(std::span<const std::uint16_t> distances, std::size_t n, std::size_t k,
                 NodeId first, const SiteRules& rules) {
    return from_matrix(distances, n, k, first, rules);
}
KCenter gonzalez(std::span<const std::uint32_t> distances, std::size_t n, std::size_t k,
                 NodeId first, const SiteRules& rules) {
    return from_matrix(distances, n, k, first, rules);
}
KCenter gonzalez(std::span<const float> distances, std::size_t n, std::size_t k, NodeId first,
                 const SiteRules& rules) {
    return from_matrix(distances, n, k, first, rules);
}
KCenter gonzalez(std::span<const double> distances, std::size_t n, std::size_t k, NodeId first,
                 const SiteRules& rules) {
    return from_matrix(distances, n, k, first, rules);
}

}  // namespace graphopt
