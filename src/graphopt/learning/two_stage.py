"""GCN-2stage: first predict the missing edges, then decide by a classical algorithm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from graphopt._loading import load_whole
from graphopt._scale import exponent_of, mean_of, restored, times_power
from graphopt._validation import (
    RandomState,
    check_choice,
    check_integer,
    check_memory,
    check_random_state,
)
from graphopt.centers import evaluate_centers, gonzalez, greedy_k_center
from graphopt.communities import cnm, modularity, newman, spectral
from graphopt.datasets.hiding import check_share
from graphopt.graph import Graph
from graphopt.learning.fitted import DecidingEstimator
from graphopt.learning.link_predictor import LinkPredictor
from graphopt.learning.one_thread import one_thread
from graphopt.learning.parameters import check_graph
from graphopt.paths import all_pairs_shortest_paths

if TYPE_CHECKING:
    from typing_extensions import Self

_COMMUNITY = ("cnm", "newman", "spectral")
_FACILITY = ("greedy", "gonzalez")
_GRAPH_BYTES = 60  # of a pair, while a complete graph is put together and its paths are found
# Probabilities that were rounded to 0 or 1 are taken for these.
_RAREST, _SUREST = float(np.finfo(np.float32).tiny), 1.0 - 2.0**-25


class TwoStage(DecidingEstimator):
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

    @one_thread()
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
        self._check_parameters()
        self._check_enough_nodes(graph)
        random_state = check_random_state(self.random_state)
        predictor = self._fitted_predictor(graph, features, random_state)
        self._publish(predictor, random_state)
        return self

    @one_thread()
    def fit_inductive(
        self,
        graphs: Sequence[Graph],
        features: Sequence[Any],
        *,
        validation_graphs: Sequence[Graph] | None = None,
        validation_features: Sequence[Any] | None = None,
    ) -> Self:
        """Train the link predictor on several graphs, to decide on others.

        Decide by :meth:`predict`, or by :meth:`fine_tune` at the price of some training. There is
        no ``labels_``, ``decision_`` or other result about a graph afterwards.

        Parameters
        ----------
        graphs : list of Graph
            What is seen of each, undirected, with every node; of any sizes.
        features : list of array, sparse array or tensor, shape (n_nodes, n_features)
            Node features, of one kind and width.
        validation_graphs, validation_features : list, optional
            See :meth:`LinkPredictor.fit_inductive`. Not looked at if the predictor is fitted
            already, on the same `graphs`.

        Returns
        -------
        self

        Raises
        ------
        TypeError, ValueError
            As :meth:`fit` and :meth:`LinkPredictor.fit_inductive`.

        Examples
        --------
        >>> from graphopt import datasets
        >>> data = [datasets.synthetic(60, random_state=seed) for seed in range(3)]
        >>> seen, features = zip(*((d.observed, d.observed_features) for d in data))
        >>> predictor = LinkPredictor(iterations=30, random_state=0)
        >>> model = TwoStage(3, "cnm", predictor=predictor).fit_inductive(seen[:2], features[:2])
        >>> model.predict(seen[2], features[2]).shape
        (60,)
        """
        self._check_parameters()
        random_state = check_random_state(self.random_state)
        given = self._given_predictor()
        if given is not None and hasattr(given, "network_"):
            if given.graphs_ != tuple(graphs):
                raise ValueError("predictor must be fitted on the same graphs, or not yet")
            predictor = given
        else:
            predictor = self._new_predictor(given, random_state).fit_inductive(
                graphs,
                features,
                validation_graphs=validation_graphs,
                validation_features=validation_features,
            )
        self._forget_decision()
        self.predictor_ = predictor
        return self

    @one_thread()
    def predict(self, graph: Graph, features: Any) -> NDArray[np.int32]:
        """Decide on another graph with the trained link predictor, without training.

        Parameters
        ----------
        graph : Graph
            What is seen of it.
        features : array, sparse array or tensor, shape (n_nodes, n_features)
            Of the same kind and width as those given to :meth:`fit` or :meth:`fit_inductive`.

        Returns
        -------
        array of int32
            Labels of the nodes, or chosen nodes.
        """
        self._check_fitted("predictor_", "has no decision")
        check_graph(graph)
        self._check_enough_nodes(graph)
        predictor = self.predictor_.transfer(graph, features)
        decision, _ = self._decide(predictor, np.random.default_rng(0))
        return decision

    @one_thread()
    def fine_tune(self, graph: Graph, features: Any, *, iterations: int | None = None) -> Self:
        """Return a copy whose link predictor is trained on, on another graph, and that has decided.

        Parameters
        ----------
        graph : Graph
            What is seen of it.
        features : array, sparse array or tensor, shape (n_nodes, n_features)
            Of the same kind and width as those given to :meth:`fit` or :meth:`fit_inductive`.
        iterations : int, optional
            As for :meth:`LinkPredictor.fine_tune`.

        Returns
        -------
        TwoStage
            Fitted to `graph`; this one stays as it is. Its `predictor` is the fine-tuned one, so
            that other algorithms can share it.
        """
        self._check_fitted("predictor_", "has no decision")
        check_graph(graph)
        self._check_enough_nodes(graph)
        predictor = self.predictor_.fine_tune(graph, features, iterations=iterations)
        tuned = type(self)(**{**self.get_params(), "predictor": predictor})
        tuned._publish(predictor, check_random_state(self.random_state))
        return tuned

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
        self._check_decided()
        check_graph(graph)
        if hasattr(self, "centers_"):
            return float(evaluate_centers(graph, self.centers_).radius)
        return modularity(graph, self.labels_)

    def _decide(
        self, predictor: LinkPredictor, random_state: np.random.Generator
    ) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return the decision on the predictor's graph, and the group of each node."""
        if self.algorithm in _COMMUNITY:
            weights = expected_weights(predictor, self.seen_fraction)
            labels = _groups(weights, self.algorithm, self.n_clusters, random_state)
            return labels, labels
        distances = expected_distances(predictor, self.seen_fraction)
        found = (
            greedy_k_center(distances, self.n_clusters)
            if self.algorithm == "greedy"
            else gonzalez(distances, self.n_clusters, random_state=random_state)
        )
        return found.centers, found.assignment

    def _publish(self, predictor: LinkPredictor, random_state: np.random.Generator) -> None:
        """Set the public attributes."""
        decision, labels = self._decide(predictor, random_state)
        self._forget_decision()  # of an earlier fit
        self.decision_, self.labels_ = decision, labels
        if self.algorithm in _FACILITY:
            self.centers_ = decision
        self.predictor_ = predictor

    def _forget_decision(self) -> None:
        for name in ("labels_", "centers_", "decision_"):
            self.__dict__.pop(name, None)

    def _check_parameters(self) -> None:
        check_choice("algorithm", self.algorithm, (*_COMMUNITY, *_FACILITY))
        check_integer("n_clusters", self.n_clusters, minimum=1)
        _check_seen_fraction(self.seen_fraction)

    def _check_enough_nodes(self, graph: Graph) -> None:
        if self.n_clusters > graph.n_nodes:
            raise ValueError(
                f"n_clusters must be at most {graph.n_nodes}, the nodes, not {self.n_clusters}"
            )

    def _fitted_predictor(
        self, graph: Graph, features: Any, random_state: np.random.Generator
    ) -> LinkPredictor:
        given = self._given_predictor()
        if given is None or not hasattr(given, "graph_"):
            return self._new_predictor(given, random_state).fit(graph, features)
        if given.graph_ != graph:
            raise ValueError("predictor must be fitted on the same graph, or not yet")
        return given

    def _given_predictor(self) -> LinkPredictor | None:
        given = self.predictor
        if given is not None and not isinstance(given, LinkPredictor):
            raise TypeError(
                f"predictor must be a LinkPredictor or None, not {type(given).__name__}"
            )
        return given

    def _new_predictor(
        self, like: LinkPredictor | None, random_state: np.random.Generator
    ) -> LinkPredictor:
        if like is None:
            return LinkPredictor(random_state=random_state)
        return LinkPredictor(**like.get_params())


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
    return check_share(value)
