#include <limits>
#include <vector>

#include "check.hpp"
#include "graphopt/communities/weight_within.hpp"
#include "graphopt/support/random.hpp"

using namespace graphopt;

namespace {

// Small whole numbers, of which every sum is exact. On and below the diagonal lies what must not be
// read.
void every_sum_is_exact(std::size_t n, std::size_t n_groups) {
    SplitMix64 random(5, n);
    std::vector<double> matrix(n * n, std::numeric_limits<double>::quiet_NaN());
    std::vector<std::int64_t> group(n);
    for (auto& number : group) number = static_cast<std::int64_t>(random.below(n_groups)) - 1;
    double expected = 0.0;
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = i + 1; j < n; ++j) {
            matrix[i * n + j] = static_cast<double>(random.below(17));
            if (group[i] == group[j]) expected += matrix[i * n + j];
        }
    }
    for (const int num_threads : {1, 2, 3}) {
        CHECK(weight_within(matrix, group, num_threads) == expected);
    }
}

}  // namespace

int main() {
    for (std::size_t n = 0; n <= 70; ++n) every_sum_is_exact(n, 3);
    for (const std::size_t n_groups : {1, 7, 5000}) every_sum_is_exact(1451, n_groups);
}
