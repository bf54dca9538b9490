"""k-center by adding the best next centre."""

from __future__ import annotations

from numpy.typing import ArrayLike

from graphopt._native import _core
from graphopt._scale import restored_number
from graphopt._threads import resolve_num_threads
from graphopt.centers._input import check_sites, checked_source, in_ordinary_unit, size_of
from graphopt.centers._result import KCenterResult
from graphopt.graph import Graph
from graphopt.paths import find_distances


def greedy_k_center(
    graph_or_distances: Graph | ArrayLike,
    k: int,
    *,
    candidates: ArrayLike | None = None,
    must_open: ArrayLike = (),
    forbidden: ArrayLike = (),
    num_threads: int | None = None,
) -> KCenterResult:
    """Choose k centres, each the one that lowers the largest distance most.

    Parameters
    ----------
    graph_or_distances : Graph or array, shape (n_nodes, n_nodes)
        As for :func:`gonzalez`, but all distances of a graph are formed first
        (:func:`graphopt.all_pairs_shortest_paths`).
    k : int
        Number of centres, 1 to n_nodes.
    candidates : array of int, optional
        The nodes that may become centres. None: every node.
    must_open : array of int
        Distinct nodes that are centres in any case, at most `k`; they come first.
    forbidden : array of int
        Nodes that may not become centres.
    num_threads : int, optional
        The result is the same at any number of threads.

    Returns
    -------
    KCenterResult

    Raises
    ------
    ValueError
        For `k` out of range or above the number of nodes that may become centres, negative weights,
        a `must_open` that may not open, a matrix that is not square, has NaN or a negative entry,
        or distances that are too large for float64.
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
    source = checked_source(graph_or_distances)
    k, sites = check_sites(size_of(source), k, candidates, must_open, forbidden)
    threads = resolve_num_threads(num_threads)
    if isinstance(source, Graph):
        source = find_distances(
            source,
            None,
            cutoff=None,
            num_threads=threads,
            way_around="gonzalez needs no distances between all nodes",
        )
    distances, exponent = in_ordinary_unit(source)
    centers, assignment, radius = _core.greedy_k_center(
        distances, k, sites.must_open, sites.may_open, None, threads
    )
    radius = restored_number("graph_or_distances", radius, exponent)
    return KCenterResult(centers, radius, assignment)
