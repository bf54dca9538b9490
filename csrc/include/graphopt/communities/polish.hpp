// Partitions of large modularity while the number of groups is held: iterated local search.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "graphopt/support/csr.hpp"

namespace graphopt {

struct PolishOptions {
    std::size_t n_groups;       // labels are below; some groups may be empty
    double resolution;          // of modularity
    bool keep_all;              // a group that has nodes keeps some
    std::size_t perturbations;  // at each level
    std::uint64_t seed;
};

// Raises the modularity of each row of `starts`, n_starts x n_nodes, by itself; then combines the
// best row with each other one, by a cycle that first moves what both keep together as a whole.
// `labels` becomes the best partition found.
//
// A cycle makes communities inside the groups, communities of these and so on, moves them between
// the groups as though they were nodes, from the coarsest to the single nodes, and at each level
// perturbs: a few adjacent nodes go to another group, the nodes around settle, and what did not
// gain is undone. Every hundred perturbations make a cycle, and without any there is one. Nodes
// move to the group that gains most, the first of equal ones, adjacent or not. Nodes without an
// edge stay where they are. No step loses modularity.
//
// Preconditions: graph is undirected with weights of at least 0; labels are in [0, n_groups).
// Rows are worked on by several threads; the same result at any number of them. Memory
// O(n_nodes + n_entries + n_groups) for each thread and O(n_starts n_nodes).
void polish(const CsrView& graph, std::span<const NodeId> starts, std::size_t n_starts,
            const PolishOptions& options, std::span<NodeId> labels, int num_threads);

}  // namespace graphopt
