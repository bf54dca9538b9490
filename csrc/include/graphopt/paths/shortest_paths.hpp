// Distances in a graph: in hops from many sources at once, by length, and to the nearest of a set.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "graphopt/support/csr.hpp"

namespace graphopt {

// What stands for "no path": the largest value of an unsigned type, infinity otherwise.
template <class T>
inline constexpr T unreachable =
    std::numeric_limits<T>::has_infinity ? std::numeric_limits<T>::infinity()
                                         : std::numeric_limits<T>::max();

inline constexpr std::uint32_t no_hop_limit = std::numeric_limits<std::uint32_t>::max();

// Hops from each source to every node, weights ignored; row i of `out` belongs to sources[i].
// Nodes farther than `cutoff` hops are unreachable. False when a distance does not fit below
// unreachable<T>: `out` is then garbage and a wider type is needed.
//
// Blocks of 512 sources are searched together, one bit each (bit_search.hpp), where that pays;
// blocks of fewer than 32 sources, blocks in which the sources share too little (long thin graphs)
// and the widest type are searched source by source. O(n_sources (n + m)) at worst.
//
// Preconditions: sources are nodes; out.size() == sources.size() * n_nodes; `directed` is false
// only for a symmetric graph.
bool hop_distances(const CsrView& graph, bool directed, std::span<const NodeId> sources,
                   std::uint32_t cutoff, std::span<std::uint8_t> out, int num_threads);
bool hop_distances(const CsrView& graph, bool directed, std::span<const NodeId> sources,
                   std::uint32_t cutoff, std::span<std::uint16_t> out, int num_threads);
bool hop_distances(const CsrView& graph, bool directed, std::span<const NodeId> sources,
                   std::uint32_t cutoff, std::span<std::uint32_t> out, int num_threads);

// Lengths of shortest paths from each source. A length is the sum of the weights in the order of
// the path: rounding never turns a smaller sum into a larger one, so the result is the same to the
// bit in whatever order paths are tried. Nodes farther than `cutoff` are unreachable.
//
// Blocks of 32 sources that are near each other are searched together (sweep_search.hpp) where that
// pays; few sources, and blocks whose paths share too little, are searched source by source with
// Dijkstra's algorithm, O(m log n) each.
//
// Preconditions: as above; weights are not negative; an unweighted graph counts 1 an edge.
void path_lengths(const CsrView& graph, bool directed, std::span<const NodeId> sources,
                  double cutoff, std::span<double> out, int num_threads);

// Lengths of shortest paths between all nodes of a dense graph, by Floyd-Warshall in blocks:
// O(n^3). The parts of a path are added in an order that does not depend on threads or instruction
// sets but is not that of the path: a length may differ by rounding from the sum in the order of
// the path, where sums need rounding (those of integers do not). Symmetric to the bit when
// undirected.
//
// Preconditions: weights are not negative; out.size() == n_nodes * n_nodes; `directed` is false
// only for a symmetric graph.
void floyd_warshall(const CsrView& graph, bool directed, std::span<double> out, int num_threads);

// The distance of every node from its nearest source, and that source's position in `sources` (the
// smallest on ties; -1 and infinity where there is none). One search from all sources at once.
// Preconditions: sources are nodes; weights are not negative; outputs have n_nodes elements.
void distances_to_nearest(const CsrView& graph, std::span<const NodeId> sources,
                          std::span<double> distances, std::span<std::int32_t> nearest);

}  // namespace graphopt
