"""Missing edges between nodes with like features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphopt._validation import check_integer, check_memory, check_number
from graphopt.completion._base import PairCompletion, check_seen_graph
from graphopt.completion._probabilities import EdgeProbabilities, proportional
from graphopt.features import smoothed_features
from graphopt.graph import Graph

_BLOCK_ENTRIES = 2**25  # cosines at a time; with their order, under 1 GB
_DENSE_SHARE = 0.125  # of the entries; from there on a dense product is faster
_EDGE_BYTES = 150  # of an edge, while the new graph is put together


@dataclass(frozen=True, slots=True)
class FeatureNeighbours(PairCompletion):
    """Expects missing edges between nodes whose features are alike.

    Every node is joined to its `n_neighbours` nearest by the cosine of their features, smoothed
    over the seen edges. The weight of a node's new edges falls with the number of its seen ones:
    who has been seen little leans on features more.

    Parameters
    ----------
    n_neighbours : int
        New edges per node, before both directions are joined.
    weight : float
        Total weight of the new edges, relative to the seen ones. When a share s of all edges was
        seen, 1/s - 1 is the weight that is missing; 1.5 stands for s = 0.4.
    smoothing : int
        Averages over seen neighbours before features are compared.

    Examples
    --------
    >>> graph = Graph.from_edges([(0, 1), (2, 3)], n_nodes=5)
    >>> features = np.array([[1, 0], [1, 0], [0, 1], [0, 1], [1, 0.1]])
    >>> FeatureNeighbours(n_neighbours=1).missing_edges(graph, features).neighbors(4)
    array([0], dtype=int32)
    """

    n_neighbours: int = 20
    weight: float = 1.5
    smoothing: int = 1

    def __post_init__(self) -> None:
        check_integer("n_neighbours", self.n_neighbours, minimum=1)
        check_number("weight", self.weight, minimum=0.0)
        check_integer("smoothing", self.smoothing, minimum=0)

    def missing_edges(self, graph: Graph, features: Any = None) -> Graph:
        """Return the feature neighbours as a weighted graph.

        Parameters
        ----------
        graph : Graph
            Undirected.
        features : array or sparse array, shape (n_nodes, n_features)

        Returns
        -------
        Graph
            On the same nodes; may hold seen edges too. ``graph.plus`` adds the two up.

        Raises
        ------
        ValueError
            For a directed graph, or features that are not finite or not one row per node.
        graphopt.errors.MemoryLimitError
            If the new edges, or features averaged over neighbours, do not fit in memory.

        Notes
        -----
        O(n² times features) time; memory for the new edges and for blocks of rows.
        """
        check_seen_graph(graph)
        if features is None:
            raise ValueError("features must be given: they say which nodes are alike")
        n_edges = graph.n_nodes * min(self.n_neighbours, max(graph.n_nodes - 1, 0))
        check_memory(
            f"a graph of {n_edges:,} feature neighbours",
            _EDGE_BYTES * n_edges,
            "use fewer n_neighbours",
        )
        rows = smoothed_features(features, graph, self.smoothing)
        source, target, similarity = _nearest(rows, self.n_neighbours)
        share = (
            similarity
            / np.maximum(np.bincount(source, weights=similarity, minlength=graph.n_nodes), 1e-12)[
                source
            ]
        )
        added = share / np.sqrt(1.0 + graph.degrees[source])
        if added.sum() > 0.0:
            added *= self.weight * graph.strengths.sum() / 2.0 / added.sum()
        pairs = np.column_stack([source, target])
        return Graph.from_edges(pairs, graph.n_nodes, added, duplicates="sum", names=graph.names)

    def probabilities(self, graph: Graph, features: Any = None) -> EdgeProbabilities:
        """Return the weights of the feature neighbours as probabilities.

        Parameters
        ----------
        graph : Graph
            Undirected.
        features : array or sparse array, shape (n_nodes, n_features)

        Returns
        -------
        EdgeProbabilities
            In proportion to the weights, at most 1, for neighbours that are not joined yet; they
            sum to `weight` times the number of seen edges. What is left when all of them are sure
            is spread over all other pairs.

        Raises
        ------
        ValueError
            As :meth:`missing_edges`, and where fewer pairs are unseen than edges missing.
        """
        found = self.missing_edges(graph, features)
        pairs, weights = found.edges, found.edge_weights
        total = self.weight * graph.n_edges
        if weights is None:  # no two nodes are alike
            pairs, weights = np.empty((0, 2), np.int32), np.empty(0)
        return proportional(graph, pairs, weights, total)


def _nearest(
    rows: Any, n_neighbours: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return (node, neighbour, cosine) of each node's nearest, by unit rows; only cosines > 0."""
    n = rows.shape[0]
    if not isinstance(rows, np.ndarray) and rows.nnz > _DENSE_SHARE * n * rows.shape[1]:
        rows = rows.toarray()
    count = min(n_neighbours, n - 1)
    block = max(1, min(512, _BLOCK_ENTRIES // max(n, 1)))
    sources, targets, values = [], [], []
    for start in range(0, n if count > 0 else 0, block):
        stop = min(start + block, n)
        product = rows[start:stop] @ rows.T
        cosine = product if isinstance(product, np.ndarray) else product.toarray()
        here = np.arange(start, stop)
        cosine[here - start, here] = -np.inf
        nearest = np.argpartition(cosine, n - count, axis=1)[:, n - count :]
        value = np.take_along_axis(cosine, nearest, axis=1)
        alike = value > 0.0
        sources.append(np.broadcast_to(here[:, None], nearest.shape)[alike])
        targets.append(nearest[alike])
        values.append(value[alike])
    if not sources:
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
    return (
        np.concatenate(sources).astype(np.int64),
        np.concatenate(targets).astype(np.int64),
        np.concatenate(values).astype(np.float64),
    )
