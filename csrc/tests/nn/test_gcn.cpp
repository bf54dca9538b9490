#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <vector>

#include "graphopt/nn/gcn.hpp"
#include "nn/draw.hpp"

using namespace graphopt;

namespace {

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
void gradients_agree_with_values(std::size_t n, std::size_t h, std::size_t p) {
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
    EXPECT_LT(std::abs(value - predicted), 1e-3 * (1.0 + std::abs(value)));
}

TEST(Gcn, GradientsAgreeWithValues) {
    for (const std::size_t n : {0U, 1U, 5U, 64U, 131U, 700U}) {
        for (const std::size_t h : {1U, 15U, 16U, 50U}) {
            for (const std::size_t p : {1U, 16U, 17U, 70U}) {
                gradients_agree_with_values<float>(n, h, p);
                gradients_agree_with_values<double>(n, h, p);
            }
        }
    }
}

}  // namespace
