"""Estimate missing edges between nodes with similar features."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphopt._native import _core
from graphopt._threads import get_num_threads
from graphopt._validation import check_integer, check_memory, check_number
from graphopt._weights import in_own_unit, in_unit_of
from graphopt.completion._base import PairCompletion
from graphopt.completion._probabilities import EdgeProbabilities, proportional
from graphopt.datasets.hiding import check_seen_graph
from graphopt.features import smoothed_features
from graphopt.graph import Graph

_BLOCK_ENTRIES = 2**25  # cosines at a time; with their order, under 1 GB
_DENSE_SHARE = 0.125  # of the entries; from there on a dense product is faster
_EDGE_BYTES = 150  # of an edge, while the new graph is put together


@dataclass(frozen=True, slots=True)
class FeatureNeighbours(PairCompletion):
    """Expects missing edges between nodes with similar features.

    Every node is joined to its `n_neighbours` nearest by the cosine of their features, smoothed
    over the seen edges. The more seen edges a node has, the smaller is the weight of its new edges:
    nodes with few seen edges rely more on features.

    Parameters
    ----------
    n_neighbours : int or tuple of int
        New edges per node, before both directions are joined. Several numbers: the average of the
        expected edges of each. Near neighbours are the most likely, and far ones hold groups
        together. Which of the two matters more depends on the graph; the average avoids this
        choice.
    weight : float
        Total weight of the new edges, relative to the seen ones. When a share s of all edges was
        seen, 1/s - 1 is the weight that is missing; 1.5 stands for s = 0.4.
    smoothing : int
        Number of averages over seen neighbours before features are compared.

    Examples
    --------
    >>> graph = Graph.from_edges([(0, 1), (2, 3)], n_nodes=5)
    >>> features = np.array([[1, 0], [1, 0], [0, 1], [0, 1], [1, 0.1]])
    >>> FeatureNeighbours(n_neighbours=1).missing_edges(graph, features).neighbors(4)
    array([0], dtype=int32)
    """

    n_neighbours: int | tuple[int, ...] = 20
    weight: float = 1.5
    smoothing: int = 1

    def __post_init__(self) -> None:
        if isinstance(self.n_neighbours, tuple) and len(self.n_neighbours) == 0:
            raise ValueError("n_neighbours must hold at least one number")
        counts = tuple(check_integer("n_neighbours", count, minimum=1) for count in self._counts)
        # Python's numbers: those of NumPy may be of a type that their products do not fit.
        for name, value in (
            ("n_neighbours", counts if isinstance(self.n_neighbours, tuple) else counts[0]),
            ("weight", check_number("weight", self.weight, minimum=0.0)),
            ("smoothing", check_integer("smoothing", self.smoothing, minimum=0)),
        ):
            object.__setattr__(self, name, value)

    @property
    def _counts(self) -> tuple[int, ...]:
        return self.n_neighbours if isinstance(self.n_neighbours, tuple) else (self.n_neighbours,)

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
            On the same nodes; it may include seen edges. ``graph.plus`` adds the two graphs.

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
        most = max(self._counts)
        n_edges = graph.n_nodes * min(most, max(graph.n_nodes - 1, 0))
        check_memory(
            f"a graph of {n_edges:,} feature neighbours",
            _EDGE_BYTES * n_edges,
            "use fewer n_neighbours",
        )
        rows = smoothed_features(features, graph, self.smoothing)
        source, target, similarity, rank = _nearest(rows, most)
        own, exponent = in_own_unit(graph)
        total = self.weight * float(own.strengths.sum()) / 2.0
        added = np.zeros(len(source))
        for count in self._counts:
            near = rank < count
            weights = _weights(source[near], similarity[near], graph.degrees)
            if weights.sum() > 0.0:
                added[near] += weights * (total / len(self._counts) / weights.sum())
        pairs = np.column_stack([source, target])
        found = Graph.from_edges(pairs, graph.n_nodes, added, duplicates="sum", names=graph.names)
        return in_unit_of("graph", found, exponent)

    def probabilities(self, graph: Graph, features: Any = None) -> EdgeProbabilities:
        """Return probabilities in proportion to the weights of the feature neighbours.

        Parameters
        ----------
        graph : Graph
            Undirected.
        features : array or sparse array, shape (n_nodes, n_features)

        Returns
        -------
        EdgeProbabilities
            In proportion to the weights, at most 1, for neighbours that are not joined yet; they
            sum to `weight` times the number of seen edges. If all of them reach 1, the rest is
            spread over all other pairs.

        Raises
        ------
        ValueError
            As :meth:`missing_edges`, and if there are fewer unseen pairs than missing edges.
        """
        found = self.missing_edges(graph, features)
        pairs, weights = found.edges, found.edge_weights
        total = self.weight * graph.n_edges
        if weights is None:  # no two nodes are alike
            pairs, weights = np.empty((0, 2), np.int32), np.empty(0)
        return proportional(graph, pairs, weights, total)


def _weights(
    source: NDArray[np.int64], similarity: NDArray[np.float64], degrees: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return each new edge's weight, in any unit."""
    sums = np.bincount(source, weights=similarity, minlength=len(degrees))
    share = similarity / np.maximum(sums, 1e-12)[source]
    return np.asarray(share / np.sqrt(1.0 + degrees[source]))


def _products(rows: Any) -> Callable[[int, int], NDArray[Any]]:
    """Return a function that multiplies a range of rows with all rows."""
    if isinstance(rows, np.ndarray):
        # Not by BLAS, whose bits change with the number of threads.
        lines, columns = np.ascontiguousarray(rows), np.ascontiguousarray(rows.T)
        threads = get_num_threads()
        return lambda start, stop: _core.tall_product(lines[start:stop], columns, threads)
    return lambda start, stop: (rows[start:stop] @ rows.T).toarray()


def _nearest(
    rows: Any, n_neighbours: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """Return (node, neighbour, cosine, rank) of each node's nearest, by unit rows.

    Only cosines above 0; the nearest has rank 0.
    """
    n = rows.shape[0]
    if not isinstance(rows, np.ndarray) and rows.nnz > _DENSE_SHARE * n * rows.shape[1]:
        rows = rows.toarray()
    cosines = _products(rows)
    count = min(n_neighbours, n - 1)
    block = max(1, min(512, _BLOCK_ENTRIES // max(n, 1)))
    sources, targets, values, ranks = [], [], [], []
    for start in range(0, n if count > 0 else 0, block):
        stop = min(start + block, n)
        cosine = cosines(start, stop)
        here = np.arange(start, stop)
        cosine[here - start, here] = -np.inf
        nearest = np.argpartition(cosine, n - count, axis=1)[:, n - count :]
        value = np.take_along_axis(cosine, nearest, axis=1)
        order = np.argsort(-value, axis=1, kind="stable")
        rank = np.empty_like(order)
        np.put_along_axis(rank, order, np.arange(count)[None, :], axis=1)
        alike = value > 0.0
        sources.append(np.broadcast_to(here[:, None], nearest.shape)[alike])
        targets.append(nearest[alike])
        values.append(value[alike])
        ranks.append(rank[alike])
    if not sources:
        nothing = np.empty(0, np.int64)
        return nothing, nothing, np.empty(0), nothing
    return (
        np.concatenate(sources).astype(np.int64),
        np.concatenate(targets).astype(np.int64),
        np.concatenate(values).astype(np.float64),
        np.concatenate(ranks).astype(np.int64),
    )
