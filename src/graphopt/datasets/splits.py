"""Which edges are seen: splits of a graph's undirected edges."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graphopt._loading import load_whole
from graphopt._validation import RandomState, check_choice, check_number, check_random_state
from graphopt.graph import Graph, check_undirected

_KEEP = ("none", "connected")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class EdgeSplit:
    """Parts of a graph's edges.

    Every part has shape (n_part_edges, 2), int32, u < v in each row, rows sorted. `train` and
    `unseen` are disjoint and together they are the graph's edges. `valid` and `test` are parts as
    somebody published them and may overlap `train`: judge on `unseen`.

    Attributes
    ----------
    train : array of int32, shape (n_train, 2)
        The edges that are seen.
    unseen : array of int32, shape (n_unseen, 2)
        All others.
    valid, test : array of int32, shape (n, 2), or None
        Published parts, None where there are none.
    """

    train: NDArray[np.int32]
    unseen: NDArray[np.int32]
    valid: NDArray[np.int32] | None = None
    test: NDArray[np.int32] | None = None

    def __repr__(self) -> str:
        sizes = [f"train={len(self.train)}", f"unseen={len(self.unseen)}"]
        sizes += [
            f"{name}={len(part)}"
            for name, part in (("valid", self.valid), ("test", self.test))
            if part is not None
        ]
        return f"EdgeSplit({', '.join(sizes)})"


def split_edges(
    graph: Graph,
    fraction: float = 0.4,
    *,
    random_state: RandomState = None,
    keep: str = "none",
) -> EdgeSplit:
    """Draw which undirected edges are seen.

    Parameters
    ----------
    graph : Graph
        Undirected.
    fraction : float
        Part of the edges that is seen, in [0, 1]; ``round(fraction * n_edges)`` edges are drawn
        uniformly without replacement.
    random_state : int, Generator or None
    keep : {"none", "connected"}
        ``"connected"``: a random spanning forest is seen before anything else, so that the seen
        graph has the components of the whole one and no node loses its last edge.

    Returns
    -------
    EdgeSplit
        `train` and `unseen`; no edge is in both.

    Raises
    ------
    ValueError
        For a directed graph, a fraction outside [0, 1], or one too small for the spanning forest.

    Notes
    -----
    O(m log m).

    Examples
    --------
    >>> ring = Graph.from_edges([(i, (i + 1) % 10) for i in range(10)])
    >>> split_edges(ring, 0.4, random_state=0)
    EdgeSplit(train=4, unseen=6)
    """
    check_undirected("graph", graph)
    fraction = check_number("fraction", fraction, minimum=0.0, maximum=1.0)
    check_choice("keep", keep, _KEEP)
    rng = check_random_state(random_state)
    edges = graph.edges
    n_seen = round(fraction * len(edges))
    order = rng.permutation(len(edges))
    if keep == "connected":
        first = _spanning_forest(graph, order)
        if first.sum() > n_seen:
            raise ValueError(
                f"fraction must leave room for a spanning forest of {first.sum()} edges; "
                f"{fraction:g} of {len(edges)} edges are {n_seen}"
            )
        order = np.concatenate([order[first[order]], order[~first[order]]])
    seen = np.zeros(len(edges), np.bool_)
    seen[order[:n_seen]] = True
    return EdgeSplit(train=edges[seen], unseen=edges[~seen])


def observed_graph(graph: Graph, split: EdgeSplit) -> Graph:
    """Return the graph that keeps all nodes, names included, and of the edges `split.train` only.

    Raises
    ------
    ValueError
        For a directed graph, or if `split.train` holds an edge that the graph does not have.

    Examples
    --------
    >>> ring = Graph.from_edges([(i, (i + 1) % 10) for i in range(10)])
    >>> observed_graph(ring, split_edges(ring, 0.4, random_state=0))
    Graph(n_nodes=10, n_edges=4)
    """
    check_undirected("graph", graph)
    known = edge_codes(graph.edges, graph.n_nodes)
    seen = edge_codes(split.train, graph.n_nodes)
    at = np.minimum(np.searchsorted(known, seen), max(len(known) - 1, 0))
    strange = np.ones(len(seen), np.bool_) if not len(known) else known[at] != seen
    if strange.any():
        u, v = split.train[np.flatnonzero(strange)[0]]
        raise ValueError(f"split.train must hold edges of the graph; ({u}, {v}) is not one")
    weights = graph.edge_weights
    return Graph.from_edges(
        split.train,
        graph.n_nodes,
        None if weights is None else weights[at],
        names=graph.names,
    )


def edge_codes(edges: NDArray[np.int32], n_nodes: int) -> NDArray[np.int64]:
    """Return one number per edge; sorted when the edges are, equal only for equal edges."""
    return edges[:, 0].astype(np.int64) * max(n_nodes, 1) + edges[:, 1]


def among(edges: NDArray[np.int32], others: NDArray[np.int32], n_nodes: int) -> NDArray[np.bool_]:
    """Return which rows of `edges` are rows of `others`."""
    return np.isin(edge_codes(edges, n_nodes), edge_codes(others, n_nodes))


def without(edges: NDArray[np.int32], taken: NDArray[np.int32], n_nodes: int) -> NDArray[np.int32]:
    """Return the rows of `edges` that are not rows of `taken`."""
    return edges[~among(edges, taken, n_nodes)]


def _spanning_forest(graph: Graph, order: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which edges form the spanning forest that takes edges in the given order."""
    load_whole("scipy.sparse")
    from scipy.sparse import csr_array

    load_whole("scipy.sparse.csgraph")
    from scipy.sparse.csgraph import minimum_spanning_tree

    edges, n = graph.edges, graph.n_nodes
    rank = np.empty(len(edges))
    rank[order] = np.arange(1, len(edges) + 1)  # from 1: zero means no edge
    forest = minimum_spanning_tree(csr_array((rank, (edges[:, 0], edges[:, 1])), shape=(n, n)))
    inside = np.zeros(len(edges), np.bool_)
    inside[order[forest.data.astype(np.int64) - 1]] = True
    return inside
