"""k-center: k nodes such that every node has one of them near."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from graphopt import _core
from graphopt._threads import resolve_num_threads
from graphopt._validation import (
    RandomState,
    check_integer,
    check_memory,
    check_node_index,
    check_node_indices,
    check_random_state,
)
from graphopt.graph import Graph
from graphopt.paths import check_lengths, distances_to_nearest, find_distances

_KEPT_TYPES = (np.uint8, np.uint16, np.uint32, np.float32, np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class KCenterResult:
    """A choice of centres and how far the nodes are from them.

    Attributes
    ----------
    centers : array of int32, shape (k,)
        Node numbers, in the order they were chosen.
    radius : float
        The largest distance of a node from its nearest centre, in the units of the distances (hops
        for an unweighted graph); ``inf`` where no centre reaches some node.
    assignment : array of int32, shape (n_nodes,)
        Position in `centers` of each node's nearest centre, the smallest on ties; -1 where none
        reaches it.
    """

    centers: NDArray[np.int32]
    radius: float
    assignment: NDArray[np.int32]


def gonzalez(
    graph_or_distances: Graph | ArrayLike,
    k: int,
    *,
    first: int | None = None,
    random_state: RandomState = None,
) -> KCenterResult:
    """Choose k centres, each farthest from those chosen before it.

    Parameters
    ----------
    graph_or_distances : Graph or array, shape (n_nodes, n_nodes)
        A graph (weights are lengths; edges are followed away from the centres), of any size: no
        matrix is formed. Or distances, row c from centre c to every node, not negative; they need
        not be symmetric. Unreachable is ``inf`` in floats and the largest value of an unsigned
        type; a signed type has no such value. float32, float64, uint8, uint16 and uint32 are read
        in place, other types are copied to float64.
    k : int
        Number of centres, 1 to n_nodes.
    first : int, optional
        The first centre. None: drawn from `random_state`.
    random_state : int, numpy.random.Generator or None
        Used only where `first` is None.

    Returns
    -------
    KCenterResult

    Raises
    ------
    ValueError
        For `k` out of range, a `first` that is no node, negative weights, or a matrix that is not
        square, has NaN or a negative entry.

    Notes
    -----
    Unreachable nodes are farther than all others; of nodes equally far the smallest is taken; when
    every node is at distance 0 of a centre, the smallest node not chosen. The radius is at most
    twice the optimum for symmetric distances that obey the triangle inequality. k searches, each of
    which enters only nodes it brings closer: O(k (n + m)) at worst, O(k m log n) with weights;
    O(k n) from a matrix. T. F. Gonzalez, Theor. Comput. Sci. 38, 293-306 (1985).

    Examples
    --------
    >>> path = Graph.from_edges([(0, 1), (1, 2), (2, 3), (3, 4)])
    >>> result = gonzalez(path, 2, first=1)
    >>> result.centers, result.radius, result.assignment
    (array([1, 4], dtype=int32), 1.0, array([0, 0, 0, 1, 1], dtype=int32))
    """
    source = _checked_source(graph_or_distances)
    n = _size(source)
    k = _check_k(k, n)
    if first is None:
        start = int(check_random_state(random_state).integers(n))
    else:
        start = check_node_index("first", first, n)
    if isinstance(source, Graph):
        found = _core.gonzalez_from_graph(source.indptr, source.indices, source.weights, k, start)
    else:
        found = _core.gonzalez_from_matrix(source, k, start)
    return _result(*found)


def greedy_k_center(
    graph_or_distances: Graph | ArrayLike, k: int, *, num_threads: int | None = None
) -> KCenterResult:
    """Choose k centres, each the one that lowers the largest distance most.

    Parameters
    ----------
    graph_or_distances : Graph or array, shape (n_nodes, n_nodes)
        As for :func:`gonzalez`, but all distances of a graph are formed first
        (:func:`graphopt.all_pairs_shortest_paths`).
    k : int
        Number of centres, 1 to n_nodes.
    num_threads : int, optional
        The result is the same at any number of threads.

    Returns
    -------
    KCenterResult

    Raises
    ------
    ValueError
        For `k` out of range, negative weights, or a matrix that is not square, has NaN or a
        negative entry.
    MemoryLimitError
        If the distances of the graph, or a copy of the matrix, do not fit in memory; nothing is
        allocated then.

    Notes
    -----
    The largest distance alone is a poor guide: many candidates leave the same one. Ties go to the
    fewest nodes at that distance (so unreached nodes are reached first), then to the smallest sum
    of the finite distances, then to the smallest node. O(k n^2) at worst.

    Examples
    --------
    >>> path = Graph.from_edges([(0, 1), (1, 2), (2, 3), (3, 4)])
    >>> result = greedy_k_center(path, 1)
    >>> result.centers, result.radius
    (array([2], dtype=int32), 2.0)
    """
    source = _checked_source(graph_or_distances)
    k = _check_k(k, _size(source))
    threads = resolve_num_threads(num_threads)
    if isinstance(source, Graph):
        source = find_distances(
            source,
            None,
            cutoff=None,
            num_threads=threads,
            way_around="gonzalez needs no distances between all nodes",
        )
    return _result(*_core.greedy_k_center(source, k, threads))


def evaluate_centers(graph_or_distances: Graph | ArrayLike, centers: ArrayLike) -> KCenterResult:
    """Return how far the nodes are from given centres.

    Parameters
    ----------
    graph_or_distances : Graph or array, shape (n_nodes, n_nodes)
        As for :func:`gonzalez`. A graph's distances are not formed: one search does.
    centers : array of int, shape (k,)
        Distinct node numbers, at least one.

    Returns
    -------
    KCenterResult

    Raises
    ------
    ValueError
        For centres that are no nodes, repeat or are none at all, and as :func:`gonzalez`.

    Examples
    --------
    >>> path = Graph.from_edges([(0, 1), (1, 2), (2, 3), (3, 4)])
    >>> evaluate_centers(path, [0, 1]).radius
    3.0
    """
    source = _checked_source(graph_or_distances)
    nodes = check_node_indices("centers", centers, _size(source))
    if len(nodes) == 0:
        raise ValueError("centers must hold at least one node")
    if len(np.unique(nodes)) != len(nodes):
        raise ValueError("centers must not repeat")
    if isinstance(source, Graph):
        distances, nearest = distances_to_nearest(source, nodes)
        return _result(nodes.copy(), nearest, float(distances.max()))
    rows = source[nodes]
    shortest = rows.min(axis=0)
    reached = shortest != _unreachable(source.dtype)
    assignment = np.where(reached, rows.argmin(axis=0), -1).astype(np.int32)
    radius = float(shortest.max()) if reached.all() else np.inf
    return _result(nodes.copy(), assignment, radius)


def _result(
    centers: NDArray[np.int32], assignment: NDArray[np.int32], radius: float
) -> KCenterResult:
    return KCenterResult(centers=centers, radius=radius, assignment=assignment)


def _checked_source(graph_or_distances: Graph | ArrayLike) -> Graph | NDArray[Any]:
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
        unreachable = _unreachable(matrix.dtype)
        missing = None if unreachable is None else matrix == unreachable
        matrix = matrix.astype(dtype)
        if missing is not None:
            matrix[missing] = np.inf
    return np.ascontiguousarray(matrix)


def _unreachable(dtype: np.dtype[Any]) -> float | int | None:
    """Return what stands for unreachable in a matrix of this type."""
    if dtype.kind == "f":
        return np.inf
    return int(np.iinfo(dtype).max) if dtype.kind == "u" else None


def _size(source: Graph | NDArray[Any]) -> int:
    return source.n_nodes if isinstance(source, Graph) else len(source)


def _check_k(k: object, n_nodes: int) -> int:
    number = check_integer("k", k, minimum=1)
    if number > n_nodes:
        raise ValueError(f"k must be at most the number of nodes, {n_nodes}, not {number}")
    return number
