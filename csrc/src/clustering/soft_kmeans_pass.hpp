// What every pass over the rows of a batch shares: its chunks, their partial sums, scratch memory.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include "graphopt/clustering/soft_kmeans.hpp"
#include "graphopt/support/aligned.hpp"
#include "graphopt/support/parallel.hpp"
#include "panels.hpp"

namespace graphopt {

// Panels that a kernel takes at a time: few enough that their weights stay in the first cache, and
// so many that adding up the lanes of a block's sums is little beside them.
inline constexpr std::size_t most_block_panels = 24;
constexpr std::size_t block_panels(std::size_t n_clusters) {
    return std::clamp<std::size_t>(320 / n_clusters, 1, most_block_panels);
}

// Work of one pass over some rows.
constexpr std::size_t pass_units(std::size_t rows, std::size_t width, std::size_t n_clusters) {
    return rows * (width + 2) * n_clusters / 4;
}

// Threads that `work` multiplications keep busy for longer than it takes to wake them.
inline int worthwhile_threads(int num_threads, std::size_t work) {
    constexpr std::size_t grain = std::size_t{1} << 17;
    return static_cast<int>(
        std::min(static_cast<std::size_t>(std::max(num_threads, 1)), 1 + work / grain));
}

// For one pass over `rows` rows.
template <class T>
int pass_threads(const SoftKMeansProblem<T>& problem, std::size_t rows) {
    return worthwhile_threads(problem.num_threads, rows * problem.width * problem.n_clusters);
}

struct Chunk {
    std::size_t graph;
    std::size_t begin;  // rows
    std::size_t end;
    std::size_t first_panel;  // within the graph
};

// Rows in chunks of whole panels that never cross graphs. They depend on the rows of their own
// graph only, so a graph gets the same bits alone as in a batch. There are enough of them to share,
// few enough that their partial sums are smaller than the rows and quickly combined.
class Chunks {
  public:
    template <class T>
    explicit Chunks(const SoftKMeansProblem<T>& problem) {
        constexpr std::size_t rows = panels::panel_rows<T>;
        const std::size_t fewest = (problem.n_clusters + rows - 1) / rows;
        first_.reserve(problem.n_graphs() + 1);
        for (std::size_t graph = 0; graph < problem.n_graphs(); ++graph) {
            first_.push_back(list_.size());
            const auto begin = static_cast<std::size_t>(problem.offsets[graph]);
            const auto end = static_cast<std::size_t>(problem.offsets[graph + 1]);
            const std::size_t panels = panels::panel_count<T>(end - begin);
            const std::size_t size =
                std::max(fewest, std::clamp(panels / 8, most_block_panels / 2, most_block_panels));
            std::size_t count = std::min<std::size_t>((panels + size - 1) / size, 128);
            if (count > 2) count = panels::round_up(count, 4);  // shared evenly by 2 or 4
            for (std::size_t i = 0; i < count; ++i) {
                const std::size_t first = i * panels / count;
                const std::size_t last = (i + 1) * panels / count;
                list_.push_back(
                    {graph, begin + first * rows, std::min(begin + last * rows, end), first});
            }
        }
        first_.push_back(list_.size());
    }

    std::size_t size() const noexcept { return list_.size(); }
    const Chunk& operator[](std::size_t i) const noexcept { return list_[i]; }
    std::size_t first(std::size_t graph) const noexcept { return first_[graph]; }
    std::size_t count(std::size_t graph) const noexcept {
        return first_[graph + 1] - first_[graph];
    }

  private:
    std::vector<Chunk> list_;
    std::vector<std::size_t> first_;
};

// total[i] = sum of partial[chunk * stride + i] in the order of the chunks.
void combine(const float* partial, std::size_t n_chunks, std::size_t stride,
             std::span<double> total);
void combine(const double* partial, std::size_t n_chunks, std::size_t stride,
             std::span<double> total);

// Private memory for each thread of a region, on cache lines of its own.
template <class T>
class Scratch {
  public:
    Scratch(int num_threads, std::size_t n_chunks, std::size_t size)
        : size_(panels::round_up(size, simd_bytes / sizeof(T))),
          memory_(static_cast<std::size_t>(usable_threads(num_threads, n_chunks)) * size_,
                  uninitialized) {}

    T* of(int worker) noexcept { return memory_.data() + static_cast<std::size_t>(worker) * size_; }

  private:
    std::size_t size_;
    AlignedArray<T> memory_;
};

// n_rows x n_columns to n_columns x n_rows. Centres are held transposed, width x clusters, as
// `panels::product` takes them and `panels::add_weighted_sums` leaves them.
template <class From, class To>
void transpose(const From* from, std::size_t n_rows, std::size_t n_columns, To* to) {
    for (std::size_t i = 0; i < n_rows; ++i) {
        for (std::size_t j = 0; j < n_columns; ++j) {
            to[j * n_rows + i] = static_cast<To>(from[i * n_columns + j]);
        }
    }
}

// The centres of every graph, transposed.
template <class T>
AlignedArray<T> transposed_centers(const SoftKMeansProblem<T>& problem,
                                   std::span<const T> centers) {
    const std::size_t size = problem.n_clusters * problem.width;
    AlignedArray<T> out(centers.size(), uninitialized);
    for (std::size_t at = 0; at < centers.size(); at += size) {
        transpose(centers.data() + at, problem.n_clusters, problem.width, out.data() + at);
    }
    return out;
}

}  // namespace graphopt
