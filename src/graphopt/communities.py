"""Communities of a known graph, and how good they are."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from graphopt._validation import check_number
from graphopt.graph import Graph


def modularity(graph: Graph, labels: ArrayLike, *, resolution: float = 1.0) -> float:
    """Return the modularity of a partition.

    ``Q = 1/2m [ sum of A_ij over pairs in one group - resolution * sum of S_g^2 / 2m ]`` with
    ``S_g`` the total strength of group g.

    Parameters
    ----------
    graph : Graph
        Undirected; weights, if any, must not be negative.
    labels : array of int, shape (n_nodes,)
        Group of each node; any integers.
    resolution : float
        1 is Newman and Girvan's modularity.

    Returns
    -------
    float
        In [-1/2, 1] at resolution 1; 0 for a graph without edges.

    Raises
    ------
    ValueError
        For a directed graph, negative weights, or labels of the wrong length.

    Notes
    -----
    O(n + m). M. E. J. Newman and M. Girvan, Phys. Rev. E 69, 026113 (2004).

    Examples
    --------
    >>> two_triangles = Graph.from_edges([(0, 1), (1, 2), (0, 2), (3, 4), (4, 5), (3, 5), (2, 3)])
    >>> round(modularity(two_triangles, [0, 0, 0, 1, 1, 1]), 4)
    0.3571
    """
    if graph.directed:
        raise ValueError("graph must be undirected")
    weights = graph.edge_weights
    if weights is not None and (weights < 0).any():
        raise ValueError("graph must not have negative weights")
    resolution = check_number("resolution", resolution, minimum=0.0)
    group = _check_labels(labels, graph.n_nodes)
    strengths = graph.strengths
    total = float(strengths.sum())
    if total == 0.0:
        return 0.0
    edges = graph.edges
    together = group[edges[:, 0]] == group[edges[:, 1]]
    inside = float(together.sum() if weights is None else weights[together].sum())
    volumes = np.bincount(group, weights=strengths) / total
    return 2.0 * inside / total - resolution * float(volumes @ volumes)


def _check_labels(labels: ArrayLike, n_nodes: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return labels renumbered from 0."""
    array = np.asarray(labels)
    if array.shape != (n_nodes,):
        raise ValueError(f"labels must have shape ({n_nodes},), not {array.shape}")
    if array.size and array.dtype.kind not in "iub":
        raise TypeError(f"labels must be integers, not {array.dtype}")
    return np.unique(array, return_inverse=True)[1].astype(np.int64).reshape(n_nodes)
