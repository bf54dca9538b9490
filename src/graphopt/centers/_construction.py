"""Choose centres one by one: the farthest node, or the node that helps most."""

from __future__ import annotations

from numpy.typing import ArrayLike

from graphopt._native import _core
from graphopt._scale import restored_number
from graphopt._validation import RandomState, check_node_index, check_random_state
from graphopt._weights import as_lengths
from graphopt.centers._problem import (
    KCenterProblem,
    KCenterResult,
    check_problem,
    in_ordinary_unit,
)
from graphopt.graph import Graph


def gonzalez(
    graph_or_distances: Graph | ArrayLike,
    k: int,
    *,
    first: int | None = None,
    random_state: RandomState = None,
    candidates: ArrayLike | None = None,
    must_open: ArrayLike = (),
    forbidden: ArrayLike = (),
) -> KCenterResult:
    """Choose k centres, each farthest from those chosen before it.

    Parameters
    ----------
    graph_or_distances : Graph or array, shape (n_nodes, n_nodes)
        A graph of any size, as no matrix is formed (weights are lengths; edges are followed away
        from the centres). Or distances, not negative, where row c holds those from centre c to
        every node; they need not be symmetric. A node that is not reached has distance ``inf`` in
        floats and the largest value of an unsigned type; signed types have no such value. float32,
        float64, uint8, uint16 and uint32 are read in place, other types are copied to float64.
    k : int
        Number of centres, 1 to n_nodes.
    first : int, optional
        The first centre, after those of `must_open`. None: drawn from `random_state` or, if some
        nodes must open, the farthest node from them.
    random_state : int, numpy.random.Generator or None
        Used only if `first` is None and `must_open` is empty.
    candidates : array of int, optional
        The nodes that may become centres. None: every node.
    must_open : array of int
        Distinct nodes that are centres in any case, at most `k`; they come first.
    forbidden : array of int
        Nodes that may not become centres.

    Returns
    -------
    KCenterResult

    Raises
    ------
    ValueError
        For `k` out of range or above the number of nodes that may become centres, negative weights,
        a `must_open` that may not open or a `first` that may not, a matrix that is not square, has
        NaN or a negative entry, or a radius that is too large for float64.

    Notes
    -----
    Unreachable nodes are farther than all others; of equally far nodes, the smallest is taken. With
    constraints, each new centre is the farthest of the nodes that may become centres and are not
    centres yet. Without constraints, the radius is at most twice the optimum for symmetric
    distances that obey the triangle inequality. Time: k searches, each of which visits only nodes
    that it brings closer, so O(k (n + m)) at worst and O(k m log n) with weights; O(k n) for a
    matrix. T. F. Gonzalez, Theor. Comput. Sci. 38, 293-306 (1985).

    Examples
    --------
    >>> path = Graph.from_edges([(0, 1), (1, 2), (2, 3), (3, 4)])
    >>> result = gonzalez(path, 2, first=1)
    >>> result.centers, result.radius, result.assignment
    (array([1, 4], dtype=int32), 1.0, array([0, 0, 0, 1, 1], dtype=int32))
    """
    problem = check_problem(
        graph_or_distances, k, candidates=candidates, must_open=must_open, forbidden=forbidden
    )
    source, exponent = problem.source, 0
    rules = problem.k, _first(first, random_state, problem), problem.must_open, problem.may_open
    if isinstance(source, Graph):
        lengths, exponent = as_lengths(source)
        found = _core.gonzalez_from_graph(lengths.indptr, lengths.indices, lengths.weights, *rules)
    else:
        found = _core.gonzalez_from_matrix(source, *rules)
    centers, assignment, radius = found
    return KCenterResult(
        centers, restored_number("graph_or_distances", radius, exponent), assignment
    )


def _first(first: object, random_state: RandomState, problem: KCenterProblem) -> int:
    """Return the first centre to choose; -1: the farthest node from those that must open."""
    if first is not None:
        node = check_node_index("first", first, problem.n_nodes)
        if problem.may_open is not None and not problem.may_open[node]:
            raise ValueError(f"first must be a candidate that is not forbidden, not {node}")
        return node
    if len(problem.must_open):
        return -1
    generator = check_random_state(random_state)
    if problem.may_open is None:
        return int(generator.integers(problem.n_nodes))
    return int(generator.choice(problem.candidates))


def greedy_k_center(
    graph_or_distances: Graph | ArrayLike,
    k: int,
    *,
    candidates: ArrayLike | None = None,
    must_open: ArrayLike = (),
    forbidden: ArrayLike = (),
    num_threads: int | None = None,
) -> KCenterResult:
    """Choose k centres one by one, each time the one that lowers the largest distance most.

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
        If the distances of the graph, or a copy of the matrix, do not fit in memory; in this case,
        nothing is allocated.

    Notes
    -----
    The largest distance alone is a poor guide, because it is the same for many candidates. Ties are
    broken by the number of nodes at this distance (so unreached nodes are reached first), then by
    the sum of the finite distances, then by the node number; smaller is better. O(k n^2) at worst.

    Examples
    --------
    >>> path = Graph.from_edges([(0, 1), (1, 2), (2, 3), (3, 4)])
    >>> result = greedy_k_center(path, 1)
    >>> result.centers, result.radius
    (array([2], dtype=int32), 2.0)
    """
    problem = check_problem(
        graph_or_distances,
        k,
        candidates=candidates,
        must_open=must_open,
        forbidden=forbidden,
        num_threads=num_threads,
    )
    distances, exponent = in_ordinary_unit(problem.distances())
    centers, assignment, radius = problem.greedy(distances)
    radius = restored_number("graph_or_distances", radius, exponent)
    return KCenterResult(centers, radius, assignment)
