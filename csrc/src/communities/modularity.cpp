#include "graphopt/communities/modularity.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <type_traits>
#include <vector>

#include "graphopt/support/parallel.hpp"
#include "graphopt/support/simd.hpp"
#include "support/counted.hpp"

namespace graphopt {
namespace {

// Some tens of microseconds of work, which waking a thread must not outweigh.
constexpr std::size_t nodes_per_chunk = 4096;

template <class Real>
constexpr std::size_t width = simd_bytes / sizeof(Real);

// Groups are taken a register at a time: up to 16 in float32, so an edge costs one load and one
// addition. The register runs on into the next node's groups, whose lanes are not used.
template <class Real>
using Block = Line<std::conditional_t<std::is_same_v<Real, float>, float32x16, float64x8>>;

template <class Real>
GRAPHOPT_ALWAYS_INLINE Block<Real> load_block(const Real* from) {
    Block<Real> block;
    std::memcpy(&block, from, sizeof(block));
    return block;
}

template <class Real>
struct Assigned {
    const CsrView& graph;
    std::size_t n_groups;
    double resolution;
    std::vector<Real> rows;         // n_nodes x n_groups, and a register beyond
    std::vector<double> strengths;  // n_nodes
    std::vector<double> volumes;    // r^T s, and zeros to whole registers
    double total;                   // 2m

    std::size_t n_blocks() const { return chunk_count(n_groups, width<Real>); }
};

double strength(const CsrView& graph, std::size_t node) {
    const auto begin = static_cast<std::size_t>(graph.indptr[node]);
    const auto end = static_cast<std::size_t>(graph.indptr[node + 1]);
    if (!graph.weighted()) return static_cast<double>(end - begin);
    double sum = 0.0;
    for (std::size_t e = begin; e < end; ++e) sum += graph.weights[e];
    return sum;
}

// volumes[k] += strength * share, whole registers, for nodes [begin, end).
template <class Real>
GRAPHOPT_ALWAYS_INLINE void add_volumes_body(const Assigned<Real>& assigned, std::size_t begin,
                                             std::size_t end, double* volumes) {
    constexpr std::size_t lanes = width<Real>;
    for (std::size_t b = 0; b < assigned.n_blocks(); ++b) {
        std::array<double, lanes> sum{};
        for (std::size_t i = begin; i < end; ++i) {
            const Real* const row = assigned.rows.data() + i * assigned.n_groups + b * lanes;
            for (std::size_t k = 0; k < lanes; ++k) {
                sum[k] += assigned.strengths[i] * static_cast<double>(row[k]);
            }
        }
        const std::size_t used = std::min(lanes, assigned.n_groups - b * lanes);
        std::copy_n(sum.data(), used, volumes + b * lanes);
    }
}

GRAPHOPT_MULTIVERSION_FN void add_volumes(const Assigned<float>& assigned, std::size_t begin,
                                          std::size_t end, double* volumes) {
    add_volumes_body(assigned, begin, end, volumes);
}

GRAPHOPT_MULTIVERSION_FN void add_volumes(const Assigned<double>& assigned, std::size_t begin,
                                          std::size_t end, double* volumes) {
    add_volumes_body(assigned, begin, end, volumes);
}

template <class Real>
Assigned<Real> assign(const CsrView& graph, std::span<const Real> assignment, std::size_t n_groups,
                      double resolution, int num_threads) {
    const std::size_t n = graph.n_nodes();
    Assigned<Real> assigned{graph, n_groups, resolution, {}, std::vector<double>(n), {}, 0.0};
    assigned.rows.reserve(assignment.size() + width<Real>);
    counted_pieces(assignment.size(), 1, [&](std::size_t begin, std::size_t end) {
        const auto piece = assignment.subspan(begin, end - begin);
        assigned.rows.insert(assigned.rows.end(), piece.begin(), piece.end());
    });
    assigned.rows.resize(assignment.size() + width<Real>);
    const std::size_t padded = assigned.n_blocks() * width<Real>;
    const std::size_t n_chunks = chunk_count(n, nodes_per_chunk);
    std::vector<double> totals(n_chunks), volumes(n_chunks * padded);
    parallel_ranges(n, nodes_per_chunk, num_threads,
                    [&](std::size_t begin, std::size_t end, std::size_t chunk, int) {
                        for (std::size_t i = begin; i < end; ++i) {
                            totals[chunk] += assigned.strengths[i] = strength(graph, i);
                        }
                        add_volumes(assigned, begin, end, volumes.data() + chunk * padded);
                    });
    assigned.volumes.resize(padded);
    for (std::size_t chunk = 0; chunk < n_chunks; ++chunk) {
        assigned.total += totals[chunk];
        for (std::size_t k = 0; k < padded; ++k) assigned.volumes[k] += volumes[chunk * padded + k];
    }
    return assigned;
}

// Writes a block of the gradient of nodes [begin, end); adds their part to the sum over entries.
template <bool weighted, class Real>
GRAPHOPT_ALWAYS_INLINE void rows_body(const Assigned<Real>& assigned, std::size_t b,
                                      std::size_t begin, std::size_t end, Real* gradient,
                                      double& total) {
    constexpr std::size_t lanes = width<Real>;
    const CsrView& graph = assigned.graph;
    const std::size_t n_groups = assigned.n_groups, n_blocks = assigned.n_blocks();
    const double scale = 2.0 / assigned.total;
    {
        const Real* const rows = assigned.rows.data() + b * lanes;
        const double* const volumes = assigned.volumes.data() + b * lanes;
        const std::size_t used = std::min(lanes, n_groups - b * lanes);
        std::array<double, lanes> inside{};
        for (std::size_t i = begin; i < end; ++i) {
            const auto first = static_cast<std::size_t>(graph.indptr[i]);
            const auto last = static_cast<std::size_t>(graph.indptr[i + 1]);
            Block<Real> sum{};
            for (std::size_t e = first; e < last; ++e) {
                const auto j = static_cast<std::size_t>(graph.indices[e]);
                const Block<Real> other = load_block(rows + j * n_groups);
                if constexpr (weighted) {
                    sum.lanes += static_cast<Real>(graph.weights[e]) * other.lanes;
                } else {
                    sum.lanes += other.lanes;
                }
            }
            const Block<Real> own = load_block(rows + i * n_groups);
            const double pull = assigned.resolution * assigned.strengths[i] / assigned.total;
            std::array<Real, lanes> out;
            for (std::size_t k = 0; k < lanes; ++k) {
                const auto near = static_cast<double>(sum.lanes[k]);
                inside[k] += near * static_cast<double>(own.lanes[k]);
                out[k] = static_cast<Real>(scale * (near - pull * volumes[k]));
            }
            const std::size_t at = i * n_groups + b * lanes;
            if (n_blocks == 1 && at + lanes <= end * n_groups) {
                std::copy_n(out.data(), lanes, gradient + at);  // the next nodes overwrite the rest
            } else {
                std::copy_n(out.data(), used, gradient + at);
            }
        }
        for (std::size_t k = 0; k < used; ++k) total += inside[k];
    }
}

GRAPHOPT_MULTIVERSION_FN void rows_of(const Assigned<float>& assigned, std::size_t b,
                                      std::size_t begin, std::size_t end, float* gradient,
                                      double& total) {
    assigned.graph.weighted() ? rows_body<true>(assigned, b, begin, end, gradient, total)
                              : rows_body<false>(assigned, b, begin, end, gradient, total);
}

GRAPHOPT_MULTIVERSION_FN void rows_of(const Assigned<double>& assigned, std::size_t b,
                                      std::size_t begin, std::size_t end, double* gradient,
                                      double& total) {
    assigned.graph.weighted() ? rows_body<true>(assigned, b, begin, end, gradient, total)
                              : rows_body<false>(assigned, b, begin, end, gradient, total);
}

template <class Real>
double run(const CsrView& graph, std::span<const Real> assignment, std::size_t n_groups,
           double resolution, std::span<Real> gradient, int num_threads) {
    const Assigned<Real> assigned = assign(graph, assignment, n_groups, resolution, num_threads);
    if (!(assigned.total > 0.0)) {
        std::fill(gradient.begin(), gradient.end(), Real{0});
        return 0.0;
    }
    const std::size_t n = graph.n_nodes();
    std::vector<double> parts(chunk_count(n, nodes_per_chunk));
    parallel_ranges(n, nodes_per_chunk, num_threads,
                    [&](std::size_t begin, std::size_t end, std::size_t chunk, int) {
                        const auto edges =
                            static_cast<std::size_t>(graph.indptr[end] - graph.indptr[begin]);
                        for (std::size_t b = 0; b < assigned.n_blocks(); ++b) {
                            rows_of(assigned, b, begin, end, gradient.data(), parts[chunk]);
                            count_work(8 * (end - begin) + 2 * edges);
                        }
                    });
    double inside = 0.0;
    for (const double part : parts) inside += part;
    double expected = 0.0;
    for (const double volume : assigned.volumes) expected += volume * volume;
    return (inside - resolution * expected / assigned.total) / assigned.total;
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
