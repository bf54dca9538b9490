// Vector-Jacobian products of soft k-means. With a_jk = r_jk u_k.(x_j - F_k) / R_k and
// w_jl = temperature (a_jl - r_jl sum_k a_jk):
//     ((dF/dmu)^T u)_l = sum_j w_jl x_j,    ((dF/dx)^T u)_j = sum_k (r_jk / R_k) u_k + w_jk mu_k,
// which is one pass over the rows, as an iteration is.
#include <algorithm>

#include "graphopt/clustering/soft_kmeans.hpp"
#include "soft_kmeans_pass.hpp"

namespace graphopt {
namespace {

using panels::panel_rows;

// Both products go from weights w_jl of rows and clusters to sums over rows and to rows.
template <class T>
struct VjpChunk {
    const T* x;  // rows; null: packed_x
    const T* packed_x;
    std::size_t n_rows;
    std::size_t width;
    std::size_t n_clusters;
    T temperature;
    const T* assignment;         // rows x clusters; null: packed_assignment
    const T* packed_assignment;  // null too: computed from `centers`
    const T* gradient;           // of the assignment, rows x clusters; null in a step
    const T* centers;            // mu, transposed
    const T* u;                  // u, transposed
    const T* scales;             // 1 / R_k (0 for an empty cluster), then u_k . F_k
    const T* terms;              // mu, then in a step u
    T* sums;                     // width x clusters; null: not wanted
    T* to_rows;                  // added to; null: not wanted
    T* scratch;
};

// Room for a block of x, of w and r / R side by side, and of r, and for one panel of results twice.
template <class T>
constexpr std::size_t vjp_scratch(std::size_t n_clusters, std::size_t width) {
    const std::size_t panels = block_panels(n_clusters);
    return panel_rows<T> * (panels * (width + 2 * n_clusters) + n_clusters + 2 * width);
}

// One panel of r and x.u to w, in place of x.u, and r / R after it.
template <class S, class T = ScalarOf<S>>
GRAPHOPT_ALWAYS_INLINE void step_weights(const VjpChunk<T>& chunk, const T* r, T* w) {
    constexpr std::size_t height = panel_rows<T>;
    const std::size_t n_clusters = chunk.n_clusters;
    const T* const inverse_mass = chunk.scales;
    const T* const u_image = chunk.scales + n_clusters;
    T* const share = w + n_clusters * height;
    for (std::size_t j = 0; j < height; j += S::lanes) {
        VectorOf<S> total{};
        for (std::size_t k = 0; k < n_clusters; ++k) {
            const std::size_t at = k * height + j;
            const VectorOf<S> part = load<S>(r + at) * inverse_mass[k];
            const VectorOf<S> a = part * (load<S>(w + at) - u_image[k]);
            total += a;
            store<S>(share + at, part);
            store<S>(w + at, a);
        }
        for (std::size_t k = 0; k < n_clusters; ++k) {
            const std::size_t at = k * height + j;
            store<S>(w + at, (load<S>(w + at) - load<S>(r + at) * total) * chunk.temperature);
        }
    }
}

// One panel of the gradient g of r to w_jl = temperature r_jl (g_jl - sum_k r_jk g_jk), in place.
template <class S, class T = ScalarOf<S>>
GRAPHOPT_ALWAYS_INLINE void softmax_weights(const VjpChunk<T>& chunk, const T* r, T* w) {
    constexpr std::size_t height = panel_rows<T>;
    for (std::size_t j = 0; j < height; j += S::lanes) {
        VectorOf<S> mean{};
        for (std::size_t k = 0; k < chunk.n_clusters; ++k) {
            mean += load<S>(r + k * height + j) * load<S>(w + k * height + j);
        }
        for (std::size_t k = 0; k < chunk.n_clusters; ++k) {
            const std::size_t at = k * height + j;
            store<S>(w + at, load<S>(r + at) * (load<S>(w + at) - mean) * chunk.temperature);
        }
    }
}

template <class S, class T = ScalarOf<S>>
GRAPHOPT_ALWAYS_INLINE void vjp_body(const VjpChunk<T>& chunk) {
    constexpr std::size_t height = panel_rows<T>;
    const std::size_t n_clusters = chunk.n_clusters;
    const std::size_t width = chunk.width;
    const std::size_t block_rows = block_panels(n_clusters) * height;
    const bool step = chunk.gradient == nullptr;
    T* const block_x = chunk.scratch;
    T* const weights = block_x + block_rows * width;
    T* const own_r = weights + block_rows * 2 * n_clusters;
    T* const product = own_r + height * n_clusters;
    T* const product_rows = product + height * width;
    if (chunk.sums != nullptr) {
        std::fill_n(chunk.sums, panels::sums_room<T>(width, n_clusters), T{0});
    }
    for (std::size_t begin = 0; begin < chunk.n_rows; begin += block_rows) {
        const T* const x = chunk.x == nullptr ? chunk.packed_x + begin * width : block_x;
        const std::size_t end = std::min(begin + block_rows, chunk.n_rows);
        std::size_t panel = 0;
        for (std::size_t row = begin; row < end; row += height, ++panel) {
            const std::size_t rows = std::min(height, end - row);
            const T* const x_panel = x + panel * height * width;
            T* const w = weights + panel * height * 2 * n_clusters;
            const T* r = own_r;
            if (chunk.x != nullptr) {
                panels::pack<S>(chunk.x + row * width, rows, width,
                                block_x + panel * height * width);
            }
            if (chunk.packed_assignment != nullptr) {
                r = chunk.packed_assignment + row * n_clusters;
            } else if (chunk.assignment != nullptr) {
                panels::pack<S>(chunk.assignment + row * n_clusters, rows, n_clusters, own_r);
            } else {
                panels::product<S>(x_panel, width, chunk.centers, n_clusters, own_r);
                panels::softmax<S>(own_r, n_clusters, chunk.temperature);
            }
            if (step) {
                panels::product<S>(x_panel, width, chunk.u, n_clusters, w);
                step_weights<S>(chunk, r, w);
            } else {
                panels::pack<S>(chunk.gradient + row * n_clusters, rows, n_clusters, w);
                softmax_weights<S>(chunk, r, w);
            }
            if (chunk.to_rows != nullptr) {
                panels::product<S>(w, step ? 2 * n_clusters : n_clusters, chunk.terms, width,
                                   product);
                panels::unpack<S>(product, rows, width, product_rows);
                T* const to = chunk.to_rows + row * width;
                for (std::size_t i = 0; i < rows * width; ++i) to[i] += product_rows[i];
            }
        }
        if (chunk.sums == nullptr) continue;
        panels::add_weighted_sums<S>({x, height * width, width, weights, height * 2 * n_clusters,
                                      n_clusters, panel, chunk.sums, n_clusters});
    }
}

GRAPHOPT_PER_ISA(void vjp_chunk(const VjpChunk<float>& chunk),
                 vjp_body<Simd<float, vector_bytes>>(chunk))
GRAPHOPT_PER_ISA(void vjp_chunk(const VjpChunk<double>& chunk),
                 vjp_body<Simd<double, vector_bytes>>(chunk))

template <class T>
T* at(std::span<T> array, std::size_t offset) {
    return array.empty() ? nullptr : array.data() + offset;
}

template <class S, class T = ScalarOf<S>>
GRAPHOPT_ALWAYS_INLINE void pack_rows_body(const T* from, std::size_t n_rows, std::size_t width,
                                           T* to) {
    constexpr std::size_t height = panel_rows<T>;
    for (std::size_t row = 0; row < n_rows; row += height) {
        panels::pack<S>(from + row * width, std::min(height, n_rows - row), width,
                        to + row * width);
    }
}

GRAPHOPT_PER_ISA(void pack_rows(const float* from, std::size_t n_rows, std::size_t width,
                                float* to),
                 pack_rows_body<Simd<float, vector_bytes>>(from, n_rows, width, to))
GRAPHOPT_PER_ISA(void pack_rows(const double* from, std::size_t n_rows, std::size_t width,
                                double* to),
                 pack_rows_body<Simd<double, vector_bytes>>(from, n_rows, width, to))

// A pass in the transposed direction. `fill` adds what is particular to it to a chunk's arguments.
template <class T, class Fill>
void transposed_pass(const SoftKMeansProblem<T>& problem, std::span<T> to_centers,
                     std::span<T> to_rows, const Fill& fill) {
    const std::size_t n_clusters = problem.n_clusters;
    const std::size_t size = n_clusters * problem.width;
    const Chunks chunks(problem);
    const std::size_t room = panels::sums_room<T>(problem.width, n_clusters);
    AlignedArray<T> sums(to_centers.empty() ? 0 : chunks.size() * room, uninitialized);
    const int threads = pass_threads(problem, problem.n_rows());
    Scratch<T> scratch(threads, chunks.size(), vjp_scratch<T>(n_clusters, problem.width));
    parallel_chunks(chunks.size(), threads, [&](std::size_t i, int worker) {
        const Chunk& chunk = chunks[i];
        VjpChunk<T> arguments{};
        arguments.x = problem.rows.data() + chunk.begin * problem.width;
        arguments.n_rows = chunk.end - chunk.begin;
        arguments.width = problem.width;
        arguments.n_clusters = n_clusters;
        arguments.temperature = problem.temperature;
        arguments.sums = to_centers.empty() ? nullptr : sums.data() + i * room;
        arguments.to_rows = at(to_rows, chunk.begin * problem.width);
        arguments.scratch = scratch.of(worker);
        fill(chunk, arguments);
        vjp_chunk(arguments);
        count_work(4 * pass_units(arguments.n_rows, arguments.width, arguments.n_clusters));
    });
    if (to_centers.empty()) return;
    std::vector<double> total(size);
    for (std::size_t graph = 0; graph < problem.n_graphs(); ++graph) {
        combine(sums.data() + chunks.first(graph) * room, chunks.count(graph), room, total);
        transpose(total.data(), problem.width, n_clusters, to_centers.data() + graph * size);
    }
}

// 1 / R_k and u_k . F_k of one graph; u and F transposed.
template <class T>
void write_scales(std::span<const T> mass, const T* image, const T* u, std::size_t width,
                  T* scales) {
    const std::size_t n_clusters = mass.size();
    for (std::size_t k = 0; k < n_clusters; ++k) {
        scales[k] = mass[k] == T{0} ? T{0} : T{1} / mass[k];
        double sum = 0.0;
        for (std::size_t d = 0; d < width; ++d) {
            const std::size_t at = d * n_clusters + k;
            sum += static_cast<double>(u[at]) * static_cast<double>(image[at]);
        }
        scales[n_clusters + k] = static_cast<T>(sum);
    }
}

// Products with (dF/dmu)^T of one graph, whose rows and assignments are packed once for all.
template <class T>
class TransposedJacobian {
  public:
    TransposedJacobian(const SoftKMeansProblem<T>& problem, const SoftKMeansPoint<T>& point,
                       const Chunks& chunks, std::size_t graph)
        : problem_(problem),
          point_(point),
          chunks_(chunks),
          graph_(graph),
          threads_(pass_threads(problem, rows())),
          x_(panels::round_up(rows(), panel_rows<T>) * problem.width, uninitialized),
          assignment_(panels::round_up(rows(), panel_rows<T>) * problem.n_clusters, uninitialized),
          u_(size(), uninitialized),
          image_(size(), uninitialized),
          scales_(2 * problem.n_clusters, uninitialized),
          sums_(chunks.count(graph) * room(), uninitialized),
          scratch_(threads_, chunks.count(graph),
                   vjp_scratch<T>(problem.n_clusters, problem.width)) {
        transpose(point.image.data() + graph * size(), problem.n_clusters, problem.width,
                  image_.data());
        parallel_chunks(chunks_.count(graph_), threads_, [&](std::size_t i, int) {
            const Chunk& chunk = chunks_[chunks_.first(graph_) + i];
            const std::size_t packed = chunk.first_panel * panel_rows<T>;
            const std::size_t n_rows = chunk.end - chunk.begin;
            pack_rows(problem_.rows.data() + chunk.begin * problem_.width, n_rows, problem_.width,
                      x_.data() + packed * problem_.width);
            pack_rows(point_.assignment.data() + chunk.begin * problem_.n_clusters, n_rows,
                      problem_.n_clusters, assignment_.data() + packed * problem_.n_clusters);
        });
    }

    // Both transposed.
    void product(std::span<const double> u, std::span<double> out) {
        std::transform(u.begin(), u.end(), u_.data(),
                       [](double value) { return static_cast<T>(value); });
        write_scales(point_.mass.subspan(graph_ * problem_.n_clusters, problem_.n_clusters),
                     image_.data(), u_.data(), problem_.width, scales_.data());
        parallel_chunks(chunks_.count(graph_), threads_, [&](std::size_t i, int worker) {
            const Chunk& chunk = chunks_[chunks_.first(graph_) + i];
            const std::size_t packed = chunk.first_panel * panel_rows<T>;
            VjpChunk<T> arguments{};
            arguments.packed_x = x_.data() + packed * problem_.width;
            arguments.n_rows = chunk.end - chunk.begin;
            arguments.width = problem_.width;
            arguments.n_clusters = problem_.n_clusters;
            arguments.temperature = problem_.temperature;
            arguments.packed_assignment = assignment_.data() + packed * problem_.n_clusters;
            arguments.u = u_.data();
            arguments.scales = scales_.data();
            arguments.sums = sums_.data() + i * room();
            arguments.scratch = scratch_.of(worker);
            vjp_chunk(arguments);
            count_work(4 * pass_units(arguments.n_rows, arguments.width, arguments.n_clusters));
        });
        combine(sums_.data(), chunks_.count(graph_), room(), out);
    }

  private:
    std::size_t size() const { return problem_.n_clusters * problem_.width; }
    std::size_t room() const { return panels::sums_room<T>(problem_.width, problem_.n_clusters); }
    std::size_t rows() const {
        return static_cast<std::size_t>(problem_.offsets[graph_ + 1] - problem_.offsets[graph_]);
    }

    const SoftKMeansProblem<T>& problem_;
    const SoftKMeansPoint<T>& point_;
    const Chunks& chunks_;
    std::size_t graph_;
    int threads_;
    AlignedArray<T> x_;
    AlignedArray<T> assignment_;
    AlignedArray<T> u_;
    AlignedArray<T> image_;
    AlignedArray<T> scales_;
    AlignedArray<T> sums_;
    Scratch<T> scratch_;
};

}  // namespace

template <class T>
void soft_kmeans_step_vjp(const SoftKMeansProblem<T>& problem, const SoftKMeansPoint<T>& point,
                          std::span<const T> u, std::span<T> to_centers, std::span<T> to_rows) {
    const std::size_t n_clusters = problem.n_clusters;
    const std::size_t size = n_clusters * problem.width;
    const AlignedArray<T> centers = transposed_centers(problem, point.centers);
    const AlignedArray<T> image = transposed_centers(problem, point.image);
    const AlignedArray<T> directions = transposed_centers(problem, u);
    AlignedArray<T> terms(problem.n_graphs() * 2 * size, uninitialized);
    AlignedArray<T> scales(problem.n_graphs() * 2 * n_clusters, uninitialized);
    for (std::size_t graph = 0; graph < problem.n_graphs(); ++graph) {
        std::copy_n(point.centers.data() + graph * size, size, terms.data() + 2 * graph * size);
        std::copy_n(u.data() + graph * size, size, terms.data() + (2 * graph + 1) * size);
        write_scales(point.mass.subspan(graph * n_clusters, n_clusters),
                     image.data() + graph * size, directions.data() + graph * size, problem.width,
                     scales.data() + 2 * graph * n_clusters);
    }
    transposed_pass(problem, to_centers, to_rows, [&](const Chunk& chunk, VjpChunk<T>& arguments) {
        arguments.assignment = at(point.assignment, chunk.begin * n_clusters);
        arguments.centers = centers.data() + chunk.graph * size;
        arguments.u = directions.data() + chunk.graph * size;
        arguments.scales = scales.data() + 2 * chunk.graph * n_clusters;
        arguments.terms = terms.data() + 2 * chunk.graph * size;
    });
}

template <class T>
void soft_kmeans_assignment_vjp(const SoftKMeansProblem<T>& problem, std::span<const T> centers,
                                std::span<const T> assignment, std::span<const T> gradient,
                                std::span<T> to_centers, std::span<T> to_rows) {
    const std::size_t n_clusters = problem.n_clusters;
    const std::size_t size = n_clusters * problem.width;
    std::fill(to_rows.begin(), to_rows.end(), T{0});
    transposed_pass(problem, to_centers, to_rows, [&](const Chunk& chunk, VjpChunk<T>& arguments) {
        arguments.assignment = assignment.data() + chunk.begin * n_clusters;
        arguments.gradient = gradient.data() + chunk.begin * n_clusters;
        arguments.terms = centers.data() + chunk.graph * size;
    });
}

template <class T>
void soft_kmeans_solve(const SoftKMeansProblem<T>& problem, const SoftKMeansPoint<T>& point,
                       std::span<const T> v, const GmresSettings& settings, std::span<T> u,
                       std::span<GmresReport> reports) {
    const std::size_t size = problem.n_clusters * problem.width;
    const Chunks chunks(problem);
    // One graph: the products use the threads. Several: each is solved by one thread.
    parallel_chunks(
        problem.n_graphs(), pass_threads(problem, problem.n_rows()), [&](std::size_t graph, int) {
            TransposedJacobian<T> jacobian(problem, point, chunks, graph);
            const LinearOperator apply = [&](std::span<const double> x, std::span<double> y) {
                jacobian.product(x, y);
                for (std::size_t i = 0; i < size; ++i) y[i] = x[i] - y[i];
            };
            std::vector<double> target(size);
            std::vector<double> solution(size);
            transpose(v.data() + graph * size, problem.n_clusters, problem.width, target.data());
            reports[graph] = gmres(apply, target, settings, solution);
            transpose(solution.data(), problem.width, problem.n_clusters, u.data() + graph * size);
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
