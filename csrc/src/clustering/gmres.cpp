#include "graphopt/clustering/gmres.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "graphopt/support/parallel.hpp"
#include "graphopt/support/vector_math.hpp"

namespace graphopt {
namespace {

GRAPHOPT_PER_ISA(double inner(const double* a, const double* b, std::size_t size),
                 return dot<Simd<double, vector_bytes>>(a, b, size))

double norm(std::span<const double> a) { return std::sqrt(inner(a.data(), a.data(), a.size())); }

void add_scaled(double scale, const double* a, std::span<double> to) {
    for (std::size_t i = 0; i < to.size(); ++i) to[i] += scale * a[i];
}

// The plane rotation that sends (a, b) to (hypot(a, b), 0).
struct Rotation {
    double cosine = 1.0;
    double sine = 0.0;

    Rotation() = default;
    Rotation(double a, double b) {
        const double length = std::hypot(a, b);
        if (length == 0.0) return;
        cosine = a / length;
        sine = b / length;
    }
    void apply(double& a, double& b) const {
        const double turned = cosine * a + sine * b;
        b = cosine * b - sine * a;
        a = turned;
    }
};

// Orthonormal basis of a Krylov space, and the operator on it as an upper triangle `columns`
// (after rotations) with right-hand side `target`.
class Cycle {
  public:
    Cycle(const LinearOperator& apply, std::size_t size) : apply_(apply), size_(size) {}

    // Minimises |residual - A d| over the space grown until `goal` or `steps`; adds d to x.
    std::size_t run(std::span<const double> residual, double goal, std::size_t steps,
                    std::span<double> x) {
        columns_.clear();
        rotations_.clear();
        const double length = norm(residual);
        target_.assign(1, length);
        std::span<double> first = vector(0);
        for (std::size_t i = 0; i < size_; ++i) first[i] = residual[i] / length;
        std::size_t step = 0;
        while (step < steps) {
            const bool grew = extend(step);
            ++step;
            if (!grew || std::abs(target_.back()) <= goal) break;
        }
        add_solution(x);
        return step;
    }

  private:
    // Memory is taken as the space grows and kept for the next run.
    std::span<double> vector(std::size_t i) {
        if (i == basis_.size()) basis_.emplace_back(size_);
        return basis_[i];
    }

    // False when the space holds the solution already.
    bool extend(std::size_t step) {
        const std::span<double> next = vector(step + 1);
        apply_(vector(step), next);
        const double before = norm(next);
        std::vector<double> column(step + 2, 0.0);
        // Modified Gram-Schmidt, twice: the second pass removes what rounding left.
        for (int pass = 0; pass < 2; ++pass) {
            for (std::size_t i = 0; i <= step; ++i) {
                const double part = inner(vector(i).data(), next.data(), size_);
                column[i] += part;
                add_scaled(-part, vector(i).data(), next);
                count_work(size_);
            }
        }
        const double length = norm(next);
        const bool grew = length > 1e-14 * before;
        if (grew) {
            for (double& value : next) value /= length;
            column[step + 1] = length;
        }
        for (std::size_t i = 0; i < step; ++i) rotations_[i].apply(column[i], column[i + 1]);
        rotations_.emplace_back(column[step], column[step + 1]);
        rotations_.back().apply(column[step], column[step + 1]);
        target_.push_back(0.0);
        rotations_.back().apply(target_[step], target_[step + 1]);
        columns_.push_back(std::move(column));
        return grew;
    }

    void add_solution(std::span<double> x) {
        std::vector<double> weights(target_.begin(), target_.end() - 1);
        for (std::size_t i = weights.size(); i-- > 0;) {
            for (std::size_t j = i + 1; j < weights.size(); ++j) {
                weights[i] -= columns_[j][i] * weights[j];
            }
            // A zero pivot: A is singular on this space; that direction is left out.
            weights[i] = columns_[i][i] == 0.0 ? 0.0 : weights[i] / columns_[i][i];
        }
        for (std::size_t i = 0; i < weights.size(); ++i) {
            add_scaled(weights[i], vector(i).data(), x);
        }
    }

    const LinearOperator& apply_;
    std::size_t size_;
    std::vector<std::vector<double>> basis_;
    std::vector<std::vector<double>> columns_;
    std::vector<Rotation> rotations_;
    std::vector<double> target_;
};

std::size_t vectors_kept(const GmresSettings& settings, std::size_t size) {
    if (settings.restart > 0) return settings.restart;
    return std::max<std::size_t>(30, (std::size_t{64} << 20) / (sizeof(double) * size));
}

}  // namespace

GmresReport gmres(const LinearOperator& apply, std::span<const double> b,
                  const GmresSettings& settings, std::span<double> x) {
    std::fill(x.begin(), x.end(), 0.0);
    const double scale = norm(b);
    if (scale == 0.0) return {0, 0.0, true};
    GmresReport report{0, 1.0, settings.tolerance >= 1.0};
    if (!std::isfinite(scale)) {
        std::copy(b.begin(), b.end(), x.begin());  // what is not a number stays visible
        report.residual = scale;
        return report;
    }
    const double goal = settings.tolerance * scale;
    const std::size_t capacity = std::min(vectors_kept(settings, b.size()), b.size());
    Cycle cycle(apply, b.size());
    std::vector<double> residual(b.begin(), b.end());
    std::vector<double> candidate(b.size(), 0.0);
    while (!report.converged && report.iterations < settings.max_iterations) {
        const std::size_t steps = std::min(capacity, settings.max_iterations - report.iterations);
        report.iterations += cycle.run(residual, goal, steps, candidate);
        apply(candidate, residual);
        for (std::size_t i = 0; i < b.size(); ++i) residual[i] = b[i] - residual[i];
        const double reached = norm(residual) / scale;
        if (!(reached < report.residual)) break;
        const bool stalled = reached > 0.9 * report.residual;
        report.residual = reached;
        std::copy(candidate.begin(), candidate.end(), x.begin());
        report.converged = reached <= settings.tolerance;
        if (stalled) break;
    }
    return report;
}

}  // namespace graphopt
