"""Estimate missing edges by groups that are found without some of the seen edges."""

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
from graphopt._weights import in_own_unit, in_unit_of
from graphopt.communities import leiden
from graphopt.completion._base import PairCompletion
from graphopt.completion._probabilities import EdgeProbabilities, proportional
from graphopt.datasets.hiding import check_seen_graph
from graphopt.graph import Graph

_BAG_NODE_BYTES = 56  # of a node, in what each bag keeps
_DRAW_BYTES = 200  # of a drawn edge, while the new graph is put together
_PASSES = 2  # of Leiden over a bag: many bags tell more than few whose groups are the best


@dataclass(frozen=True, slots=True)
class Bagging(PairCompletion):
    """Expects missing edges between the groups that seen edges join when left out of the grouping.

    It uses the structure alone and ignores features. A bag is a random part of the seen edges.
    Leiden groups the nodes by the edges of the bag; nodes without an edge in the bag form a group
    of their own. The edges that were left out show how often an edge joins each pair of groups.
    Within its group, a node gets edges in proportion to its degree in the bag. The average over
    bags is a mixture of degree-corrected block models.

    Parameters
    ----------
    weight : float
        Expected number of missing edges, relative to the seen ones. When a share s of all edges was
        seen, 1/s - 1 is missing; 1.5 stands for s = 0.4.
    n_bags : int
    keep : float
        Share of the seen edges in a bag, in (0, 1).
    n_groups : int, optional
        The largest number of groups of a bag. None: as many as Leiden finds.
    draws : int
        Number of edges drawn from the mixture for each seen edge; with more, the expected edges are
        finer.
    random_state : int, Generator or None
        Determines the bags, groups and draws.

    Notes
    -----
    O(draws + n_bags) times the number of seen edges, up to logarithms. The degree-corrected block
    model: B. Karrer and M. E. J. Newman, Phys. Rev. E 83, 016107 (2011).

    Examples
    --------
    >>> two_cliques = [(u, v) for u in range(6) for v in range(u)]
    >>> two_cliques += [(u + 6, v + 6) for u, v in two_cliques]
    >>> graph = Graph.from_edges(two_cliques[::2], 12)
    >>> missing = Bagging(weight=1.0, draws=100).missing_edges(graph)
    >>> inside = (missing.edges < 6).sum(axis=1) != 1
    >>> bool(missing.edge_weights[inside].sum() > 0.8 * graph.n_edges)
    True
    """

    weight: float = 1.5
    n_bags: int = 100
    keep: float = 0.8
    n_groups: int | None = None
    draws: int = 120
    random_state: RandomState = 0

    def __post_init__(self) -> None:
        keep = check_number("keep", self.keep, minimum=0.0, maximum=1.0, open_minimum=True)
        if keep == 1.0:
            raise ValueError("keep must be less than 1: edges must be left out")
        # Python's numbers: those of NumPy may be of a type that their products do not fit.
        object.__setattr__(self, "keep", keep)
        object.__setattr__(self, "weight", check_number("weight", self.weight, minimum=0.0))
        for name in ("n_bags", "draws", "n_groups"):
            if (value := getattr(self, name)) is not None:
                object.__setattr__(self, name, check_integer(name, value, minimum=1))

    def missing_edges(self, graph: Graph, features: Any = None) -> Graph:
        """Return edges drawn from the mixture as a weighted graph.

        Parameters
        ----------
        graph : Graph
            The seen graph, undirected.
        features : ignored

        Returns
        -------
        Graph
            On the same nodes, without the seen edges. On average, the weight of a pair is in
            proportion to its probability; the weights sum to `weight` times the seen weight.
            Without edges if fewer than two edges were seen.

        Raises
        ------
        ValueError
            For a directed graph or negative weights.
        graphopt.errors.MemoryLimitError
            If the draws do not fit in memory.
        """
        pairs, counts, _ = self._drawn(graph)
        own, exponent = in_own_unit(graph)
        total = self.weight * float(own.strengths.sum()) / 2.0
        weights = counts * (total / counts.sum()) if len(counts) else counts
        found = Graph.from_edges(pairs, graph.n_nodes, weights, names=graph.names)
        return in_unit_of("graph", found, exponent)

    def probabilities(self, graph: Graph, features: Any = None) -> EdgeProbabilities:
        """Return the mixture's probabilities: one for each drawn pair, the average for all others.

        Parameters
        ----------
        graph : Graph
            The seen graph, undirected.
        features : ignored

        Returns
        -------
        EdgeProbabilities
            They sum to `weight` times the number of seen edges.

        Raises
        ------
        ValueError
            As :meth:`missing_edges`, and if there are fewer unseen pairs than missing edges.
        """
        pairs, _, bags = self._drawn(graph)
        total = self.weight * graph.n_edges
        rate = np.zeros(len(pairs))
        seen_share = 0.0  # of the mixture that falls on seen edges, which are not missing
        edges = graph.edges
        for bag in bags:
            rate += bag.rates(pairs)
            seen_share += float(bag.rates(edges).sum()) + bag.loop_share()
        if self.n_bags > seen_share:
            rate /= self.n_bags - seen_share
        chances = np.minimum(1.0, total * rate)
        listed = EdgeProbabilities(graph, pairs, chances)
        rest = total - listed.n_missing
        if 0.0 <= rest < listed.n_others:
            return EdgeProbabilities(graph, pairs, chances, rest / listed.n_others)
        return proportional(graph, pairs, rate, total)

    def _drawn(self, graph: Graph) -> tuple[NDArray[np.int32], NDArray[np.float64], list[_Bag]]:
        """Return the distinct unseen pairs that were drawn, how often, and the bags."""
        check_seen_graph(graph)
        n_draws = self.draws * graph.n_edges
        check_memory(f"{n_draws:,} drawn edges", _DRAW_BYTES * n_draws, "use fewer draws")
        check_memory(
            f"{self.n_bags:,} bags of {graph.n_edges:,} edges",
            self.n_bags * (_BAG_NODE_BYTES * graph.n_nodes + 16 * graph.n_edges),
            "use fewer bags (n_bags)",
        )
        rng = check_random_state(self.random_state)
        each = -(-n_draws // self.n_bags)
        bags = list(self._bags(graph, rng))
        found = [bag.draw(each, rng) for bag in bags]
        if not found:
            return np.empty((0, 2), np.int32), np.empty(0), bags
        ends = np.sort(np.concatenate(found), axis=1).astype(np.int64)
        ends = ends[ends[:, 0] != ends[:, 1]]
        edges = graph.edges.astype(np.int64)
        codes, counts = np.unique(ends[:, 0] * graph.n_nodes + ends[:, 1], return_counts=True)
        unseen = ~np.isin(codes, edges[:, 0] * graph.n_nodes + edges[:, 1])
        codes, counts = codes[unseen], counts[unseen]
        pairs = np.column_stack([codes // graph.n_nodes, codes % graph.n_nodes])
        return pairs.astype(np.int32), counts.astype(np.float64), bags

    def _bags(self, graph: Graph, rng: np.random.Generator) -> Iterator[_Bag]:
        if graph.n_edges < 2:
            return
        seeds = rng.integers(2**63, size=self.n_bags)
        for seed in seeds:
            yield _Bag(graph, self.keep, self.n_groups, np.random.default_rng(int(seed)))


class _Bag:
    """Some of the seen edges, the groups of nodes found from them, and the edges left out."""

    def __init__(
        self, graph: Graph, keep: float, n_groups: int | None, rng: np.random.Generator
    ) -> None:
        edges, weights = graph.edges, graph.edge_weights
        n_kept = min(max(1, round(keep * len(edges))), len(edges) - 1)
        order = rng.permutation(len(edges))
        kept = order[:n_kept]
        bag = Graph.from_edges(
            edges[kept], graph.n_nodes, None if weights is None else weights[kept]
        )
        k = None if n_groups is None else min(n_groups, graph.n_nodes)
        found = leiden(bag, k, iterations=_PASSES, random_state=rng)
        self._group = found.labels.astype(np.int64)
        alone = bag.degrees == 0
        self._group[alone] = self._group.max() + 1
        _, self._group = np.unique(self._group, return_inverse=True)
        self._propensity = np.where(alone, 1.0, bag.degrees)
        self._left_out = self._group[edges[order[n_kept:]]]
        self._by_group = np.argsort(self._group, kind="stable")
        self._below = np.append(0.0, np.cumsum(self._propensity[self._by_group]))
        sizes = np.bincount(self._group)
        self._stop = np.cumsum(sizes)
        self._start = self._stop - sizes

    def draw(self, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Draw edges between nodes of the groups that left-out edges join."""
        groups = self._left_out[rng.integers(len(self._left_out), size=count)]
        low, high = self._below[self._start[groups]], self._below[self._stop[groups]]
        at = np.searchsorted(self._below, low + rng.random(groups.shape) * (high - low), "right")
        # Rounding may lead out of the group.
        at = np.clip(at - 1, self._start[groups], self._stop[groups] - 1)
        return np.asarray(self._by_group[at])

    def rates(self, pairs: NDArray[np.int32]) -> NDArray[np.float64]:
        """Return the probability that a draw is a given pair of distinct nodes."""
        n_groups = len(self._start)
        between = np.sort(self._left_out, axis=1)
        known, number = np.unique(between[:, 0] * n_groups + between[:, 1], return_counts=True)
        ends = np.sort(self._group[pairs], axis=1)
        codes = ends[:, 0] * n_groups + ends[:, 1]
        place = np.minimum(np.searchsorted(known, codes), len(known) - 1)
        share = np.where(known[place] == codes, number[place] / len(self._left_out), 0.0)
        within = ends[:, 0] == ends[:, 1]  # either end may have drawn either node
        return np.asarray(share * np.where(within, 2.0, 1.0) * self._share(pairs).prod(axis=1))

    def loop_share(self) -> float:
        """Return the probability that a draw is one node twice."""
        inside = self._left_out[self._left_out[:, 0] == self._left_out[:, 1], 0]
        share = self._share(np.arange(len(self._group)))
        squares = np.bincount(self._group, weights=share**2)
        return float(squares[inside].sum()) / len(self._left_out)

    def _share(self, nodes: NDArray[Any]) -> NDArray[np.float64]:
        """Return each node's share of its group's edges."""
        volume = np.bincount(self._group, weights=self._propensity)
        return np.asarray(self._propensity[nodes] / volume[self._group[nodes]])
