"""One partition out of several: what most of them hold together stays together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from graphopt._validation import RandomState, as_array, as_tuple
from graphopt.communities import check_strengths, leiden
from graphopt.graph import Graph

_LEAST = 0.05
"""Weight of an edge that no partition holds together, so that the graph does not fall apart."""


def consensus(
    graph: Graph,
    partitions: Sequence[NDArray[np.integer]],
    n_groups: int,
    *,
    resolution: float = 1.0,
    random_state: RandomState = None,
) -> NDArray[np.int64]:
    """Return the groups on which several partitions of a graph agree, at most `n_groups`.

    Every edge is weighed by the share of the partitions that have both its ends in one group, and
    Leiden decides on the weighted graph.

    Parameters
    ----------
    graph : Graph
        Undirected; weights are multiplied.
    partitions : sequence of array of int, shape (n_nodes,)
        At least one; how groups are numbered does not matter.
    n_groups : int
    resolution : float
    random_state : int, Generator or None

    Returns
    -------
    array of int64, shape (n_nodes,)

    Raises
    ------
    ValueError
        For no partition, or one of another length.

    Notes
    -----
    O(n_edges) memory, as only pairs with an edge are compared: V. Poulin and F. Théberge, "Ensemble
    Clustering for Graphs", Complex Networks 2018. All pairs: A. Lancichinetti and S. Fortunato,
    Sci. Rep. 2, 336 (2012).

    Examples
    --------
    >>> square = Graph.from_edges([(0, 1), (1, 2), (2, 3), (3, 0)])
    >>> consensus(square, [[0, 0, 1, 1], [1, 1, 0, 0], [0, 1, 1, 0]], 2, random_state=0).tolist()
    [0, 0, 1, 1]
    """
    check_strengths("graph", graph)
    partitions = as_tuple("partitions", partitions)
    if len(partitions) == 0:
        raise ValueError("partitions must hold at least one")
    edges = graph.edges
    agreeing = np.zeros(len(edges))
    for labels in partitions:
        groups = as_array("partitions", labels)
        if groups.shape != (graph.n_nodes,):
            raise ValueError(f"partitions must have shape ({graph.n_nodes},), not {groups.shape}")
        agreeing += groups[edges[:, 0]] == groups[edges[:, 1]]
    weights = _LEAST + (1.0 - _LEAST) * agreeing / len(partitions)
    if graph.edge_weights is not None:
        weights = weights * graph.edge_weights
    weighed = Graph.from_edges(edges, graph.n_nodes, weights)
    found = leiden(weighed, n_groups, resolution=resolution, random_state=random_state)
    return found.labels.astype(np.int64)
