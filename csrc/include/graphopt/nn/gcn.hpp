// A two-layer graph convolution after the product of features and first weights, in one call:
//     hidden = dropout(relu(A projected + hidden_bias)),  out = A hidden out_weight + out_bias,
// and its gradient. What lies between the steps stays in cache.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "graphopt/nn/spmm.hpp"

namespace graphopt {

// All matrices are row-major; h and p are the sizes of the biases. A is square.
template <class Real>
struct GcnLayers {
    std::span<const Real> hidden_bias;  // h
    std::span<const Real> out_weight;   // h x p
    std::span<const Real> out_bias;     // p
    double dropout;                     // in [0, 1); the mask is that of dropout.hpp
    std::uint64_t seed;
};

template <class Real>
struct GcnGradients {
    std::span<Real> projected;    // n x h
    std::span<Real> hidden_bias;  // h
    std::span<Real> out_weight;   // h x p
    std::span<Real> out_bias;     // p
};

// projected and hidden: n x h; out: n x p. `hidden` is what the gradient needs.
void gcn_layers(const SparseView<float>& adjacency, const GcnLayers<float>& layers,
                std::span<const float> projected, std::span<float> hidden, std::span<float> out,
                int num_threads);
void gcn_layers(const SparseView<double>& adjacency, const GcnLayers<double>& layers,
                std::span<const double> projected, std::span<double> hidden, std::span<double> out,
                int num_threads);

// The gradient by everything but A, for the gradient `upstream` (n x p) by `out`; `transposed` is
// A's transpose. Sums over nodes are taken within blocks whose bounds depend on n only.
void gcn_layers_gradient(const SparseView<float>& transposed, const GcnLayers<float>& layers,
                         std::span<const float> hidden, std::span<const float> upstream,
                         const GcnGradients<float>& gradients, int num_threads);
void gcn_layers_gradient(const SparseView<double>& transposed, const GcnLayers<double>& layers,
                         std::span<const double> hidden, std::span<const double> upstream,
                         const GcnGradients<double>& gradients, int num_threads);

}  // namespace graphopt
