// A two-layer graph convolution after the product of features and first weights, in one call:
//     hidden = dropout(relu(A projected + hidden_bias)),  out = A hidden out_weight + out_bias,
// and its gradient. What lies between the steps stays in cache.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "graphopt/support/sparse.hpp"

namespace graphopt {

// All matrices are row-major; h and p are the sizes of the biases. A is square. Real is float or
// double.
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
template <class Real>
void gcn_layers(const SparseView<Real>& adjacency, const GcnLayers<Real>& layers,
                std::span<const Real> projected, std::span<Real> hidden, std::span<Real> out,
                int num_threads);

// The gradient by everything but A, for the gradient `upstream` (n x p) by `out`; `transposed` is
// A's transpose. Sums over nodes are taken within blocks whose bounds depend on n only.
template <class Real>
void gcn_layers_gradient(const SparseView<Real>& transposed, const GcnLayers<Real>& layers,
                         std::span<const Real> hidden, std::span<const Real> upstream,
                         const GcnGradients<Real>& gradients, int num_threads);

}  // namespace graphopt
