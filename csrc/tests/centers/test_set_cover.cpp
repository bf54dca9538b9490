#include <gtest/gtest.h>

#include <vector>

#include "graphopt/centers/set_cover.hpp"
#include "types.hpp"

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
class SetCoverByType : public ::testing::Test {};
TYPED_TEST_SUITE(SetCoverByType, Distances);

TYPED_TEST(SetCoverByType, ALineIsSolvedByTheReduction) {
    using T = TypeParam;
    // A path of nine nodes and radius 1: its ends force their neighbours, and so on inwards.
    std::vector<T> d(81);
    for (std::size_t i = 0; i < 81; ++i) {
        const std::size_t a = i / 9, b = i % 9;
        d[i] = static_cast<T>(a > b ? a - b : b - a);
    }
    const CoverRest rest = reduce<T>(d, 1, 9, 2);
    EXPECT_TRUE(rest.feasible);
    EXPECT_TRUE(rest.finished);
    EXPECT_EQ(rest.forced, (std::vector<NodeId>{1, 4, 7}));
    EXPECT_TRUE(rest.sites.empty());
    EXPECT_TRUE(rest.customers.empty());
}

TYPED_TEST(SetCoverByType, NothingInARingIsDominated) {
    using T = TypeParam;
    for (const int threads : {1, 2, 3, 8}) {
        const CoverRest rest = reduce<T>(ring<T>(200), 7, 200, threads);
        EXPECT_TRUE(rest.forced.empty());
        EXPECT_EQ(rest.sites.size(), 200);
        EXPECT_EQ(rest.customers.size(), 200);
        EXPECT_EQ(rest.indptr.size(), 201);
        EXPECT_EQ(rest.served.size(), 200 * 15);
    }
}

TEST(SetCover, LimitsAreKept) {
    const auto d = ring<float>(200);
    EXPECT_FALSE(reduce<float>(d, 7, 200, 2, {-1.0, 1000000}).finished);
    EXPECT_FALSE(reduce<float>(d, 7, 200, 2, {1000.0, 2999}).finished);
    EXPECT_TRUE(reduce<float>(d, 7, 200, 2, {1000.0, 3000}).finished);
}

TEST(SetCover, MasksAndNobodyNear) {
    const auto d = ring<std::uint8_t>(5);
    const Bytes limits(5, 0), all(5, 1), open{1, 0, 1, 1, 1}, needed{1, 0, 0, 1, 0};
    EXPECT_FALSE(reduce_cover<std::uint8_t>(d, limits, open, all, 1).feasible);
    const CoverRest rest = reduce_cover<std::uint8_t>(d, limits, open, needed, 1);
    EXPECT_EQ(rest.forced, (std::vector<NodeId>{0, 3}));
    EXPECT_TRUE(rest.customers.empty());
}

}  // namespace
