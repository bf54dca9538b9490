"""Probabilities of edges that were not seen; expected edges and graphs drawn from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from graphopt._loading import load_whole
from graphopt._scale import times_power, unusual_exponent
from graphopt._validation import (
    RandomState,
    as_array,
    check_integer,
    check_memory,
    check_node_indices,
    check_number,
    check_probabilities,
    check_random_state,
)
from graphopt._weights import in_own_unit, in_unit_of, mean_weight
from graphopt.completion.unseen_pairs import UnseenPairs
from graphopt.datasets.splits import among, edge_codes
from graphopt.graph import Graph, check_undirected

_PAIR_BYTES = 150  # of a listed pair, while a graph is put together from it
_SUREST = 1.0 - 2.0**-40  # odds stay finite
_EXPECTED_PAIRS = 40  # per node, unless said


@dataclass(frozen=True, slots=True, eq=False, init=False)
class EdgeProbabilities:
    """Probabilities of edges between nodes without a seen edge.

    Some pairs are listed with a probability of their own; all others share one. Edges are assumed
    to be independent of each other.

    Parameters
    ----------
    graph : Graph
        The seen graph, undirected.
    pairs : array of int, shape (n_pairs, 2)
        Distinct pairs of distinct nodes without a seen edge, in any order.
    probabilities : array of float, shape (n_pairs,)
        Of an edge, each in [0, 1].
    background : float
        Probability of an edge between any two nodes that are neither joined nor listed.

    Attributes
    ----------
    pairs : array of int32, shape (n_pairs, 2)
        u < v in each row, rows sorted.
    probabilities : array of float64, shape (n_pairs,)

    Raises
    ------
    ValueError
        For a directed graph, probabilities outside [0, 1], or a pair that is listed twice, has a
        seen edge, or joins a node to itself.

    Examples
    --------
    >>> seen = Graph.from_edges([(0, 1), (2, 3)])
    >>> chances = EdgeProbabilities(seen, [(1, 2), (0, 3)], [0.9, 0.3], background=0.1)
    >>> round(chances.n_missing, 6)
    1.4
    >>> round(chances.with_total(2.0).n_missing, 6)
    2.0
    """

    graph: Graph
    pairs: NDArray[np.int32]
    probabilities: NDArray[np.float64]
    background: float

    def __init__(
        self, graph: Graph, pairs: ArrayLike, probabilities: ArrayLike, background: float = 0.0
    ) -> None:
        check_undirected("graph", graph)
        nodes, chances = _checked(graph, pairs, probabilities)
        share = check_number("background", background, minimum=0.0, maximum=1.0)
        object.__setattr__(self, "graph", graph)
        object.__setattr__(self, "pairs", nodes)
        object.__setattr__(self, "probabilities", chances)
        object.__setattr__(self, "background", share)

    @property
    def n_others(self) -> int:
        """Number of pairs that are neither joined nor listed."""
        n = self.graph.n_nodes
        return n * (n - 1) // 2 - self.graph.n_edges - len(self.pairs)

    @property
    def n_missing(self) -> float:
        """Expected number of missing edges."""
        return float(self.probabilities.sum()) + self.background * self.n_others

    # --- other probabilities --------------------------------------------------------------------

    def with_total(self, n_missing: float) -> EdgeProbabilities:
        """Return probabilities that sum to a given number of missing edges.

        All odds are multiplied by one factor. This corrects probabilities that were learned from as
        many edges as other pairs, or from another share of hidden edges, for the number of missing
        edges (G. King and L. Zeng, "Logistic Regression in Rare Events Data", Political Analysis 9,
        2001).

        Parameters
        ----------
        n_missing : float
            At least 0.

        Raises
        ------
        ValueError
            If fewer pairs than that have a probability above 0.
        """
        total = check_number("n_missing", n_missing, minimum=0.0)
        possible = np.count_nonzero(self.probabilities)
        possible += self.n_others if self.background > 0.0 else 0
        if total == 0.0:
            return self._with(np.zeros_like(self.probabilities), 0.0)
        if total >= possible:
            raise ValueError(
                f"n_missing must be less than {possible}, the pairs that are likely at all, "
                f"not {total:g}"
            )
        return self._shifted(total)

    def _shifted(self, total: float) -> EdgeProbabilities:
        load_whole("scipy.optimize")
        from scipy.optimize import brentq

        chances = np.minimum(np.append(self.probabilities, self.background), _SUREST)
        counts = np.append(np.ones(len(self.pairs)), float(self.n_others))

        def scaled(log_factor: float) -> NDArray[np.float64]:
            times = chances * np.exp(log_factor)
            return np.asarray(times / (times + (1.0 - chances)))

        def surplus(log_factor: float) -> float:
            return float(scaled(log_factor) @ counts) - total

        low, high = -1.0, 1.0
        while surplus(low) > 0.0:
            low *= 2.0
        while surplus(high) < 0.0:
            high *= 2.0
        found = scaled(float(brentq(surplus, low, high, xtol=1e-12)))
        return self._with(found[:-1], float(found[-1]))

    def sharpened(self, power: float) -> EdgeProbabilities:
        """Return probabilities raised to a power, then corrected to the same number of edges.

        Many small probabilities make drawn graphs more random than real ones, with shorter
        distances; a power above 1 moves probability to the likely pairs.

        Parameters
        ----------
        power : float
            Greater than 0; 1 changes nothing.
        """
        gamma = check_number("power", power, minimum=0.0, open_minimum=True)
        raised = self._with(self.probabilities**gamma, self.background**gamma)
        possible = np.count_nonzero(raised.probabilities)
        possible += self.n_others if raised.background > 0.0 else 0
        if gamma == 1.0 or self.n_missing == 0.0 or self.n_missing >= possible:
            return self  # nothing to give from one pair to another
        return raised.with_total(self.n_missing)

    def _with(self, probabilities: NDArray[np.float64], background: float) -> EdgeProbabilities:
        """Return other probabilities for the same pairs, without checks."""
        other = object.__new__(EdgeProbabilities)
        chances = np.ascontiguousarray(probabilities, np.float64)
        chances.flags.writeable = False
        object.__setattr__(other, "graph", self.graph)
        object.__setattr__(other, "pairs", self.pairs)
        object.__setattr__(other, "probabilities", chances)
        object.__setattr__(other, "background", background)
        return other

    # --- graphs ---------------------------------------------------------------------------------

    def expected(self, max_pairs: int | None = None, random_state: RandomState = 0) -> Graph:
        """Return the expected missing edges as a weighted graph.

        Parameters
        ----------
        max_pairs : int, optional
            About the largest number of edges of the result. If more pairs have a probability above
            0, each of the less likely ones is kept with a chance in proportion to its probability
            and gets a larger weight, so that every pair's weight is right on average and the sum is
            always right. Default: 40 per node.
        random_state : int, Generator or None
            Determines the pairs to keep; not needed if all of them are kept.

        Returns
        -------
        Graph
            Without the seen edges; ``graph.plus`` adds the two graphs. The weight of an edge is its
            probability (times the mean weight, if seen edges have weights). The weights sum to
            :attr:`n_missing` (times that mean).

        Notes
        -----
        Threshold sampling: N. Duffield, C. Lund and M. Thorup, "Learn more, sample less: control of
        volume and variance in network measurement", IEEE Trans. Inf. Theory 51, 2005.
        """
        if max_pairs is None:
            most = max(_EXPECTED_PAIRS * self.graph.n_nodes, 1)
        else:
            most = check_integer("max_pairs", max_pairs, minimum=1)
        rng = check_random_state(random_state)
        others = self.n_others if self.background > 0.0 else 0
        check_memory(
            f"a graph of {min(most, len(self.pairs) + others):,} expected edges",
            _PAIR_BYTES * min(most, len(self.pairs) + others),
            "ask for fewer max_pairs",
        )
        threshold = _threshold(self.probabilities, self.background, others, most)
        kept = rng.random(len(self.pairs)) * threshold < self.probabilities
        weights = np.maximum(self.probabilities[kept], threshold)
        pairs: NDArray[Any] = self.pairs[kept]
        if others:
            # As many as expected: the other pairs are alike, only their number could vary.
            level = max(threshold, self.background)
            count = min(others, max(1, round(self.background * others / level)))
            drawn = self._others().draw(count, rng, distinct=True)
            pairs = np.concatenate([pairs, drawn])
            weights = np.append(weights, np.full(count, self.background * others / count))
        own, exponent = in_own_unit(self.graph)
        if weights.sum() > 0.0:
            weights = weights * (self.n_missing * mean_weight(own) / weights.sum())
        found = Graph.from_edges(pairs, own.n_nodes, weights, names=self.graph.names)
        return in_unit_of("graph", found, exponent)

    def sample(
        self, n_samples: int = 10, *, join: bool = False, random_state: RandomState = None
    ) -> list[Graph]:
        """Draw whole graphs: all seen edges, and each other edge with its probability.

        Parameters
        ----------
        n_samples : int
        join : bool
            Whether to add edges until the graph is connected. In each round, every component except
            the largest is joined to another by an edge, drawn in proportion to the probabilities,
            or from all pairs alike if no probable edge leaves the component. These edges are
            additional to the expected number.
        random_state : int, Generator or None

        Returns
        -------
        list of Graph
            On the same nodes. If seen edges have weights, a drawn edge gets the weight of a random
            seen edge.

        Notes
        -----
        O(n_pairs + n_nodes) time per graph, and more for each round of joining.
        """
        count = check_integer("n_samples", n_samples, minimum=1)
        rng = check_random_state(random_state)
        check_memory(
            f"{count:,} sampled graphs of {self.graph.n_edges + self.n_missing:,.0f} edges",
            int(24 * count * (self.graph.n_edges + self.n_missing)) + 8 * len(self.pairs),
            "draw fewer samples",
        )
        others = self._others() if self.background > 0.0 else None
        return [self._draw(others, join, rng) for _ in range(count)]

    def _draw(self, others: UnseenPairs | None, join: bool, rng: np.random.Generator) -> Graph:
        drawn: NDArray[Any] = self.pairs[rng.random(len(self.pairs)) < self.probabilities]
        if others is not None:
            number = int(rng.binomial(others.count, self.background))
            drawn = np.concatenate([drawn, others.draw(number, rng, distinct=True)])
        whole = self._with_edges(self.graph, drawn, rng)
        while join and (components := whole.connected_components())[0] > 1:
            whole = self._with_edges(whole, self._bridges(components[1], rng), rng)
        return whole

    def _bridges(
        self, component: NDArray[np.int32], rng: np.random.Generator
    ) -> NDArray[np.integer[Any]]:
        """Return an edge out of every component except the largest."""
        sizes = np.bincount(component)
        ends = component[self.pairs]
        leading = np.flatnonzero((ends[:, 0] != ends[:, 1]) & (self.probabilities > 0.0))
        ends = ends[leading]
        # The largest log p + Gumbel noise is a draw in proportion to p.
        keys = np.log(self.probabilities[leading]) + rng.gumbel(size=len(leading))
        best = np.full(len(sizes), -np.inf)
        np.maximum.at(best, ends[:, 0], keys)
        np.maximum.at(best, ends[:, 1], keys)
        best[sizes.argmax()] = np.inf  # needs none
        wanted = (keys == best[ends[:, 0]]) | (keys == best[ends[:, 1]])
        bridges: NDArray[np.integer[Any]] = self.pairs[leading[wanted]]
        cut_off = np.flatnonzero(best == -np.inf)
        if len(cut_off) == 0:
            return bridges
        order = np.argsort(component, kind="stable")
        starts = np.cumsum(sizes) - sizes
        inside = order[starts[cut_off] + rng.integers(sizes[cut_off])]
        # Nodes by component, this one left out: the r-th of the rest.
        rank = rng.integers(len(component) - sizes[cut_off])
        outside = order[rank + np.where(rank >= starts[cut_off], sizes[cut_off], 0)]
        return np.concatenate([bridges, np.column_stack([inside, outside])])

    def _with_edges(
        self, graph: Graph, pairs: NDArray[np.integer[Any]], rng: np.random.Generator
    ) -> Graph:
        weights = None
        if graph.edge_weights is not None:
            known = self.graph.edge_weights
            drawn = np.ones(len(pairs))
            if known is not None and len(known):
                drawn = known[rng.integers(len(known), size=len(pairs))]
            weights = np.concatenate([graph.edge_weights, drawn])
        return Graph.from_edges(
            np.concatenate([graph.edges, pairs]),
            graph.n_nodes,
            weights,
            duplicates="first",
            names=graph.names,
        )

    def _others(self) -> UnseenPairs:
        return UnseenPairs(self.graph.n_nodes, np.concatenate([self.graph.edges, self.pairs]))


def proportional(
    graph: Graph, pairs: NDArray[np.int32], weights: NDArray[np.float64], total: float
) -> EdgeProbabilities:
    """Return probabilities in proportion to weights, at most 1, that sum to `total`.

    Seen edges among the pairs are left out. If all the pairs reach 1, the rest is spread over the
    other pairs.
    """
    unseen = ~among(pairs, graph.edges, graph.n_nodes)
    pairs, weights = pairs[unseen], weights[unseen]
    chances = capped(weights, min(total, float(np.count_nonzero(weights))))
    found = EdgeProbabilities(graph, pairs, chances)
    rest = total - found.n_missing
    if rest <= 1e-9 * total:
        return found
    if rest > found.n_others:
        raise ValueError(
            f"graph must have room for {total:g} missing edges; "
            f"{found.n_others + len(pairs)} pairs of nodes are not joined"
        )
    return EdgeProbabilities(graph, pairs, chances, min(1.0, rest / found.n_others))


def capped(weights: NDArray[np.float64], total: float) -> NDArray[np.float64]:
    """Return min(1, c weights) with sum `total`, which is at most the number of weights > 0."""
    weights = times_power(weights, -unusual_exponent(weights))  # their sum is in the range, too
    positive = np.flatnonzero(weights)
    chances = np.zeros(len(weights))
    if total <= 0.0:
        return chances
    if total >= len(positive):
        chances[positive] = 1.0
        return chances
    order = positive[np.argsort(-weights[positive], kind="stable")]
    level = weights[order]
    left = np.cumsum(level[::-1])[::-1]
    with np.errstate(over="ignore", divide="ignore"):
        factor = (total - np.arange(len(level))) / left  # the first i are sure
    fits = (factor >= 0.0) & (level * factor <= 1.0)
    chances[positive] = np.minimum(1.0, weights[positive] * factor[fits.argmax()])
    return chances


def _checked(
    graph: Graph, pairs: ArrayLike, probabilities: ArrayLike
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Return the pairs sorted, and their probabilities."""
    nodes = as_array("pairs", pairs)
    if nodes.size == 0:
        nodes = np.empty((0, 2), np.int32)
    if nodes.ndim != 2 or nodes.shape[1] != 2:
        raise ValueError(f"pairs must have shape (n_pairs, 2), not {nodes.shape}")
    flat = check_node_indices("pairs", nodes.reshape(-1), graph.n_nodes).reshape(-1, 2)
    chances = check_probabilities("probabilities", probabilities)
    if len(chances) != len(flat):
        raise ValueError(f"probabilities must be one per pair, {len(flat)}, not {len(chances)}")
    ends = np.sort(flat, axis=1)
    codes = edge_codes(ends, graph.n_nodes)
    order = np.argsort(codes, kind="stable")
    ends, codes = ends[order], codes[order]
    wrong = [
        ("join different nodes", ends[:, 0] == ends[:, 1]),
        ("be distinct", np.append(codes[1:] == codes[:-1], np.zeros(min(len(codes), 1), bool))),
        ("have no seen edge", among(ends, graph.edges, graph.n_nodes)),
    ]
    for rule, broken in wrong:
        if broken.any():
            u, v = ends[broken.argmax()]
            raise ValueError(f"pairs must {rule}; ({u}, {v}) breaks this")
    ordered = chances[order].astype(np.float64)
    ends.flags.writeable = ordered.flags.writeable = False
    return ends, ordered


def _threshold(
    probabilities: NDArray[np.float64], background: float, n_others: int, most: int
) -> float:
    """Return t such that min(1, p / t) sums to `most`; 0 if there are fewer pairs."""
    if np.count_nonzero(probabilities) + n_others <= most:
        return 0.0
    # Sorted down, the first i are kept whole: i + (what is left) / t = most.
    level = np.append(-np.sort(-probabilities), background)
    count = np.append(np.ones(len(probabilities)), float(n_others))
    place = np.argsort(-level, kind="stable")
    level, count = level[place], count[place]
    mass = level * count
    left = mass.sum() - np.cumsum(mass) + mass  # of this pair and all below it
    whole = np.cumsum(count) - count
    with np.errstate(divide="ignore", invalid="ignore"):
        threshold = left / (most - whole)
    fits = (whole < most) & (threshold >= level)
    return float(threshold[fits.argmax()])
