// Soft k-means on the rows of a batch of graphs, and its vector-Jacobian products. No matrix of
// size Kp x Kp is formed except by `soft_kmeans_jacobian`. T is float or double.
//
// One update F of the centres mu of a graph with rows x_j:
//     r_jk = softmax_k(temperature * x_j . mu_k),  R_k = sum_j r_jk,  F_k = sum_j r_jk x_j / R_k.
// A centre with R_k = 0 (nothing is assigned to it, in T) keeps its value. An assignment below
// e^-80 (float) or e^-700 (double) of the row's largest counts as 0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "graphopt/clustering/gmres.hpp"

namespace graphopt {

// Preconditions: `offsets` starts at 0, never decreases and ends at the number of rows; `rows`
// holds that many rows of `width` values; width and n_clusters are positive; temperature is finite
// and not negative. Arrays over centres hold n_graphs x n_clusters x width values.
template <class T>
struct SoftKMeansProblem {
    std::span<const T> rows;
    std::span<const std::int64_t> offsets;
    std::size_t width;
    std::size_t n_clusters;
    T temperature;
    int num_threads;

    std::size_t n_graphs() const noexcept { return offsets.size() - 1; }
    std::size_t n_rows() const noexcept { return static_cast<std::size_t>(offsets.back()); }
    std::size_t centers_size() const noexcept { return n_graphs() * n_clusters * width; }
};

// `history` receives the last `kept` iterates before the result (kept <= iterations), oldest first,
// and `mass` the R of each: kept x n_graphs x n_clusters. `assignment`, n_rows x n_clusters, is at
// the resulting centres; an empty span skips that pass.
template <class T>
struct SoftKMeansOutput {
    std::span<T> centers;
    std::span<T> assignment;
    std::span<T> history;
    std::span<T> mass;
    std::size_t kept;
};

// Runs `iterations` updates from `start`; iterations + 1 passes over the rows, of which a copy is
// made. `normalize`: takes rows of unit length for those given, as `unit_rows` would write them.
template <class T>
void soft_kmeans(const SoftKMeansProblem<T>& problem, std::span<const T> start,
                 std::size_t iterations, bool normalize, const SoftKMeansOutput<T>& out);

// Where F is differentiated: at `centers`, with `image` = F(centers) and `mass` = R(centers).
// `assignment` at the same centres saves recomputing it; empty: it is recomputed.
template <class T>
struct SoftKMeansPoint {
    std::span<const T> centers;
    std::span<const T> image;
    std::span<const T> mass;
    std::span<const T> assignment;
};

// One pass: writes (dF/dmu)^T u to `to_centers` and adds (dF/dx)^T u to `to_rows`; an empty span
// skips that half. A centre of mass 0 counts as constant.
template <class T>
void soft_kmeans_step_vjp(const SoftKMeansProblem<T>& problem, const SoftKMeansPoint<T>& point,
                          std::span<const T> u, std::span<T> to_centers, std::span<T> to_rows);

// Gradients of sum(gradient * assignment) by the centres and the rows, both written.
template <class T>
void soft_kmeans_assignment_vjp(const SoftKMeansProblem<T>& problem, std::span<const T> centers,
                                std::span<const T> assignment, std::span<const T> gradient,
                                std::span<T> to_centers, std::span<T> to_rows);

// Solves (I - J^T) u = v with J = dF/dmu at the point, graph by graph, by GMRES; `reports` has one
// entry per graph. A centre of mass 0 counts as constant. `point.assignment` must be given.
template <class T>
void soft_kmeans_solve(const SoftKMeansProblem<T>& problem, const SoftKMeansPoint<T>& point,
                       std::span<const T> v, const GmresSettings& settings, std::span<T> u,
                       std::span<GmresReport> reports);

// Writes J = dF/dmu, (Kp) x (Kp), row-major, of the only graph of the problem; O(n K^2 p^2).
// `point.assignment` must be given; the rows of a centre of mass 0 are zero.
void soft_kmeans_jacobian(const SoftKMeansProblem<double>& problem,
                          const SoftKMeansPoint<double>& point, std::span<double> jacobian);

}  // namespace graphopt
