"""Edges hidden from a graph, as if they had not been seen, and nodes given other numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphopt._scale import exponent_of, restored, times_power
from graphopt._weights import edge_weights
from graphopt.datasets.splits import EdgeSplit, observed_graph, split_edges
from graphopt.features import node_features
from graphopt.graph import Graph


@dataclass(frozen=True, slots=True, eq=False)
class Hiding:
    """A graph with part of its edges hidden.

    Attributes
    ----------
    full, seen : Graph
        All edges, and those that are kept.
    hidden : array of int32, shape (n_hidden, 2)
        All others.
    order : array of int64, shape (n_nodes,)
        Node i here is node ``order[i]`` of the graph that was given.
    """

    full: Graph
    seen: Graph
    hidden: NDArray[np.int32]
    order: NDArray[np.int64]

    @property
    def unseen(self) -> Graph:
        """The graph of the hidden edges."""
        return observed_graph(self.full, EdgeSplit(train=self.hidden, unseen=self.seen.edges))

    def as_whole(self, seen_fraction: float) -> Graph:
        """Return a graph in which the hidden edges stand for all that are missing.

        They weigh more than the kept ones, so that the latter have `seen_fraction` of all weight:
        what is decided from few of the edges hidden is then worth about what it will be worth on
        the whole graph. The sum of weights stays. The nodes have the numbers they had before.

        Parameters
        ----------
        seen_fraction : float
            In (0, 1].
        """
        parts = (self.seen, self.unseen)
        weights = [edge_weights(part) for part in parts]
        exponent = exponent_of(*weights)
        weights = [times_power(part, -exponent) for part in weights]
        sums = [float(part.sum()) for part in weights]
        if min(sums) > 0.0:
            shares = (seen_fraction, 1.0 - seen_fraction)
            weights = [
                w * (x * sum(sums) / t) for w, x, t in zip(weights, shares, sums, strict=True)
            ]
        edges = self.order[np.concatenate([part.edges for part in parts])]
        whole = restored("weights of full", np.concatenate(weights), exponent)
        return Graph.from_edges(edges, self.full.n_nodes, whole)

    def rows(self, features: Any) -> Any:
        """Return features of the nodes as they are numbered here.

        Parameters
        ----------
        features : array, sparse array, callable or None
            Checked rows of the graph that was given; a callable makes rows of what is seen.
        """
        if callable(features):
            return node_features(self.seen, features)
        return None if features is None else features[self.order]


def hide_edges(
    graph: Graph,
    seen_fraction: float,
    random_state: np.random.Generator,
    *,
    renumber: bool = False,
) -> Hiding:
    """Keep a random share of a graph's edges.

    Parameters
    ----------
    graph : Graph
        Undirected.
    seen_fraction : float
        Share that is kept, in [0, 1].
    random_state : numpy.random.Generator
    renumber : bool
        Whether nodes get other numbers, at random, too: no method can then profit from an order of
        the nodes that follows the answer, not even by breaking ties.

    Returns
    -------
    Hiding

    Examples
    --------
    >>> ring = Graph.from_edges([(i, (i + 1) % 10) for i in range(10)])
    >>> hide_edges(ring, 0.4, np.random.default_rng(0)).seen
    Graph(n_nodes=10, n_edges=4)
    """
    n = graph.n_nodes
    order = random_state.permutation(n) if renumber else np.arange(n)
    full = graph.subgraph(order) if renumber else graph
    split = split_edges(full, seen_fraction, random_state=random_state)
    return Hiding(full, observed_graph(full, split), split.unseen, order)


def renumbered_back(
    task: str, decision: NDArray[Any], order: NDArray[np.integer[Any]]
) -> NDArray[Any]:
    """Return a decision in the numbering before nodes were reordered.

    Parameters
    ----------
    task : {"community", "facility"}
        What the decision is: a group for each node, or chosen nodes.
    decision : array of int
    order : array of int, shape (n_nodes,)
        Node i was node ``order[i]`` before.

    Examples
    --------
    >>> renumbered_back("community", np.array([5, 6, 7]), np.array([2, 0, 1]))
    array([6, 7, 5])
    >>> renumbered_back("facility", np.array([0, 2]), np.array([2, 0, 1]))
    array([2, 1])
    """
    if task == "facility":
        centers: NDArray[Any] = order[decision].astype(decision.dtype)
        return centers
    labels = np.empty_like(decision)
    labels[order] = decision
    return labels
