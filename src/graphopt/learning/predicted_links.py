"""What a link predictor's probabilities make of a graph: a completion, weights, distances."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphopt._loading import load_whole
from graphopt._scale import exponent_of, mean_of, restored, times_power
from graphopt._validation import RandomState, check_integer, check_memory, check_number
from graphopt.completion import EdgeProbabilities, PairCompletion
from graphopt.datasets.hiding import check_share
from graphopt.graph import Graph, check_graph
from graphopt.learning.link_predictor import LinkPredictor
from graphopt.paths import all_pairs_shortest_paths

_BLOCK_PAIRS = 2**21
_LISTED_BYTES = 100  # of a candidate, while candidates are collected and sorted
_GRAPH_BYTES = 60  # of a pair, while a complete graph is put together and its paths are found
# Probabilities that were rounded to 0 or 1 are taken for these.
_RAREST, _SUREST = float(np.finfo(np.float32).tiny), 1.0 - 2.0**-25
_SUREST_LISTED = np.float32(1.0 - 2.0**-24)


class PredictedLinks(PairCompletion):
    """Expects missing edges where a graph convolutional network predicts them.

    The first stage of :class:`graphopt.TwoStage` as a completion. The network is trained
    on the graph to be completed; its odds are corrected to the expected number of missing edges.

    Parameters
    ----------
    weight : float
        Expected number of missing edges, relative to the seen ones. When a share s of all edges was
        seen, 1/s - 1 is missing; 1.5 stands for s = 0.4.
    predictor : LinkPredictor, optional
        Its parameters are used; it is not changed. None: the default with `random_state`.
    n_candidates : int
        Pairs that are listed with their own probability, per node; the others share their average.
    random_state : int, Generator or None

    Examples
    --------
    >>> from graphopt import datasets
    >>> data = datasets.synthetic(60, random_state=0)
    >>> completion = PredictedLinks(predictor=LinkPredictor(iterations=20, random_state=0))
    >>> chances = completion.probabilities(data.observed, data.observed_features)
    >>> round(chances.n_missing / data.observed.n_edges, 6)
    1.5
    """

    __slots__ = ("n_candidates", "predictor", "random_state", "weight")

    def __init__(
        self,
        weight: float = 1.5,
        *,
        predictor: LinkPredictor | None = None,
        n_candidates: int = 200,
        random_state: RandomState = 0,
    ) -> None:
        self.weight = check_number("weight", weight, minimum=0.0)
        if predictor is not None and not isinstance(predictor, LinkPredictor):
            raise TypeError(
                f"predictor must be a LinkPredictor or None, not {type(predictor).__name__}"
            )
        self.predictor = predictor
        self.n_candidates = check_integer("n_candidates", n_candidates, minimum=1)
        self.random_state = random_state

    def probabilities(self, graph: Graph, features: Any = None) -> EdgeProbabilities:
        """Train on the seen edges and predict all other pairs.

        Parameters
        ----------
        graph : Graph
            The seen graph, undirected.
        features : array, sparse array or tensor, shape (n_nodes, n_features), optional

        Returns
        -------
        EdgeProbabilities
            They sum to `weight` times the number of seen edges.

        Raises
        ------
        ValueError
            As :meth:`LinkPredictor.fit`, and where fewer pairs are unseen than edges missing.
        graphopt.errors.MemoryLimitError
            If the candidates do not fit in memory.

        Notes
        -----
        O(n²) time for the predictions, in blocks; memory for the candidates.
        """
        check_graph("graph", graph)
        count = min(self.n_candidates, max(graph.n_nodes - 1, 0))
        check_memory(
            f"{graph.n_nodes * count:,} candidate pairs",
            _LISTED_BYTES * graph.n_nodes * count,
            "use fewer n_candidates",
        )
        if self.predictor is None:
            predictor = LinkPredictor(random_state=self.random_state)
        else:
            predictor = LinkPredictor(**self.predictor.get_params(deep=False))
        predictor.fit(graph, features)
        pairs, chances, rest = _best_pairs(predictor, count)
        found = EdgeProbabilities(graph, pairs, chances)
        if found.n_others:
            found = EdgeProbabilities(graph, pairs, chances, min(1.0, rest / found.n_others))
        return found.with_total(self.weight * graph.n_edges)


def _best_pairs(
    predictor: LinkPredictor, count: int
) -> tuple[NDArray[np.int32], NDArray[np.float64], float]:
    """Return the likeliest unseen pairs of each node, and the sum over all other unseen pairs."""
    graph = predictor.graph_
    n = graph.n_nodes
    everyone = np.arange(n)
    codes, chances, total = [], [], 0.0
    block = max(1, _BLOCK_PAIRS // max(n, 1))
    for start in range(0, n, block):
        nodes = everyone[start : start + block]
        unseen = np.ones((len(nodes), n), np.bool_)
        unseen[nodes - start, nodes] = False
        ends = np.repeat(nodes - start, graph.degrees[nodes])
        unseen[ends, graph.indices[graph.indptr[start] : graph.indptr[nodes[-1] + 1]]] = False
        row, column = np.nonzero(unseen)
        predicted = predictor.predict(np.column_stack([row + start, column]))
        table = np.full(unseen.shape, -1.0, np.float32)
        table[unseen] = np.minimum(predicted, _SUREST_LISTED)
        total += float(table[unseen].sum(dtype=np.float64))
        best = np.argpartition(table, n - count, axis=1)[:, n - count :]
        found = np.take_along_axis(table, best, axis=1)
        real = found >= 0.0
        source = np.broadcast_to(nodes[:, None], best.shape)[real]
        target = best[real]
        codes.append(np.minimum(source, target) * np.int64(n) + np.maximum(source, target))
        chances.append(found[real].astype(np.float64))
    listed, place = np.unique(np.concatenate(codes), return_index=True)
    probability = np.concatenate(chances)[place]
    pairs = np.column_stack([listed // n, listed % n]).astype(np.int32)
    return pairs, probability, max(total / 2.0 - float(probability.sum()), 0.0)


def expected_weights(
    predictor: LinkPredictor, seen_fraction: float | None = None
) -> NDArray[np.float64]:
    """Return seen edges and, between all other nodes, the probability of one.

    Parameters
    ----------
    predictor : LinkPredictor
        Fitted.
    seen_fraction : float, optional
        Share s of all edges that was seen. A predictor trained with as many pairs without an edge
        as edges overrates every pair; given s, all log odds are shifted by one constant, such that
        the probabilities of unseen pairs sum to the missing (1/s - 1) n_edges (G. King and L. Zeng,
        "Logistic Regression in Rare Events Data", Political Analysis 9, 2001). None: no shift.

    Returns
    -------
    array of float64, shape (n_nodes, n_nodes)
        1 (or its weight) for a seen edge; else a probability (times the mean weight); symmetric,
        0 on the diagonal.

    Raises
    ------
    graphopt.errors.MemoryLimitError
        If it does not fit in memory.

    Examples
    --------
    >>> graph = Graph.from_edges([(0, 1), (1, 2), (2, 3)])
    >>> weights = expected_weights(LinkPredictor(iterations=5, random_state=0).fit(graph), 0.6)
    >>> float(weights[0, 1]), round(float(np.triu(weights).sum()), 3)
    (1.0, 5.0)
    """
    graph = predictor.graph_
    chances = _unseen_chances(predictor, seen_fraction)
    rows, columns, weights = _entries(graph)
    if graph.weighted and len(weights):
        chances *= mean_of(weights)
    chances[rows, columns] = weights
    return chances


def expected_distances(
    predictor: LinkPredictor, seen_fraction: float | None = None
) -> NDArray[np.float64]:
    """Return the shortest paths along seen edges and likely ones.

    A seen edge has length 1 (or its weight); any other pair ``1 - log(p)`` (times the mean weight),
    p being the probability of an edge: a hop, and the more the less likely.

    Parameters
    ----------
    predictor : LinkPredictor
        Fitted.
    seen_fraction : float, optional
        As for :func:`expected_weights`.

    Returns
    -------
    array of float64, shape (n_nodes, n_nodes)
        Symmetric, but for rounding.

    Raises
    ------
    graphopt.errors.MemoryLimitError
        If all pairs do not fit in memory.

    Notes
    -----
    O(n³), by Floyd-Warshall in blocks. If no edge cost more than one hop, everything would be near
    everything; if a seen one cost ``-log(1) = 0``, the seen graph would have no distances.

    Examples
    --------
    >>> graph = Graph.from_edges([(0, 1), (1, 2), (2, 3)])
    >>> distances = expected_distances(LinkPredictor(iterations=5, random_state=0).fit(graph))
    >>> float(distances[0, 1]), bool(1.0 < distances[0, 2] <= 2.0)
    (1.0, True)
    """
    graph = predictor.graph_
    check_memory(
        f"the expected lengths between {graph.n_nodes:,} nodes",
        _GRAPH_BYTES * graph.n_nodes**2,
        "decide on the seen graph, or by ClusterNet, which form no complete graph",
    )
    lengths = _unseen_chances(predictor, seen_fraction)
    np.maximum(lengths, _RAREST, out=lengths)
    np.log(lengths, out=lengths)
    np.subtract(1.0, lengths, out=lengths)
    rows, columns, weights = _entries(graph)
    exponent = exponent_of(weights)
    weights = times_power(weights, -exponent)
    if graph.weighted and len(weights):
        lengths *= weights.mean()
    lengths[rows, columns] = weights
    np.fill_diagonal(lengths, 0.0)
    found = all_pairs_shortest_paths(Graph.from_scipy(lengths, directed=False))
    return restored("weights of graph", found, exponent)


def _unseen_chances(predictor: LinkPredictor, seen_fraction: float | None) -> NDArray[np.float64]:
    """Return the probabilities of all pairs, shifted if a share is given; seen pairs' are 0."""
    share = None if seen_fraction is None else check_share(seen_fraction)
    predicted = predictor.predict_dense()
    graph = predictor.graph_
    check_memory(
        f"the probabilities of all pairs of {graph.n_nodes:,} nodes in double precision",
        12 * graph.n_nodes**2,
        "decide on the seen graph, or by ClusterNet, which form no complete graph",
    )
    chances = predicted.astype(np.float64)
    np.minimum(chances, _SUREST, out=chances)
    rows, columns, _ = _entries(graph)
    chances[rows, columns] = 0.0
    if share is None:
        return chances
    missing = 2.0 * (1.0 / share - 1.0) * graph.n_edges  # both ways
    if missing >= np.count_nonzero(chances):
        raise ValueError(
            f"seen_fraction must leave room: {graph.n_nodes} nodes have "
            f"{np.count_nonzero(chances) // 2} pairs that are likely at all, fewer than the "
            f"{missing / 2:.0f} edges missing at {share:g}"
        )
    if missing == 0.0:
        return np.zeros_like(chances)
    return _with_sum(chances, missing)


def _with_sum(chances: NDArray[np.float64], total: float) -> NDArray[np.float64]:
    """Multiply all odds by one factor such that the probabilities sum to `total`."""
    load_whole("scipy.optimize")
    from scipy.optimize import brentq

    def scaled(log_factor: float) -> NDArray[np.float64]:
        # p f / (1 - p + p f)
        factor = np.exp(log_factor)
        times = chances * factor
        return np.asarray(times / (times + (1.0 - chances)))

    low, high = -1.0, 1.0
    while scaled(low).sum() > total:
        low *= 2.0
    while scaled(high).sum() < total:
        high *= 2.0
    return scaled(float(brentq(lambda x: scaled(x).sum() - total, low, high, xtol=1e-9)))


def _entries(graph: Graph) -> tuple[NDArray[np.intp], NDArray[np.int32], NDArray[np.float64]]:
    """Return the seen edges, both ways: rows, columns, weights."""
    rows = np.repeat(np.arange(graph.n_nodes), graph.degrees)
    weights = np.ones(len(rows)) if graph.weights is None else graph.weights
    return rows, graph.indices, weights
