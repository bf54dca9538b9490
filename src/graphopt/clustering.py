"""Soft k-means on the unit sphere: the differentiable clustering layer, without torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

import graphopt._soft_kmeans as engine
from graphopt._native import _core
from graphopt._scale import exponent_of, restored, times_power
from graphopt._soft_kmeans import GradientReport, GradientSettings, Problem
from graphopt._threads import one_blas_thread, resolve_num_threads
from graphopt._validation import (
    FloatArray,
    RandomState,
    as_array,
    as_tuple,
    check_float_array,
    check_integer,
    check_memory,
    check_random_state,
    check_same_dtype,
)

__all__ = [
    "GradientReport",
    "SoftKMeansGradient",
    "SoftKMeansResult",
    "fixed_point_residual",
    "kmeans_plus_plus",
    "soft_kmeans",
    "soft_kmeans_vjp",
    "stack_rows",
]


@dataclass(frozen=True, slots=True)
class SoftKMeansResult:
    """Centres and soft assignment.

    Attributes
    ----------
    centers : array, shape (n_clusters, p) or (n_graphs, n_clusters, p), as the start had
        Weighted means of rows; no longer than the longest row.
    assignment : array, shape (n_rows, n_clusters)
        Each row sums to 1.
    """

    centers: FloatArray
    assignment: FloatArray


@dataclass(frozen=True, slots=True)
class SoftKMeansGradient:
    """Gradients by the arguments of :func:`soft_kmeans`, in their shapes.

    Attributes
    ----------
    x, centers : array
        `centers` is zero except for ``unrolled`` and for 0 iterations: the other gradients take the
        result for a fixed point, which does not depend on where the iteration started.
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
        For NaN or infinity, shapes that do not fit, or a setting out of range; where `temperature`
        times a product of a row and a centre is too large for the dtype.
    TypeError
        If x and centers differ in dtype.
    graphopt.errors.MemoryLimitError
        If the assignment does not fit in memory.

    Notes
    -----
    O(n_rows * n_clusters * p) for each iteration and once more. float32 and float64 are kept.
    A centre nothing is assigned to keeps its value; an assignment below e^-80 (float32) or e^-700
    (float64) of its row's largest counts as nothing. More clusters than rows are allowed.
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
    iterations = check_integer("iterations", iterations, minimum=0)
    # Looking through x for NaN takes as long as an iteration, after which the centres hold them.
    look_first = iterations == 0
    problem, start, _ = _problem(
        x, centers, temperature, offsets, False, num_threads, finite=look_first
    )
    trajectory = engine.run(problem, start, iterations, normalize=bool(normalize))
    _check_finite(trajectory, x)
    shape = np.shape(centers)
    return SoftKMeansResult(trajectory.centers.reshape(shape), trajectory.assignment)


def soft_kmeans_vjp(
    x: ArrayLike,
    centers: ArrayLike,
    *,
    temperature: float,
    iterations: int,
    grad_centers: ArrayLike | None = None,
    grad_assignment: ArrayLike | None = None,
    gradient: str = "one-step",
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
        Gradient of the loss by them. Default: 0.
    grad_assignment : array, shape (n_rows, n_clusters), optional
        Gradient of the loss by the assignment. Default: 0.
    gradient : {"one-step", "implicit", "dense", "unrolled", "auto"}
        How the centres' dependence on x is differentiated; the assignment's own is exact.

        - ``one-step``: through the last update alone (the paper's choice);
        - ``implicit``: at the fixed point ``mu = F(mu)``: solves ``(I - J^T) u = v`` with
          ``J = dF/dmu`` by GMRES, one pass over x per product, no matrix;
        - ``dense``: the same with J formed and factorised in float64;
        - ``unrolled``: through every iteration, and by the start too;
        - ``auto``: ``one-step`` where its relative error is certified to be at most 1 %
          (:func:`graphopt.nn.gradient_certificate`) for every graph, else ``implicit``.
    tolerance : float
        Relative residual at which the implicit solver stops.
    max_solver_iterations : int
        Products with J the implicit solver may spend on a graph.

    Returns
    -------
    SoftKMeansGradient

    Raises
    ------
    ValueError, TypeError
        As :func:`soft_kmeans`, for gradients of the wrong shape, and where rows are so short that
        the gradient by them is too large for the dtype.
    graphopt.errors.MemoryLimitError
        If ``dense`` would form a matrix larger than memory, or ``unrolled`` keep more centres.

    Warns
    -----
    graphopt.errors.ConvergenceWarning
        If the implicit solver stops short of the tolerance.

    Notes
    -----
    ``implicit`` and ``dense`` hold an empty cluster's centre constant, which else would make the
    equation singular; ``one-step`` and ``unrolled`` pass its gradient on to its last value.

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
    settings = GradientSettings(gradient, tolerance, max_solver_iterations)
    problem, start, lengths = _problem(x, centers, temperature, offsets, normalize, num_threads)
    iterations = check_integer("iterations", iterations, minimum=0)
    trajectory = engine.run(problem, start, iterations, engine.iterates_kept(gradient, iterations))
    _check_finite(trajectory, x)
    shape = np.shape(centers)
    grad_x, grad_start, report = engine.vjp(
        problem,
        trajectory,
        iterations,
        _gradient_like("grad_centers", grad_centers, trajectory.centers, shape),
        _gradient_like("grad_assignment", grad_assignment, trajectory.assignment),
        settings,
    )
    if lengths is not None:
        grad_x = _core.unit_rows_vjp(problem.x, lengths, grad_x, problem.num_threads)
    if not _core.all_finite(grad_x):
        raise ValueError(
            f"x must have longer rows: the gradient by it is too large for {grad_x.dtype}"
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
        Largest absolute change of a centre's entry. ``implicit`` and ``dense`` gradients are those
        of the fixed point: exact as far as this is 0.

    Examples
    --------
    >>> x = np.eye(3)
    >>> fixed_point_residual(x, np.full((1, 3), 1 / 3), temperature=5.0)
    array([0.])
    """
    problem, start, _ = _problem(x, centers, temperature, offsets, normalize, num_threads)
    image, _ = engine.update(problem, start)
    gap: NDArray[np.float64] = np.abs(image - start).max(axis=(1, 2)).astype(np.float64)
    return gap


def kmeans_plus_plus(
    x: ArrayLike, n_clusters: int, *, random_state: RandomState = None, normalize: bool = True
) -> FloatArray:
    """Choose rows of x as starting centres, each likely to be far from those before.

    The first centre is a row drawn evenly, each other one a row drawn with probability in
    proportion to its squared distance from the nearest centre so far.

    Parameters
    ----------
    x : array of float, shape (n_rows, p)
    n_clusters : int
        At least 1.
    random_state : int, numpy.random.Generator or None
    normalize : bool
        Scale rows to unit length first.

    Returns
    -------
    array, shape (n_clusters, p), dtype of x
        Rows of zeros are never chosen. Where the distinct rows run out (fewer rows than clusters,
        repeated rows), the remaining centres are random unit vectors.

    Raises
    ------
    ValueError
        For NaN or infinity, or n_clusters below 1.
    graphopt.errors.MemoryLimitError
        If the centres do not fit in memory.

    Notes
    -----
    O(n_rows * n_clusters * p). D. Arthur and S. Vassilvitskii, SODA 2007.

    Examples
    --------
    >>> x = np.repeat(np.eye(3), 5, axis=0)
    >>> kmeans_plus_plus(x, 3, random_state=0).sum(axis=0)
    array([1., 1., 1.])
    """
    rows = _check_rows(x)
    n_clusters = check_integer("n_clusters", n_clusters, minimum=1)
    rng = check_random_state(random_state)
    exponent = 0
    if normalize:
        rows = _core.unit_rows(rows, 1)[0]
    else:
        exponent = exponent_of(rows)
        rows = times_power(rows, -exponent)
    squares = np.einsum("jd,jd->j", rows, rows, dtype=np.float64)
    check_memory(
        f"a set of {n_clusters:,} centres of width {rows.shape[1]:,}",
        n_clusters * rows.shape[1] * rows.itemsize,
        "ask for fewer clusters",
    )
    chosen = np.empty((n_clusters, rows.shape[1]), rows.dtype)
    weight = (squares > 0).astype(np.float64)
    distance = np.full(len(rows), np.inf)
    drawn: dict[int, NDArray[np.float64]] = {}  # in no unit
    for k in range(n_clusters):
        total = np.cumsum(weight)
        if len(total) == 0 or total[-1] == 0.0:
            direction = rng.standard_normal(rows.shape[1])
            chosen[k] = 0.0
            drawn[k] = direction / np.linalg.norm(direction)
            continue
        row = int(np.searchsorted(total, rng.random() * total[-1], side="right"))
        chosen[k] = rows[min(row, int(np.flatnonzero(weight)[-1]))]
        with one_blas_thread():
            distance = np.minimum(distance, _squared_distance(rows, squares, chosen[k]))
        weight = np.where(squares > 0, distance, 0.0)
    chosen = restored("x", chosen, exponent)
    for k, direction in drawn.items():
        chosen[k] = direction
    return chosen


def stack_rows(arrays: Sequence[ArrayLike]) -> tuple[FloatArray, NDArray[np.int64]]:
    """Return the rows of several graphs one after another, and their boundaries.

    Parameters
    ----------
    arrays : sequence of arrays, shapes (n_i, p)
        All of one dtype; n_i may be 0.

    Returns
    -------
    x : array, shape (sum of n_i, p)
    offsets : array of int64, shape (len(arrays) + 1,)
        ``np.split(result, offsets[1:-1])`` takes a result over rows apart again.

    Raises
    ------
    ValueError
        If there is no array or they differ in width.
    TypeError
        If they differ in dtype.

    Examples
    --------
    >>> x, offsets = stack_rows([np.eye(2), np.ones((3, 2))])
    >>> x.shape, offsets
    ((5, 2), array([0, 2, 5]))
    """
    arrays = as_tuple("arrays", arrays)
    if len(arrays) == 0:
        raise ValueError("arrays must hold at least one array")
    parts: list[Any] = [
        check_float_array(f"arrays[{i}]", part, ndim=2) for i, part in enumerate(arrays)
    ]
    for i, part in enumerate(parts):
        check_same_dtype(f"arrays[{i}]", part, "arrays[0]", parts[0])
        if part.shape[1] != parts[0].shape[1]:
            raise ValueError(
                f"arrays[{i}] must have {parts[0].shape[1]} columns, as arrays[0] has, "
                f"not {part.shape[1]}"
            )
    sizes = [len(part) for part in parts]
    return np.concatenate(parts), np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)


# --- what came in ---------------------------------------------------------------------------------


def _check_finite(trajectory: engine.Trajectory, x: ArrayLike) -> None:
    """Raise ValueError where NaN or infinity came in, or a similarity is too large."""
    centers, assignment = trajectory.centers, trajectory.assignment
    if _core.all_finite(centers) and _core.all_finite(assignment):
        return
    check_float_array("x", x, ndim=2)
    raise ValueError(
        "x, centers or temperature must be smaller: temperature times the products of rows and "
        f"centers is too large for {centers.dtype}"
    )


def _check_rows(x: ArrayLike, *, finite: bool = True) -> Any:
    rows = check_float_array("x", x, ndim=2, finite=finite)
    if rows.shape[1] == 0:
        raise ValueError("x must have at least one column")
    return rows


def _problem(
    x: ArrayLike,
    centers: ArrayLike,
    temperature: float,
    offsets: ArrayLike | None,
    normalize: bool,
    num_threads: int | None,
    *,
    finite: bool = True,
) -> tuple[Problem, Any, Any]:
    """Return the checked problem, the centres as (B, K, p), and the rows' lengths if scaled."""
    rows = _check_rows(x, finite=finite)
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
    temperature = engine.check_temperature(temperature, rows.dtype)
    threads = resolve_num_threads(num_threads)
    lengths = None
    if normalize:
        rows, lengths = _core.unit_rows(rows, threads)
    return Problem(rows, bounds, temperature, threads), start, lengths


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


def _squared_distance(rows: Any, squares: NDArray[np.float64], center: Any) -> Any:
    """Return |x_j - c|^2; what rounding leaves of a row equal to the centre is taken for 0."""
    own = float(np.dot(center.astype(np.float64), center.astype(np.float64)))
    value = squares + own - 2.0 * (rows @ center).astype(np.float64)
    return np.where(value > 8 * np.finfo(rows.dtype).eps * (squares + own), value, 0.0)
