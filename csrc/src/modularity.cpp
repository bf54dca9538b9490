#include "graphopt/modularity.hpp"

#include <algorithm>
#include <array>
#include <type_traits>
#include <vector>

#include "graphopt/parallel.hpp"
#include "graphopt/simd.hpp"

namespace graphopt {
namespace {

constexpr std::size_t nodes_per_chunk = 256;

template <class Real>
constexpr std::size_t width = simd_bytes / sizeof(Real);

// A row of the assignment becomes whole cache lines, padded with zeros: one line for up to 16
// float32 groups, so an edge costs one load and one multiply-add.
template <class Real>
using Block = Line<std::conditional_t<std::is_same_v<Real, float>, float32x16, float64x8>>;

template <class Real>
struct Packed {
    const CsrView& graph;
    std::size_t n_groups;
    double resolution;
    std::size_t n_blocks;           // per node
    std::vector<Block<Real>> rows;  // n_nodes x n_blocks
    std::vector<double> strengths;  // n_nodes
    std::vector<double> volumes;    // r^T s, padded with zeros to whole blocks
    double total;                   // 2m
};

double strength(const CsrView& graph, std::size_t node) {
    const auto begin = static_cast<std::size_t>(graph.indptr[node]);
    const auto end = static_cast<std::size_t>(graph.indptr[node + 1]);
    if (!graph.weighted()) return static_cast<double>(end - begin);
    double sum = 0.0;
    for (std::size_t e = begin; e < end; ++e) sum += graph.weights[e];
    return sum;
}

template <class Real>
Packed<Real> pack(const CsrView& graph, std::span<const Real> assignment, std::size_t n_groups,
                  double resolution, int num_threads) {
    const std::size_t n = graph.n_nodes();
    const std::size_t n_blocks = chunk_count(n_groups, width<Real>);
    Packed<Real> packed{graph,
                        n_groups,
                        resolution,
                        n_blocks,
                        std::vector<Block<Real>>(n * n_blocks),
                        std::vector<double>(n),
                        std::vector<double>(n_blocks * width<Real>),
                        0.0};
    const std::size_t n_chunks = chunk_count(n, nodes_per_chunk);
    std::vector<double> totals(n_chunks), volumes(n_chunks * n_groups);
    parallel_ranges(n, nodes_per_chunk, num_threads,
                    [&](std::size_t begin, std::size_t end, std::size_t chunk, int) {
                        double* const volume = volumes.data() + chunk * n_groups;
                        for (std::size_t i = begin; i < end; ++i) {
                            const double s = packed.strengths[i] = strength(graph, i);
                            totals[chunk] += s;
                            for (std::size_t k = 0; k < n_groups; ++k) {
                                const Real r = assignment[i * n_groups + k];
                                packed.rows[i * n_blocks + k / width<Real>].lanes[k % width<Real>] =
                                    r;
                                volume[k] += s * static_cast<double>(r);
                            }
                        }
                    });
    for (std::size_t chunk = 0; chunk < n_chunks; ++chunk) {
        packed.total += totals[chunk];
        for (std::size_t k = 0; k < n_groups; ++k) {
            packed.volumes[k] += volumes[chunk * n_groups + k];
        }
    }
    return packed;
}

// Writes the gradient of nodes [begin, end); returns their part of the sum over entries.
template <bool weighted, class Real>
GRAPHOPT_ALWAYS_INLINE double rows_body(const Packed<Real>& packed, std::size_t begin,
                                        std::size_t end, Real* gradient) {
    constexpr std::size_t lanes = width<Real>;
    const CsrView& graph = packed.graph;
    const Block<Real>* const rows = packed.rows.data();
    const std::size_t n_blocks = packed.n_blocks;
    const double scale = 2.0 / packed.total;
    std::array<double, lanes> inside{};
    for (std::size_t i = begin; i < end; ++i) {
        const auto first = static_cast<std::size_t>(graph.indptr[i]);
        const auto last = static_cast<std::size_t>(graph.indptr[i + 1]);
        const double pull = packed.resolution * packed.strengths[i] / packed.total;
        for (std::size_t b = 0; b < n_blocks; ++b) {
            Block<Real> sum{};
            for (std::size_t e = first; e < last; ++e) {
                const auto j = static_cast<std::size_t>(graph.indices[e]);
                if constexpr (weighted) {
                    sum.lanes += static_cast<Real>(graph.weights[e]) * rows[j * n_blocks + b].lanes;
                } else {
                    sum.lanes += rows[j * n_blocks + b].lanes;
                }
            }
            const Block<Real>& own = rows[i * n_blocks + b];
            const double* const volumes = packed.volumes.data() + b * lanes;
            std::array<Real, lanes> out;
            for (std::size_t k = 0; k < lanes; ++k) {
                const auto near = static_cast<double>(sum.lanes[k]);
                inside[k] += near * static_cast<double>(own.lanes[k]);
                out[k] = static_cast<Real>(scale * (near - pull * volumes[k]));
            }
            const std::size_t used = std::min(lanes, packed.n_groups - b * lanes);
            std::copy_n(out.data(), used, gradient + i * packed.n_groups + b * lanes);
        }
    }
    double sum = 0.0;
    for (const double part : inside) sum += part;
    return sum;
}

GRAPHOPT_MULTIVERSION_FN double rows_of(const Packed<float>& packed, std::size_t begin,
                                        std::size_t end, float* gradient) {
    return packed.graph.weighted() ? rows_body<true>(packed, begin, end, gradient)
                                   : rows_body<false>(packed, begin, end, gradient);
}

GRAPHOPT_MULTIVERSION_FN double rows_of(const Packed<double>& packed, std::size_t begin,
                                        std::size_t end, double* gradient) {
    return packed.graph.weighted() ? rows_body<true>(packed, begin, end, gradient)
                                   : rows_body<false>(packed, begin, end, gradient);
}

template <class Real>
double run(const CsrView& graph, std::span<const Real> assignment, std::size_t n_groups,
           double resolution, std::span<Real> gradient, int num_threads) {
    const Packed<Real> packed = pack(graph, assignment, n_groups, resolution, num_threads);
    if (!(packed.total > 0.0)) {
        std::fill(gradient.begin(), gradient.end(), Real{0});
        return 0.0;
    }
    const std::size_t n = graph.n_nodes();
    std::vector<double> parts(chunk_count(n, nodes_per_chunk));
    parallel_ranges(n, nodes_per_chunk, num_threads,
                    [&](std::size_t begin, std::size_t end, std::size_t chunk, int) {
                        parts[chunk] = rows_of(packed, begin, end, gradient.data());
                    });
    double inside = 0.0;
    for (const double part : parts) inside += part;
    double expected = 0.0;
    for (const double volume : packed.volumes) expected += volume * volume;
    return (inside - resolution * expected / packed.total) / packed.total;
}

}  // namespace

double modularity_gradient(const CsrView& graph, std::span<const float> assignment,
                           std::size_t n_groups, double resolution, std::span<float> gradient,
                           int num_threads) {
    return run(graph, assignment, n_groups, resolution, gradient, num_threads);
}

double modularity_gradient(const CsrView& graph, std::span<const double> assignment,
                           std::size_t n_groups, double resolution, std::span<double> gradient,
                           int num_threads) {
    return run(graph, assignment, n_groups, resolution, gradient, num_threads);
}

}  // namespace graphopt
