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

// Floats are added in eight interleaved parts, always the same ones.
template <class T>
GRAPHOPT_ALWAYS_INLINE Quality<T> scan_rest(const T* current, const T* row, std::size_t n,
                                            T largest) {
    using Sum = std::conditional_t<std::is_integral_v<T>, std::uint64_t, double>;
    constexpr std::size_t parts = 8;
    Sum sums[parts] = {};
    std::size_t count = 0;
    const auto take = [&](std::size_t j, std::size_t part) __attribute__((always_inline)) {
        const T nearer = std::min(current[j], row[j]);
        count += nearer == largest ? 1 : 0;
        sums[part] += nearer == unreachable<T> ? Sum{0} : static_cast<Sum>(nearer);
    };
    std::size_t j = 0;
    for (; j + parts <= n; j += parts) {
        for (std::size_t part = 0; part < parts; ++part) take(j + part, part);
    }
    for (; j < n; ++j) take(j, 0);
    Sum sum = 0;
    for (const Sum part : sums) sum += part;
    return {largest, count, static_cast<double>(sum)};
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
        const T limit = best ? best->quality.largest : unreachable<T>;
        const T largest = scan_largest(current, row, n, limit);
        if (largest > limit) continue;
        const Quality<T> quality = scan_rest(current, row, n, largest);
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
