#include <cmath>
#include <vector>

#include "check.hpp"
#include "graphopt/communities/cnm.hpp"

using namespace graphopt;

namespace {

std::vector<double> matrix(std::size_t n, const std::vector<std::pair<int, int>>& edges) {
    std::vector<double> weights(n * n);
    for (const auto& [a, b] : edges) {
        const auto i = static_cast<std::size_t>(a), j = static_cast<std::size_t>(b);
        weights[i * n + j] = weights[j * n + i] = 1.0;
    }
    return weights;
}

void two_triangles() {
    const auto weights = matrix(6, {{0, 1}, {1, 2}, {0, 2}, {3, 4}, {4, 5}, {3, 5}, {2, 3}});
    const std::vector<Merge> merges = cnm(weights, 6, 2);
    CHECK(merges.size() == 4);
    // Of the two pairs that gain most, 0-1 and 4-5, the smaller comes first.
    CHECK(merges[0].kept == 0 && merges[0].gone == 1);
    CHECK(std::abs(merges[0].gain - 2.0 * (1.0 / 14.0 - 4.0 / 196.0)) < 1e-15);
    // From Q = -sum of (s / 2m)^2 for single nodes to that of the triangles.
    double q = -(4 * 4.0 + 2 * 9.0) / 196.0;
    for (const Merge& merge : merges) {
        CHECK(merge.kept < merge.gone);
        q += merge.gain;
    }
    CHECK(std::abs(q - (6.0 / 7.0 - 0.5)) < 1e-12);
}

void the_diagonal_is_ignored() {
    auto weights = matrix(3, {{0, 1}, {1, 2}});
    const auto expected = cnm(weights, 3, 1);
    weights[0] = weights[4] = weights[8] = 7.0;
    const auto merges = cnm(weights, 3, 1);
    for (std::size_t step = 0; step < 2; ++step) {
        CHECK(merges[step].kept == expected[step].kept);
        CHECK(merges[step].gone == expected[step].gone);
        CHECK(merges[step].gain == expected[step].gain);
    }
}

void sizes_around_a_vector() {
    for (const std::size_t n : {2, 7, 8, 9, 40, 41, 63, 64, 65}) {
        std::vector<double> weights(n * n, 1.0);
        const auto merges = cnm(weights, n, 1);
        CHECK(merges.size() == n - 1);
        double q = -1.0 / static_cast<double>(n);
        for (const Merge& merge : merges) q += merge.gain;
        CHECK(std::abs(q) < 1e-12);
        CHECK(cnm(weights, n, n).empty());
    }
}

}  // namespace

int main() {
    two_triangles();
    the_diagonal_is_ignored();
    sizes_around_a_vector();
}
