"""Clean splits: other edges are hidden each time, and other numbers given to the nodes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphopt._validation import (
    RandomState,
    check_integer,
    check_memory,
    check_number,
    check_random_state,
)
from graphopt.datasets.hiding import hide_edges, renumbered_back
from graphopt.features import check_features
from graphopt.graph import Graph, check_undirected

_SEED_BYTES = 40  # of an int in a list


@dataclass(frozen=True, slots=True, eq=False)
class CleanSplit:
    """A graph with part of its edges hidden and its nodes renumbered.

    Attributes
    ----------
    full, seen, unseen : Graph
        All edges, those to decide from, and all others. No edge is both seen and unseen.
    features : array or csr_array of float32, shape (n_nodes, n_features), or None
        For the nodes as they are numbered here.
    order : array of int64, shape (n_nodes,)
        Node i here is node ``order[i]`` of the graph that was split.
    """

    full: Graph
    seen: Graph
    unseen: Graph
    features: Any
    order: NDArray[np.int64]

    def renumbered_back(self, task: str, decision: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return a decision in the numbering of the graph that was split."""
        return renumbered_back(task, decision, self.order)


def clean_splits(
    graph: Graph,
    features: Any = None,
    *,
    seen: float = 0.4,
    splits: int = 10,
    random_state: RandomState = 0,
) -> Iterator[CleanSplit]:
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
    CleanSplit

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
    rows = features if features is None or callable(features) else checked(graph, features)
    return (draw(graph, rows, seen, seed) for seed in seeds)


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


def checked(graph: Graph, features: Any) -> Any:
    """Return features as an array of float32, dense or CSR."""
    return check_features(features, graph.n_nodes)


def split_seeds(splits: int, random_state: RandomState) -> list[int]:
    """Return a seed for each split."""
    check_memory(f"the seeds of {splits:,} splits", _SEED_BYTES * splits, "draw fewer splits")
    rng = check_random_state(random_state)
    return [int(rng.integers(2**63)) for _ in range(splits)]


def draw(graph: Graph, features: Any, seen: float, seed: int) -> CleanSplit:
    """Return the split of a seed; everything is checked."""
    rng = np.random.default_rng(seed)
    found = hide_edges(graph, seen, rng, renumber=True, features=features)
    return CleanSplit(found.full, found.seen, found.unseen, found.features, found.order)
