"""Soft k-means and its gradients on arrays that have been checked: what NumPy and torch share."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphopt._certificate import gradient_bound
from graphopt._native import _core
from graphopt._threads import one_blas_thread
from graphopt._validation import check_choice, check_integer, check_memory, check_number
from graphopt.errors import ConvergenceWarning

Array = NDArray[Any]

GRADIENTS = ("one-step", "implicit", "dense", "unrolled", "auto")

#: ``auto`` takes the one-step gradient where its certified relative error is at most this.
ONE_STEP_ERROR = 0.01

_MOST_CHUNKS = 128  # of the rows of a graph, which threads share
_WORTH_ASKING = 2**24  # bytes; to ask how many are available takes as long as a small clustering


@dataclass(frozen=True, slots=True)
class Problem:
    """Rows of a batch of graphs: x (N, p), offsets (B + 1,) int64; both C-contiguous."""

    x: Array
    offsets: NDArray[np.int64]
    temperature: float
    num_threads: int


@dataclass(frozen=True, slots=True)
class Trajectory:
    """What a run leaves: the result and the iterates a gradient will need.

    centers (B, K, p), assignment (N, K); the last iterates before the result, history
    (kept, B, K, p), and their R, mass (kept, B, K).
    """

    centers: Array
    assignment: Array
    history: Array
    mass: Array


@dataclass(frozen=True, slots=True)
class GradientSettings:
    """Which gradient, and how far its solver goes; checked when made."""

    method: str = "one-step"
    tolerance: float = 1e-6
    max_iterations: int = 200

    def __post_init__(self) -> None:
        check_choice("gradient", self.method, GRADIENTS)
        check_number("tolerance", self.tolerance, minimum=0.0, open_minimum=True)
        check_integer("max_solver_iterations", self.max_iterations, minimum=1)


@dataclass(frozen=True, slots=True)
class GradientReport:
    """How a gradient through soft k-means was found.

    Attributes
    ----------
    method : str
        The gradient used; for ``auto``, the one it chose.
    iterations : tuple of int
        Products with the Jacobian spent on each graph; empty where nothing was solved.
    residual : tuple of float
        ``|v - (I - J^T) u| / |v|`` of each graph's solution, measured; empty likewise.
    converged : bool
        Whether every residual met the tolerance.
    fixed_point_residual : float or None
        Largest ``|F(mu) - mu|`` of an entry where the equation was solved, which assumes 0.
    certified_error : float or None
        For ``auto``: the bound on the one-step gradient's relative error it decided by.
    """

    method: str
    iterations: tuple[int, ...] = ()
    residual: tuple[float, ...] = ()
    converged: bool = True
    fixed_point_residual: float | None = None
    certified_error: float | None = None


def check_temperature(temperature: float, dtype: np.dtype[Any]) -> float:
    """Return the temperature if it is a number at least 0 that `dtype` can hold."""
    number = check_number("temperature", temperature, minimum=0.0)
    if number > float(np.finfo(dtype).max):
        raise ValueError(f"temperature must be finite in {dtype}, not {number:g}")
    return number


def iterates_kept(method: str, iterations: int) -> int:
    """Return how many of the last iterates the gradient will need."""
    if method == "unrolled":
        return iterations
    return min(1, iterations) if method in ("one-step", "auto") else 0


def run(
    problem: Problem, start: Array, iterations: int, kept: int = 0, *, normalize: bool = False
) -> Trajectory:
    """Run `iterations` updates from `start`, (B, K, p); keep the last `kept` iterates.

    `normalize`: with rows scaled to unit length, which are not written anywhere.
    """
    _check_size(problem, start, kept)
    return Trajectory(
        *_core.soft_kmeans(
            problem.x,
            problem.offsets,
            start,
            problem.temperature,
            iterations,
            kept,
            True,
            normalize,
            problem.num_threads,
        )
    )


def _check_size(problem: Problem, start: Array, kept: int) -> None:
    _, n_clusters, width = start.shape
    n_rows, threads = len(problem.x), min(problem.num_threads, _MOST_CHUNKS)
    n_values = n_rows * n_clusters + (kept + 1) * start.size
    # The kernel's own: rows and centres, with sums of them for each thread, and panels of rows.
    n_values += (width + 8) * (n_rows + n_clusters * (6 + 2 * threads)) + 32 * n_clusters * threads
    n_bytes = start.itemsize * n_values
    if n_bytes > _WORTH_ASKING:
        check_memory(
            f"the assignment of {len(problem.x):,} rows to {n_clusters:,} centres "
            f"and {kept:,} earlier sets of centres",
            n_bytes,
            "use fewer clusters, float32, a part of the graphs at a time or, "
            'where gradient="unrolled" keeps every iterate, another gradient',
        )


def update(problem: Problem, centers: Array) -> tuple[Array, Array]:
    """Return F(centers), (B, K, p), and R(centers), (B, K)."""
    image, _, _, mass = _core.soft_kmeans(
        problem.x,
        problem.offsets,
        centers,
        problem.temperature,
        1,
        1,
        False,
        False,
        problem.num_threads,
    )
    return image, mass[0]


def vjp(
    problem: Problem,
    trajectory: Trajectory,
    iterations: int,
    grad_centers: Array,
    grad_assignment: Array,
    settings: GradientSettings,
) -> tuple[Array, Array, GradientReport]:
    """Return the gradients by x, (N, p), and by the start, (B, K, p), and how they were found.

    `grad_centers` and `grad_assignment` are the gradients by the result of :func:`run`, which was
    called with ``iterates_kept(settings.method, iterations)``.
    """
    grad_x, v = _core.soft_kmeans_assignment_vjp(
        problem.x,
        problem.offsets,
        trajectory.centers,
        trajectory.assignment,
        grad_assignment,
        problem.temperature,
        problem.num_threads,
    )
    v += grad_centers
    method, error = settings.method, None
    if method == "auto":
        error = _certified_error(problem, trajectory)
        method = "one-step" if error <= ONE_STEP_ERROR else "implicit"
    if iterations == 0:
        return grad_x, v, GradientReport(method, certified_error=error)
    if method in ("one-step", "unrolled"):
        grad_start = _replay(problem, trajectory, v, grad_x)
        if method == "one-step":
            grad_start = np.zeros_like(v)
        return grad_x, grad_start, GradientReport(method, certified_error=error)
    image, mass = update(problem, trajectory.centers)
    if method == "dense":
        u = _solve_dense(problem, trajectory.centers, v)
        report = GradientReport(method, fixed_point_residual=_gap(image, trajectory.centers))
    else:
        u, report = _solve_implicit(problem, trajectory, image, mass, v, settings, error)
    _core.soft_kmeans_step_vjp(
        problem.x,
        problem.offsets,
        trajectory.centers,
        image,
        mass,
        trajectory.assignment,
        u,
        problem.temperature,
        grad_x,
        problem.num_threads,
    )
    return grad_x, np.zeros_like(v), report


def _replay(problem: Problem, trajectory: Trajectory, v: Array, grad_x: Array) -> Array:
    """Go back through the kept iterates; add to `grad_x`, return the gradient by the oldest."""
    u, image = v, trajectory.centers
    for centers, mass in zip(trajectory.history[::-1], trajectory.mass[::-1], strict=True):
        pulled = _core.soft_kmeans_step_vjp(
            problem.x,
            problem.offsets,
            centers,
            image,
            mass,
            None,
            u,
            problem.temperature,
            grad_x,
            problem.num_threads,
        )
        # An empty cluster's centre was handed on as it was, and so is its gradient.
        pulled += np.where(mass[:, :, None] == 0, u, 0)
        u, image = pulled, centers
    return u


def _solve_implicit(
    problem: Problem,
    trajectory: Trajectory,
    image: Array,
    mass: Array,
    v: Array,
    settings: GradientSettings,
    certified_error: float | None,
) -> tuple[Array, GradientReport]:
    u, rows = _core.soft_kmeans_solve(
        problem.x,
        problem.offsets,
        trajectory.centers,
        image,
        mass,
        trajectory.assignment,
        v,
        problem.temperature,
        settings.tolerance,
        settings.max_iterations,
        problem.num_threads,
    )
    report = GradientReport(
        "implicit",
        tuple(row[0] for row in rows),
        tuple(row[1] for row in rows),
        all(row[2] for row in rows),
        _gap(image, trajectory.centers),
        certified_error,
    )
    if not report.converged:
        failed = sum(not row[2] for row in rows)
        warnings.warn(
            f"the implicit gradient of {failed} of {len(rows)} graphs did not reach the tolerance "
            f"{settings.tolerance:g}: largest residual {max(report.residual):.2g} after at most "
            f"{max(report.iterations)} of {settings.max_iterations} iterations",
            ConvergenceWarning,
            stacklevel=3,
        )
    return u, report


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
            problem.x[begin:end], centers[graph], problem.temperature, problem.num_threads
        )
        with one_blas_thread():
            solution = np.linalg.solve(
                np.eye(size) - jacobian.T, v[graph].reshape(size).astype(float)
            )
        u[graph] = solution.reshape(n_clusters, width)
    return u


def centers_jacobian(x: Array, centers: Array, temperature: float, num_threads: int) -> Array:
    """Return dF/dmu of one graph in float64, (Kp, Kp); x (n, p), centers (K, p)."""
    rows = np.ascontiguousarray(x, dtype=np.float64)
    at = np.ascontiguousarray(centers[None], dtype=np.float64)
    one = Problem(rows, np.array([0, len(rows)], np.int64), temperature, num_threads)
    image, mass = update(one, at)
    assignment = run(one, at, 0).assignment
    return _core.soft_kmeans_jacobian(rows, at, image, mass, assignment, temperature, num_threads)


def _certified_error(problem: Problem, trajectory: Trajectory) -> float:
    """Return the largest bound on the one-step gradient's relative error over the graphs."""
    worst = 0.0
    for begin, end in pairwise(problem.offsets):
        bound = gradient_bound(
            problem.x[begin:end],
            trajectory.assignment[begin:end],
            problem.temperature,
        )
        worst = max(worst, bound / (1.0 - bound) if bound < 1.0 else np.inf)
    return worst


def _gap(image: Array, centers: Array) -> float:
    return float(np.abs(image - centers).max(initial=0.0))
