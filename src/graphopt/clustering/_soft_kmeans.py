"""Soft k-means, its gradient and its residual on NumPy arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from graphopt._native import _core
from graphopt._threads import resolve_num_threads
from graphopt._validation import FloatArray, as_array, check_float_array, check_same_dtype
from graphopt.clustering import engine
from graphopt.clustering._start import check_rows
from graphopt.clustering.gradients import GradientReport, vjp
from graphopt.clustering.settings import Gradient, SoftKMeansSettings


@dataclass(frozen=True, slots=True)
class SoftKMeansResult:
    """Centres and soft assignment.

    Attributes
    ----------
    centers : array, shape (n_clusters, p) or (n_graphs, n_clusters, p), that of the start
        Weighted means of rows; no longer than the longest row.
    assignment : array, shape (n_rows, n_clusters)
        Each row sums to 1.
    """

    centers: FloatArray
    assignment: FloatArray


@dataclass(frozen=True, slots=True)
class SoftKMeansGradient:
    """Gradients with respect to the arguments of :func:`soft_kmeans`, in their shapes.

    Attributes
    ----------
    x, centers : array
        `centers` is zero except for ``unrolled`` and for 0 iterations: the other gradients treat
        the result as a fixed point, which does not depend on where the iteration started.
    report : GradientReport
        The method used and, where an equation was solved, how well.
    """

    x: FloatArray
    centers: FloatArray
    report: GradientReport


def soft_kmeans(
    x: ArrayLike,
    centers: ArrayLike,
    *,
    temperature: float,
    iterations: int,
    offsets: ArrayLike | None = None,
    normalize: bool = True,
    num_threads: int | None = None,
) -> SoftKMeansResult:
    """Cluster rows softly by cosine similarity, graph by graph.

    Each iteration assigns ``r_jk = softmax_k(temperature * x_j . mu_k)`` and moves every centre to
    the mean of the rows weighted by its column of r. The assignment returned is at the centres
    returned.

    Parameters
    ----------
    x : array of float, shape (n_rows, p)
        One row per node; the rows of all graphs of a batch, one graph after another.
    centers : array of float, shape (n_clusters, p) or (n_graphs, n_clusters, p)
        Where the iteration starts, for example :func:`kmeans_plus_plus`; in the dtype of x.
    temperature : float
        At least 0. Larger is harder; 0 assigns every row evenly.
    iterations : int
        At least 0.
    offsets : array of int, shape (n_graphs + 1,), optional
        Row boundaries: graph g owns rows ``offsets[g]`` to ``offsets[g + 1]``. Default: one graph.
        :func:`stack_rows` makes x and offsets from a list.
    normalize : bool
        Scale rows to unit length first, however long or short they are; rows of zeros stay zero.
        False: x is used as it is.
    num_threads : int, optional
        The result is the same bits at any number.

    Returns
    -------
    SoftKMeansResult

    Raises
    ------
    ValueError
        For NaN or infinity, shapes that do not fit, or a setting out of range; if `temperature`
        times the product of a row and a centre is too large for the dtype.
    TypeError
        If x and centers differ in dtype.
    graphopt.errors.MemoryLimitError
        If the assignment does not fit in memory.

    Notes
    -----
    O(n_rows * n_clusters * p) for each iteration and once more. float32 and float64 are kept. A
    centre to which no row is assigned keeps its value; an assignment below e^-80 (float32) or
    e^-700 (float64) times the largest of its row counts as 0. There may be more clusters than rows.
    Wilder et al., NeurIPS 2019, section 4 (forward pass).

    Examples
    --------
    >>> x = np.array([[1.0, 0.1], [1.0, -0.1], [0.1, 1.0], [-0.1, 1.0]])
    >>> result = soft_kmeans(x, x[[0, 2]], temperature=10, iterations=5)
    >>> result.centers.round(1)
    array([[1., 0.],
           [0., 1.]])
    >>> result.assignment.argmax(axis=1)
    array([0, 0, 1, 1])
    """
    settings = SoftKMeansSettings(temperature, iterations, normalize=normalize)
    # Looking through x for NaN takes as long as an iteration, after which the centres hold them.
    look_first = settings.iterations == 0
    problem, start = _problem(x, centers, settings, offsets, num_threads, finite=look_first)
    centers_found, assignment, _, _ = engine.run(problem, start)
    _check_finite(centers_found, assignment, x)
    return SoftKMeansResult(centers_found.reshape(np.shape(centers)), assignment)


def soft_kmeans_vjp(
    x: ArrayLike,
    centers: ArrayLike,
    *,
    temperature: float,
    iterations: int,
    grad_centers: ArrayLike | None = None,
    grad_assignment: ArrayLike | None = None,
    gradient: Gradient = "one-step",
    offsets: ArrayLike | None = None,
    normalize: bool = True,
    tolerance: float = 1e-6,
    max_solver_iterations: int = 200,
    num_threads: int | None = None,
) -> SoftKMeansGradient:
    """Return the gradient of a loss through :func:`soft_kmeans`.

    Parameters
    ----------
    x, centers, temperature, iterations, offsets, normalize, num_threads
        As for :func:`soft_kmeans`, which is run again.
    grad_centers : array, shape of the centres returned, optional
        Gradient of the loss with respect to them. Default: 0.
    grad_assignment : array, shape (n_rows, n_clusters), optional
        Gradient of the loss with respect to the assignment. Default: 0.
    gradient : {"one-step", "implicit", "dense", "unrolled", "auto"}
        How the centres' dependence on x is differentiated; the assignment's own is exact.

        - ``one-step``: through the last update alone (the paper's choice);
        - ``implicit``: at the fixed point ``mu = F(mu)``: solves ``(I - J^T) u = v`` with
          ``J = dF/dmu`` by GMRES, one pass over x per product, no matrix;
        - ``dense``: the same with J formed and factorised in float64;
        - ``unrolled``: through every iteration, and with respect to the start too;
        - ``auto``: ``one-step`` if its relative error is certified to be at most 1 %
          (:func:`gradient_certificate`) for every graph, else ``implicit``.
    tolerance : float
        Relative residual at which the implicit solver stops.
    max_solver_iterations : int
        Products with J that the implicit solver may spend on a graph.

    Returns
    -------
    SoftKMeansGradient

    Raises
    ------
    ValueError, TypeError
        As :func:`soft_kmeans`, for gradients of the wrong shape, and if rows are so short that the
        gradient with respect to them is too large for the dtype.
    graphopt.errors.MemoryLimitError
        If the matrix of ``dense`` or the centres that ``unrolled`` keeps do not fit in memory.

    Warns
    -----
    graphopt.errors.ConvergenceWarning
        If the implicit solver stops short of the tolerance.

    Notes
    -----
    ``implicit`` and ``dense`` hold the centre of an empty cluster constant, which would otherwise
    make the equation singular; ``one-step`` and ``unrolled`` pass its gradient on to its last
    value.

    Examples
    --------
    >>> x = np.array([[1.0, 0.1], [1.0, -0.1], [0.1, 1.0], [-0.1, 1.0]])
    >>> found = soft_kmeans_vjp(
    ...     x, x[[0, 2]], temperature=10, iterations=20,
    ...     grad_centers=np.ones((2, 2)), gradient="implicit",
    ... )
    >>> found.x.shape, found.report.converged
    ((4, 2), True)
    """
    settings = SoftKMeansSettings(
        temperature, iterations, gradient, tolerance, max_solver_iterations, normalize
    )
    problem, start = _problem(x, centers, settings, offsets, num_threads)
    lengths = None
    if settings.normalize:
        problem, lengths = engine.scaled(problem)
    trajectory = engine.run(problem, start, settings.iterates_kept)
    _check_finite(trajectory.centers, trajectory.assignment, x)
    shape = np.shape(centers)
    grad_x, grad_start, report = vjp(
        problem,
        trajectory,
        _gradient_like("grad_centers", grad_centers, trajectory.centers, shape),
        _gradient_like("grad_assignment", grad_assignment, trajectory.assignment),
    )
    if lengths is not None:
        grad_x = _core.unit_rows_vjp(problem.x, lengths, grad_x, problem.num_threads)
    if not _core.all_finite(grad_x):
        raise ValueError(
            "x must have longer rows: the gradient with respect to them is too large for "
            f"{grad_x.dtype}"
        )
    return SoftKMeansGradient(grad_x, grad_start.reshape(shape), report)


def fixed_point_residual(
    x: ArrayLike,
    centers: ArrayLike,
    *,
    temperature: float,
    offsets: ArrayLike | None = None,
    normalize: bool = True,
    num_threads: int | None = None,
) -> NDArray[np.float64]:
    """Return how far one more update would move the centres of each graph.

    Parameters
    ----------
    x, centers, temperature, offsets, normalize, num_threads
        As for :func:`soft_kmeans`.

    Returns
    -------
    array of float64, shape (n_graphs,)
        Largest absolute change of an entry of a centre. ``implicit`` and ``dense`` gradients are
        those of the fixed point: exact as far as this is 0.

    Examples
    --------
    >>> x = np.eye(3)
    >>> fixed_point_residual(x, np.full((1, 3), 1 / 3), temperature=5.0)
    array([0.])
    """
    settings = SoftKMeansSettings(temperature, 1, normalize=normalize)
    problem, start = _problem(x, centers, settings, offsets, num_threads)
    image, _ = engine.update(problem, start)
    gap: NDArray[np.float64] = np.abs(image - start).max(axis=(1, 2)).astype(np.float64)
    return gap


# --- what came in ---------------------------------------------------------------------------------


def _problem(
    x: ArrayLike,
    centers: ArrayLike,
    settings: SoftKMeansSettings,
    offsets: ArrayLike | None,
    num_threads: int | None,
    *,
    finite: bool = True,
) -> tuple[engine.Problem, Any]:
    """Return the checked problem and the centres as (B, K, p)."""
    rows = check_rows(x, finite=finite)
    given = as_array("centers", centers)
    start: Any = check_float_array("centers", given, ndim=3 if given.ndim == 3 else 2)
    check_same_dtype("centers", start, "x", rows)
    if start.ndim == 2:
        start = start[None]
    bounds = _check_offsets(offsets, len(rows))
    if start.shape[0] != len(bounds) - 1:
        raise ValueError(
            f"centers must hold one set for each of {len(bounds) - 1} graphs, not {start.shape[0]}"
        )
    if start.shape[1] == 0:
        raise ValueError("centers must have at least one row")
    if start.shape[2] != rows.shape[1]:
        raise ValueError(
            f"centers must have {rows.shape[1]} columns, as x has, not {start.shape[2]}"
        )
    settings.check_dtype(rows.dtype)
    return engine.Problem(rows, bounds, settings, resolve_num_threads(num_threads)), start


def _check_finite(centers: Any, assignment: Any, x: ArrayLike) -> None:
    """Raise ValueError where NaN or infinity came in, or a similarity is too large."""
    if _core.all_finite(centers) and _core.all_finite(assignment):
        return
    check_float_array("x", x, ndim=2)
    raise ValueError(
        "x, centers or temperature must be smaller: temperature times the products of rows and "
        f"centers is too large for {centers.dtype}"
    )


def _check_offsets(offsets: ArrayLike | None, n_rows: int) -> NDArray[np.int64]:
    if offsets is None:
        return np.array([0, n_rows], np.int64)
    array = as_array("offsets", offsets)
    if array.ndim != 1 or array.size == 0:
        raise ValueError(f"offsets must be 1D and hold at least one number, not {array.shape}")
    if array.dtype.kind not in "iu":
        raise TypeError(f"offsets must hold integers, not {array.dtype}")
    if array[0] != 0 or array[-1] != n_rows or (np.diff(array.astype(np.int64)) < 0).any():
        raise ValueError(
            f"offsets must start at 0, never decrease and end at the {n_rows} rows of x"
        )
    return np.ascontiguousarray(array, dtype=np.int64)


def _gradient_like(
    name: str, gradient: ArrayLike | None, result: Any, shape: tuple[int, ...] | None = None
) -> Any:
    if gradient is None:
        return np.zeros_like(result)
    shape = result.shape if shape is None else shape
    array: Any = check_float_array(name, gradient, ndim=len(shape))
    if array.shape != shape:
        raise ValueError(f"{name} must have shape {shape}, not {array.shape}")
    with np.errstate(over="ignore"):
        cast = np.ascontiguousarray(array.reshape(result.shape), dtype=result.dtype)
    if not _core.all_finite(cast):
        raise ValueError(f"{name} must be within the range of {result.dtype}, the type of x")
    return cast
