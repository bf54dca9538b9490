#include "graphopt/clustering/soft_kmeans.hpp"

#include <algorithm>
#include <vector>

#include "row_length.hpp"
#include "soft_kmeans_pass.hpp"

namespace graphopt {
namespace {

using panels::panel_rows;

// A panel of rows has one column more, of ones, so that the sums come with the mass.
constexpr std::size_t columns_of(std::size_t width) { return width + 1; }

template <class T>
struct ForwardChunk {
    const T* rows;  // to be packed into x first; null: they are there
    std::size_t n_rows;
    std::size_t width;
    std::size_t n_clusters;
    T temperature;
    bool normalize;    // rows, as they are packed
    T* x;              // panels
    bool keep;         // false: x has room for one block only
    const T* next;     // panels that are wanted after the last of these; null: not known
    const T* centers;  // transposed
    T* sums;           // columns_of(width) x clusters; null: not wanted
    T* assignment;     // rows x clusters; null: not wanted
    T* scratch;        // forward_scratch values
};

// One chunk's sums, and one block of assignments.
template <class T>
constexpr std::size_t sums_and_block(std::size_t width, std::size_t n_clusters) {
    return panels::sums_room<T>(columns_of(width), n_clusters) +
           block_panels(n_clusters) * panel_rows<T> * n_clusters;
}

// These, and a row in a unit of its own.
template <class T>
constexpr std::size_t forward_scratch(std::size_t width, std::size_t n_clusters) {
    return sums_and_block<T>(width, n_clusters) + panels::round_up(width, simd_bytes / sizeof(T));
}

// A panel of rows and its column of ones; `lengths` has room for a panel.
template <class S, class T = ScalarOf<S>>
GRAPHOPT_ALWAYS_INLINE void pack_rows(const ForwardChunk<T>& chunk, std::size_t row, T* lengths,
                                      T* panel) {
    constexpr std::size_t height = panel_rows<T>;
    const std::size_t rows = std::min(height, chunk.n_rows - row);
    const T* const from = chunk.rows + row * chunk.width;
    panels::pack<S>(from, rows, chunk.width, panel);
    T* const ones = panel + chunk.width * height;
    for (std::size_t j = 0; j < height; ++j) ones[j] = j < rows ? T{1} : T{0};
    if (!chunk.normalize) return;
    for (std::size_t j = 0; j < height; ++j) {
        lengths[j] = T{1};
        if (j >= rows) continue;
        const T* const given = from + j * chunk.width;
        T square = dot<S>(given, given, chunk.width);
        if (!is_ordinary(square)) {
            T* const scaled = chunk.scratch + sums_and_block<T>(chunk.width, chunk.n_clusters);
            in_own_unit(given, chunk.width, scaled);
            for (std::size_t d = 0; d < chunk.width; ++d) panel[d * height + j] = scaled[d];
            square = dot<S>(scaled, scaled, chunk.width);
        }
        lengths[j] = row_divisor(square);
    }
    for (std::size_t j = 0; j < height; j += S::lanes) {
        const VectorOf<S> divisor = load<S>(lengths + j);
        for (std::size_t d = 0; d < chunk.width; ++d) {
            T* const at = panel + d * height + j;
            store<S>(at, load<S>(at) / divisor);
        }
    }
}

template <class S, class T = ScalarOf<S>>
GRAPHOPT_ALWAYS_INLINE void forward_body(const ForwardChunk<T>& chunk) {
    constexpr std::size_t height = panel_rows<T>;
    const std::size_t k_count = chunk.n_clusters;
    const std::size_t columns = columns_of(chunk.width);
    const std::size_t block_rows = block_panels(k_count) * height;
    // Sums that only this thread reads while they grow: those of the last round may still be in the
    // cache of the thread that combined them.
    T* const sums = chunk.scratch;
    const std::size_t sums_size = panels::sums_room<T>(columns, k_count);
    T* const r = sums + sums_size;
    if (chunk.sums != nullptr) std::fill_n(sums, sums_size, T{0});
    for (std::size_t begin = 0; begin < chunk.n_rows; begin += block_rows) {
        T* const x = chunk.keep ? chunk.x + begin * columns : chunk.x;
        const std::size_t count =
            panels::panel_count<T>(std::min(block_rows, chunk.n_rows - begin));
        if (chunk.rows != nullptr) {
            for (std::size_t i = 0; i < count; ++i) {
                pack_rows<S>(chunk, begin + i * height, r, x + i * height * columns);
            }
        }
        for (std::size_t i = 0; i < count; ++i) {
            panels::product<S>(x + i * height * columns, chunk.width, chunk.centers, k_count,
                               r + i * height * k_count);
        }
        for (std::size_t i = 0; i < count; ++i) {
            panels::softmax<S>(r + i * height * k_count, k_count, chunk.temperature);
        }
        if (chunk.sums != nullptr) {
            panels::add_weighted_sums<S>(
                {x, height * columns, columns, r, height * k_count, k_count, count, sums, k_count,
                 begin + block_rows < chunk.n_rows ? nullptr : chunk.next});
        }
        if (chunk.assignment == nullptr) continue;
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t row = begin + i * height;
            panels::unpack<S>(r + i * height * k_count, std::min(height, chunk.n_rows - row),
                              k_count, chunk.assignment + row * k_count);
        }
    }
    if (chunk.sums != nullptr) std::copy_n(sums, sums_size, chunk.sums);
}

GRAPHOPT_PER_ISA(void forward_chunk(const ForwardChunk<float>& chunk),
                 forward_body<Simd<float, vector_bytes>>(chunk))
GRAPHOPT_PER_ISA(void forward_chunk(const ForwardChunk<double>& chunk),
                 forward_body<Simd<double, vector_bytes>>(chunk))

template <class T>
GRAPHOPT_ALWAYS_INLINE void combine_body(const T* partial, std::size_t n_chunks, std::size_t stride,
                                         std::span<double> total) {
    for (double& value : total) value = 0.0;
    for (std::size_t chunk = 0; chunk < n_chunks; ++chunk) {
        const T* const part = partial + chunk * stride;
        for (std::size_t i = 0; i < total.size(); ++i) total[i] += static_cast<double>(part[i]);
    }
}

// The weighted means of a graph become its centres, from the sums over all its rows.
template <class T>
GRAPHOPT_ALWAYS_INLINE void move_body(const double* total, std::size_t n_clusters,
                                      std::size_t width, double* inverse_mass, T* centers) {
    const double* const mass = total + width * n_clusters;
    for (std::size_t k = 0; k < n_clusters; ++k) inverse_mass[k] = 1.0 / mass[k];
    for (std::size_t d = 0; d < width; ++d) {
        const double* const sums = total + d * n_clusters;
        T* const to = centers + d * n_clusters;
        for (std::size_t k = 0; k < n_clusters; ++k) {
            const double mean =
                sizeof(T) < sizeof(double) ? sums[k] * inverse_mass[k] : sums[k] / mass[k];
            to[k] = mass[k] == 0.0 ? to[k] : static_cast<T>(mean);
        }
    }
}

GRAPHOPT_MULTIVERSION_FN void move_centers(const double* total, std::size_t n_clusters,
                                           std::size_t width, double* inverse_mass,
                                           float* centers) {
    move_body(total, n_clusters, width, inverse_mass, centers);
}
GRAPHOPT_MULTIVERSION_FN void move_centers(const double* total, std::size_t n_clusters,
                                           std::size_t width, double* inverse_mass,
                                           double* centers) {
    move_body(total, n_clusters, width, inverse_mass, centers);
}

// Memory for the graphs that a thread takes, large enough for the largest.
template <class T>
struct Workspace {
    AlignedArray<T> x;
    AlignedArray<T> sums;     // of each chunk
    AlignedArray<T> centers;  // transposed
    AlignedArray<double> total;
    AlignedArray<double> inverse_mass;
    Scratch<T> scratch;

    // For graphs of at most `rows` rows in `chunks` chunks, `threads` threads on each.
    Workspace(const SoftKMeansProblem<T>& problem, std::size_t rows, std::size_t chunks,
              int threads, bool keep)
        : x(keep ? panels::round_up(rows, panel_rows<T>) * columns_of(problem.width) : 0,
            uninitialized),
          sums(chunks * panels::sums_room<T>(columns_of(problem.width), problem.n_clusters),
               uninitialized),
          centers(problem.n_clusters * problem.width, uninitialized),
          total(problem.n_clusters * columns_of(problem.width), uninitialized),
          inverse_mass(problem.n_clusters, uninitialized),
          scratch(threads, chunks,
                  forward_scratch<T>(problem.width, problem.n_clusters) +
                      (keep ? 0
                            : block_panels(problem.n_clusters) * panel_rows<T> *
                                  columns_of(problem.width))) {}
};

// A whole run: every graph through all its iterations.
template <class T>
class Run {
  public:
    Run(const SoftKMeansProblem<T>& problem, std::size_t iterations, bool normalize,
        const SoftKMeansOutput<T>& out)
        : problem_(problem),
          iterations_(iterations),
          normalize_(normalize),
          out_(out),
          chunks_(problem) {}

    void all() {
        // Large graphs one after another, all threads on each; then the small ones side by side.
        const std::size_t share =
            problem_.n_rows() / (4 * static_cast<std::size_t>(std::max(problem_.num_threads, 1)));
        std::vector<std::size_t> small;
        for (std::size_t graph = 0; graph < problem_.n_graphs(); ++graph) {
            if (rows_of(graph) <= share) {
                small.push_back(graph);
                continue;
            }
            const int threads = pass_threads(problem_, rows_of(graph));
            Workspace<T> workspace(problem_, rows_of(graph), chunks_.count(graph), threads, keep());
            one(graph, workspace, threads);
        }
        const int threads = pass_threads(problem_, problem_.n_rows());
        std::size_t most_rows = 0;
        std::size_t most_chunks = 0;
        for (const std::size_t graph : small) {
            most_rows = std::max(most_rows, rows_of(graph));
            most_chunks = std::max(most_chunks, chunks_.count(graph));
        }
        std::vector<Workspace<T>> workspaces;
        for (int i = usable_threads(threads, small.size()); i > 0 && !small.empty(); --i) {
            workspaces.emplace_back(problem_, most_rows, most_chunks, 1, keep());
        }
        parallel_chunks(small.size(), threads, [&](std::size_t i, int worker) {
            one(small[i], workspaces[static_cast<std::size_t>(worker)], 1);
        });
    }

  private:
    std::size_t rows_of(std::size_t graph) const {
        return static_cast<std::size_t>(problem_.offsets[graph + 1] - problem_.offsets[graph]);
    }
    std::size_t rounds() const { return iterations_ + (out_.assignment.empty() ? 0 : 1); }
    // Rows are packed in the first round, and again wanted only if there is another.
    bool keep() const { return rounds() > 1; }

    void one(std::size_t graph, Workspace<T>& workspace, int threads) {
        const std::size_t size = problem_.n_clusters * problem_.width;
        T* const centers = out_.centers.data() + graph * size;
        transpose(centers, problem_.n_clusters, problem_.width, workspace.centers.data());
        parallel_rounds(
            rounds(), chunks_.count(graph), threads,
            [&](std::size_t round, std::size_t chunk, int worker) {
                pass(graph, round, chunk, workspace, workspace.scratch.of(worker));
            },
            [&](std::size_t round) {
                if (round < iterations_) finish(graph, round, workspace);
            });
        transpose(workspace.centers.data(), problem_.width, problem_.n_clusters, centers);
    }

    void pass(std::size_t graph, std::size_t round, std::size_t i, Workspace<T>& workspace,
              T* scratch) {
        const Chunk& chunk = chunks_[chunks_.first(graph) + i];
        const std::size_t next = there_and_back_next(round, i, chunks_.count(graph));
        const bool last = round == iterations_;
        forward_chunk(ForwardChunk<T>{
            .rows = round == 0 ? problem_.rows.data() + chunk.begin * problem_.width : nullptr,
            .n_rows = chunk.end - chunk.begin,
            .width = problem_.width,
            .n_clusters = problem_.n_clusters,
            .temperature = problem_.temperature,
            .normalize = normalize_,
            .x = keep() ? panels_of(chunk, workspace)
                        : scratch + forward_scratch<T>(problem_.width, problem_.n_clusters),
            .keep = keep(),
            .next = keep() ? panels_of(chunks_[chunks_.first(graph) + next], workspace) : nullptr,
            .centers = workspace.centers.data(),
            .sums = last ? nullptr : workspace.sums.data() + i * sums_room(),
            .assignment =
                last ? out_.assignment.data() + chunk.begin * problem_.n_clusters : nullptr,
            .scratch = scratch,
        });
        count_work(pass_units(chunk.end - chunk.begin, problem_.width, problem_.n_clusters));
    }

    T* panels_of(const Chunk& chunk, Workspace<T>& workspace) const {
        return workspace.x.data() + chunk.first_panel * panel_rows<T> * columns_of(problem_.width);
    }

    std::size_t sums_room() const {
        return panels::sums_room<T>(columns_of(problem_.width), problem_.n_clusters);
    }

    // The weighted means of one graph become its centres.
    void finish(std::size_t graph, std::size_t round, Workspace<T>& workspace) {
        const std::size_t k_count = problem_.n_clusters;
        const std::size_t width = problem_.width;
        T* const centers = workspace.centers.data();
        double* const total = workspace.total.data();
        combine(workspace.sums.data(), chunks_.count(graph), sums_room(),
                {total, workspace.total.size()});
        count_work(chunks_.count(graph) * workspace.total.size());
        const std::size_t first_kept = iterations_ - out_.kept;
        if (round >= first_kept) {
            const std::size_t slot = (round - first_kept) * problem_.n_graphs() + graph;
            transpose(centers, width, k_count, out_.history.data() + slot * k_count * width);
            std::transform(total + width * k_count, total + (width + 1) * k_count,
                           out_.mass.data() + slot * k_count,
                           [](double value) { return static_cast<T>(value); });
        }
        move_centers(total, k_count, width, workspace.inverse_mass.data(), centers);
    }

    const SoftKMeansProblem<T>& problem_;
    std::size_t iterations_;
    bool normalize_;
    const SoftKMeansOutput<T>& out_;
    Chunks chunks_;
};

}  // namespace

GRAPHOPT_MULTIVERSION_FN void combine(const float* partial, std::size_t n_chunks,
                                      std::size_t stride, std::span<double> total) {
    combine_body(partial, n_chunks, stride, total);
}
GRAPHOPT_MULTIVERSION_FN void combine(const double* partial, std::size_t n_chunks,
                                      std::size_t stride, std::span<double> total) {
    combine_body(partial, n_chunks, stride, total);
}

template <class T>
void soft_kmeans(const SoftKMeansProblem<T>& problem, std::span<const T> start,
                 std::size_t iterations, bool normalize, const SoftKMeansOutput<T>& out) {
    std::copy(start.begin(), start.end(), out.centers.begin());
    Run<T>(problem, iterations, normalize, out).all();
}

template void soft_kmeans(const SoftKMeansProblem<float>&, std::span<const float>, std::size_t,
                          bool, const SoftKMeansOutput<float>&);
template void soft_kmeans(const SoftKMeansProblem<double>&, std::span<const double>, std::size_t,
                          bool, const SoftKMeansOutput<double>&);

}  // namespace graphopt
