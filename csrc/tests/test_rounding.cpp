#include <cmath>
#include <vector>

#include "check.hpp"
#include "graphopt/facility/rounding.hpp"

using namespace graphopt;

namespace {

void marginals_are_kept() {
    const std::vector<double> opening{0.2, 0.7, 1.0, 0.0, 0.9, 0.2};  // sums to 3
    constexpr std::size_t n_draws = 20000;
    std::vector<std::int32_t> draws(n_draws * 3);
    pipage_rounding(opening, 3, n_draws, 1e-9, 1, draws, 2);
    std::vector<double> count(6);
    for (std::size_t d = 0; d < n_draws; ++d) {
        for (std::size_t i = 0; i < 3; ++i) {
            if (i > 0) CHECK(draws[d * 3 + i - 1] < draws[d * 3 + i]);
            count[static_cast<std::size_t>(draws[d * 3 + i])] += 1.0;
        }
    }
    for (std::size_t i = 0; i < 6; ++i) {
        const double sigma = std::sqrt(n_draws * opening[i] * (1.0 - opening[i]));
        CHECK(std::abs(count[i] - n_draws * opening[i]) <= 5.0 * sigma);
    }
}

void missing_sites_are_the_largest() {
    const std::vector<double> opening{0.0, 0.3, 0.0, 1.0};
    std::vector<std::int32_t> draws(100 * 2);
    pipage_rounding(opening, 2, 100, 1e-9, 5, draws, 3);
    for (std::size_t d = 0; d < 100; ++d) CHECK(draws[2 * d] == 1 && draws[2 * d + 1] == 3);
}

void everything_or_nothing() {
    const std::vector<double> opening{0.5, 0.5};
    std::vector<std::int32_t> draws{9, 9};
    pipage_rounding(opening, 2, 1, 1e-9, 0, draws, 1);
    CHECK(draws[0] == 0 && draws[1] == 1);
    pipage_rounding({}, 0, 3, 1e-9, 0, {}, 2);
}

}  // namespace

int main() {
    marginals_are_kept();
    missing_sites_are_the_largest();
    everything_or_nothing();
}
