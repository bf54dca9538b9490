#include <cmath>
#include <limits>
#include <vector>

#include "check.hpp"
#include "graphopt/communities/symmetric_product.hpp"
#include "graphopt/support/random.hpp"

using namespace graphopt;

namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

// Small whole numbers, of which every sum is exact. Below the diagonal lies what must not be read.
struct Problem {
    std::size_t n;
    std::vector<double> matrix = std::vector<double>(n * n, nan);
    std::vector<double> vector = std::vector<double>(n);
    std::vector<double> expected = std::vector<double>(n);

    explicit Problem(std::size_t size) : n(size) {
        SplitMix64 random(3, n);
        const auto draw = [&] { return static_cast<double>(random.below(17)) - 8.0; };
        for (double& value : vector) value = draw();
        for (std::size_t i = 0; i < n; ++i) {
            for (std::size_t j = i; j < n; ++j) {
                const double entry = matrix[i * n + j] = draw();
                expected[i] += entry * vector[j];
                if (i != j) expected[j] += entry * vector[i];
            }
        }
    }

    std::vector<double> product(int num_threads) const {
        std::vector<double> found(n, nan);
        symmetric_product(matrix, vector, found, num_threads);
        return found;
    }
};

void every_size_is_exact() {
    for (std::size_t n = 0; n <= 70; ++n) {
        const Problem problem(n);
        CHECK(problem.product(1) == problem.expected);
    }
}

// Of one chunk, of two and of several; the last chunk ends within a step of rows or with one.
void chunks_add_up() {
    for (const std::size_t n : {723, 724, 1023, 1024, 1025, 1451, 1600}) {
        const Problem problem(n);
        for (const int num_threads : {1, 2, 5}) {
            CHECK(problem.product(num_threads) == problem.expected);
        }
    }
}

void threads_leave_the_bits_as_they_are() {
    Problem problem(1300);
    SplitMix64 random(4);
    for (double& value : problem.matrix) value = random.uniform();
    for (double& value : problem.vector) value = random.uniform();
    const std::vector<double> alone = problem.product(1);
    for (const int num_threads : {2, 3, 4}) CHECK(problem.product(num_threads) == alone);
}

void what_is_not_a_number_stays_visible() {
    Problem problem(40);
    problem.matrix[7 * 40 + 30] = nan;
    const std::vector<double> found = problem.product(1);
    for (std::size_t i = 0; i < problem.n; ++i) {
        CHECK(std::isnan(found[i]) == (i == 7 || i == 30));
    }
}

}  // namespace

int main() {
    every_size_is_exact();
    chunks_add_up();
    threads_leave_the_bits_as_they_are();
    what_is_not_a_number_stays_visible();
}
