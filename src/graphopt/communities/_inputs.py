"""What the algorithms take: a Graph, or a full matrix of weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from graphopt._scale import exponent_of, times_power
from graphopt._validation import check_float_array, check_integer, check_memory
from graphopt._weights import in_own_unit
from graphopt.graph import Graph

if TYPE_CHECKING:
    from scipy.sparse import csr_array

# How far a matrix may be from symmetric, relative to its largest entry: float32 rounding.
_ASYMMETRY = 1e-5

Matrix: TypeAlias = "NDArray[np.float64] | csr_array[Any, tuple[int, int]]"


def check_strengths(name: str, graph: Graph) -> None:
    """Raise ValueError naming `name` for a directed graph or negative weights."""
    if graph.directed:
        raise ValueError(f"{name} must be undirected")
    if graph.weights is not None and (graph.weights < 0).any():
        raise ValueError(f"{name} must not have negative weights")


def check_weights(name: str, value: Graph | ArrayLike) -> Graph | NDArray[np.float64]:
    """Return an undirected graph or a matrix of weights, made fit for the kernels.

    Returns
    -------
    Graph or array of float64, shape (n_nodes, n_nodes)
        The largest weight is in [1, 2), the unit being a power of two: modularity has none. The
        array is C-contiguous, exactly symmetric and zero on its diagonal. The caller's own where
        all that is so already.
    """
    if isinstance(value, Graph):
        check_strengths(name, value)
        return in_own_unit(value)[0]
    if not isinstance(value, list | tuple) and not hasattr(value, "__array__"):
        raise TypeError(
            f"{name} must be a Graph or a matrix of weights, not {type(value).__name__}"
        )
    given = check_float_array(name, value, ndim=2, finite=False)
    smallest, largest = float(given.min(initial=0.0)), float(given.max(initial=0.0))
    if not np.isfinite(largest - smallest):  # NaN and infinity come out of both; now say where
        check_float_array(name, given, ndim=2)
    weights = given.astype(np.float64, copy=False)
    if weights.shape[0] != weights.shape[1]:
        raise ValueError(f"{name} must be square, not {weights.shape[0]} x {weights.shape[1]}")
    if weights.size == 0:
        return weights
    if smallest < 0.0:
        raise ValueError(f"{name} must not have negative weights")
    if not _is_symmetric(weights):
        weights = _symmetrized(name, weights, _ASYMMETRY * largest)
    if weights.diagonal().any():
        weights = weights.copy()
        np.fill_diagonal(weights, 0.0)
    exponent = exponent_of(weights)
    if exponent != 0:
        check_memory(f"a copy of {name}", weights.nbytes, "divide it by its largest entry")
    return times_power(weights, -exponent)


def _is_symmetric(weights: NDArray[np.float64], block: int = 256) -> bool:
    # By squares that fit the cache together with their mirror images.
    starts = range(0, len(weights), block)
    return all(
        np.array_equal(
            weights[i : i + block, j : j + block], weights[j : j + block, i : i + block].T
        )
        for i in starts
        for j in starts
        if j >= i
    )


def _symmetrized(name: str, weights: NDArray[np.float64], tolerance: float) -> NDArray[np.float64]:
    asymmetry = np.abs(weights - weights.T)
    if asymmetry.max() > tolerance:
        i, j = (int(end) for end in np.unravel_index(asymmetry.argmax(), weights.shape))
        raise ValueError(
            f"{name} must be symmetric; {name}[{i}, {j}] is {weights[i, j]} and "
            f"{name}[{j}, {i}] is {weights[j, i]}"
        )
    return weights / 2.0 + weights.T / 2.0


def check_k(k: int | None, n_nodes: int) -> int | None:
    """Return `k`, None or within ``1 .. n_nodes``."""
    return None if k is None else check_integer("k", k, minimum=1, maximum=n_nodes)


def check_labels(labels: ArrayLike, n_nodes: int) -> NDArray[np.int64]:
    """Return labels renumbered from 0."""
    array = np.asarray(labels)
    if array.shape != (n_nodes,):
        raise ValueError(f"labels must have shape ({n_nodes},), not {array.shape}")
    if array.size and array.dtype.kind not in "iub":
        raise TypeError(f"labels must be integers, not {array.dtype}")
    return np.unique(array, return_inverse=True)[1].astype(np.int64).reshape(n_nodes)


def as_matrix(weights: Graph | NDArray[np.float64]) -> Matrix:
    """Return checked weights as a matrix; a Graph's is sparse and stores no zero."""
    if not isinstance(weights, Graph):
        return weights
    matrix = weights.to_scipy()
    matrix.eliminate_zeros()
    return matrix
