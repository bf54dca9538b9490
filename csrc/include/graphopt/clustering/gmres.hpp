// GMRES for operators that are only known by their products.
#pragma once

#include <cstddef>
#include <functional>
#include <span>

namespace graphopt {

struct GmresSettings {
    double tolerance;            // on |b - A x| / |b|
    std::size_t max_iterations;  // products with A, without those that measure the residual
    std::size_t restart = 0;     // vectors kept; 0: as many as fit in 64 MB, at least 30
};

struct GmresReport {
    std::size_t iterations = 0;
    double residual = 0.0;  // |b - A x| / |b|, measured on the x returned
    bool converged = false;
};

// Writes A times its first argument to its second.
using LinearOperator = std::function<void(std::span<const double>, std::span<double>)>;

// Solves A x = b from x = 0. Stops at the tolerance, at max_iterations, or where a restart no
// longer lowers the residual (the products' own rounding is reached). Returns the best x found.
GmresReport gmres(const LinearOperator& apply, std::span<const double> b,
                  const GmresSettings& settings, std::span<double> x);

}  // namespace graphopt
