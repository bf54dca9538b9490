"""Greedy agglomeration, exactly k groups."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from graphopt._native import _core
from graphopt._validation import check_memory
from graphopt.communities._igraph import as_igraph
from graphopt.communities._inputs import check_k, check_weights
from graphopt.communities._isolated import nodes_with_edges, with_isolated
from graphopt.communities._merging import merge_groups
from graphopt.communities._result import CommunityResult, numbered_by_node, result
from graphopt.graph import Graph

# From this share of all pairs on, a matrix is faster than igraph's lists (measured), while a graph
# is small enough to become one.
_DENSE = 0.01
_DENSE_NODES = 10_000


def cnm(graph: Graph | ArrayLike, k: int | None = None) -> CommunityResult:
    """Find communities by Clauset, Newman and Moore's greedy agglomeration, exactly `k` of them.

    Every node starts as a group; the two groups whose union gains most modularity are merged, again
    and again, as long as some union gains. Where `k` is smaller still, it goes on with the union
    that costs least, be the groups adjacent or not: nodes without an edge join the largest group
    first, in their order, as that costs nothing.

    Parameters
    ----------
    graph : Graph or array of float, shape (n_nodes, n_nodes)
        Undirected; weights, if any, must not be negative. An array holds the weight of every pair,
        say the probability of an edge: symmetric, its diagonal is ignored.
    k : int, optional
        Number of groups, ``1 .. n_nodes``. None: merging stops where nothing gains.

    Returns
    -------
    CommunityResult

    Raises
    ------
    ValueError
        If the graph is directed, the array not symmetric, a weight negative or not finite, or for
        `k` outside ``1 .. n_nodes``.
    MemoryLimitError
        If the matrix of gains of a dense graph does not fit into memory.

    Notes
    -----
    Near-linear time on sparse graphs, where igraph merges while something gains; its own dendrogram
    cannot be cut below the number of components, and merges within a component even where joining
    two others would cost less. Where one pair in a hundred or more has a weight, a matrix of all
    gains takes over: O(n²) memory, O(n²) time in practice, and of unions that gain the same the
    smallest pair of nodes comes first. Both merge alike but for such ties, and but for steps where
    igraph takes a union that gains less than the best, which it does now and then.
    A. Clauset, M. E. J. Newman and C. Moore, Phys. Rev. E 70, 066111 (2004).

    Examples
    --------
    >>> two_triangles = Graph.from_edges([(0, 1), (1, 2), (0, 2), (3, 4), (4, 5), (3, 5), (2, 3)])
    >>> cnm(two_triangles, 2).labels
    array([0, 0, 0, 1, 1, 1], dtype=int32)
    """
    weights = check_weights("graph", graph)
    if isinstance(weights, Graph):
        k = check_k(k, weights.n_nodes)
        sparse = 2 * weights.n_edges < _DENSE * weights.n_nodes**2
        if sparse or weights.n_nodes > _DENSE_NODES:
            return result(weights, _merge_lists(weights, k))
        return result(weights, _merge_matrix(weights.to_scipy().toarray(), k))
    k = check_k(k, len(weights))
    if np.count_nonzero(weights) < _DENSE * weights.size:
        return result(weights, _merge_lists(Graph.from_scipy(weights, directed=False), k))
    return result(weights, _merge_matrix(weights, k))


def _merge_lists(graph: Graph, k: int | None) -> NDArray[np.int64]:
    """Let igraph merge while something gains, then go on."""
    group = np.arange(graph.n_nodes)
    peer, weights = as_igraph(graph)
    if peer.ecount():
        merging = peer.community_fastgreedy(weights=weights)
        count = merging.optimal_count if k is None else max(k, merging.optimal_count)
        group = numbered_by_node(merging.as_clustering(count).membership)
    return group if k is None else merge_groups(graph, group, k, 1.0)


def _merge_matrix(weights: NDArray[np.float64], k: int | None) -> NDArray[np.int64]:
    """Merge what gains; then nodes without an edge join the largest group; then merge on."""
    n_nodes = len(weights)
    nodes, between = nodes_with_edges(weights)
    n_isolated = n_nodes - len(nodes)
    if len(nodes) == 0:
        return with_isolated(nodes, nodes, n_nodes, n_nodes if k is None else k)
    check_memory(
        f"a matrix of gains of {len(nodes):,} nodes", 8 * len(nodes) ** 2, "drop weak edges"
    )
    pairs, gains = _core.cnm(np.ascontiguousarray(between), max(1, (k or 1) - n_isolated))
    n_gaining = int((gains > 0.0).sum())  # the first ones: once none gains, none will
    if k is None:
        return with_isolated(_cut(pairs[:n_gaining], len(nodes)), nodes, n_nodes, n_isolated)
    n_first = min(n_gaining, n_nodes - k)
    n_alone = max(0, n_isolated - (n_nodes - k - n_first))
    first = _cut(pairs[:n_first], len(nodes))
    final = _cut(pairs[: len(nodes) + n_alone - k], len(nodes))
    return with_isolated(final, nodes, n_nodes, n_alone, host=int(np.bincount(first).argmax()))


def _cut(pairs: NDArray[np.int32], n_nodes: int) -> NDArray[np.int64]:
    """Return the smallest node of each node's group after some merges."""
    smallest = np.arange(n_nodes)
    smallest[pairs[:, 1]] = pairs[:, 0]
    while (smallest[smallest] != smallest).any():
        smallest = smallest[smallest]
    return smallest
