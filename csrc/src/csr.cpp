#include "graphopt/csr.hpp"

#include <algorithm>
#include <cmath>

namespace graphopt {
namespace {

std::string edge_text(std::size_t row, std::int64_t u, std::int64_t v) {
    return "edges[" + std::to_string(row) + "] = (" + std::to_string(u) + ", " + std::to_string(v) +
           ")";
}

// One direction of one listed edge.
struct Entry {
    NodeId source;
    NodeId target;
    std::size_t row;
};

// Stable counting sort by `key`, so that equal keys keep the order of the list.
template <class Key>
std::vector<Entry> sorted_by(const std::vector<Entry>& entries, std::size_t n_nodes, Key key) {
    std::vector<std::size_t> start(n_nodes + 1, 0);
    for (const Entry& e : entries) ++start[static_cast<std::size_t>(key(e)) + 1];
    for (std::size_t i = 0; i < n_nodes; ++i) start[i + 1] += start[i];
    std::vector<Entry> out(entries.size());
    for (const Entry& e : entries) out[start[static_cast<std::size_t>(key(e))]++] = e;
    return out;
}

std::vector<Entry> checked_entries(std::size_t n_nodes, const EdgeList& edges,
                                   const BuildOptions& options) {
    const auto n = static_cast<std::int64_t>(n_nodes);
    std::vector<Entry> entries;
    entries.reserve(edges.sources.size() * (options.directed ? 1 : 2));
    for (std::size_t row = 0; row < edges.sources.size(); ++row) {
        const std::int64_t u = edges.sources[row];
        const std::int64_t v = edges.targets[row];
        if (u < 0 || v < 0 || u >= n || v >= n) {
            throw BadEdge(edge_text(row, u, v) + " names a node outside 0.." +
                          std::to_string(n - 1));
        }
        if (!edges.weights.empty() && !std::isfinite(edges.weights[row])) {
            throw BadEdge("weights[" + std::to_string(row) + "] must be finite, not " +
                          std::to_string(edges.weights[row]));
        }
        if (u == v) {
            if (options.drop_self_loops) continue;
            throw BadEdge(edge_text(row, u, v) + " is a self loop");
        }
        entries.push_back({static_cast<NodeId>(u), static_cast<NodeId>(v), row});
        if (!options.directed) {
            entries.push_back({static_cast<NodeId>(v), static_cast<NodeId>(u), row});
        }
    }
    return entries;
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

}  // namespace

Csr build_csr(std::size_t n_nodes, const EdgeList& edges, const BuildOptions& options) {
    const bool weighted = !edges.weights.empty();
    std::vector<Entry> entries = checked_entries(n_nodes, edges, options);
    entries = sorted_by(entries, n_nodes, [](const Entry& e) { return e.target; });
    entries = sorted_by(entries, n_nodes, [](const Entry& e) { return e.source; });

    Csr out;
    out.indptr.assign(n_nodes + 1, 0);
    out.indices.reserve(entries.size());
    if (weighted) out.weights.reserve(entries.size());
    NodeId previous_source = -1;
    std::size_t previous_row = 0;
    for (const Entry& e : entries) {
        const bool repeated = e.source == previous_source && out.indices.back() == e.target;
        if (repeated && options.duplicates == Duplicates::error) {
            throw BadEdge(edge_text(e.row, edges.sources[e.row], edges.targets[e.row]) +
                          " repeats edges[" + std::to_string(previous_row) + "]");
        }
        if (!repeated) {
            out.indices.push_back(e.target);
            if (weighted) out.weights.push_back(edges.weights[e.row]);
            ++out.indptr[static_cast<std::size_t>(e.source) + 1];
            previous_source = e.source;
        } else if (weighted) {
            out.weights.back() =
                merged(out.weights.back(), edges.weights[e.row], options.duplicates);
        }
        previous_row = e.row;
    }
    for (std::size_t i = 0; i < n_nodes; ++i) out.indptr[i + 1] += out.indptr[i];
    return out;
}

void check_csr(const CsrView& graph) {
    if (graph.indptr.empty() || graph.indptr.front() != 0) {
        throw BadEdge("indptr must start with 0");
    }
    if (graph.indptr.back() != static_cast<EdgeOffset>(graph.indices.size())) {
        throw BadEdge("indptr must end with the length of indices, " +
                      std::to_string(graph.indices.size()) + ", not " +
                      std::to_string(graph.indptr.back()));
    }
    if (graph.weighted() && graph.weights.size() != graph.indices.size()) {
        throw BadEdge("weights must be as long as indices, " +
                      std::to_string(graph.indices.size()) + ", not " +
                      std::to_string(graph.weights.size()));
    }
    const std::size_t n = graph.n_nodes();
    // Before any row is read: an indptr that goes up and down would point outside `indices`.
    for (std::size_t u = 0; u < n; ++u) {
        if (graph.indptr[u + 1] < graph.indptr[u]) {
            throw BadEdge("indptr must not decrease, as it does at " + std::to_string(u + 1));
        }
    }
    for (std::size_t u = 0; u < n; ++u) {
        NodeId previous = -1;
        for (const NodeId v : graph.neighbours(u)) {
            if (v < 0 || static_cast<std::size_t>(v) >= n) {
                throw BadEdge("row " + std::to_string(u) + " names node " + std::to_string(v) +
                              ", outside 0.." + std::to_string(n - 1));
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
    for (std::size_t i = 0; i < graph.weights.size(); ++i) {
        if (!std::isfinite(graph.weights[i])) {
            throw BadEdge("weights[" + std::to_string(i) + "] must be finite, not " +
                          std::to_string(graph.weights[i]));
        }
    }
}

Csr transpose(const CsrView& graph) {
    const std::size_t n = graph.n_nodes();
    Csr out;
    out.indptr.assign(n + 1, 0);
    out.indices.resize(graph.indices.size());
    out.weights.resize(graph.weights.size());
    for (const NodeId v : graph.indices) ++out.indptr[static_cast<std::size_t>(v) + 1];
    for (std::size_t i = 0; i < n; ++i) out.indptr[i + 1] += out.indptr[i];
    std::vector<EdgeOffset> next(out.indptr.begin(), out.indptr.end() - 1);
    for (std::size_t u = 0; u < n; ++u) {
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
