"""Gradients of soft k-means on arrays that have been checked: what NumPy and torch share."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from graphopt._native import _core
from graphopt._threads import one_blas_thread
from graphopt._validation import check_memory
from graphopt.clustering._certificate import gradient_bound
from graphopt.clustering.engine import Array, Problem, Trajectory, centers_jacobian, update
from graphopt.clustering.settings import Gradient
from graphopt.errors import ConvergenceWarning

#: ``auto`` takes the one-step gradient if its certified relative error is at most this.
ONE_STEP_ERROR = 0.01


@dataclass(frozen=True, slots=True)
class GradientReport:
    """How a gradient through soft k-means was found.

    Attributes
    ----------
    method : str
        The gradient used; for ``auto``, the one it chose.
    iterations : tuple of int
        Products with the Jacobian spent on each graph; empty if nothing was solved.
    residual : tuple of float
        ``|v - (I - J^T) u| / |v|`` of each graph's solution, measured; empty if nothing was solved.
    converged : bool
        Whether every residual met the tolerance.
    fixed_point_residual : float or None
        Largest ``|F(mu) - mu|`` of an entry, if the equation was solved, which assumes 0.
    certified_error : float or None
        For ``auto``: the bound on the one-step gradient's relative error it decided by.
    """

    method: Gradient
    iterations: tuple[int, ...] = ()
    residual: tuple[float, ...] = ()
    converged: bool = True
    fixed_point_residual: float | None = None
    certified_error: float | None = None


def vjp(
    problem: Problem, trajectory: Trajectory, grad_centers: Array, grad_assignment: Array
) -> tuple[Array, Array, GradientReport]:
    """Return the gradients of a loss and how they were found.

    Parameters
    ----------
    problem : Problem
        With rows that need no scaling.
    trajectory : Trajectory
        What :func:`run` returned, with ``problem.settings.iterates_kept`` iterates kept.
    grad_centers, grad_assignment : array, shapes (B, K, p) and (N, K)
        Gradients with respect to the result of the run.

    Returns
    -------
    grad_x : array, shape (N, p)
    grad_start : array, shape (B, K, p)
    report : GradientReport
    """
    x, offsets, settings, num_threads = problem
    centers, assignment = trajectory.centers, trajectory.assignment
    grad_x, v = _core.soft_kmeans_assignment_vjp(
        x, offsets, centers, assignment, grad_assignment, settings.temperature, num_threads
    )
    v += grad_centers
    method, error = settings.gradient, None
    if method == "auto":
        error = _certified_error(problem, trajectory)
        method = "one-step" if error <= ONE_STEP_ERROR else "implicit"
    if settings.iterations == 0:
        return grad_x, v, GradientReport(method, certified_error=error)
    if method in ("one-step", "unrolled"):
        grad_start = _replay(problem, trajectory, v, grad_x)
        if method == "one-step":
            grad_start = np.zeros_like(v)
        return grad_x, grad_start, GradientReport(method, certified_error=error)
    image, mass = update(problem, centers)
    gap = float(np.abs(image - centers).max(initial=0.0))
    if method == "dense":
        u, report = _solve_dense(problem, centers, v), GradientReport(method)
    else:
        u, report = _solve_implicit(problem, trajectory, image, mass, v)
    _step_vjp(problem, centers, image, mass, assignment, u, grad_x)
    report = replace(report, fixed_point_residual=gap, certified_error=error)
    return grad_x, np.zeros_like(v), report


def _step_vjp(
    problem: Problem,
    centers: Array,
    image: Array,
    mass: Array,
    assignment: Array | None,
    u: Array,
    grad_x: Array,
) -> Array:
    """Pull `u` back through the update at `centers`: add to `grad_x`, return what reaches them."""
    x, offsets, settings, num_threads = problem
    return _core.soft_kmeans_step_vjp(
        x, offsets, centers, image, mass, assignment, u, settings.temperature, grad_x, num_threads
    )


def _replay(problem: Problem, trajectory: Trajectory, v: Array, grad_x: Array) -> Array:
    """Go back through the kept iterates: add to `grad_x`, return the gradient for the oldest."""
    u, image = v, trajectory.centers
    for centers, mass in zip(trajectory.history[::-1], trajectory.mass[::-1], strict=True):
        pulled = _step_vjp(problem, centers, image, mass, None, u, grad_x)
        # The centre of an empty cluster was passed on as it was, and so is its gradient.
        pulled += np.where(mass[:, :, None] == 0, u, 0)
        u, image = pulled, centers
    return u


def _solve_implicit(
    problem: Problem, trajectory: Trajectory, image: Array, mass: Array, v: Array
) -> tuple[Array, GradientReport]:
    """Solve (I - J^T) u = v by GMRES; warn if that stops short of the tolerance."""
    x, offsets, settings, num_threads = problem
    u, solved = _core.soft_kmeans_solve(
        x,
        offsets,
        trajectory.centers,
        image,
        mass,
        trajectory.assignment,
        v,
        settings.temperature,
        settings.tolerance,
        settings.max_solver_iterations,
        num_threads,
    )
    iterations = tuple(row[0] for row in solved)
    residual = tuple(row[1] for row in solved)
    failed = sum(not row[2] for row in solved)
    if failed:
        warnings.warn(
            f"the implicit gradient of {failed} of {len(solved)} graphs did not reach the "
            f"tolerance {settings.tolerance:g}: largest residual {max(residual):.2g} after at most "
            f"{max(iterations)} of {settings.max_solver_iterations} iterations",
            ConvergenceWarning,
            stacklevel=3,
        )
    return u, GradientReport("implicit", iterations, residual, converged=not failed)


def _solve_dense(problem: Problem, centers: Array, v: Array) -> Array:
    """Solve (I - J^T) u = v by LU, in float64, one graph after another."""
    _, n_clusters, width = centers.shape
    size = n_clusters * width
    check_memory(
        f"the dense Jacobian of {n_clusters} centres of width {width}",
        3 * 8 * size * size,
        'use gradient="implicit"',
    )
    u = np.empty_like(v)
    for graph, (begin, end) in enumerate(pairwise(problem.offsets)):
        jacobian = centers_jacobian(
            problem.x[begin:end], centers[graph], problem.settings.temperature, problem.num_threads
        )
        with one_blas_thread():
            solution = np.linalg.solve(
                np.eye(size) - jacobian.T, v[graph].reshape(size).astype(float)
            )
        u[graph] = solution.reshape(n_clusters, width)
    return u


def _certified_error(problem: Problem, trajectory: Trajectory) -> float:
    """Return the largest bound on the one-step gradient's relative error over the graphs."""
    worst = 0.0
    for begin, end in pairwise(problem.offsets):
        rows = slice(begin, end)
        bound = gradient_bound(
            problem.x[rows], trajectory.assignment[rows], problem.settings.temperature
        )
        worst = max(worst, bound / (1.0 - bound) if bound < 1.0 else np.inf)
    return worst
