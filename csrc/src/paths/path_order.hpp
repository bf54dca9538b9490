// A numbering of the nodes that shortest paths run along.
#pragma once

#include <span>
#include <vector>

#include "graphopt/support/csr.hpp"

namespace graphopt {

// The place of each node in a depth-first walk (each node before its children) of a forest of
// shortest paths, one tree for each part of the graph. Shortest paths from any source then mostly
// run a way down and a way up the numbers, and near numbers are near nodes. O(m log n).
// Precondition: weights are not negative.
std::vector<NodeId> path_order(const CsrView& graph);

// The graph with node u called place[u]; rows are not sorted, weights always there.
Csr renumbered(const CsrView& graph, std::span<const NodeId> place);

}  // namespace graphopt
