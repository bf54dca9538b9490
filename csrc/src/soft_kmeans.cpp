#include "graphopt/soft_kmeans.hpp"

#include <algorithm>

#include "soft_kmeans_pass.hpp"

namespace graphopt {
namespace {

using namespace blocks;

template <class T>
struct ForwardChunk {
    const T* x;
    std::size_t rows;
    std::size_t width;
    std::size_t n_clusters;
    T temperature;
    const T* centers;  // transposed
    T* sums;           // clusters x width, then the mass of each cluster; null: not wanted
    T* assignment;     // rows x clusters; null: not wanted
    T* scratch;
};

template <class T>
constexpr std::size_t forward_scratch(std::size_t n_clusters) {
    return (n_clusters + max_lanes<T>)*block_rows;
}

template <class S, class T = ScalarOf<S>>
GRAPHOPT_ALWAYS_INLINE void forward_body(const ForwardChunk<T>& chunk) {
    T* const r = chunk.scratch;
    T* const padding = r + chunk.n_clusters * block_rows;
    if (chunk.sums != nullptr) std::fill_n(chunk.sums, chunk.n_clusters * (chunk.width + 1), T{0});
    for (std::size_t begin = 0; begin < chunk.rows; begin += block_rows) {
        const std::size_t rows = std::min(block_rows, chunk.rows - begin);
        const T* const x = chunk.x + begin * chunk.width;
        products<S>(x, rows, chunk.width, chunk.centers, chunk.n_clusters, r);
        softmax<S>(r, rows, chunk.n_clusters, chunk.temperature);
        if (chunk.sums != nullptr) {
            const BlockRows<S> block(x, rows, chunk.width, padding);
            weighted_sums<S>(block, chunk.width, r, chunk.n_clusters, chunk.sums);
            add_row_sums<S>(r, rows, chunk.n_clusters, chunk.sums + chunk.n_clusters * chunk.width);
        }
        if (chunk.assignment != nullptr) {
            scatter<S>(r, rows, chunk.n_clusters, chunk.assignment + begin * chunk.n_clusters);
        }
    }
}

GRAPHOPT_PER_ISA(void forward_chunk(const ForwardChunk<float>& chunk),
                 forward_body<Simd<float, vector_bytes>>(chunk))
GRAPHOPT_PER_ISA(void forward_chunk(const ForwardChunk<double>& chunk),
                 forward_body<Simd<double, vector_bytes>>(chunk))

// The state of the iteration: centres twice (as given and transposed) and the chunks' sums.
template <class T>
class Iteration {
  public:
    Iteration(const SoftKMeansProblem<T>& problem, std::span<T> centers)
        : problem_(problem),
          chunks_(problem),
          centers_(centers),
          transposed_(transposed_centers<T>(problem, centers)),
          sums_(chunks_.size() * sums_size()),
          scratch_(pass_threads(problem), chunks_.size(), forward_scratch<T>(problem.n_clusters)),
          totals_(centers_threads(problem), problem.n_graphs(), sums_size()) {}

    // One update of all centres; `mass` (graphs x clusters) receives R unless it is null.
    void update(T* mass) {
        pass(sums_.data(), nullptr);
        parallel_chunks(problem_.n_graphs(), centers_threads(problem_),
                        [&](std::size_t graph, int worker) { move(graph, worker, mass); });
    }

    void assign(std::span<T> assignment) { pass(nullptr, assignment.data()); }

  private:
    std::size_t sums_size() const { return problem_.n_clusters * (problem_.width + 1); }

    void pass(T* sums, T* assignment) {
        const std::size_t transposed = transposed_size<T>(problem_.n_clusters, problem_.width);
        parallel_chunks(chunks_.size(), pass_threads(problem_), [&](std::size_t i, int worker) {
            const Chunk& chunk = chunks_[i];
            forward_chunk(ForwardChunk<T>{
                .x = problem_.rows.data() + chunk.begin * problem_.width,
                .rows = chunk.end - chunk.begin,
                .width = problem_.width,
                .n_clusters = problem_.n_clusters,
                .temperature = problem_.temperature,
                .centers = transposed_.data() + chunk.graph * transposed,
                .sums = sums == nullptr ? nullptr : sums + i * sums_size(),
                .assignment = assignment == nullptr
                                  ? nullptr
                                  : assignment + chunk.begin * problem_.n_clusters,
                .scratch = scratch_.of(worker),
            });
        });
    }

    // The weighted means of one graph become its centres.
    void move(std::size_t graph, int worker, T* mass) {
        const std::size_t k_count = problem_.n_clusters;
        const std::size_t width = problem_.width;
        const std::span<double> total{totals_.of(worker), sums_size()};
        chunks_.combine(graph, sums_.data(), total);
        T* const centers = centers_.data() + graph * k_count * width;
        for (std::size_t k = 0; k < k_count; ++k) {
            const double weight = total[k_count * width + k];
            if (mass != nullptr) mass[graph * k_count + k] = static_cast<T>(weight);
            if (weight == 0.0) continue;
            for (std::size_t d = 0; d < width; ++d) {
                centers[k * width + d] = static_cast<T>(total[k * width + d] / weight);
            }
        }
        transpose_centers(centers, k_count, width,
                          transposed_.data() + graph * transposed_size<T>(k_count, width));
    }

    const SoftKMeansProblem<T>& problem_;
    Chunks chunks_;
    std::span<T> centers_;
    AlignedArray<T> transposed_;
    AlignedArray<T> sums_;
    Scratch<T> scratch_;
    Scratch<double> totals_;
};

}  // namespace

template <class T>
void soft_kmeans(const SoftKMeansProblem<T>& problem, std::span<const T> start,
                 std::size_t iterations, const SoftKMeansOutput<T>& out) {
    std::copy(start.begin(), start.end(), out.centers.begin());
    Iteration<T> iteration(problem, out.centers);
    const std::size_t first_kept = iterations - out.kept;
    for (std::size_t t = 0; t < iterations; ++t) {
        T* mass = nullptr;
        if (t >= first_kept) {
            const std::size_t slot = t - first_kept;
            std::copy(out.centers.begin(), out.centers.end(),
                      out.history.data() + slot * problem.centers_size());
            mass = out.mass.data() + slot * problem.n_graphs() * problem.n_clusters;
        }
        iteration.update(mass);
    }
    if (!out.assignment.empty()) iteration.assign(out.assignment);
}

template void soft_kmeans(const SoftKMeansProblem<float>&, std::span<const float>, std::size_t,
                          const SoftKMeansOutput<float>&);
template void soft_kmeans(const SoftKMeansProblem<double>&, std::span<const double>, std::size_t,
                          const SoftKMeansOutput<double>&);

}  // namespace graphopt
