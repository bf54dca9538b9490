// Shortest paths from 32 sources at once, on nodes numbered along their paths.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "graphopt/support/csr.hpp"
#include "graphopt/support/parallel.hpp"
#include "graphopt/support/simd.hpp"

namespace graphopt {

// A node has one label (the best length so far) for each source, in a row of vectors. A pull takes,
// for all sources at once, the best way to the node through its neighbours; a node waits to be
// pulled while a neighbour's labels have changed. Sweeps pull the waiting nodes down the numbers
// and up again until none waits: no queue, and near sources want the same pulls. A label is summed
// along its path, as by Dijkstra's algorithm, so the result is the same to the bit.
class SweepSearch {
  public:
    static constexpr std::size_t n_lanes = 32;

    // `edges_in` and `edges_out`: the graph transposed and itself (one and the same if undirected),
    // numbered by path_order. They are borrowed.
    SweepSearch(const Csr& edges_in, const Csr& edges_out);

    // Searches from at most n_lanes sources. False: gave up, since the sources' paths have so
    // little in common with the numbering that single searches are cheaper.
    bool run(std::span<const NodeId> sources, double cutoff);

    // Lengths from source `lane` to the node numbered place[v], for all v, in rows[lane][v].
    void write(std::span<const NodeId> place, std::span<double* const> rows) const;

  private:
    const Csr& edges_in_;
    const Csr& edges_out_;
    std::vector<Line<float64x8>> labels_;  // n_lanes a node
    std::vector<std::uint64_t> waiting_;   // a bit a node
};

}  // namespace graphopt
