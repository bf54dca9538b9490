#include "graphopt/support/csr.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <utility>

#include "counted.hpp"
#include "graphopt/support/aligned.hpp"
#include "graphopt/support/sparse.hpp"

namespace graphopt {
namespace {

std::string edge_text(std::size_t row, std::int64_t u, std::int64_t v) {
    return "edges[" + std::to_string(row) + "] = (" + std::to_string(u) + ", " + std::to_string(v) +
           ")";
}

std::string range_text(std::size_t n_nodes) {
    return n_nodes == 0 ? "a graph of no nodes" : "0.." + std::to_string(n_nodes - 1);
}

// What one end of an edge knows of the other, and the row of the list that said so. Where nothing
// depends on the row it takes no space.
struct NoRow {
    NoRow() = default;
    explicit NoRow(std::size_t) {}
    operator std::size_t() const { return 0; }
};

template <class Row>
struct Entry {
    NodeId node;
    [[no_unique_address]] Row row;
};

// How many entries end, and start, at each node.
struct Counts {
    std::vector<std::size_t> by_target;
    std::vector<std::size_t> by_source;
};

Counts checked_counts(std::size_t n_nodes, const EdgeList& edges, const BuildOptions& options) {
    Counts counts{std::vector<std::size_t>(n_nodes), std::vector<std::size_t>(n_nodes)};
    const auto n = static_cast<std::uint64_t>(n_nodes);
    counted_loop(edges.sources.size(), 8, [&](std::size_t row) {
        const std::int64_t u = edges.sources[row];
        const std::int64_t v = edges.targets[row];
        // A negative number is a huge one here.
        if (static_cast<std::uint64_t>(u) >= n || static_cast<std::uint64_t>(v) >= n) {
            throw BadEdge(edge_text(row, u, v) + " names a node outside " + range_text(n_nodes));
        }
        if (!edges.weights.empty() && !std::isfinite(edges.weights[row])) {
            throw BadEdge("weights[" + std::to_string(row) + "] must be finite, not " +
                          std::to_string(edges.weights[row]));
        }
        if (u == v) {
            if (options.drop_self_loops) return;
            throw BadEdge(edge_text(row, u, v) + " is a self loop");
        }
        ++counts.by_source[static_cast<std::size_t>(u)];
        ++counts.by_target[static_cast<std::size_t>(v)];
    });
    if (!options.directed) {
        for (std::size_t i = 0; i < n_nodes; ++i) counts.by_source[i] += counts.by_target[i];
        counts.by_target = counts.by_source;
    }
    return counts;
}

// Turns counts into the place where each node's entries start; returns their total.
std::size_t starts_from_counts(std::vector<std::size_t>& counts) {
    std::size_t total = 0;
    for (std::size_t& count : counts) total += std::exchange(count, total);
    return total;
}

double merged(double kept, double next, Duplicates rule) {
    switch (rule) {
        case Duplicates::sum:
            return kept + next;
        case Duplicates::minimum:
            return std::min(kept, next);
        case Duplicates::maximum:
            return std::max(kept, next);
        case Duplicates::last:
            return next;
        case Duplicates::first:
        case Duplicates::error:
            return kept;
    }
    return kept;
}

// Two stable counting sorts, by target and then by source, leave every row sorted and parallel
// edges in the order of the list.
template <class Row>
Csr build(std::size_t n_nodes, const EdgeList& edges, const BuildOptions& options) {
    Counts counts = checked_counts(n_nodes, edges, options);
    auto& by_target = counts.by_target;
    auto& by_source = counts.by_source;
    const std::size_t n_entries = starts_from_counts(by_target);
    starts_from_counts(by_source);

    AlignedArray<Entry<Row>> arriving(n_entries, uninitialized);
    counted_touch(std::span(arriving.data(), arriving.size()));
    counted_loop(edges.sources.size(), 32, [&](std::size_t row) {
        const auto u = static_cast<std::size_t>(edges.sources[row]);
        const auto v = static_cast<std::size_t>(edges.targets[row]);
        if (u == v) return;
        arriving[by_target[v]++] = {static_cast<NodeId>(u), Row(row)};
        if (!options.directed) arriving[by_target[u]++] = {static_cast<NodeId>(v), Row(row)};
    });
    AlignedArray<Entry<Row>> leaving(n_entries, uninitialized);
    counted_touch(std::span(leaving.data(), leaving.size()));
    WorkCounter count;
    for (std::size_t v = 0, i = 0; v < n_nodes; ++v) {
        for (; i < by_target[v]; ++i) {  // filling moved the start of v to its end
            count(16);
            const auto u = static_cast<std::size_t>(arriving[i].node);
            leaving[by_source[u]++] = {static_cast<NodeId>(v), arriving[i].row};
        }
    }
    arriving = AlignedArray<Entry<Row>>(0, uninitialized);

    const bool weighted = !edges.weights.empty();
    Csr out;
    out.indptr.resize(n_nodes + 1);
    counted_resize(out.indices, n_entries);
    counted_resize(out.weights, weighted ? n_entries : 0);
    std::size_t filled = 0;
    for (std::size_t u = 0, i = 0; u < n_nodes; ++u) {
        const std::size_t row_start = filled;
        for (; i < by_source[u]; ++i) {
            count(4);
            const auto [v, row] = leaving[i];
            if (filled == row_start || out.indices[filled - 1] != v) {
                out.indices[filled] = v;
                if (weighted) out.weights[filled] = edges.weights[row];
                ++filled;
                continue;
            }
            if (options.duplicates == Duplicates::error) {
                throw BadEdge(edge_text(row, edges.sources[row], edges.targets[row]) +
                              " repeats edges[" + std::to_string(leaving[i - 1].row) + "]");
            }
            if (weighted) {
                double& kept = out.weights[filled - 1];
                kept = merged(kept, edges.weights[row], options.duplicates);
                if (!std::isfinite(kept)) {
                    throw BadEdge("weights of edge (" + std::to_string(edges.sources[row]) + ", " +
                                  std::to_string(edges.targets[row]) +
                                  ") must have a finite sum, not " + std::to_string(kept));
                }
            }
        }
        out.indptr[u + 1] = static_cast<EdgeOffset>(filled);
    }
    out.indices.resize(filled);
    if (weighted) out.weights.resize(filled);
    return out;
}

}  // namespace

Csr build_csr(std::size_t n_nodes, const EdgeList& edges, const BuildOptions& options) {
    if (edges.weights.empty() && options.duplicates != Duplicates::error) {
        return build<NoRow>(n_nodes, edges, options);
    }
    if (edges.sources.size() <= std::numeric_limits<std::uint32_t>::max()) {
        return build<std::uint32_t>(n_nodes, edges, options);
    }
    return build<std::size_t>(n_nodes, edges, options);
}

void check_csr(const CsrView& graph) {
    check_offsets(graph.indptr, graph.indices.size());
    if (graph.weighted() && graph.weights.size() != graph.indices.size()) {
        throw BadEdge("weights must be as long as indices, " +
                      std::to_string(graph.indices.size()) + ", not " +
                      std::to_string(graph.weights.size()));
    }
    const std::size_t n = graph.n_nodes();
    WorkCounter count;
    for (std::size_t u = 0; u < n; ++u) {
        NodeId previous = -1;
        count(2 + 2 * graph.neighbours(u).size());
        for (const NodeId v : graph.neighbours(u)) {
            if (v < 0 || static_cast<std::size_t>(v) >= n) {
                throw BadEdge("row " + std::to_string(u) + " names node " + std::to_string(v) +
                              ", outside " + range_text(n));
            }
            if (static_cast<std::size_t>(v) == u) {
                throw BadEdge("row " + std::to_string(u) + " holds a self loop");
            }
            if (v <= previous) {
                throw BadEdge("row " + std::to_string(u) + " is not sorted or repeats node " +
                              std::to_string(v));
            }
            previous = v;
        }
    }
    counted_loop(graph.weights.size(), 1, [&](std::size_t i) {
        if (!std::isfinite(graph.weights[i])) {
            throw BadEdge("weights[" + std::to_string(i) + "] must be finite, not " +
                          std::to_string(graph.weights[i]));
        }
    });
}

Csr transpose(const CsrView& graph) {
    const std::size_t n = graph.n_nodes();
    Csr out;
    out.indptr.assign(n + 1, 0);
    counted_resize(out.indices, graph.indices.size());
    counted_resize(out.weights, graph.weights.size());
    counted_loop(graph.indices.size(), 4, [&](std::size_t e) {
        ++out.indptr[static_cast<std::size_t>(graph.indices[e]) + 1];
    });
    for (std::size_t i = 0; i < n; ++i) out.indptr[i + 1] += out.indptr[i];
    std::vector<EdgeOffset> next(out.indptr.begin(), out.indptr.end() - 1);
    WorkCounter count;
    for (std::size_t u = 0; u < n; ++u) {
        count(2 + 16 * graph.neighbours(u).size());
        for (auto e = static_cast<std::size_t>(graph.indptr[u]);
             e < static_cast<std::size_t>(graph.indptr[u + 1]); ++e) {
            const auto slot =
                static_cast<std::size_t>(next[static_cast<std::size_t>(graph.indices[e])]++);
            out.indices[slot] = static_cast<NodeId>(u);
            if (graph.weighted()) out.weights[slot] = graph.weights[e];
        }
    }
    return out;
}

}  // namespace graphopt
