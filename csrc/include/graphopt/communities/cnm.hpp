// Greedy agglomeration by modularity (Clauset, Newman and Moore) where every pair may be joined.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "graphopt/support/csr.hpp"

namespace graphopt {

// Two groups, named by their smallest nodes, become the one named `kept`.
struct Merge {
    NodeId kept;
    NodeId gone;  // > kept
    double gain;  // of modularity
};

// Merges the two groups whose union gains most, from single nodes until n_groups are left; among
// equal gains the smallest pair. Returns the n - n_groups merges in their order.
//
// Joining a and b with anything gains what joining each of them would: gains add up, so one matrix
// of gains is all there is to keep. It is made of `total * w_ij - s_i s_j`, which is exact for
// whole numbers: their ties are true ties. Each group remembers its best partner; where that one
// changed for the worse, its gain stays as a bound and the row is searched again only when the
// bound comes out on top. Preconditions: weights is n x n, exactly symmetric, without negative
// entries, with a positive sum off the diagonal, which is ignored; 1 <= n_groups <= n. 8 n^2 bytes;
// O(n^2) plus O(n) for each search, of which there are a few per merge in practice.
std::vector<Merge> cnm(std::span<const double> weights, std::size_t n, std::size_t n_groups);

}  // namespace graphopt
