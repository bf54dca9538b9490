#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "check.hpp"
#include "graphopt/nn/tall_product.hpp"
#include "graphopt/support/random.hpp"

using namespace graphopt;

namespace {

// Small whole numbers, of which every sum is exact.
template <class Real>
struct Problem {
    TallShape shape;
    std::vector<Real> tall = std::vector<Real>(shape.n_rows * shape.n_columns);
    std::vector<Real> other = std::vector<Real>(shape.n_columns * shape.width);
    std::vector<Real> upstream = std::vector<Real>(shape.n_rows * shape.width);
    std::vector<Real> expected = std::vector<Real>(shape.n_rows * shape.width);
    std::vector<Real> expected_transposed = std::vector<Real>(shape.n_columns * shape.width);

    explicit Problem(TallShape sizes) : shape(sizes) {
        SplitMix64 random(5);
        for (auto* values : {&tall, &other, &upstream}) {
            for (Real& value : *values) value = static_cast<Real>(random.below(9)) - Real{4};
        }
        const auto [n, f, w] = shape;
        for (std::size_t i = 0; i < n; ++i) {
            for (std::size_t j = 0; j < f; ++j) {
                for (std::size_t c = 0; c < w; ++c) {
                    expected[i * w + c] += tall[i * f + j] * other[j * w + c];
                    expected_transposed[j * w + c] += tall[i * f + j] * upstream[i * w + c];
                }
            }
        }
    }

    void check(int num_threads) const {
        const Real nan = std::numeric_limits<Real>::quiet_NaN();
        std::vector<Real> found(expected.size(), nan);
        tall_product(shape, tall, other, found, num_threads);
        CHECK(found == expected);
        std::vector<Real> transposed(expected_transposed.size(), nan);
        transposed_tall_product(shape, tall, upstream, transposed, num_threads);
        CHECK(transposed == expected_transposed);
    }
};

// Chunks, blocks and tiles that end early or not at all, in every direction.
void every_size_is_exact() {
    constexpr std::array<std::size_t, 9> sizes{0, 1, 5, 6, 7, 48, 64, 65, 130};
    constexpr std::array<std::size_t, 6> widths{0, 1, 15, 16, 33, 70};
    for (const std::size_t n : sizes) {
        for (const std::size_t f : sizes) {
            for (const std::size_t w : widths) {
                Problem<float>({n, f, w}).check(1);
                Problem<double>({n, f, w}).check(2);
            }
        }
    }
}

void threads_leave_the_bits_as_they_are() {
    const TallShape shape{500, 230, 50};
    SplitMix64 random(6);
    std::vector<float> tall(500 * 230), other(230 * 50), upstream(500 * 50);
    for (auto* values : {&tall, &other, &upstream}) {
        for (float& value : *values) value = static_cast<float>(random.uniform());
    }
    const auto products = [&](int num_threads) {
        std::vector<float> found(500 * 50), transposed(230 * 50);
        tall_product(shape, tall, other, found, num_threads);
        transposed_tall_product(shape, tall, upstream, transposed, num_threads);
        found.insert(found.end(), transposed.begin(), transposed.end());
        return found;
    };
    const std::vector<float> alone = products(1);
    for (const int num_threads : {2, 3, 8}) CHECK(products(num_threads) == alone);
}

}  // namespace

int main() {
    every_size_is_exact();
    threads_leave_the_bits_as_they_are();
}
