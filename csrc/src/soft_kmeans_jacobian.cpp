// J_kl = (temperature / R_k) sum_j r_jk (d_kl - r_jl) (x_j - F_k) x_j^T, one pair (k, l) at a time:
// with w_j = r_jk (d_kl - r_jl), the same for (l, k), G = sum_j w_j x_j x_j^T and h = sum_j w_j
// x_j, J_kl = (temperature / R_k) (G - F_k h^T).
#include <algorithm>

#include "graphopt/soft_kmeans.hpp"
#include "soft_kmeans_pass.hpp"

namespace graphopt {
namespace {

using namespace blocks;

struct PairMoments {
    const double* x;
    std::size_t rows;
    std::size_t width;
    std::size_t n_clusters;
    const double* assignment;  // rows x clusters
    std::size_t k;
    std::size_t l;
    double* moments;  // G, then h: (width + 1) x width
    double* scratch;
};

constexpr std::size_t pair_scratch(std::size_t width) {
    return (width + 1 + max_lanes<double>)*block_rows;
}

template <class S>
GRAPHOPT_ALWAYS_INLINE void pair_body(const PairMoments& pair) {
    double* const weights = pair.scratch;
    double* const padding = weights + (pair.width + 1) * block_rows;
    std::fill_n(pair.moments, (pair.width + 1) * pair.width, 0.0);
    for (std::size_t begin = 0; begin < pair.rows; begin += block_rows) {
        const std::size_t rows = std::min(block_rows, pair.rows - begin);
        const double* const x = pair.x + begin * pair.width;
        for (std::size_t j = 0; j < rows; ++j) {
            const double* const r = pair.assignment + (begin + j) * pair.n_clusters;
            const double w = r[pair.k] * ((pair.k == pair.l ? 1.0 : 0.0) - r[pair.l]);
            for (std::size_t d = 0; d < pair.width; ++d) {
                weights[d * block_rows + j] = w * x[j * pair.width + d];
            }
            weights[pair.width * block_rows + j] = w;
        }
        const BlockRows<S> block(x, rows, pair.width, padding);
        weighted_sums<S>(block, pair.width, weights, pair.width + 1, pair.moments);
    }
}

GRAPHOPT_PER_ISA(void pair_moments(const PairMoments& pair),
                 pair_body<Simd<double, vector_bytes>>(pair))

// Block (k, l) of J, whose row k is that of an empty cluster zero.
void write_block(const SoftKMeansProblem<double>& problem, const SoftKMeansPoint<double>& point,
                 std::size_t k, std::size_t l, const double* moments, std::span<double> jacobian) {
    const std::size_t width = problem.width;
    const std::size_t size = problem.n_clusters * width;
    const double scale = point.mass[k] == 0.0 ? 0.0 : problem.temperature / point.mass[k];
    const double* const sum = moments + width * width;
    for (std::size_t a = 0; a < width; ++a) {
        const double image = point.image[k * width + a];
        double* const row = jacobian.data() + (k * width + a) * size + l * width;
        for (std::size_t b = 0; b < width; ++b) {
            row[b] = scale * (moments[a * width + b] - image * sum[b]);
        }
    }
}

}  // namespace

void soft_kmeans_jacobian(const SoftKMeansProblem<double>& problem,
                          const SoftKMeansPoint<double>& point, std::span<double> jacobian) {
    const std::size_t width = problem.width;
    std::vector<std::pair<std::size_t, std::size_t>> pairs;
    for (std::size_t k = 0; k < problem.n_clusters; ++k) {
        for (std::size_t l = k; l < problem.n_clusters; ++l) pairs.emplace_back(k, l);
    }
    const int threads = worthwhile_threads(
        problem.num_threads, problem.rows.size() * problem.n_clusters * problem.centers_size());
    const std::size_t moments_size = (width + 1) * width;
    Scratch<double> moments(threads, pairs.size(), moments_size);
    Scratch<double> scratch(threads, pairs.size(), pair_scratch(width));
    parallel_chunks(pairs.size(), threads, [&](std::size_t i, int worker) {
        const auto [k, l] = pairs[i];
        double* const pair = moments.of(worker);
        pair_moments({problem.rows.data(), problem.n_rows(), width, problem.n_clusters,
                      point.assignment.data(), k, l, pair, scratch.of(worker)});
        write_block(problem, point, k, l, pair, jacobian);
        if (l != k) write_block(problem, point, l, k, pair, jacobian);
    });
}

}  // namespace graphopt
