"""GCN-2stage: first predict the missing edges, then decide by a classical algorithm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from graphopt._validation import (
    RandomState,
    check_choice,
    check_integer,
    check_memory,
    check_number,
    check_random_state,
)
from graphopt.centers import evaluate_centers, gonzalez, greedy_k_center
from graphopt.communities import cnm, modularity, newman, spectral
from graphopt.errors import NotFittedError
from graphopt.graph import Graph
from graphopt.learning.link_predictor import LinkPredictor
from graphopt.learning.parameters import Parameters, check_graph
from graphopt.paths import all_pairs_shortest_paths

if TYPE_CHECKING:
    from typing_extensions import Self

_COMMUNITY = ("cnm", "newman", "spectral")
_FACILITY = ("greedy", "gonzalez")
_GRAPH_BYTES = 60  # of a pair, while a complete graph is put together and its paths are found
# Probabilities that were rounded to 0 or 1 are taken for these.
_RAREST, _SUREST = float(np.finfo(np.float32).tiny), 1.0 - 2.0**-25


class TwoStage(Parameters):
    """Predict the edges that were not seen, then decide as though the prediction were the graph.

    What ClusterNet is compared with: the link predictor is trained for its own loss and does not
    know what will be decided.

    Parameters
    ----------
    n_clusters : int
        Number of groups, or of facilities.
    algorithm : {"cnm", "newman", "spectral", "greedy", "gonzalez"}
        The first three find groups (:func:`graphopt.cnm`, ...), the others choose facilities
        (:func:`graphopt.greedy_k_center`, :func:`graphopt.gonzalez`).
    predictor : LinkPredictor, optional
        One that is fitted, on the same graph, is used as it is, so that several algorithms can
        share it; of another the parameters are taken. None: the default with `random_state`.
    seen_fraction : float, optional
        Share of all edges that the graph given to :meth:`fit` holds, in (0, 1]: the probabilities
        of the other pairs are made to sum to the number of edges that are missing, see
        :func:`expected_weights`. None: taken as predicted, as published.
    random_state : int, Generator or None
        Seed of everything random.

    Attributes
    ----------
    labels_ : array of int32, shape (n_nodes,)
        Group of each node; for facilities, position in `centers_` of the nearest one by the
        expected lengths.
    centers_ : array of int32, shape (n_clusters,)
        Chosen nodes; only for facilities.
    decision_ : array
        `labels_` or `centers_`.
    predictor_ : LinkPredictor
        The fitted first stage.

    Notes
    -----
    GCN-2stage in Wilder et al., "End to End Learning and Optimization on Graphs", NeurIPS 2019. The
    published facility runs took the probability itself for the length of an edge, so that an
    unlikely edge was short; here it is long, see :func:`expected_lengths`.

    Examples
    --------
    >>> from graphopt import datasets
    >>> data = datasets.synthetic(60, random_state=0)
    >>> predictor = LinkPredictor(iterations=30, random_state=0)
    >>> predictor = predictor.fit(data.observed, data.observed_features)
    >>> model = TwoStage(3, "cnm", predictor=predictor)
    >>> model.fit_predict(data.observed).shape
    (60,)
    >>> model = TwoStage(3, "gonzalez", predictor=predictor, random_state=0)
    >>> model.fit(data.observed).centers_.shape
    (3,)
    """

    labels_: NDArray[np.int32]
    centers_: NDArray[np.int32]
    decision_: NDArray[np.int32]
    predictor_: LinkPredictor

    def __init__(
        self,
        n_clusters: int = 10,
        algorithm: str = "cnm",
        *,
        predictor: LinkPredictor | None = None,
        seen_fraction: float | None = None,
        random_state: RandomState = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.algorithm = algorithm
        self.predictor = predictor
        self.seen_fraction = seen_fraction
        self.random_state = random_state

    def fit(self, graph: Graph, features: Any = None) -> Self:
        """Predict and decide.

        Parameters
        ----------
        graph : Graph
            The seen graph, undirected, with every node.
        features : array, sparse array or tensor, shape (n_nodes, n_features), optional
            For the predictor; not looked at if it is fitted already.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For a parameter out of range, a predictor fitted on another graph, and as
            :meth:`LinkPredictor.fit`.
        graphopt.errors.MemoryLimitError
            If all pairs of nodes do not fit in memory.
        """
        check_graph(graph)
        algorithm = check_choice("algorithm", self.algorithm, (*_COMMUNITY, *_FACILITY))
        k = check_integer("n_clusters", self.n_clusters, minimum=1)
        if k > graph.n_nodes:
            raise ValueError(f"n_clusters must be at most {graph.n_nodes}, the nodes, not {k}")
        _check_seen_fraction(self.seen_fraction)
        random_state = check_random_state(self.random_state)
        predictor = self._fitted_predictor(graph, features, random_state)
        self.__dict__.pop("centers_", None)  # of an earlier fit
        if algorithm in _COMMUNITY:
            weights = expected_weights(predictor, self.seen_fraction)
            self.labels_ = self.decision_ = _groups(weights, algorithm, k, random_state)
        else:
            distances = expected_distances(predictor, self.seen_fraction)
            found = (
                greedy_k_center(distances, k)
                if algorithm == "greedy"
                else gonzalez(distances, k, random_state=random_state)
            )
            self.centers_ = self.decision_ = found.centers
            self.labels_ = found.assignment
        self.predictor_ = predictor
        return self

    def fit_predict(self, graph: Graph, features: Any = None) -> NDArray[np.int32]:
        """Predict and decide, and return ``labels_``; see :meth:`fit`.

        Parameters
        ----------
        graph : Graph
        features : array, sparse array or tensor, shape (n_nodes, n_features), optional

        Returns
        -------
        array of int32, shape (n_nodes,)
        """
        return self.fit(graph, features).labels_

    def score(self, graph: Graph) -> float:
        """Return the decision's exact value on a graph of the same nodes, such as the full one.

        Parameters
        ----------
        graph : Graph

        Returns
        -------
        float
            Modularity, or the largest distance to a chosen node (lower is better there).
        """
        if not hasattr(self, "decision_"):
            raise NotFittedError("this TwoStage has no decision yet; call fit first")
        if hasattr(self, "centers_"):
            return float(evaluate_centers(graph, self.centers_).radius)
        return modularity(graph, self.labels_)

    def _fitted_predictor(
        self, graph: Graph, features: Any, random_state: np.random.Generator
    ) -> LinkPredictor:
        given = self.predictor
        if given is None:
            return LinkPredictor(random_state=random_state).fit(graph, features)
        if not isinstance(given, LinkPredictor):
            raise TypeError(
                f"predictor must be a LinkPredictor or None, not {type(given).__name__}"
            )
        if not hasattr(given, "graph_"):
            return LinkPredictor(**given.get_params()).fit(graph, features)
        if given.graph_ != graph:
            raise ValueError("predictor must be fitted on the same graph, or not yet")
        return given


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
    if graph.weighted:
        chances *= weights.mean()
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
    if graph.weighted:
        lengths *= weights.mean()
    lengths[rows, columns] = weights
    np.fill_diagonal(lengths, 0.0)
    return all_pairs_shortest_paths(Graph.from_scipy(lengths, directed=False))


def _unseen_chances(predictor: LinkPredictor, seen_fraction: float | None) -> NDArray[np.float64]:
    """Return the probabilities of all pairs, shifted if a share is given; seen pairs' are 0."""
    share = _check_seen_fraction(seen_fraction)
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


def _groups(
    weights: NDArray[np.float64], algorithm: str, k: int, random_state: np.random.Generator
) -> NDArray[np.int32]:
    if algorithm == "cnm":
        return cnm(weights, k).labels
    if algorithm == "newman":
        return newman(weights, k).labels
    return spectral(weights, k, random_state=random_state).labels


def _entries(graph: Graph) -> tuple[NDArray[np.intp], NDArray[np.int32], NDArray[np.float64]]:
    """Return the seen edges, both ways: rows, columns, weights."""
    rows = np.repeat(np.arange(graph.n_nodes), graph.degrees)
    weights = np.ones(len(rows)) if graph.weights is None else graph.weights
    return rows, graph.indices, weights


def _check_seen_fraction(value: float | None) -> float | None:
    if value is None:
        return None
    return check_number("seen_fraction", value, minimum=0.0, maximum=1.0, open_minimum=True)
