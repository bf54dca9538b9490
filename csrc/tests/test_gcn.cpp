#include <cmath>
#include <cstddef>
#include <vector>

#include "check.hpp"
#include "graphopt/nn/adam.hpp"
#include "graphopt/nn/gcn.hpp"
#include "graphopt/support/random.hpp"

using namespace graphopt;

namespace {

template <class Real>
std::vector<Real> draw(std::size_t size, std::uint64_t seed) {
    SplitMix64 random(seed);
    std::vector<Real> values(size);
    for (Real& value : values) value = static_cast<Real>(random.uniform() - 0.5);
    return values;
}

// Row i > 0 holds columns i and i - 1, row 0 is empty; or the transpose of that.
template <class Real>
struct Chain {
    std::vector<EdgeOffset> indptr{0};
    std::vector<NodeId> indices;
    std::vector<Real> values;

    Chain(std::size_t n, bool transposed) {
        for (std::size_t row = 0; row < n; ++row) {
            if (row > 0) add(row);
            if (transposed && row + 1 < n) add(row + 1);
            if (!transposed && row > 0) add(row - 1);
            indptr.push_back(static_cast<EdgeOffset>(indices.size()));
        }
    }

    void add(std::size_t column) {
        indices.push_back(static_cast<NodeId>(column));
        values.push_back(Real{0.5});
    }

    SparseView<Real> view() const { return {indptr, indices, values}; }
};

// Exact sizes, so that a sanitizer sees a vector reaching over an end.
template <class Real>
void test_layers(std::size_t n, std::size_t h, std::size_t p) {
    const Chain<Real> matrix(n, false), transposed(n, true);
    const auto projected = draw<Real>(n * h, 1), bias = draw<Real>(h, 2);
    const auto weight = draw<Real>(h * p, 3), out_bias = draw<Real>(p, 4);
    const auto upstream = draw<Real>(n * p, 5);
    std::vector<Real> hidden(n * h), out(n * p);
    const GcnLayers<Real> layers{bias, weight, out_bias, 0.25, 9};
    gcn_layers(matrix.view(), layers, std::span<const Real>(projected), std::span<Real>(hidden),
               std::span<Real>(out), 2);

    std::vector<Real> by_projected(n * h), by_bias(h), by_weight(h * p), by_out_bias(p);
    gcn_layers_gradient(transposed.view(), layers, std::span<const Real>(hidden),
                        std::span<const Real>(upstream),
                        GcnGradients<Real>{by_projected, by_bias, by_weight, by_out_bias}, 2);

    // out is linear in the last weights and bias, so their gradients say what it is.
    double value = 0.0, predicted = 0.0;
    for (std::size_t i = 0; i < n * p; ++i) {
        value += static_cast<double>(out[i]) * static_cast<double>(upstream[i]);
    }
    for (std::size_t i = 0; i < h * p; ++i) {
        predicted += static_cast<double>(weight[i]) * static_cast<double>(by_weight[i]);
    }
    for (std::size_t i = 0; i < p; ++i) {
        predicted += static_cast<double>(out_bias[i]) * static_cast<double>(by_out_bias[i]);
    }
    CHECK(std::abs(value - predicted) < 1e-3 * (1.0 + std::abs(value)));
}

void test_adam() {
    for (const std::size_t n : {0U, 1U, 17U, 40000U}) {
        auto parameter = draw<float>(n, 1);
        const auto before = parameter, gradient = draw<float>(n, 2);
        std::vector<float> first(n), second(n);
        adam_step(parameter, gradient, first, second, AdamSettings{0.1, 0.0, 0.9, 0.999, 1e-8, 1},
                  2);
        for (std::size_t i = 0; i < n; ++i) {
            // The first step has the length of the learning rate, against the gradient.
            const float moved = parameter[i] - before[i];
            CHECK(std::abs(std::abs(moved) - 0.1F) < 1e-3F || std::abs(gradient[i]) < 1e-5F);
            CHECK(moved * gradient[i] <= 0.0F);
        }
    }
}

}  // namespace

int main() {
    for (const std::size_t n : {0U, 1U, 5U, 64U, 131U, 700U}) {
        for (const std::size_t h : {1U, 15U, 16U, 50U}) {
            for (const std::size_t p : {1U, 16U, 17U, 70U}) {
                test_layers<float>(n, h, p);
                test_layers<double>(n, h, p);
            }
        }
    }
    test_adam();
    return 0;
}
