// Breadth-first search from up to 512 sources at once. Every node has one word of 512 bits, a bit a
// source: which searches have seen it, which stand on it now. A level costs one pass of ORs.
// Distances are kept as bit planes (plane p holds bit p of every distance) and written out as
// numbers at the end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "graphopt/support/aligned.hpp"
#include "graphopt/support/csr.hpp"
#include "graphopt/support/parallel.hpp"
#include "graphopt/support/simd.hpp"

namespace graphopt {

// A word in memory. The alignment is stated because clones for AVX-512 rely on it while the vector
// type alone promises less when this file is compiled for the baseline.
struct alignas(simd_bytes) SourceBits {
    uint64x8 bits{};
};

enum class SearchEnd {
    complete,
    too_deep,  // a distance needs more planes than allowed
    too_thin,  // the sources share so little that searching one by one is cheaper
};

class BitSearch {
  public:
    static constexpr std::size_t width = 512;

    // Borrows both views of one graph; `incoming` is the transpose (the graph itself if
    // undirected). Distances above 2^max_planes - 2 are too deep.
    BitSearch(const CsrView& outgoing, const CsrView& incoming, unsigned max_planes);

    // The threads share the levels of the one search. Precondition: 1 to 512 sources.
    SearchEnd run(std::span<const NodeId> sources, std::uint32_t cutoff, int num_threads) {
        num_threads_ = num_threads;
        start(sources);
        std::uint32_t level = 0;
        while (!active_.empty() && level < cutoff) {
            if (work_ > budget_) return SearchEnd::too_thin;
            advance(++level);
            if (level == deepest_ + 1 && !active_.empty()) return SearchEnd::too_deep;
        }
        return SearchEnd::complete;
    }

    // Writes what `run` found: rows[i], n_nodes long, for source i.
    void write(std::span<std::uint8_t* const> rows);
    void write(std::span<std::uint16_t* const> rows);

  private:
    void start(std::span<const NodeId> sources);
    void advance(std::uint32_t level);
    std::size_t piece_size(std::size_t n_items) const;
    void fill(AlignedArray<SourceBits>& words, const SourceBits& value);
    template <class Body>
    void over_ranges(std::size_t n_items, Body&& body);
    template <class Find>
    void find_active(std::size_t n_items, Find&& find);
    template <class T>
    void write_rows(std::span<T* const> rows);

    CsrView outgoing_;
    CsrView incoming_;
    std::uint32_t deepest_;
    std::size_t n_entries_;

    AlignedArray<SourceBits> seen_;      // bits without a source count as seen
    AlignedArray<SourceBits> frontier_;  // found at the last level; zero off `active_`
    AlignedArray<SourceBits> next_;      // zero between levels if `next_is_clean_`
    std::vector<AlignedArray<SourceBits>> planes_;
    std::size_t n_planes_ = 0;  // used by this run
    bool next_is_clean_ = true;
    int num_threads_ = 1;

    std::vector<NodeId> active_;    // nodes with a bit in frontier_
    std::size_t active_edges_ = 0;  // their edges
    struct Found {
        std::size_t n_active = 0, n_edges = 0;
    };
    std::vector<Found> found_;     // by each range of a level
    std::vector<NodeId> touched_;  // scratch
    std::vector<std::uint32_t> touched_at_;
    std::size_t work_ = 0;  // words combined by this run
    std::size_t budget_ = 0;
};

}  // namespace graphopt
