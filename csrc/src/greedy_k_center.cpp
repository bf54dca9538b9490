#include <cstring>
#include <optional>
#include <tuple>
#include <type_traits>

#include "coverage.hpp"
#include "graphopt/parallel.hpp"
#include "graphopt/simd.hpp"

namespace graphopt {
namespace {

constexpr std::size_t candidates_per_chunk = 128;
constexpr std::size_t lines_between_looks = 16;  // how often a scan asks whether it has lost

template <class T>
struct Line {
    typedef T type __attribute__((vector_size(simd_bytes)));
    static constexpr std::size_t width = simd_bytes / sizeof(T);
};

template <class T>
GRAPHOPT_ALWAYS_INLINE typename Line<T>::type load(const T* from) {
    typename Line<T>::type line;
    std::memcpy(&line, from, sizeof(line));
    return line;
}

// The largest min(current[j], row[j]), or something above `limit` as soon as that is certain.
template <class T>
GRAPHOPT_ALWAYS_INLINE T scan_largest(const T* current, const T* row, std::size_t n, T limit) {
    constexpr std::size_t width = Line<T>::width;
    T largest = 0;
    std::size_t j = 0;
    while (j + width <= n) {
        typename Line<T>::type line{};
        const std::size_t stop = std::min(n, j + lines_between_looks * width);
        for (; j + width <= stop; j += width) {
            const auto a = load(current + j), b = load(row + j);
            const auto nearer = a < b ? a : b;
            line = line < nearer ? nearer : line;
        }
        T values[width];
        std::memcpy(values, &line, sizeof(line));
        for (const T value : values) largest = std::max(largest, value);
        if (largest > limit) return largest;
    }
    for (; j < n; ++j) largest = std::max(largest, std::min(current[j], row[j]));
    return largest;
}

// Smaller is better; compared in this order.
template <class T>
struct Quality {
    T largest;
    std::size_t n_at_largest;
    double sum;  // of the finite distances

    bool operator<(const Quality& other) const noexcept {
        return std::tie(largest, n_at_largest, sum) <
               std::tie(other.largest, other.n_at_largest, other.sum);
    }
};

// How many min(current[j], row[j]) equal `largest`.
template <class T>
GRAPHOPT_ALWAYS_INLINE std::size_t count_largest(const T* current, const T* row, std::size_t n,
                                                 T largest) {
    constexpr std::size_t width = Line<T>::width;
    std::size_t count = 0, j = 0;
    while (j + width <= n) {
        // A lane counts down by one a line; 64 lines fit a byte.
        decltype(load(row) == load(row)) hits{};
        const std::size_t stop = std::min(n, j + 64 * width);
        for (; j + width <= stop; j += width) {
            const auto a = load(current + j), b = load(row + j);
            hits += (a < b ? a : b) == largest;
        }
        for (std::size_t lane = 0; lane < width; ++lane) {
            count += static_cast<std::size_t>(-static_cast<std::int64_t>(hits[lane]));
        }
    }
    for (; j < n; ++j) count += std::min(current[j], row[j]) == largest ? 1 : 0;
    return count;
}

// Floats are added in eight interleaved parts, always the same ones.
template <class T>
GRAPHOPT_ALWAYS_INLINE double sum_finite(const T* current, const T* row, std::size_t n) {
    using Sum = std::conditional_t<std::is_integral_v<T>, std::uint64_t, double>;
    constexpr std::size_t parts = 8;
    Sum sums[parts] = {};
    const auto finite = [&](std::size_t j) __attribute__((always_inline)) {
        const T nearer = std::min(current[j], row[j]);
        return nearer == unreachable<T> ? Sum{0} : static_cast<Sum>(nearer);
    };
    std::size_t j = 0;
    for (; j + parts <= n; j += parts) {
        for (std::size_t part = 0; part < parts; ++part) sums[part] += finite(j + part);
    }
    for (; j < n; ++j) sums[0] += finite(j);
    Sum sum = 0;
    for (const Sum part : sums) sum += part;
    return static_cast<double>(sum);
}

template <class T>
struct Choice {
    Quality<T> quality;
    NodeId candidate;
};

// The best candidate in [begin, end) that is not chosen yet; the first on ties.
template <class T>
GRAPHOPT_ALWAYS_INLINE std::optional<Choice<T>> best_in_range(const Coverage<T>& coverage,
                                                              const T* distances, std::size_t n,
                                                              std::size_t begin, std::size_t end) {
    std::optional<Choice<T>> best;
    const T* const current = coverage.distances().data();
    for (std::size_t c = begin; c < end; ++c) {
        if (coverage.chosen(c)) continue;
        const T* const row = distances + c * n;
        Quality<T> quality{unreachable<T>, n, 0.0};
        const Quality<T> bound = best ? best->quality : quality;
        quality.largest = scan_largest(current, row, n, bound.largest);
        if (quality.largest > bound.largest) continue;
        quality.n_at_largest = count_largest(current, row, n, quality.largest);
        if (quality.largest == bound.largest && quality.n_at_largest > bound.n_at_largest) continue;
        quality.sum = sum_finite(current, row, n);
        if (!best || quality < best->quality) best = {quality, static_cast<NodeId>(c)};
    }
    return best;
}

#define GRAPHOPT_BEST_CANDIDATE(T)                                                               \
    GRAPHOPT_MULTIVERSION_FN                                                                     \
    std::optional<Choice<T>> best_candidate(const Coverage<T>& coverage, const T* distances,     \
                                            std::size_t n, std::size_t begin, std::size_t end) { \
        return best_in_range(coverage, distances, n, begin, end);                                \
    }
GRAPHOPT_BEST_CANDIDATE(std::uint8_t)
GRAPHOPT_BEST_CANDIDATE(std::uint16_t)
GRAPHOPT_BEST_CANDIDATE(std::uint32_t)
GRAPHOPT_BEST_CANDIDATE(float)
GRAPHOPT_BEST_CANDIDATE(double)
#undef GRAPHOPT_BEST_CANDIDATE

template <class T>
KCenter greedy(std::span<const T> distances, std::size_t n, std::size_t k, int num_threads) {
    Coverage<T> coverage(n);
    std::vector<std::optional<Choice<T>>> found(chunk_count(n, candidates_per_chunk));
    while (coverage.n_centers() < k) {
        parallel_ranges(n, candidates_per_chunk, num_threads,
                        [&](std::size_t begin, std::size_t end, std::size_t chunk, int) {
                            found[chunk] =
                                best_candidate(coverage, distances.data(), n, begin, end);
                        });
        std::optional<Choice<T>> best;
        for (const auto& choice : found) {
            if (choice && (!best || choice->quality < best->quality)) best = choice;
        }
        coverage.open(best->candidate);
        const T* const row = distances.data() + static_cast<std::size_t>(best->candidate) * n;
        for (std::size_t j = 0; j < n; ++j) coverage.improve(j, row[j]);
    }
    return std::move(coverage).result();
}

}  // namespace

KCenter greedy_k_center(std::span<const std::uint8_t> distances, std::size_t n, std::size_t k,
                        int num_threads) {
    return greedy(distances, n, k, num_threads);
}
KCenter greedy_k_center(std::span<const std::uint16_t> distances, std::size_t n, std::size_t k,
                        int num_threads) {
    return greedy(distances, n, k, num_threads);
}
KCenter greedy_k_center(std::span<const std::uint32_t> distances, std::size_t n, std::size_t k,
                        int num_threads) {
    return greedy(distances, n, k, num_threads);
}
KCenter greedy_k_center(std::span<const float> distances, std::size_t n, std::size_t k,
                        int num_threads) {
    return greedy(distances, n, k, num_threads);
}
KCenter greedy_k_center(std::span<const double> distances, std::size_t n, std::size_t k,
                        int num_threads) {
    return greedy(distances, n, k, num_threads);
}

}  // namespace graphopt
