#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "check.hpp"
#include "graphopt/clustering/soft_kmeans.hpp"
#include "graphopt/clustering/unit_rows.hpp"
#include "graphopt/support/vector_math.hpp"

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
void exp2_is_within_two_units() {
    const T lowest = Exp2Constants<T>::flush_below;
    for (int i = 0; i <= 200000; ++i) {
        CHECK(exp2_error(lowest * static_cast<T>(i) / T{200000}) <= 2.0);
    }
    using S = Simd<T, 16>;
    const auto at = [](T x) { return exp2_nonpositive<S>(broadcast<S>(x))[0]; };
    CHECK(at(T{0}) == T{1});
    CHECK(at(lowest * T{1.001f}) == T{0});
    CHECK(at(-std::numeric_limits<T>::infinity()) == T{0});
    CHECK(std::isnan(at(std::numeric_limits<T>::quiet_NaN())));
}

std::vector<double> random_values(std::size_t size, unsigned seed) {
    std::mt19937 generator(seed);
    std::normal_distribution<double> normal;
    std::vector<double> values(size);
    for (double& value : values) value = normal(generator);
    return values;
}

// Every size around the widths of tiles and vectors, one step forward and back.
void sizes_around_the_tiles() {
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
                CHECK(history == start);
                double total = 0.0;
                for (const double value : mass) total += value;
                CHECK(std::abs(total - static_cast<double>(rows)) < 1e-9);
                std::vector<double> to_rows(x.size()), to_centers(start.size());
                soft_kmeans_step_vjp<double>(problem, {start, centers, mass, {}}, start, to_centers,
                                             to_rows);
                for (const double value : to_rows) CHECK(std::isfinite(value));
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
                    CHECK(std::abs(product - to_centers[column]) <
                          1e-9 * (1.0 + std::abs(product)));
                }
            }
        }
    }
}

void gmres_solves_and_says_so() {
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
        CHECK(report.converged && report.residual <= 1e-12);
    }
    const GmresReport short_of = gmres(apply, b, {1e-12, 3}, x);
    CHECK(!short_of.converged && short_of.iterations == 3 && short_of.residual > 1e-12);
    const std::vector<double> zero(size, 0.0);
    CHECK(gmres(apply, zero, {1e-12, 3}, x).converged);
    CHECK(x == zero);
    const LinearOperator nothing = [](std::span<const double>, std::span<double> y) {
        std::fill(y.begin(), y.end(), 0.0);
    };
    CHECK(!gmres(nothing, b, {1e-12, 30}, x).converged);
    const std::vector<double> undefined(size, std::nan(""));
    CHECK(!gmres(apply, undefined, {1e-12, 30}, x).converged && std::isnan(x[0]));
}

template <class T>
void unit_rows_do_not_depend_on_the_unit() {
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
        CHECK(found == unit);
        for (std::size_t j = 0; j < rows; ++j) {
            CHECK(found_lengths[j] == std::ldexp(lengths[j], exponent));
        }
        if (exponent == most) continue;  // the gradient is too small
        unit_rows_vjp<T>(found, found_lengths, g, width, 1, found_back);
        for (std::size_t i = 0; i < back.size(); ++i) {
            CHECK(found_back[i] == std::ldexp(back[i], -exponent));
        }
    }
}

template <class T>
void rows_at_the_ends_of_the_range() {
    constexpr T largest = std::numeric_limits<T>::max();
    constexpr T smallest = std::numeric_limits<T>::denorm_min();
    constexpr T infinity = std::numeric_limits<T>::infinity();
    const std::vector<T> x{largest, largest, 0, 0, 3 * smallest, 4 * smallest, infinity, 1};
    std::vector<T> unit(8), lengths(4), back(8);
    unit_rows<T>(x, 2, 1, unit, lengths);
    CHECK(std::abs(unit[0] - std::sqrt(T{0.5})) < T{1e-6f} && unit[0] == unit[1]);
    CHECK(unit[2] == T{0} && unit[3] == T{0});
    CHECK(std::abs(unit[4] - T{0.6f}) < T{1e-6f} && std::abs(unit[5] - T{0.8f}) < T{1e-6f});
    CHECK(std::isnan(unit[6]));
    CHECK(lengths[0] == infinity && lengths[1] == T{0} && lengths[2] == 5 * smallest);
    const std::vector<T> g{1, 2, 1, 2, 0, 0, 0, 0};
    unit_rows_vjp<T>(unit, lengths, g, 2, 1, back);
    for (std::size_t i = 0; i < 6; ++i) CHECK(back[i] == T{0});
}

}  // namespace

int main() {
    exp2_is_within_two_units<float>();
    exp2_is_within_two_units<double>();
    sizes_around_the_tiles();
    gmres_solves_and_says_so();
    unit_rows_do_not_depend_on_the_unit<float>();
    unit_rows_do_not_depend_on_the_unit<double>();
    rows_at_the_ends_of_the_range<float>();
    rows_at_the_ends_of_the_range<double>();
}
