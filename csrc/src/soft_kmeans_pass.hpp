// What every pass over the rows of a batch shares: its chunks, their partial sums, scratch memory.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "graphopt/aligned.hpp"
#include "graphopt/parallel.hpp"
#include "graphopt/soft_kmeans.hpp"
#include "soft_kmeans_blocks.hpp"

namespace graphopt::blocks {

struct Chunk {
    std::size_t graph;
    std::size_t begin;
    std::size_t end;
};

// Threads that `work` multiplications keep busy for longer than it takes to wake them.
inline int worthwhile_threads(int num_threads, std::size_t work) {
    constexpr std::size_t grain = std::size_t{1} << 18;
    return static_cast<int>(
        std::min(static_cast<std::size_t>(std::max(num_threads, 1)), 1 + work / grain));
}

// For one pass over the rows.
template <class T>
int pass_threads(const SoftKMeansProblem<T>& problem) {
    return worthwhile_threads(problem.num_threads, problem.rows.size() * problem.n_clusters);
}

// For work on the centres of every graph.
template <class T>
int centers_threads(const SoftKMeansProblem<T>& problem) {
    return worthwhile_threads(problem.num_threads, problem.centers_size());
}

// Rows in chunks that never cross graphs. A chunk counts from the first row of its graph, so a
// graph gets the same bits alone as in a batch; it grows with K to keep partial sums below the
// size of the rows.
class Chunks {
  public:
    template <class T>
    explicit Chunks(const SoftKMeansProblem<T>& problem) {
        const std::size_t chunk_rows =
            std::max<std::size_t>(256, round_up(problem.n_clusters, block_rows));
        first_.reserve(problem.n_graphs() + 1);
        for (std::size_t graph = 0; graph < problem.n_graphs(); ++graph) {
            first_.push_back(list_.size());
            const auto end = static_cast<std::size_t>(problem.offsets[graph + 1]);
            for (auto row = static_cast<std::size_t>(problem.offsets[graph]); row < end;
                 row += chunk_rows) {
                list_.push_back({graph, row, std::min(row + chunk_rows, end)});
            }
        }
        first_.push_back(list_.size());
    }

    std::size_t size() const noexcept { return list_.size(); }
    const Chunk& operator[](std::size_t i) const noexcept { return list_[i]; }
    std::size_t first(std::size_t graph) const noexcept { return first_[graph]; }

    // total[i] = sum of the partial results of the graph's chunks, in their order.
    template <class T>
    void combine(std::size_t graph, const T* partial, std::span<double> total) const {
        std::fill(total.begin(), total.end(), 0.0);
        for (std::size_t chunk = first_[graph]; chunk < first_[graph + 1]; ++chunk) {
            const T* const part = partial + chunk * total.size();
            for (std::size_t i = 0; i < total.size(); ++i) {
                total[i] += static_cast<double>(part[i]);
            }
        }
    }

  private:
    std::vector<Chunk> list_;
    std::vector<std::size_t> first_;
};

// Private memory for each thread of a region, on cache lines of its own.
template <class T>
class Scratch {
  public:
    Scratch(int num_threads, std::size_t n_chunks, std::size_t size)
        : size_(round_up(size, simd_bytes / sizeof(T))),
          memory_(static_cast<std::size_t>(usable_threads(num_threads, n_chunks)) * size_) {}

    T* of(int worker) noexcept { return memory_.data() + static_cast<std::size_t>(worker) * size_; }

  private:
    std::size_t size_;
    AlignedArray<T> memory_;
};

template <class T>
constexpr std::size_t transposed_size(std::size_t n_clusters, std::size_t width) {
    return round_up(n_clusters, max_lanes<T>) * width;
}

// clusters x width to width x padded clusters, as `products` wants it. The padding is left alone.
template <class T>
void transpose_centers(const T* centers, std::size_t n_clusters, std::size_t width, T* out) {
    const std::size_t padded = round_up(n_clusters, max_lanes<T>);
    for (std::size_t k = 0; k < n_clusters; ++k) {
        for (std::size_t d = 0; d < width; ++d) out[d * padded + k] = centers[k * width + d];
    }
}

// The centres of every graph, transposed.
template <class T>
AlignedArray<T> transposed_centers(const SoftKMeansProblem<T>& problem,
                                   std::span<const T> centers) {
    const std::size_t size = transposed_size<T>(problem.n_clusters, problem.width);
    AlignedArray<T> out(problem.n_graphs() * size);
    for (std::size_t graph = 0; graph < problem.n_graphs(); ++graph) {
        transpose_centers(centers.data() + graph * problem.n_clusters * problem.width,
                          problem.n_clusters, problem.width, out.data() + graph * size);
    }
    return out;
}

}  // namespace graphopt::blocks
