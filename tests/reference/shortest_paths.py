"""Shortest paths, written for reading."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from graphopt.graph import Graph


def shortest_paths_from(graph: Graph, source: int, cutoff: float = np.inf) -> NDArray[np.float64]:
    """Return the distance from `source` to every node, shape (n_nodes,); inf: unreachable.

    Dijkstra's algorithm without a heap: settle the nearest open node, relax its edges. O(n^2 + m).
    """
    distances = np.full(graph.n_nodes, np.inf)
    distances[source] = 0.0
    open_nodes = set(range(graph.n_nodes))
    while open_nodes:
        u = min(open_nodes, key=lambda node: distances[node])
        open_nodes.remove(u)
        for entry in range(graph.indptr[u], graph.indptr[u + 1]):
            length = 1.0 if graph.weights is None else graph.weights[entry]
            v = graph.indices[entry]
            distances[v] = min(distances[v], distances[u] + length)
    distances[distances > cutoff] = np.inf
    return distances


def all_pairs_shortest_paths(
    graph: Graph, sources: Sequence[int] | None = None, cutoff: float = np.inf
) -> NDArray[np.float64]:
    """Return the distance from each source (None: every node) to every node."""
    start = range(graph.n_nodes) if sources is None else sources
    rows = [shortest_paths_from(graph, s, cutoff) for s in start]
    return np.array(rows, np.float64).reshape(len(start), graph.n_nodes)


def floyd_warshall(graph: Graph) -> NDArray[np.float64]:
    """Return the distance between all nodes, shape (n_nodes, n_nodes); inf: unreachable.

    One node after another may be passed through. O(n^3).
    """
    n = graph.n_nodes
    distances = np.full((n, n), np.inf)
    for u in range(n):
        for entry in range(graph.indptr[u], graph.indptr[u + 1]):
            distances[u, graph.indices[entry]] = (
                1.0 if graph.weights is None else graph.weights[entry]
            )
        distances[u, u] = 0.0
    for k in range(n):
        distances = np.minimum(distances, distances[:, k, None] + distances[k])
    return distances


def distances_to_nearest(
    graph: Graph, centers: Sequence[int]
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Return each node's distance from its nearest centre and that centre's position."""
    distances = np.full(graph.n_nodes, np.inf)
    nearest = np.full(graph.n_nodes, -1, np.int32)
    for position, center in enumerate(centers):
        candidate = shortest_paths_from(graph, center)
        closer = candidate < distances
        distances[closer] = candidate[closer]
        nearest[closer] = position
    return distances, nearest
