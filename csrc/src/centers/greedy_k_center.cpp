#include <algorithm>
#include <cstring>
#include <numeric>
#include <tuple>
#include <type_traits>

#include "coverage.hpp"
#include "graphopt/support/parallel.hpp"
#include "graphopt/support/simd.hpp"

namespace graphopt {
namespace {

constexpr std::size_t candidates_per_chunk = 128;
constexpr std::size_t lines_between_looks = 64;  // how often a scan asks whether it has lost
constexpr std::size_t prefetched_candidates = 12;
constexpr std::size_t most_leaders = 32;

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

// Smaller is better; compared in this order.
template <class T>
struct Choice {
    T largest;
    std::size_t n_at_largest;
    double sum;  // of the finite distances
    NodeId candidate;

    bool operator<(const Choice& other) const noexcept {
        return std::tie(largest, n_at_largest, sum, candidate) <
               std::tie(other.largest, other.n_at_largest, other.sum, other.candidate);
    }
};

template <class T>
struct Extent {
    T largest;             // of min(current[j], row[j]), or something above `limit`
    std::size_t at_limit;  // how many equal `limit`
};

// Stops as soon as the largest is certain to exceed `limit`, or more than `allowed` to equal it.
template <class T>
GRAPHOPT_ALWAYS_INLINE Extent<T> scan(const T* current, const T* row, std::size_t n, T limit,
                                      std::size_t allowed) {
    constexpr std::size_t width = Line<T>::width;
    Extent<T> found{0, 0};
    std::size_t j = 0;
    while (j + width <= n) {
        typename Line<T>::type line{};
        decltype(line == line) hits{};  // a lane counts down by one a line
        const std::size_t stop = std::min(n, j + lines_between_looks * width);
        for (; j + width <= stop; j += width) {
            const auto a = load(current + j), b = load(row + j);
            const auto nearer = a < b ? a : b;
            line = line < nearer ? nearer : line;
            hits += nearer == limit;
        }
        for (std::size_t lane = 0; lane < width; ++lane) {
            found.largest = std::max(found.largest, line[lane]);
            found.at_limit += static_cast<std::size_t>(-static_cast<std::int64_t>(hits[lane]));
        }
        if (found.largest > limit || found.at_limit > allowed) return found;
    }
    for (; j < n; ++j) {
        const T nearer = std::min(current[j], row[j]);
        found.largest = std::max(found.largest, nearer);
        found.at_limit += nearer == limit ? 1 : 0;
    }
    return found;
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

// What a step compares candidates on.
template <class T>
struct Step {
    const T* distances;
    const T* current;  // of every customer from its nearest centre so far
    std::size_t n;
    std::span<const NodeId> suspects;  // customers likely to show that a candidate is no good
};

// Whether the suspects alone prove that the candidate is worse.
template <class T>
GRAPHOPT_ALWAYS_INLINE bool refuted(const Step<T>& step, const T* row, const Choice<T>& best) {
    std::size_t at_largest = 0;
    for (const NodeId customer : step.suspects) {
        const auto j = static_cast<std::size_t>(customer);
        const T nearer = std::min(step.current[j], row[j]);
        if (nearer > best.largest) return true;
        if (nearer == best.largest && ++at_largest > best.n_at_largest) return true;
    }
    return false;
}

// Puts the best of the candidates in the place of `best` if it is better. Returns the work it took:
// about 64 for a row that a suspect refutes, and as much as it is long for one that is compared.
template <class T>
GRAPHOPT_ALWAYS_INLINE std::size_t choose(const Step<T>& step, std::span<const NodeId> candidates,
                                          Choice<T>& best) {
    const auto row_of = [&](std::size_t i) __attribute__((always_inline)) {
        return step.distances + static_cast<std::size_t>(candidates[i]) * step.n;
    };
    std::size_t work = 0;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        if (i + prefetched_candidates < candidates.size() && !step.suspects.empty()) {
            __builtin_prefetch(row_of(i + prefetched_candidates) + step.suspects.front());
        }
        const T* const row = row_of(i);
        work += 64;
        if (refuted(step, row, best)) continue;
        work += step.n * sizeof(T) / 16;
        const auto [largest, at_limit] =
            scan(step.current, row, step.n, best.largest, best.n_at_largest);
        if (largest > best.largest || at_limit > best.n_at_largest) continue;
        Choice<T> choice{largest, at_limit, 0.0, candidates[i]};
        if (largest < best.largest) {
            choice.n_at_largest = scan(step.current, row, step.n, largest, step.n).at_limit;
        }
        choice.sum = sum_finite(step.current, row, step.n);
        work += step.n;
        if (choice < best) best = choice;
    }
    return work;
}

#define GRAPHOPT_CHOOSE_CANDIDATE(T)                                                      \
    GRAPHOPT_MULTIVERSION_FN                                                              \
    std::size_t choose_candidate(const Step<T>& step, std::span<const NodeId> candidates, \
                                 Choice<T>& best) {                                       \
        return choose(step, candidates, best);                                            \
    }
GRAPHOPT_CHOOSE_CANDIDATE(std::uint8_t)
GRAPHOPT_CHOOSE_CANDIDATE(std::uint16_t)
GRAPHOPT_CHOOSE_CANDIDATE(std::uint32_t)
GRAPHOPT_CHOOSE_CANDIDATE(float)
GRAPHOPT_CHOOSE_CANDIDATE(double)
#undef GRAPHOPT_CHOOSE_CANDIDATE

// The customers that are farthest now: the first that a good candidate must bring closer. Among
// equals (all, before there is a centre) those that a good candidate leaves farthest.
template <class T>
void list_suspects(const Step<T>& step, const T* good_row, std::vector<NodeId>& suspects) {
    // Reading more than one number a cache line of the row would cost as much as reading it all.
    const std::size_t count =
        std::min(step.n, std::clamp<std::size_t>(step.n / simd_bytes, 16, 256));
    const auto farther = [&](NodeId a, NodeId b) {
        const auto i = static_cast<std::size_t>(a), j = static_cast<std::size_t>(b);
        if (step.current[i] != step.current[j]) return step.current[i] > step.current[j];
        if (good_row[i] != good_row[j]) return good_row[i] > good_row[j];
        return i < j;
    };
    count_work(8 * step.n);
    suspects.resize(step.n);
    std::iota(suspects.begin(), suspects.end(), NodeId{0});
    const auto end = suspects.begin() + static_cast<std::ptrdiff_t>(count);
    std::nth_element(suspects.begin(), end - 1, suspects.end(), farther);
    std::sort(suspects.begin(), end, farther);
    suspects.resize(count);
}

// Each step begins with a few leaders, candidates that were good a step ago: against a good one,
// almost all others are refuted by a customer or two. Who leads decides how much is looked at, not
// who is found.
template <class T>
KCenter greedy(std::span<const T> distances, std::size_t n, std::size_t k, int num_threads,
               const SiteRules& rules, std::span<const std::uint8_t> needed) {
    Coverage<T> coverage(n, needed);
    const auto row_of = [&](NodeId c) {
        return distances.data() + static_cast<std::size_t>(c) * n;
    };
    const auto open = [&](NodeId center) {
        coverage.open(center);
        const T* const row = row_of(center);
        for (std::size_t j = 0; j < n; ++j) coverage.improve(j, row[j]);
        count_work(2 * n);
    };
    for (const NodeId center : rules.must_open) open(center);

    std::vector<NodeId> candidates, leaders, suspects;
    for (std::size_t c = 0; c < n; ++c) {
        const bool may_open = rules.may_open.empty() || rules.may_open[c] != 0;
        if (may_open && !coverage.chosen(c)) candidates.push_back(static_cast<NodeId>(c));
    }
    const std::size_t n_leaders = std::min(candidates.size(), most_leaders);
    for (std::size_t i = 0; i < n_leaders; ++i) {
        leaders.push_back(candidates[i * candidates.size() / n_leaders]);
    }
    while (coverage.n_centers() < k) {
        Step<T> step{distances.data(), coverage.distances().data(), n, {}};
        Choice<T> leader{unreachable<T>, n + 1, 0.0, candidates.front()};
        count_work(choose_candidate(step, leaders, leader));
        list_suspects(step, row_of(leader.candidate), suspects);
        step.suspects = suspects;

        std::vector<Choice<T>> found(chunk_count(candidates.size(), candidates_per_chunk), leader);
        parallel_ranges(
            candidates.size(), candidates_per_chunk, num_threads,
            [&](std::size_t begin, std::size_t end, std::size_t chunk, int) {
                const std::span<const NodeId> all(candidates);
                count_work(choose_candidate(step, all.subspan(begin, end - begin), found[chunk]));
            });
        Choice<T> best = leader;
        for (const auto& choice : found) {
            if (choice.candidate != leader.candidate) leaders.push_back(choice.candidate);
            best = std::min(best, choice);
        }
        open(best.candidate);
        std::erase(candidates, best.candidate);
        std::erase(leaders, best.candidate);
        if (leaders.size() > most_leaders) {
            leaders.erase(leaders.begin(), leaders.end() - most_leaders);
        }
        if (leaders.empty() && !candidates.empty()) leaders.push_back(candidates.front());
    }
    return std::move(coverage).result();
}

}  // namespace

KCenter greedy_k_center(std::span<const std::uint8_t> distances, std::size_t n, std::size_t k,
                        int num_threads, const SiteRules& rules,
                        std::span<const std::uint8_t> needed) {
    return greedy(distances, n, k, num_threads, rules, needed);
}
KCenter greedy_k_center(std::span<const std::uint16_t> distances, std::size_t n, std::size_t k,
                        int num_threads, const SiteRules& rules,
                        std::span<const std::uint8_t> needed) {
    return greedy(distances, n, k, num_threads, rules, needed);
}
KCenter greedy_k_center(std::span<const std::uint32_t> distances, std::size_t n, std::size_t k,
                        int num_threads, const SiteRules& rules,
                        std::span<const std::uint8_t> needed) {
    return greedy(distances, n, k, num_threads, rules, needed);
}
KCenter greedy_k_center(std::span<const float> distances, std::size_t n, std::size_t k,
                        int num_threads, const SiteRules& rules,
                        std::span<const std::uint8_t> needed) {
    return greedy(distances, n, k, num_threads, rules, needed);
}
KCenter greedy_k_center(std::span<const double> distances, std::size_t n, std::size_t k,
                        int num_threads, const SiteRules& rules,
                        std::span<const std::uint8_t> needed) {
    return greedy(distances, n, k, num_threads, rules, needed);
}

}  // namespace graphopt
