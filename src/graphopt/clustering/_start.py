"""Where soft k-means starts: centres drawn from rows, and the rows of several graphs in one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from graphopt._native import _core
from graphopt._scale import exponent_of, restored, times_power
from graphopt._threads import one_blas_thread
from graphopt._validation import (
    FloatArray,
    RandomState,
    as_tuple,
    check_float_array,
    check_integer,
    check_memory,
    check_random_state,
    check_same_dtype,
)


def kmeans_plus_plus(
    x: ArrayLike, n_clusters: int, *, random_state: RandomState = None, normalize: bool = True
) -> FloatArray:
    """Choose rows of x as starting centres, each likely to be far from those before.

    The first centre is a row drawn uniformly. Each of the others is a row drawn with a probability
    proportional to its squared distance from the nearest centre so far.

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
        Rows of zeros are never chosen. If there are fewer distinct rows than clusters, the
        remaining centres are random unit vectors.

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
    rows = check_rows(x)
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
        ``np.split(result, offsets[1:-1])`` splits a result over rows by graph again.

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


def check_rows(x: ArrayLike, *, finite: bool = True) -> Any:
    """Return `x` as a float matrix with at least one column, or raise."""
    rows = check_float_array("x", x, ndim=2, finite=finite)
    if rows.shape[1] == 0:
        raise ValueError("x must have at least one column")
    return rows


def _squared_distance(rows: Any, squares: NDArray[np.float64], center: Any) -> Any:
    """Return |x_j - c|^2, with 0 for what rounding leaves of a row equal to the centre."""
    own = float(np.dot(center.astype(np.float64), center.astype(np.float64)))
    value = squares + own - 2.0 * (rows @ center).astype(np.float64)
    return np.where(value > 8 * np.finfo(rows.dtype).eps * (squares + own), value, 0.0)
