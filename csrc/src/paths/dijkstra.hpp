// Lengths of shortest paths from one source.
#pragma once

#include <span>

#include "graphopt/support/csr.hpp"
#include "node_heap.hpp"

namespace graphopt {

// Dijkstra's algorithm; `heap` (made for the graph) is empty before and after. Arguments as of
// path_lengths.
void dijkstra(const CsrView& graph, NodeId source, double cutoff, std::span<double> lengths,
              NodeHeap<double>& heap);

}  // namespace graphopt
