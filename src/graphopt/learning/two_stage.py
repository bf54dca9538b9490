"""GCN-2stage: first predict the missing edges, then decide by a classical algorithm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from graphopt._validation import RandomState, check_choice, check_integer, check_random_state
from graphopt.centers import gonzalez, greedy_k_center
from graphopt.communities import cnm, newman, spectral
from graphopt.datasets.hiding import check_share
from graphopt.graph import Graph, check_graph
from graphopt.learning.link_predictor import LinkPredictor
from graphopt.learning.one_thread import one_thread
from graphopt.learning.parameters import DecidingEstimator
from graphopt.learning.predicted_links import expected_distances, expected_weights
from graphopt.objectives import KCenter, Modularity, Objective

if TYPE_CHECKING:
    from typing_extensions import Self

_COMMUNITY = ("cnm", "newman", "spectral")
_FACILITY = ("greedy", "gonzalez")


class TwoStage(DecidingEstimator):
    """Predict the edges that were not seen, then decide as though the prediction were the graph.

    This is what ClusterNet is compared with: the link predictor is trained for its own loss,
    independently of the decision.

    Parameters
    ----------
    n_clusters : int
        Number of groups, or of facilities.
    algorithm : {"cnm", "newman", "spectral", "greedy", "gonzalez"}
        The first three find groups (:func:`graphopt.cnm`, ...), the others choose facilities
        (:func:`graphopt.greedy_k_center`, :func:`graphopt.gonzalez`).
    predictor : LinkPredictor, optional
        One that is fitted on the same graph is used as it is, so that several algorithms can
        share it; otherwise a new one with its parameters is fitted. None: the default with
        `random_state`.
    seen_fraction : float, optional
        Share of all edges that the graph given to :meth:`fit` holds, in (0, 1]: the probabilities
        of the other pairs are made to sum to the number of edges that are missing, see
        :func:`graphopt.learning.predicted_links.expected_weights`. None: they are used as
        predicted, as published.
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
    published facility runs used the probability itself as the length of an edge, so that an
    unlikely edge was short; here it is long, see
    :func:`graphopt.learning.predicted_links.expected_distances`.

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

    predictor_: LinkPredictor

    def __init__(
        self,
        n_clusters: int = 10,
        algorithm: Literal["cnm", "newman", "spectral", "greedy", "gonzalez"] = "cnm",
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
        check_graph("graph", graph)
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
        check_graph("graph", graph)
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
        check_graph("graph", graph)
        self._check_enough_nodes(graph)
        predictor = self.predictor_.fine_tune(graph, features, iterations=iterations)
        tuned = type(self)(**{**self.get_params(deep=False), "predictor": predictor})
        tuned._publish(predictor, check_random_state(self.random_state))
        return tuned

    def _objective(self) -> Objective:
        if self.algorithm in _COMMUNITY:
            return Modularity()
        return KCenter()

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

    def _check_parameters(self) -> None:
        check_choice("algorithm", self.algorithm, (*_COMMUNITY, *_FACILITY))
        check_integer("n_clusters", self.n_clusters, minimum=1)
        if self.seen_fraction is not None:
            check_share(self.seen_fraction)

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
        return LinkPredictor(**like.get_params(deep=False))


def _groups(
    weights: NDArray[np.float64], algorithm: str, k: int, random_state: np.random.Generator
) -> NDArray[np.int32]:
    if algorithm == "cnm":
        return cnm(weights, k).labels
    if algorithm == "newman":
        return newman(weights, k).labels
    return spectral(weights, k, random_state=random_state).labels
