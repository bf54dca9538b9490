// J_kl = (temperature / R_k) sum_j r_jk (d_kl - r_jl) (x_j - F_k) x_j^T, one pair (k, l) at a time:
// with w_j = r_jk (d_kl - r_jl), the same for (l, k), the moments G = sum_j w_j x_j x_j^T (whose
// upper triangle is enough) and h = sum_j w_j x_j, J_kl = (temperature / R_k) (G - F_k h^T).
#include <algorithm>
#include <utility>

#include "graphopt/clustering/soft_kmeans.hpp"
#include "soft_kmeans_pass.hpp"

namespace graphopt {
namespace {

using panels::panel_rows;

constexpr std::size_t height = panel_rows<double>;
constexpr std::size_t panels_at_a_time = 16;  // of which ten columns fit in the first cache

struct PairMoments {
    const double* x;           // panels of width + 1 columns, the last of ones
    const double* assignment;  // panels
    std::size_t n_panels;
    std::size_t width;
    std::size_t n_clusters;
    std::size_t k;
    std::size_t l;
    double* moments;  // (width + 1) x (width + 1), the upper triangle; column `width` is h
    double* scratch;
};

constexpr std::size_t pair_scratch(std::size_t width) {
    return panels_at_a_time * height * (width + 1);
}

struct PackedRows {
    const double* from;
    std::size_t n_rows;
    std::size_t width;
    bool ones;  // a last column of them
    double* to;
};

template <class S>
GRAPHOPT_ALWAYS_INLINE void pack_body(const PackedRows& rows) {
    const std::size_t columns = rows.width + (rows.ones ? 1 : 0);
    for (std::size_t row = 0; row < rows.n_rows; row += height) {
        const std::size_t count = std::min(height, rows.n_rows - row);
        double* const panel = rows.to + row * columns;
        panels::pack<S>(rows.from + row * rows.width, count, rows.width, panel);
        if (!rows.ones) continue;
        for (std::size_t j = 0; j < height; ++j) {
            panel[rows.width * height + j] = j < count ? 1.0 : 0.0;
        }
    }
}

template <class S>
GRAPHOPT_ALWAYS_INLINE void pair_body(const PairMoments& pair) {
    constexpr std::size_t strip = panels::most_columns<S>;
    const std::size_t columns = pair.width + 1;
    std::fill_n(pair.moments, panels::sums_room<double>(columns, columns), 0.0);
    for (std::size_t first = 0; first < pair.n_panels; first += panels_at_a_time) {
        const std::size_t count = std::min(panels_at_a_time, pair.n_panels - first);
        const double* const x = pair.x + first * columns * height;
        for (std::size_t panel = 0; panel < count; ++panel) {
            const double* const r = pair.assignment + (first + panel) * pair.n_clusters * height;
            for (std::size_t j = 0; j < height; j += S::lanes) {
                const double one = pair.k == pair.l ? 1.0 : 0.0;
                const VectorOf<S> w =
                    load<S>(r + pair.k * height + j) * (one - load<S>(r + pair.l * height + j));
                for (std::size_t d = 0; d < columns; ++d) {
                    const std::size_t at = (panel * columns + d) * height + j;
                    store<S>(pair.scratch + at, w * load<S>(x + at));
                }
            }
        }
        // The moments in strips of columns, each down to the diagonal.
        for (std::size_t row = 0; row < columns; row += strip) {
            const std::size_t rows = std::min(strip, columns - row);
            panels::WeightedSums<S> sums{x,
                                         columns * height,
                                         row + rows,
                                         pair.scratch + row * height,
                                         columns * height,
                                         rows,
                                         count,
                                         pair.moments + row,
                                         columns};
            panels::add_weighted_sums<S>(sums);
        }
    }
}

GRAPHOPT_PER_ISA(void pack_rows(const PackedRows& rows),
                 pack_body<Simd<double, vector_bytes>>(rows))
GRAPHOPT_PER_ISA(void pair_moments(const PairMoments& pair),
                 pair_body<Simd<double, vector_bytes>>(pair))

// Block (k, l) of J, whose row k is that of an empty cluster zero.
void write_block(const SoftKMeansProblem<double>& problem, const SoftKMeansPoint<double>& point,
                 std::size_t k, std::size_t l, const double* moments, std::span<double> jacobian) {
    const std::size_t width = problem.width;
    const std::size_t size = problem.n_clusters * width;
    const double scale = point.mass[k] == 0.0 ? 0.0 : problem.temperature / point.mass[k];
    const double* const sum = moments + width * (width + 1);
    for (std::size_t a = 0; a < width; ++a) {
        const double image = point.image[k * width + a];
        double* const row = jacobian.data() + (k * width + a) * size + l * width;
        for (std::size_t b = 0; b < width; ++b) {
            row[b] = scale * (moments[a * (width + 1) + b] - image * sum[b]);
        }
    }
}

}  // namespace

void soft_kmeans_jacobian(const SoftKMeansProblem<double>& problem,
                          const SoftKMeansPoint<double>& point, std::span<double> jacobian) {
    const std::size_t columns = problem.width + 1;
    const std::size_t n_panels = panels::panel_count<double>(problem.n_rows());
    AlignedArray<double> x(n_panels * height * columns, uninitialized);
    AlignedArray<double> assignment(n_panels * height * problem.n_clusters, uninitialized);
    pack_rows({problem.rows.data(), problem.n_rows(), problem.width, true, x.data()});
    pack_rows(
        {point.assignment.data(), problem.n_rows(), problem.n_clusters, false, assignment.data()});
    std::vector<std::pair<std::size_t, std::size_t>> pairs;
    for (std::size_t k = 0; k < problem.n_clusters; ++k) {
        for (std::size_t l = k; l < problem.n_clusters; ++l) pairs.emplace_back(k, l);
    }
    const int threads = worthwhile_threads(
        problem.num_threads, problem.rows.size() * problem.n_clusters * problem.centers_size());
    Scratch<double> moments(threads, pairs.size(), panels::sums_room<double>(columns, columns));
    Scratch<double> scratch(threads, pairs.size(), pair_scratch(problem.width));
    parallel_chunks(pairs.size(), threads, [&](std::size_t i, int worker) {
        const auto [k, l] = pairs[i];
        double* const pair = moments.of(worker);
        pair_moments({x.data(), assignment.data(), n_panels, problem.width, problem.n_clusters, k,
                      l, pair, scratch.of(worker)});
        count_work(n_panels * height * columns * (columns + 8) / 8);
        for (std::size_t a = 0; a < columns; ++a) {
            for (std::size_t b = 0; b < a; ++b) pair[a * columns + b] = pair[b * columns + a];
        }
        write_block(problem, point, k, l, pair, jacobian);
        if (l != k) write_block(problem, point, l, k, pair, jacobian);
    });
}

}  // namespace graphopt
