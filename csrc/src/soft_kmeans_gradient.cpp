// Vector-Jacobian products of soft k-means. With a_jk = r_jk u_k.(x_j - F_k) / R_k and
// w_jl = temperature (a_jl - r_jl sum_k a_jk):
//     ((dF/dmu)^T u)_l = sum_j w_jl x_j,    ((dF/dx)^T u)_j = sum_k (r_jk / R_k) u_k + w_jk mu_k,
// which is one pass over the rows, as an iteration is.
#include <algorithm>

#include "graphopt/soft_kmeans.hpp"
#include "soft_kmeans_pass.hpp"

namespace graphopt {
namespace {

using namespace blocks;

// Both products go from weights w_jl of rows and clusters to sums over rows and to rows.
template <class T>
struct VjpChunk {
    const T* x;
    std::size_t rows;
    std::size_t width;
    std::size_t n_clusters;
    T temperature;
    const T* assignment;  // rows x clusters; null in a step: computed from `centers`
    const T* gradient;    // of the assignment, rows x clusters; null in a step
    const T* centers;     // mu, transposed
    const T* u;           // u, transposed
    const T* scales;      // 1 / R_k (0 for an empty cluster), then u_k . F_k
    const T* terms;       // mu, then in a step u: rows of load_width
    T* sums;              // clusters x width; null: not wanted
    T* to_rows;           // added to; null: not wanted
    T* scratch;
};

template <class T>
constexpr std::size_t vjp_scratch(std::size_t n_clusters) {
    return (3 * n_clusters + max_lanes<T>)*block_rows;
}

// r and x.u to r / R and w, in place of them; `w` is written.
template <class S, class T = ScalarOf<S>>
GRAPHOPT_ALWAYS_INLINE void step_weights(const VjpChunk<T>& chunk, std::size_t rows, const T* r,
                                         T* share, T* w) {
    const std::size_t n_clusters = chunk.n_clusters;
    const T* const inverse_mass = chunk.scales;
    const T* const u_image = chunk.scales + n_clusters;
    for (std::size_t j = 0; j < rows; j += S::lanes) {
        VectorOf<S> total{};
        for (std::size_t k = 0; k < n_clusters; ++k) {
            const std::size_t at = k * block_rows + j;
            const VectorOf<S> part = load<S>(r + at) * inverse_mass[k];
            const VectorOf<S> a = part * (load<S>(w + at) - u_image[k]);
            total += a;
            store<S>(share + at, part);
            store<S>(w + at, a);
        }
        for (std::size_t k = 0; k < n_clusters; ++k) {
            const std::size_t at = k * block_rows + j;
            store<S>(w + at, (load<S>(w + at) - load<S>(r + at) * total) * chunk.temperature);
        }
    }
}

// The gradient g of r to w_jl = temperature r_jl (g_jl - sum_k r_jk g_jk), in place of it.
template <class S, class T = ScalarOf<S>>
GRAPHOPT_ALWAYS_INLINE void softmax_weights(const VjpChunk<T>& chunk, std::size_t rows, const T* r,
                                            T* w) {
    for (std::size_t j = 0; j < rows; j += S::lanes) {
        VectorOf<S> mean{};
        for (std::size_t k = 0; k < chunk.n_clusters; ++k) {
            const std::size_t at = k * block_rows + j;
            mean += load<S>(r + at) * load<S>(w + at);
        }
        for (std::size_t k = 0; k < chunk.n_clusters; ++k) {
            const std::size_t at = k * block_rows + j;
            store<S>(w + at, load<S>(r + at) * (load<S>(w + at) - mean) * chunk.temperature);
        }
    }
}

template <class S, class T = ScalarOf<S>>
GRAPHOPT_ALWAYS_INLINE void vjp_body(const VjpChunk<T>& chunk) {
    const std::size_t n_clusters = chunk.n_clusters;
    const std::size_t width = chunk.width;
    T* const w = chunk.scratch;  // beside `share`, in the order of `terms`
    T* const share = w + n_clusters * block_rows;
    T* const r = share + n_clusters * block_rows;
    T* const padding = r + n_clusters * block_rows;
    const bool step = chunk.gradient == nullptr;
    if (chunk.sums != nullptr) std::fill_n(chunk.sums, n_clusters * width, T{0});
    for (std::size_t begin = 0; begin < chunk.rows; begin += block_rows) {
        const std::size_t rows = std::min(block_rows, chunk.rows - begin);
        const T* const x = chunk.x + begin * width;
        if (chunk.assignment != nullptr) {
            gather<S>(chunk.assignment + begin * n_clusters, rows, n_clusters, r);
        } else {
            products<S>(x, rows, width, chunk.centers, n_clusters, r);
            softmax<S>(r, rows, n_clusters, chunk.temperature);
        }
        if (step) {
            products<S>(x, rows, width, chunk.u, n_clusters, w);
            step_weights<S>(chunk, rows, r, share, w);
        } else {
            gather<S>(chunk.gradient + begin * n_clusters, rows, n_clusters, w);
            softmax_weights<S>(chunk, rows, r, w);
        }
        if (chunk.sums != nullptr) {
            const BlockRows<S> block(x, rows, width, padding);
            weighted_sums<S>(block, width, w, n_clusters, chunk.sums);
        }
        if (chunk.to_rows != nullptr) {
            combinations<S>(w, step ? 2 * n_clusters : n_clusters, chunk.terms, rows, width,
                            chunk.to_rows + begin * width);
        }
    }
}

GRAPHOPT_PER_ISA(void vjp_chunk(const VjpChunk<float>& chunk),
                 vjp_body<Simd<float, vector_bytes>>(chunk))
GRAPHOPT_PER_ISA(void vjp_chunk(const VjpChunk<double>& chunk),
                 vjp_body<Simd<double, vector_bytes>>(chunk))

// Rows of `width` to rows of load_width, padded with the zeros that are there.
template <class T>
void pad_rows(const T* from, std::size_t n_rows, std::size_t width, T* to) {
    for (std::size_t i = 0; i < n_rows; ++i) {
        std::copy_n(from + i * width, width, to + i * load_width<T>(width));
    }
}

template <class T>
T dot_product(const T* a, const T* b, std::size_t size) {
    double sum = 0.0;
    for (std::size_t i = 0; i < size; ++i) sum += static_cast<double>(a[i]) * b[i];
    return static_cast<T>(sum);
}

template <class T>
T* at(std::span<T> array, std::size_t offset) {
    return array.empty() ? nullptr : array.data() + offset;
}

// A pass in the transposed direction. `fill` adds what is particular to it to a chunk's arguments.
template <class T, class Fill>
void transposed_pass(const SoftKMeansProblem<T>& problem, std::span<T> to_centers,
                     std::span<T> to_rows, const Fill& fill) {
    const std::size_t n_clusters = problem.n_clusters;
    const std::size_t size = n_clusters * problem.width;
    const Chunks chunks(problem);
    AlignedArray<T> sums(to_centers.empty() ? 0 : chunks.size() * size);
    Scratch<T> scratch(pass_threads(problem), chunks.size(), vjp_scratch<T>(n_clusters));
    parallel_chunks(chunks.size(), pass_threads(problem), [&](std::size_t i, int worker) {
        const Chunk& chunk = chunks[i];
        VjpChunk<T> arguments{};
        arguments.x = problem.rows.data() + chunk.begin * problem.width;
        arguments.rows = chunk.end - chunk.begin;
        arguments.width = problem.width;
        arguments.n_clusters = n_clusters;
        arguments.temperature = problem.temperature;
        arguments.sums = to_centers.empty() ? nullptr : sums.data() + i * size;
        arguments.to_rows = at(to_rows, chunk.begin * problem.width);
        arguments.scratch = scratch.of(worker);
        fill(chunk, arguments);
        vjp_chunk(arguments);
    });
    if (to_centers.empty()) return;
    Scratch<double> totals(centers_threads(problem), problem.n_graphs(), size);
    parallel_chunks(
        problem.n_graphs(), centers_threads(problem), [&](std::size_t graph, int worker) {
            const std::span<double> total{totals.of(worker), size};
            chunks.combine(graph, sums.data(), total);
            std::transform(total.begin(), total.end(), to_centers.begin() + graph * size,
                           [](double value) { return static_cast<T>(value); });
        });
}

}  // namespace

template <class T>
void soft_kmeans_step_vjp(const SoftKMeansProblem<T>& problem, const SoftKMeansPoint<T>& point,
                          std::span<const T> u, std::span<T> to_centers, std::span<T> to_rows) {
    const std::size_t n_clusters = problem.n_clusters;
    const std::size_t width = problem.width;
    const std::size_t transposed = transposed_size<T>(n_clusters, width);
    const std::size_t padded = 2 * n_clusters * load_width<T>(width);
    const AlignedArray<T> centers = transposed_centers(problem, point.centers);
    const AlignedArray<T> directions = transposed_centers(problem, u);
    AlignedArray<T> terms(problem.n_graphs() * padded);
    AlignedArray<T> scales(problem.n_graphs() * 2 * n_clusters);
    for (std::size_t graph = 0; graph < problem.n_graphs(); ++graph) {
        const std::size_t first = graph * n_clusters;
        T* const term = terms.data() + graph * padded;
        pad_rows(point.centers.data() + first * width, n_clusters, width, term);
        pad_rows(u.data() + first * width, n_clusters, width, term + padded / 2);
        T* const scale = scales.data() + 2 * first;
        for (std::size_t k = 0; k < n_clusters; ++k) {
            const T mass = point.mass[first + k];
            const std::size_t row = (first + k) * width;
            scale[k] = mass == T{0} ? T{0} : T{1} / mass;
            scale[n_clusters + k] = dot_product(u.data() + row, point.image.data() + row, width);
        }
    }
    transposed_pass(problem, to_centers, to_rows, [&](const Chunk& chunk, VjpChunk<T>& arguments) {
        arguments.assignment = at(point.assignment, chunk.begin * n_clusters);
        arguments.centers = centers.data() + chunk.graph * transposed;
        arguments.u = directions.data() + chunk.graph * transposed;
        arguments.scales = scales.data() + chunk.graph * 2 * n_clusters;
        arguments.terms = terms.data() + chunk.graph * padded;
    });
}

template <class T>
void soft_kmeans_assignment_vjp(const SoftKMeansProblem<T>& problem, std::span<const T> centers,
                                std::span<const T> assignment, std::span<const T> gradient,
                                std::span<T> to_centers, std::span<T> to_rows) {
    const std::size_t n_clusters = problem.n_clusters;
    const std::size_t padded = n_clusters * load_width<T>(problem.width);
    AlignedArray<T> terms(problem.n_graphs() * padded);
    pad_rows(centers.data(), problem.n_graphs() * n_clusters, problem.width, terms.data());
    std::fill(to_rows.begin(), to_rows.end(), T{0});
    transposed_pass(problem, to_centers, to_rows, [&](const Chunk& chunk, VjpChunk<T>& arguments) {
        arguments.assignment = assignment.data() + chunk.begin * n_clusters;
        arguments.gradient = gradient.data() + chunk.begin * n_clusters;
        arguments.terms = terms.data() + chunk.graph * padded;
    });
}

template <class T>
void soft_kmeans_solve(const SoftKMeansProblem<T>& problem, const SoftKMeansPoint<T>& point,
                       std::span<const T> v, const GmresSettings& settings, std::span<T> u,
                       std::span<GmresReport> reports) {
    const std::size_t n_clusters = problem.n_clusters;
    const std::size_t size = n_clusters * problem.width;
    // One graph: the products use the threads. Several: each is solved by one thread.
    parallel_chunks(problem.n_graphs(), pass_threads(problem), [&](std::size_t graph, int) {
        const auto begin = static_cast<std::size_t>(problem.offsets[graph]);
        const std::size_t rows = static_cast<std::size_t>(problem.offsets[graph + 1]) - begin;
        const std::int64_t offsets[2] = {0, static_cast<std::int64_t>(rows)};
        SoftKMeansProblem<T> one = problem;
        one.rows = problem.rows.subspan(begin * problem.width, rows * problem.width);
        one.offsets = offsets;
        const SoftKMeansPoint<T> here{
            point.centers.subspan(graph * size, size),
            point.image.subspan(graph * size, size),
            point.mass.subspan(graph * n_clusters, n_clusters),
            point.assignment.subspan(begin * n_clusters, rows * n_clusters),
        };
        std::vector<T> direction(size);
        std::vector<T> product(size);
        const LinearOperator apply = [&](std::span<const double> x, std::span<double> y) {
            std::transform(x.begin(), x.end(), direction.begin(),
                           [](double value) { return static_cast<T>(value); });
            soft_kmeans_step_vjp<T>(one, here, direction, product, {});
            for (std::size_t i = 0; i < size; ++i) y[i] = x[i] - static_cast<double>(product[i]);
        };
        const std::vector<double> target(v.begin() + graph * size, v.begin() + (graph + 1) * size);
        std::vector<double> solution(size);
        reports[graph] = gmres(apply, target, settings, solution);
        std::transform(solution.begin(), solution.end(), u.begin() + graph * size,
                       [](double value) { return static_cast<T>(value); });
    });
}

#define GRAPHOPT_INSTANTIATE(T)                                                                    \
    template void soft_kmeans_step_vjp(const SoftKMeansProblem<T>&, const SoftKMeansPoint<T>&,     \
                                       std::span<const T>, std::span<T>, std::span<T>);            \
    template void soft_kmeans_assignment_vjp(const SoftKMeansProblem<T>&, std::span<const T>,      \
                                             std::span<const T>, std::span<const T>, std::span<T>, \
                                             std::span<T>);                                        \
    template void soft_kmeans_solve(const SoftKMeansProblem<T>&, const SoftKMeansPoint<T>&,        \
                                    std::span<const T>, const GmresSettings&, std::span<T>,        \
                                    std::span<GmresReport>);
GRAPHOPT_INSTANTIATE(float)
GRAPHOPT_INSTANTIATE(double)
#undef GRAPHOPT_INSTANTIATE

}  // namespace graphopt
