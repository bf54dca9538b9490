// Graphs in compressed sparse row form: the only graph type that kernels see.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace graphopt {

using NodeId = std::int32_t;
using EdgeOffset = std::int64_t;

// A borrowed graph. Preconditions, established by `check_csr` when a Graph is made and relied on by
// every kernel: indptr has n_nodes + 1 entries, starts at 0, never decreases and ends at
// indices.size(); every index is in [0, n_nodes); each row is sorted and without repeats or self
// loops; weights is empty (all 1) or as long as indices and finite. An undirected graph holds every
// edge twice.
struct CsrView {
    std::span<const EdgeOffset> indptr;
    std::span<const NodeId> indices;
    std::span<const double> weights;

    std::size_t n_nodes() const noexcept { return indptr.size() - 1; }
    std::size_t n_entries() const noexcept { return indices.size(); }
    bool weighted() const noexcept { return !weights.empty(); }
    std::span<const NodeId> neighbours(std::size_t node) const noexcept {
        const auto begin = static_cast<std::size_t>(indptr[node]);
        return indices.subspan(begin, static_cast<std::size_t>(indptr[node + 1]) - begin);
    }
};

struct Csr {
    std::vector<EdgeOffset> indptr;
    std::vector<NodeId> indices;
    std::vector<double> weights;
};

// What becomes of edges that name the same pair of nodes.
enum class Duplicates { first, last, sum, minimum, maximum, error };

// Names the edge (its row in the list the user gave) that cannot be part of the graph.
class BadEdge : public std::invalid_argument {
  public:
    using std::invalid_argument::invalid_argument;
};

struct EdgeList {
    std::span<const std::int64_t> sources;
    std::span<const std::int64_t> targets;
    std::span<const double> weights;  // empty: unweighted
};

struct BuildOptions {
    bool directed = false;
    bool drop_self_loops = true;  // otherwise a self loop is an error
    Duplicates duplicates = Duplicates::last;
};

// Sorts edges into rows by counting; O(n + m) time and space. In an undirected graph (u, v) and
// (v, u) name the same edge, and `first` and `last` refer to the order of the list.
// Throws BadEdge for an endpoint outside [0, n_nodes) and for what the options forbid.
Csr build_csr(std::size_t n_nodes, const EdgeList& edges, const BuildOptions& options);

// Throws std::invalid_argument unless the preconditions of CsrView hold; O(n + m).
void check_csr(const CsrView& graph);

// The graph with every entry (u, v) turned into (v, u); rows stay sorted.
Csr transpose(const CsrView& graph);

}  // namespace graphopt
