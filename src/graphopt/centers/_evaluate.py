"""How far the nodes are from given centres."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from graphopt._validation import check_node_indices
from graphopt.centers._input import checked_source, size_of, unreachable
from graphopt.centers._result import KCenterResult
from graphopt.graph import Graph
from graphopt.paths import distances_to_nearest


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
    source = checked_source(graph_or_distances)
    nodes = check_node_indices("centers", centers, size_of(source))
    if len(nodes) == 0:
        raise ValueError("centers must hold at least one node")
    if len(np.unique(nodes)) != len(nodes):
        raise ValueError("centers must not repeat")
    if isinstance(source, Graph):
        distances, assignment = distances_to_nearest(source, nodes)
        return KCenterResult(nodes.copy(), float(distances.max()), assignment)
    rows = source[nodes]
    shortest = rows.min(axis=0)
    reached = shortest != unreachable(source.dtype)
    assignment = np.where(reached, rows.argmin(axis=0), -1).astype(np.int32)
    return KCenterResult(
        nodes.copy(), float(shortest.max()) if reached.all() else np.inf, assignment
    )
