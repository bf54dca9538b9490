"""What the algorithms take: a graph or its distances, and which nodes may become centres."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from graphopt._scale import times_power, unusual_exponent
from graphopt._validation import check_integer, check_memory, check_node_indices
from graphopt.graph import Graph
from graphopt.paths import check_lengths

_KEPT_TYPES = (np.uint8, np.uint16, np.uint32, np.float32, np.float64)


def checked_source(graph_or_distances: Graph | ArrayLike) -> Graph | NDArray[Any]:
    """Return a graph whose weights are lengths, or a contiguous matrix of distances."""
    if isinstance(graph_or_distances, Graph):
        check_lengths(graph_or_distances)
        return graph_or_distances
    name = "graph_or_distances"
    matrix = np.asarray(graph_or_distances)
    if matrix.dtype.kind not in "fiu":
        raise TypeError(f"{name} must be a Graph or a numeric array, not {matrix.dtype}")
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"{name} must be a square matrix, not of shape {matrix.shape}")
    if matrix.size and matrix.dtype.kind != "u":
        smallest = matrix.min()  # NaN if there is one
        if np.isnan(smallest):
            raise ValueError(f"{name} must not hold NaN")
        if smallest < 0:
            raise ValueError(f"{name} must not be negative; its smallest entry is {smallest}")
    if matrix.dtype in _KEPT_TYPES and matrix.flags.c_contiguous:
        return matrix
    dtype = matrix.dtype if matrix.dtype in _KEPT_TYPES else np.dtype(np.float64)
    check_memory(
        f"a copy of {name} as contiguous {dtype}",
        matrix.size * dtype.itemsize,
        "pass a C-contiguous array of uint8, uint16, uint32, float32 or float64",
    )
    if matrix.dtype != dtype:
        mark = unreachable(matrix.dtype)
        missing = None if mark is None else matrix == mark
        matrix = matrix.astype(dtype)
        if missing is not None:
            matrix[missing] = np.inf
    return np.ascontiguousarray(matrix)


def unreachable(dtype: np.dtype[Any]) -> float | int | None:
    """Return what stands for unreachable in a matrix of this type."""
    if dtype.kind == "f":
        return np.inf
    return int(np.iinfo(dtype).max) if dtype.kind == "u" else None


def in_ordinary_unit(distances: NDArray[Any]) -> tuple[NDArray[Any], int]:
    """Return distances divided by 2^e, and e: not 0 only where sums or products leave the range."""
    exponent = unusual_exponent(distances) if distances.dtype.kind == "f" else 0
    if exponent != 0:
        check_memory("the distances in another unit", distances.nbytes, "divide them by a constant")
    return times_power(distances, -exponent), exponent


def size_of(source: Graph | NDArray[Any]) -> int:
    return source.n_nodes if isinstance(source, Graph) else len(source)


@dataclass(frozen=True, slots=True, eq=False)
class Sites:
    """Which nodes may become centres.

    Attributes
    ----------
    may_open : array of uint8, shape (n_nodes,), or None
        1: may. None: all may.
    must_open : array of int32
        Distinct; at most k; they may.
    """

    may_open: NDArray[np.uint8] | None
    must_open: NDArray[np.int32]


def check_sites(
    n_nodes: int,
    k: object,
    candidates: ArrayLike | None,
    must_open: ArrayLike,
    forbidden: ArrayLike,
) -> tuple[int, Sites]:
    """Return k, which there are nodes for, and who may become a centre."""
    number = check_integer("k", k, minimum=1)
    if number > n_nodes:
        raise ValueError(f"k must be at most the number of nodes, {n_nodes}, not {number}")
    allowed = np.ones(n_nodes, np.uint8)
    if candidates is not None:
        allowed[:] = 0
        allowed[check_node_indices("candidates", candidates, n_nodes)] = 1
    allowed[check_node_indices("forbidden", forbidden, n_nodes)] = 0
    required = check_node_indices("must_open", must_open, n_nodes)
    if len(np.unique(required)) != len(required):
        raise ValueError("must_open must not repeat")
    if len(required) > number:
        raise ValueError(f"must_open must hold at most k = {number} nodes, not {len(required)}")
    closed = required[allowed[required] == 0]
    if len(closed):
        raise ValueError(
            f"must_open must hold candidates that are not forbidden; node {closed[0]} is none"
        )
    n_sites = int(allowed.sum())
    if number > n_sites:
        raise ValueError(
            f"k must be at most the number of candidates that are not forbidden, {n_sites}, "
            f"not {number}"
        )
    return number, Sites(None if n_sites == n_nodes else allowed, required)
