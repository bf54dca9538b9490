#include <vector>

#include "check.hpp"
#include "graphopt/centers/set_cover.hpp"
#include "graphopt/support/distance_types.hpp"

using namespace graphopt;

namespace {

using Bytes = std::vector<std::uint8_t>;

template <class T>
CoverRest reduce(const std::vector<T>& distances, T limit, std::size_t n, int threads,
                 const CoverLimits& most = {}) {
    const std::vector<T> limits(n, limit);
    const Bytes all(n, 1);
    return reduce_cover(std::span<const T>(distances), std::span<const T>(limits), all, all,
                        threads, most);
}

template <class T>
std::vector<T> ring(std::size_t n) {
    std::vector<T> d(n * n);
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < n; ++j) {
            const std::size_t gap = i > j ? i - j : j - i;
            d[i * n + j] = static_cast<T>(gap < n - gap ? gap : n - gap);
        }
    }
    return d;
}

template <class T>
void a_line_is_solved_by_the_reduction() {
    // A path of nine nodes and radius 1: its ends force their neighbours, and so on inwards.
    std::vector<T> d(81);
    for (std::size_t i = 0; i < 81; ++i) {
        const std::size_t a = i / 9, b = i % 9;
        d[i] = static_cast<T>(a > b ? a - b : b - a);
    }
    const CoverRest rest = reduce<T>(d, 1, 9, 2);
    CHECK(rest.feasible && rest.finished);
    CHECK((rest.forced == std::vector<NodeId>{1, 4, 7}));
    CHECK(rest.sites.empty() && rest.customers.empty());
}

template <class T>
void nothing_in_a_ring_is_dominated() {
    for (const int threads : {1, 2, 3, 8}) {
        const CoverRest rest = reduce<T>(ring<T>(200), 7, 200, threads);
        CHECK(rest.forced.empty() && rest.sites.size() == 200 && rest.customers.size() == 200);
        CHECK(rest.indptr.size() == 201 && rest.served.size() == 200 * 15);
    }
}

void limits_are_kept() {
    const auto d = ring<float>(200);
    CHECK(!reduce<float>(d, 7, 200, 2, {-1.0, 1000000}).finished);
    CHECK(!reduce<float>(d, 7, 200, 2, {1000.0, 2999}).finished);
    CHECK(reduce<float>(d, 7, 200, 2, {1000.0, 3000}).finished);
}

void masks_and_nobody_near() {
    const auto d = ring<std::uint8_t>(5);
    const Bytes limits(5, 0), all(5, 1), open{1, 0, 1, 1, 1}, needed{1, 0, 0, 1, 0};
    CHECK(!reduce_cover(d, limits, open, all, 1).feasible);
    const CoverRest rest = reduce_cover(d, limits, open, needed, 1);
    CHECK((rest.forced == std::vector<NodeId>{0, 3}));
    CHECK(rest.customers.empty());
}

template <class T>
void everything() {
    a_line_is_solved_by_the_reduction<T>();
    nothing_in_a_ring_is_dominated<T>();
}

}  // namespace

int main() {
    for_each_distance_type([]<class T>() { everything<T>(); });
    limits_are_kept();
    masks_and_nobody_near();
}
