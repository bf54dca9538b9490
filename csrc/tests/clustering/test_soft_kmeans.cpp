#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "graphopt/clustering/soft_kmeans.hpp"
#include "graphopt/clustering/unit_rows.hpp"
#include "graphopt/support/vector_math.hpp"
#include "types.hpp"

using namespace graphopt;

namespace {

// Distance from the true value in units in the last place of the result.
template <class T>
double exp2_error(T x) {
    using S = Simd<T, 16>;
    T lanes[S::lanes];
    store<S>(lanes, exp2_nonpositive<S>(broadcast<S>(x)));
    const long double truth = std::exp2(static_cast<long double>(x));
    const T rounded = static_cast<T>(truth);
    const T unit = std::nextafter(rounded, std::numeric_limits<T>::infinity()) - rounded;
    return static_cast<double>(std::abs(static_cast<long double>(lanes[0]) - truth) / unit);
}

template <class T>
class SoftKmeansByType : public ::testing::Test {};
TYPED_TEST_SUITE(SoftKmeansByType, Reals);

TYPED_TEST(SoftKmeansByType, Exp2IsWithinTwoUnits) {
    using T = TypeParam;
    const T lowest = Exp2Constants<T>::flush_below;
    for (int i = 0; i <= 200000; ++i) {
        EXPECT_LE(exp2_error(lowest * static_cast<T>(i) / T{200000}), 2.0);
    }
    using S = Simd<T, 16>;
    const auto at = [](T x) { return exp2_nonpositive<S>(broadcast<S>(x))[0]; };
    EXPECT_EQ(at(T{0}), T{1});
    EXPECT_EQ(at(lowest * T{1.001f}), T{0});
    EXPECT_EQ(at(-std::numeric_limits<T>::infinity()), T{0});
    EXPECT_TRUE(std::isnan(at(std::numeric_limits<T>::quiet_NaN())));
}

std::vector<double> random_values(std::size_t size, unsigned seed) {
    std::mt19937 generator(seed);
    std::normal_distribution<double> normal;
    std::vector<double> values(size);
    for (double& value : values) value = normal(generator);
    return values;
}

// Every size around the widths of tiles and vectors, one step forward and back.
TEST(SoftKmeans, SizesAroundTheTiles) {
    for (const std::size_t rows : {0u, 1u, 7u, 8u, 63u, 65u, 300u}) {
        for (const std::size_t clusters : {1u, 2u, 5u, 9u, 17u}) {
            for (const std::size_t width : {1u, 7u, 8u, 15u, 16u, 33u, 66u}) {
                const auto x = random_values(rows * width, 1);
                const auto start = random_values(clusters * width, 2);
                const std::vector<std::int64_t> offsets{0, static_cast<std::int64_t>(rows)};
                const SoftKMeansProblem<double> problem{x, offsets, width, clusters, 2.0, 2};
                std::vector<double> centers(start.size()), assignment(rows * clusters);
                std::vector<double> history(start.size()), mass(clusters);
                soft_kmeans<double>(problem, start, 1, false,
                                    {centers, assignment, history, mass, 1});
                EXPECT_EQ(history, start);
                double total = 0.0;
                for (const double value : mass) total += value;
                EXPECT_LT(std::abs(total - static_cast<double>(rows)), 1e-9);
                std::vector<double> to_rows(x.size()), to_centers(start.size());
                soft_kmeans_step_vjp<double>(problem, {start, centers, mass, {}}, start, to_centers,
                                             to_rows);
                for (const double value : to_rows) EXPECT_TRUE(std::isfinite(value));
                if (width > 16) continue;
                const std::size_t size = clusters * width;
                std::vector<double> jacobian(size * size), at_start(rows * clusters);
                soft_kmeans<double>(problem, start, 0, false, {history, at_start, {}, {}, 0});
                soft_kmeans_jacobian(problem, {start, centers, mass, at_start}, jacobian);
                for (std::size_t column = 0; column < size; ++column) {
                    double product = 0.0;
                    for (std::size_t row = 0; row < size; ++row) {
                        product += jacobian[row * size + column] * start[row];
                    }
                    EXPECT_TRUE(std::abs(product - to_centers[column]) <
                                1e-9 * (1.0 + std::abs(product)));
                }
            }
        }
    }
}

TEST(SoftKmeans, GmresSolvesAndSaysSo) {
    const std::size_t size = 40;
    const auto entries = random_values(size * size, 3);
    const LinearOperator apply = [&](std::span<const double> x, std::span<double> y) {
        for (std::size_t i = 0; i < size; ++i) {
            y[i] = 8.0 * x[i];
            for (std::size_t j = 0; j < size; ++j) y[i] += entries[i * size + j] * x[j];
        }
    };
    const auto b = random_values(size, 4);
    std::vector<double> x(size);
    for (const std::size_t restart : {50u, 10u}) {
        const GmresReport report = gmres(apply, b, {1e-12, 2000, restart}, x);
        EXPECT_TRUE(report.converged);
        EXPECT_LE(report.residual, 1e-12);
    }
    const GmresReport short_of = gmres(apply, b, {1e-12, 3}, x);
    EXPECT_FALSE(short_of.converged);
    EXPECT_EQ(short_of.iterations, 3);
    EXPECT_GT(short_of.residual, 1e-12);
    const std::vector<double> zero(size, 0.0);
    EXPECT_TRUE(gmres(apply, zero, {1e-12, 3}, x).converged);
    EXPECT_EQ(x, zero);
    const LinearOperator nothing = [](std::span<const double>, std::span<double> y) {
        std::fill(y.begin(), y.end(), 0.0);
    };
    EXPECT_FALSE(gmres(nothing, b, {1e-12, 30}, x).converged);
    const std::vector<double> undefined(size, std::nan(""));
    EXPECT_FALSE(gmres(apply, undefined, {1e-12, 30}, x).converged);
    EXPECT_TRUE(std::isnan(x[0]));
}

TYPED_TEST(SoftKmeansByType, UnitRowsDoNotDependOnTheUnit) {
    using T = TypeParam;
    constexpr std::size_t rows = 5, width = 19;
    constexpr int most = std::numeric_limits<T>::max_exponent - 5;
    const auto values = random_values(rows * width, 3);
    const auto upstream = random_values(rows * width, 4);
    const std::vector<T> x(values.begin(), values.end()), g(upstream.begin(), upstream.end());
    std::vector<T> unit(x.size()), lengths(rows), back(x.size());
    unit_rows<T>(x, width, 1, unit, lengths);
    unit_rows_vjp<T>(unit, lengths, g, width, 1, back);
    // Below, entries lose bits.
    for (const int exponent : {-most + 40, -60, -31, -1, 1, 30, 60, most}) {
        std::vector<T> other(x), found(x.size()), found_lengths(rows), found_back(x.size());
        for (T& value : other) value = std::ldexp(value, exponent);
        unit_rows<T>(other, width, 1, found, found_lengths);
        EXPECT_EQ(found, unit);
        for (std::size_t j = 0; j < rows; ++j) {
            EXPECT_EQ(found_lengths[j], std::ldexp(lengths[j], exponent));
        }
        if (exponent == most) continue;  // the gradient is too small
        unit_rows_vjp<T>(found, found_lengths, g, width, 1, found_back);
        for (std::size_t i = 0; i < back.size(); ++i) {
            EXPECT_EQ(found_back[i], std::ldexp(back[i], -exponent));
        }
    }
}

TYPED_TEST(SoftKmeansByType, RowsAtTheEndsOfTheRange) {
    using T = TypeParam;
    constexpr T largest = std::numeric_limits<T>::max();
    constexpr T smallest = std::numeric_limits<T>::denorm_min();
    constexpr T infinity = std::numeric_limits<T>::infinity();
    const std::vector<T> x{largest, largest, 0, 0, 3 * smallest, 4 * smallest, infinity, 1};
    std::vector<T> unit(8), lengths(4), back(8);
    unit_rows<T>(x, 2, 1, unit, lengths);
    EXPECT_LT(std::abs(unit[0] - std::sqrt(T{0.5})), T{1e-6f});
    EXPECT_EQ(unit[0], unit[1]);
    EXPECT_EQ(unit[2], T{0});
    EXPECT_EQ(unit[3], T{0});
    EXPECT_LT(std::abs(unit[4] - T{0.6f}), T{1e-6f});
    EXPECT_LT(std::abs(unit[5] - T{0.8f}), T{1e-6f});
    EXPECT_TRUE(std::isnan(unit[6]));
    EXPECT_EQ(lengths[0], infinity);
    EXPECT_EQ(lengths[1], T{0});
    EXPECT_EQ(lengths[2], 5 * smallest);
    const std::vector<T> g{1, 2, 1, 2, 0, 0, 0, 0};
    unit_rows_vjp<T>(unit, lengths, g, 2, 1, back);
    for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(back[i], T{0});
}

}  // namespace
