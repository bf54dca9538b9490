#include <algorithm>
#include <vector>

#include "graphopt/paths/shortest_paths.hpp"
#include "graphopt/support/parallel.hpp"
#include "min_plus.hpp"

namespace graphopt {
namespace {

constexpr std::size_t block = 64;  // nodes added at a time; lengths depend on it by rounding only
constexpr std::size_t rows_at_once = 64;
static_assert(block % rows_at_once == 0);
constexpr std::size_t tile = 64;  // of a transposition

void lengths_of_edges(const CsrView& graph, std::span<double> out, int num_threads) {
    const std::size_t n = graph.n_nodes();
    parallel_ranges(n, rows_at_once, num_threads,
                    [&](std::size_t begin, std::size_t end, std::size_t, int) {
                        for (std::size_t u = begin; u < end; ++u) {
                            double* const row = out.data() + u * n;
                            std::fill_n(row, n, unreachable<double>);
                            for (auto e = static_cast<std::size_t>(graph.indptr[u]);
                                 e < static_cast<std::size_t>(graph.indptr[u + 1]); ++e) {
                                row[graph.indices[e]] = graph.weighted() ? graph.weights[e] : 1.0;
                            }
                            row[u] = 0.0;
                        }
                    });
}

// Paths between the nodes of a block by way of these nodes: the textbook's three loops. `d`: the
// block on the diagonal.
GRAPHOPT_MULTIVERSION_FN void close_block(Tile d, std::size_t size) {
    for (std::size_t k = 0; k < size; ++k) {
        const double* const through = d.data + k * d.stride;
        for (std::size_t i = 0; i < size; ++i) {
            double* const row = d.data + i * d.stride;
            const double length = row[k];
            for (std::size_t j = 0; j < size; ++j) row[j] = std::min(row[j], length + through[j]);
        }
    }
}

// Rows [first, first + size) right of the diagonal, from the columns below it.
void fill_from_below(std::span<double> d, std::size_t n, std::size_t first, std::size_t size,
                     int num_threads) {
    parallel_ranges(
        n - first, tile, num_threads, [&](std::size_t begin, std::size_t end, std::size_t, int) {
            for (std::size_t top = first; top < std::min(first + size, first + end); top += tile) {
                const std::size_t bottom = std::min(top + tile, first + size);
                for (std::size_t j = first + begin; j < first + end; ++j) {
                    for (std::size_t i = top; i < std::min(bottom, j); ++i)
                        d[i * n + j] = d[j * n + i];
                }
            }
        });
}

}  // namespace

void floyd_warshall(const CsrView& graph, bool directed, std::span<double> out, int num_threads) {
    const std::size_t n = graph.n_nodes();
    lengths_of_edges(graph, out, num_threads);

    PackedColumns beyond(block, n);
    const std::size_t n_strips = beyond.n_strips();
    const std::size_t n_chunks = chunk_count(n, rows_at_once);
    PackedRows closed(block, block);
    std::vector<PackedRows> towards(static_cast<std::size_t>(usable_threads(num_threads, n_chunks)),
                                    PackedRows(rows_at_once, block));

    for (std::size_t first = 0; first < n; first += block) {
        const std::size_t size = std::min(block, n - first);
        const Tile block_rows{out.data() + first * n, n};
        const ConstTile block_rows_in{block_rows.data, n};
        if (!directed) fill_from_below(out, n, first, size, num_threads);
        close_block({block_rows.data + first, n}, size);

        // From the block to all nodes: first by way of the block.
        closed.pack({block_rows.data + first, n}, size, size);
        parallel_chunks(n_strips, num_threads, [&](std::size_t strip, int) {
            beyond.pack(block_rows_in, size, strip);
            min_plus(closed, beyond, strip, block_rows);
            beyond.pack(block_rows_in, size, strip);
        });

        // From all nodes to all nodes: first to the block, then from it. Of a symmetric matrix only
        // what is left of the diagonal; its long rows come first, so that threads end together.
        parallel_chunks(n_chunks, num_threads, [&](std::size_t chunk, int worker) {
            const std::size_t begin = (n_chunks - 1 - chunk) * rows_at_once;
            if (begin >= first && begin < first + size) return;  // the block itself: done
            const std::size_t end = std::min(begin + rows_at_once, n);
            PackedRows& to_block = towards[static_cast<std::size_t>(worker)];
            if (directed) {
                to_block.pack({out.data() + begin * n + first, n}, end - begin, size);
            } else {
                to_block.pack_transposed({block_rows.data + begin, n}, end - begin, size);
            }
            const std::size_t wanted = directed ? n_strips : chunk_count(end, min_plus_columns);
            for (std::size_t strip = 0; strip < wanted; ++strip) {
                min_plus(to_block, beyond, strip, {out.data() + begin * n, n});
                count_work(rows_at_once * min_plus_columns * size / 8);
            }
        });
    }
    if (!directed) fill_from_below(out, n, 0, n, num_threads);
}

}  // namespace graphopt
