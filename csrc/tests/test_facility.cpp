#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "check.hpp"
#include "graphopt/facility/facility.hpp"
#include "graphopt/support/random.hpp"

using namespace graphopt;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

struct Example {
    std::size_t n_customers, n_sites;
    std::vector<double> lengths;
    std::vector<double> opening;
    std::vector<double> upstream;
};

// Levels below `n_levels`, every seventh entry unreachable, some sites sure and some shut.
Example example(std::size_t n_customers, std::size_t n_sites, std::size_t n_levels) {
    SplitMix64 random(7, n_customers * n_sites);
    Example made{n_customers, n_sites, {}, {}, {}};
    for (std::size_t i = 0; i < n_customers * n_sites; ++i) {
        const auto level = static_cast<double>(random.below(n_levels));
        made.lengths.push_back(random.below(7) == 0 ? infinity : level);
    }
    for (std::size_t i = 0; i < n_sites; ++i) {
        const double x = random.uniform();
        made.opening.push_back(x > 0.9 ? 1.0 : x < 0.1 ? 0.0 : x / 4.0);
    }
    for (std::size_t j = 0; j < n_customers; ++j) made.upstream.push_back(random.uniform() - 0.5);
    return made;
}

template <class Hops>
std::vector<Hops> as_hops(const Example& made) {
    std::vector<Hops> hops;
    for (const double d : made.lengths) {
        hops.push_back(d == infinity ? std::numeric_limits<Hops>::max() : static_cast<Hops>(d));
    }
    return hops;
}

// The distance to the nearest open site, averaged over the open sets, site by site from the near.
double expected_of(const Example& made, const std::vector<double>& x, std::size_t j,
                   double charge) {
    double sum = 0.0;
    for (double t = 0.0; t < charge; t += 1.0) {
        double product = 1.0;
        for (std::size_t i = 0; i < made.n_sites; ++i) {
            if (made.lengths[j * made.n_sites + i] <= t) product *= 1.0 - x[i];
        }
        sum += product;
    }
    return sum;
}

// E_j is linear in every x_i.
double slope_of(const Example& made, std::size_t i, double charge) {
    std::vector<double> open = made.opening, shut = made.opening;
    open[i] = 1.0;
    shut[i] = 0.0;
    double sum = 0.0;
    for (std::size_t j = 0; j < made.n_customers; ++j) {
        sum += made.upstream[j] *
               (expected_of(made, open, j, charge) - expected_of(made, shut, j, charge));
    }
    return sum;
}

bool close(double a, double b) { return std::abs(a - b) <= 1e-9 * (1.0 + std::abs(b)); }

void agrees(const Example& made, double charge, const std::vector<double>& expected,
            const std::vector<double>& gradient) {
    for (std::size_t j = 0; j < made.n_customers; ++j) {
        CHECK(close(expected[j], expected_of(made, made.opening, j, charge)));
    }
    for (std::size_t i = 0; i < made.n_sites; ++i) {
        CHECK(close(gradient[i], slope_of(made, i, charge)));
    }
}

template <class Hops>
void hops_agree_with_the_definition(std::size_t n_customers, std::size_t n_sites,
                                    std::size_t n_levels, double charge) {
    const Example made = example(n_customers, n_sites, n_levels);
    const std::vector<Hops> distances = as_hops<Hops>(made);
    const auto used = std::min(n_levels, static_cast<std::size_t>(charge));
    std::vector<double> steps(used + 1, 1.0);
    steps.back() = charge - static_cast<double>(used);
    const HopTable<Hops> hops{distances, n_customers, n_sites, steps};
    const std::span<const double> opening = made.opening, upstream = made.upstream;
    std::vector<double> expected(n_customers), gradient(n_sites);
    expected_hops_gradient<Hops, double>(hops, opening, upstream, expected, gradient, 2);
    agrees(made, charge, expected, gradient);
    std::vector<double> again(n_customers), gradient_again(n_sites);
    expected_hops<Hops, double>(hops, opening, again, 3);
    CHECK(again == expected);
    expected_hops_gradient<Hops, double>(hops, opening, upstream, again, gradient_again, 3);
    CHECK(gradient_again == gradient);
}

// Where registers hold the tables, float32 adds up logarithms: the error stays near its rounding
// however many sites there are, and the bits are those of any number of threads.
void single_precision_agrees_with_double(std::size_t n_customers, std::size_t n_sites,
                                         std::size_t n_levels) {
    Example made = example(n_customers, n_sites, n_levels);
    for (double& x : made.opening) x = x == 1.0 ? x : x * 40.0 / static_cast<double>(n_sites + 40);
    const std::vector<std::uint8_t> distances = as_hops<std::uint8_t>(made);
    const std::vector<double> steps(n_levels + 1, 1.0);
    const HopTable<std::uint8_t> hops{distances, n_customers, n_sites, steps};
    const std::vector<float> opening(made.opening.begin(), made.opening.end());
    const std::vector<float> upstream(made.upstream.begin(), made.upstream.end());
    const std::vector<double> same_opening(opening.begin(), opening.end());
    const std::vector<double> same_upstream(upstream.begin(), upstream.end());
    std::vector<double> exact(n_customers), slopes(n_sites);
    expected_hops_gradient<std::uint8_t, double>(hops, same_opening, same_upstream, exact, slopes,
                                                 2);
    std::vector<float> expected(n_customers), gradient(n_sites), again(n_sites);
    expected_hops_gradient<std::uint8_t, float>(hops, opening, upstream, expected, gradient, 1);
    double largest = 0.0;
    for (const double slope : slopes) largest = std::max(largest, std::abs(slope));
    for (std::size_t j = 0; j < n_customers; ++j) {
        CHECK(std::abs(static_cast<double>(expected[j]) - exact[j]) <= 1e-6 * exact[j]);
    }
    for (std::size_t i = 0; i < n_sites; ++i) {
        CHECK(std::abs(static_cast<double>(gradient[i]) - slopes[i]) <= 2e-6 * largest);
    }
    expected_hops_gradient<std::uint8_t, float>(hops, opening, upstream, expected, again, 3);
    CHECK(again == gradient);
}

// Steps that grow: the same expectation as of distances that were stretched likewise.
void steps_stretch_distances() {
    const Example made = example(40, 17, 5);
    const std::vector<std::uint8_t> distances = as_hops<std::uint8_t>(made);
    const std::vector<double> steps{1.0, 2.0, 4.0, 8.0, 16.0, 5.0};
    Example stretched = made;
    for (double& d : stretched.lengths) {
        if (d != infinity) d = std::exp2(d) - 1.0;
    }
    const HopTable<std::uint8_t> hops{distances, made.n_customers, made.n_sites, steps};
    const std::span<const double> opening = made.opening, upstream = made.upstream;
    std::vector<double> expected(made.n_customers), gradient(made.n_sites);
    expected_hops_gradient<std::uint8_t, double>(hops, opening, upstream, expected, gradient, 2);
    agrees(stretched, 36.0, expected, gradient);
}

void lengths_agree_with_the_definition(double charge) {
    const Example made = example(70, 23, 6);
    std::vector<std::int32_t> order(made.lengths.size());
    order_sites(made.lengths, made.n_customers, made.n_sites, order, 2);
    const LengthTable lengths{made.lengths, order, made.n_customers, made.n_sites, charge};
    const std::span<const double> opening = made.opening, upstream = made.upstream;
    std::vector<double> expected(made.n_customers), gradient(made.n_sites);
    expected_lengths<double>(lengths, opening, expected, 2);
    expected_lengths_gradient<double>(lengths, opening, upstream, gradient, 2);
    agrees(made, charge, expected, gradient);
}

void the_largest_finite_hop_skips_the_unreachable() {
    const std::vector<std::uint8_t> bytes{3, 255, 0}, none{255, 255};
    CHECK(largest_finite_hop<std::uint8_t>(bytes, 2) == 3);
    CHECK(largest_finite_hop<std::uint8_t>(none, 2) == -1);
    CHECK(largest_finite_hop<std::uint32_t>({}, 2) == -1);
}

void nothing_is_open_and_nobody_asks() {
    const std::vector<double> steps{4.0};
    const HopTable<std::uint8_t> no_sites{{}, 2, 0, steps};
    std::vector<float> expected(2);
    expected_hops<std::uint8_t, float>(no_sites, {}, expected, 2);
    CHECK(expected[0] == 4.0F && expected[1] == 4.0F);
    const HopTable<std::uint8_t> no_customers{{}, 0, 3, steps};
    const std::vector<float> opening{0, 1, 0.5F};
    std::vector<float> gradient(3, 9.0F);
    expected_hops_gradient<std::uint8_t, float>(no_customers, opening, {}, {}, gradient, 2);
    for (const float g : gradient) CHECK(g == 0.0F);
}

}  // namespace

int main() {
    hops_agree_with_the_definition<std::uint8_t>(70, 23, 6, 6);
    hops_agree_with_the_definition<std::uint8_t>(67, 40, 6, 4);
    hops_agree_with_the_definition<std::uint8_t>(9, 5, 255, 260);
    hops_agree_with_the_definition<std::uint16_t>(70, 23, 300, 310);
    hops_agree_with_the_definition<std::uint32_t>(3, 130, 7, 100);
    single_precision_agrees_with_double(1, 1, 1);
    single_precision_agrees_with_double(130, 64, 31);
    single_precision_agrees_with_double(65, 8200, 13);
    single_precision_agrees_with_double(10, 67, 32);
    steps_stretch_distances();
    lengths_agree_with_the_definition(6.0);
    lengths_agree_with_the_definition(3.0);
    the_largest_finite_hop_skips_the_unreachable();
    nothing_is_open_and_nobody_asks();
}
