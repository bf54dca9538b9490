"""k-center by taking the farthest node again and again."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from graphopt._native import _core
from graphopt._scale import restored_number
from graphopt._validation import RandomState, check_node_index, check_random_state
from graphopt._weights import as_lengths
from graphopt.centers._input import Sites, check_sites, checked_source, size_of
from graphopt.centers._result import KCenterResult
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
        A graph (weights are lengths; edges are followed away from the centres), of any size: no
        matrix is formed. Or distances, row c from centre c to every node, not negative; they need
        not be symmetric. Unreachable is ``inf`` in floats and the largest value of an unsigned
        type; a signed type has no such value. float32, float64, uint8, uint16 and uint32 are read
        in place, other types are copied to float64.
    k : int
        Number of centres, 1 to n_nodes.
    first : int, optional
        The first centre, after those of `must_open`. None: drawn from `random_state`; where nodes
        must open, the farthest from them.
    random_state : int, numpy.random.Generator or None
        Used only where `first` is None and nothing must open.
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
    Unreachable nodes are farther than all others; of nodes equally far the smallest is taken. With
    constraints, the farthest of the nodes that may become centres and are none. Without, the radius
    is at most twice the optimum for symmetric distances that obey the triangle inequality.
    k searches, each of which enters only nodes it brings closer: O(k (n + m)) at worst,
    O(k m log n) with weights; O(k n) from a matrix. T. F. Gonzalez, Theor. Comput. Sci. 38, 293-306
    (1985).

    Examples
    --------
    >>> path = Graph.from_edges([(0, 1), (1, 2), (2, 3), (3, 4)])
    >>> result = gonzalez(path, 2, first=1)
    >>> result.centers, result.radius, result.assignment
    (array([1, 4], dtype=int32), 1.0, array([0, 0, 0, 1, 1], dtype=int32))
    """
    source = checked_source(graph_or_distances)
    n = size_of(source)
    k, sites = check_sites(n, k, candidates, must_open, forbidden)
    start = _first(first, random_state, sites, n)
    exponent = 0
    if isinstance(source, Graph):
        lengths, exponent = as_lengths(source)
        found = _core.gonzalez_from_graph(
            lengths.indptr,
            lengths.indices,
            lengths.weights,
            k,
            start,
            sites.must_open,
            sites.may_open,
        )
    else:
        found = _core.gonzalez_from_matrix(source, k, start, sites.must_open, sites.may_open)
    centers, assignment, radius = found
    return KCenterResult(
        centers, restored_number("graph_or_distances", radius, exponent), assignment
    )


def _first(first: object, random_state: RandomState, sites: Sites, n: int) -> int:
    """Return the first centre to choose; -1: the farthest from those that must open."""
    if first is not None:
        node = check_node_index("first", first, n)
        if sites.may_open is not None and not sites.may_open[node]:
            raise ValueError(f"first must be a candidate that is not forbidden, not {node}")
        return node
    if len(sites.must_open):
        return -1
    generator = check_random_state(random_state)
    if sites.may_open is None:
        return int(generator.integers(n))
    return int(generator.choice(np.flatnonzero(sites.may_open)))
