"""How good a partition is."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from graphopt._native import _core
from graphopt._threads import get_num_threads
from graphopt._validation import check_number
from graphopt.communities._inputs import check_labels, check_weights
from graphopt.graph import Graph


def modularity(graph: Graph | ArrayLike, labels: ArrayLike, *, resolution: float = 1.0) -> float:
    """Return the modularity of a partition.

    ``Q = 1/2m [ sum of A_ij over pairs in one group - resolution * sum of S_g^2 / 2m ]`` with
    ``S_g`` the total strength of group g.

    Parameters
    ----------
    graph : Graph or array of float, shape (n_nodes, n_nodes)
        Undirected; weights, if any, must not be negative. An array holds the weight of every pair:
        symmetric, its diagonal is ignored. Only the ratios of weights count, here and for all that
        finds communities: weights times a power of two give the same bits. A weight below 2^-1074
        times the largest counts as 0.
    labels : array of int, shape (n_nodes,)
        Group of each node; any integers.
    resolution : float
        1 is Newman and Girvan's modularity.

    Returns
    -------
    float
        In [-1/2, 1] at resolution 1; 0 for a graph without edges, or with weights of 0 alone.

    Raises
    ------
    ValueError
        For a directed graph or a matrix that is not symmetric, negative weights, or labels of the
        wrong length.

    Notes
    -----
    O(n + m) for a graph, O(n²) for an array.
    M. E. J. Newman and M. Girvan, Phys. Rev. E 69, 026113 (2004).

    Examples
    --------
    >>> two_triangles = Graph.from_edges([(0, 1), (1, 2), (0, 2), (3, 4), (4, 5), (3, 5), (2, 3)])
    >>> round(modularity(two_triangles, [0, 0, 0, 1, 1, 1]), 4)
    0.3571
    """
    weights = check_weights("graph", graph)
    resolution = check_number("resolution", resolution, minimum=0.0)
    n_nodes = weights.n_nodes if isinstance(weights, Graph) else len(weights)
    return modularity_of(weights, check_labels(labels, n_nodes), resolution)


def modularity_of(
    weights: Graph | NDArray[np.float64], group: NDArray[np.integer], resolution: float = 1.0
) -> float:
    """Return the modularity of checked weights and groups numbered from 0."""
    if isinstance(weights, Graph):
        strengths, inside = weights.strengths, _inside_graph(weights, group)
    else:
        strengths, inside = weights.sum(axis=1), _inside_matrix(weights, group)
    total = float(strengths.sum())
    if total == 0.0:
        return 0.0
    volumes = np.bincount(group, weights=strengths) / total
    return inside / total - resolution * float(volumes @ volumes)


def _inside_graph(graph: Graph, group: NDArray[np.integer]) -> float:
    """Return twice the weight of the edges within groups."""
    edges, weights = graph.edges, graph.edge_weights
    together = group[edges[:, 0]] == group[edges[:, 1]]
    return 2.0 * float(together.sum() if weights is None else weights[together].sum())


def _inside_matrix(weights: NDArray[np.float64], group: NDArray[np.integer]) -> float:
    """Return twice the weight of the pairs within groups."""
    numbers = np.ascontiguousarray(group, np.int64)
    return 2.0 * _core.weight_within(weights, numbers, get_num_threads())
