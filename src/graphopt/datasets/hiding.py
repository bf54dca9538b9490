"""Edges hidden from a graph, as if they had not been seen, and nodes given other numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphopt._scale import exponent_of, restored, times_power
from graphopt._validation import (
    RandomState,
    check_integer,
    check_memory,
    check_number,
    check_random_state,
)
from graphopt._weights import edge_weights
from graphopt.datasets.splits import EdgeSplit, observed_graph, split_edges
from graphopt.features import check_features, node_features
from graphopt.graph import Graph, check_undirected

_SEED_BYTES = 40  # of an int in a list


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
    features : array or csr_array of float32, shape (n_nodes, n_features), or None
        For the nodes as they are numbered here.
    """

    full: Graph
    seen: Graph
    hidden: NDArray[np.int32]
    order: NDArray[np.int64]
    features: Any = None

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


def hide_edges(
    graph: Graph,
    seen_fraction: float,
    random_state: np.random.Generator,
    *,
    renumber: bool = False,
    features: Any = None,
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
    features : array, sparse array or callable, optional
        Checked rows, one per node of `graph`; a callable computes them from what is seen.

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
    seen = observed_graph(full, split)
    if callable(features):
        rows = node_features(seen, features)
    else:
        rows = None if features is None else features[order]
    return Hiding(full, seen, split.unseen, order, rows)


def masked_graphs(
    graph: Graph, seen_fraction: float, n_splits: int, random_state: np.random.Generator
) -> Iterator[Hiding]:
    """Yield graphs that keep a random share of the edges of `graph`.

    What is kept is to `graph` as `graph` is to the whole one.
    """
    share = check_share(seen_fraction)
    check_integer("n_splits", n_splits, minimum=1)
    for _ in range(n_splits):
        yield hide_edges(graph, share, random_state)


def clean_splits(
    graph: Graph,
    features: Any = None,
    *,
    seen: float = 0.4,
    splits: int = 10,
    random_state: RandomState = 0,
) -> Iterator[Hiding]:
    """Yield splits of a graph's undirected edges, its nodes renumbered at random for each.

    Renumbered, no method can profit from an order of the nodes that follows the answer, not even by
    breaking ties.

    Parameters
    ----------
    graph : Graph
        Undirected, with at least one edge. Names of the nodes stay with them.
    features : array, sparse array or callable, optional
        One row per node, which must not have been computed from the edges of `graph`: an embedding
        of the full graph knows what is hidden. What depends on edges is computed anew by a callable
        that takes the seen graph.
    seen : float
        Share of the edges that is seen, above 0 to 1; rounded to whole edges, at least one.
    splits : int
        How many, at least 1.
    random_state : int, Generator or None
        Split i is the same for any number of splits.

    Yields
    ------
    Hiding
        With the features of its nodes.

    Raises
    ------
    ValueError
        For a directed graph, one without edges, a share that leaves no edge to see, or features
        that do not fit.

    Examples
    --------
    >>> ring = Graph.from_edges([(i, (i + 1) % 10) for i in range(10)])
    >>> [(split.seen.n_edges, split.unseen.n_edges) for split in clean_splits(ring, splits=2)]
    [(4, 6), (4, 6)]
    """
    seen = check_splittable(graph, seen)
    seeds = split_seeds(check_integer("splits", splits, minimum=1), random_state)
    rows = checked_features(graph, features)
    return (draw_split(graph, rows, seen, seed) for seed in seeds)


def check_splittable(graph: Graph, seen: float) -> float:
    """Return the share to see, or raise if it leaves nothing to decide from."""
    check_undirected("graph", graph)
    if graph.n_edges == 0:
        raise ValueError("graph must have at least one edge")
    share = check_number("seen", seen, minimum=0.0, maximum=1.0, open_minimum=True)
    if round(share * graph.n_edges) == 0:
        raise ValueError(
            f"seen must leave an edge to decide from; {share:g} of {graph.n_edges} edges are none"
        )
    return share


def checked_features(graph: Graph, features: Any) -> Any:
    """Return features as an array of float32, dense or CSR; a callable and None as they are."""
    if features is None or callable(features):
        return features
    return check_features(features, graph.n_nodes)


def split_seeds(splits: int, random_state: RandomState) -> list[int]:
    """Return a seed for each split."""
    check_memory(f"the seeds of {splits:,} splits", _SEED_BYTES * splits, "draw fewer splits")
    rng = check_random_state(random_state)
    return [int(rng.integers(2**63)) for _ in range(splits)]


def draw_split(graph: Graph, features: Any, seen: float, seed: int) -> Hiding:
    """Return the split of a seed; everything is checked."""
    rng = np.random.default_rng(seed)
    return hide_edges(graph, seen, rng, renumber=True, features=features)


def check_share(seen_fraction: float) -> float:
    """Return the share s of edges that were seen, in (0, 1]; 1 / s is finite."""
    share = check_number(
        "seen_fraction", seen_fraction, minimum=0.0, maximum=1.0, open_minimum=True
    )
    if math.isinf(1.0 / share):
        raise ValueError(f"seen_fraction must not be so small, {share:g}: no edge would be seen")
    return share


def check_seen_graph(graph: Graph) -> None:
    """Raise unless `graph` is an undirected Graph without negative weights."""
    check_undirected("graph", graph)
    if graph.weights is not None and (graph.weights < 0.0).any():
        raise ValueError("graph must have no negative weights")
