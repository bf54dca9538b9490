"""How many small subgraphs of each kind a node is part of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphopt._loading import load_whole
from graphopt.graph import Graph, check_undirected

MOTIFS = ("edges", "paths of two edges from the node", "triangles", "cycles of four edges")

_ROUNDS = 64  # of dropping leaves; more rounds save little, and a path has n / 2
_BLOCK = 1 << 20  # entries of the squared adjacency matrix in memory at a time, before they merge


def motif_counts(graph: Graph) -> NDArray[np.int64]:
    """Count the motifs that each node is part of: :data:`MOTIFS`.

    Parameters
    ----------
    graph : Graph
        Undirected. Weights play no part.

    Returns
    -------
    array of int64, shape (n_nodes, 4)
        Subgraphs, whatever other edges there are between their nodes: a node of a complete graph
        of four nodes is on three cycles of four edges.

    Raises
    ------
    ValueError
        For a directed graph.

    Notes
    -----
    Cycles need at least two ways out of each of their nodes, so leaves are dropped first: in time
    proportional to the sum of the squared degrees of what is left, in bounded memory.

    Examples
    --------
    >>> square_with_tail = Graph.from_edges([(0, 1), (1, 2), (2, 3), (3, 0), (3, 4)])
    >>> motif_counts(square_with_tail)
    array([[2, 3, 0, 1],
           [2, 2, 0, 1],
           [2, 3, 0, 1],
           [3, 2, 0, 1],
           [1, 2, 0, 0]])
    """
    check_undirected("graph", graph)
    degrees = graph.degrees
    # From every neighbour v on to any of its deg(v) - 1 others.
    sources = np.repeat(np.arange(graph.n_nodes), degrees)
    onward = (degrees - 1)[graph.indices]
    paths = np.bincount(sources, weights=onward, minlength=graph.n_nodes).astype(np.int64)
    return np.column_stack([degrees, paths, *_cycles(graph)])


def _cycles(graph: Graph) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the triangles and the cycles of four edges through each node.

    Entry (u, w) of the squared adjacency matrix counts the neighbours that u and w share: where u
    and w are neighbours each is a triangle, and each two of them are a cycle of four edges.
    """
    triangles = np.zeros(graph.n_nodes, np.int64)
    squares = np.zeros(graph.n_nodes, np.int64)
    nodes = _without_leaves(graph)
    core = graph.subgraph(nodes)
    adjacency = _ones(core)
    for rows in _blocks(core):
        block = adjacency[rows]
        shared = block @ adjacency
        degrees = core.degrees[rows]
        triangles[nodes[rows]] = shared.multiply(block).sum(axis=1) // 2
        shared.data = shared.data * (shared.data - 1) // 2
        # A node shares all its neighbours with itself.
        squares[nodes[rows]] = shared.sum(axis=1) - degrees * (degrees - 1) // 2
    return triangles, squares


def _without_leaves(graph: Graph) -> NDArray[np.int32]:
    """Return the nodes that are left when those with fewer than two neighbours go, again and again.

    They are those of the 2-core, and the inner part of long branches, where there is no cycle to be
    counted.
    """
    degrees, there = graph.degrees, np.ones(graph.n_nodes, bool)
    adjacency = _ones(graph)
    for _ in range(_ROUNDS):
        leaves = np.flatnonzero(there & (degrees < 2))
        if len(leaves) == 0:
            break
        there[leaves] = False
        degrees -= np.bincount(adjacency[leaves].indices, minlength=graph.n_nodes)
    return np.flatnonzero(there & (degrees > 0)).astype(np.int32)


def _ones(graph: Graph) -> Any:
    load_whole("scipy.sparse")
    from scipy.sparse import csr_array

    entries = np.ones(len(graph.indices), np.int64)
    n = graph.n_nodes
    return csr_array((entries, graph.indices, graph.indptr), shape=(n, n))


def _blocks(graph: Graph) -> Iterator[slice]:
    """Cut the rows, none empty, into blocks of `_BLOCK` paths of two edges or of one row."""
    if graph.n_nodes == 0:
        return
    ends = np.cumsum(np.add.reduceat(graph.degrees[graph.indices], graph.indptr[:-1]))
    begin = 0
    while begin < graph.n_nodes:
        reached = ends[begin - 1] if begin else 0
        end = max(int(np.searchsorted(ends, reached + _BLOCK, side="right")), begin + 1)
        yield slice(begin, end)
        begin = end
