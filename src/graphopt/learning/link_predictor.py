"""A link predictor as an estimator: fit on seen edges, read off probabilities of the others."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from graphopt._validation import (
    RandomState,
    check_integer,
    check_number,
    check_random_state,
)
from graphopt.features import check_features
from graphopt.graph import Graph
from graphopt.learning.adam import Adam
from graphopt.learning.inductive import prepare_each, prepare_validation
from graphopt.learning.inputs import encoder_rows, rows_of_a_kind
from graphopt.learning.link_probabilities import LinkProbabilities
from graphopt.learning.link_training import LinkCase, LinkCases, check_learnable, train_links
from graphopt.learning.one_thread import one_thread
from graphopt.learning.parameters import check_graph
from graphopt.learning.progress import ProgressBar
from graphopt.nn import LinkPredictor as Network

if TYPE_CHECKING:
    from typing_extensions import Self


class LinkPredictor(LinkProbabilities):
    """Learn from seen edges and node features how likely an edge is between any two nodes.

    Nodes are embedded by a graph convolutional network, pairs are scored by
    ``sum_d e_id r_d e_jd`` (DistMult), and both are trained by cross-entropy on the seen edges and
    as many pairs without a seen edge, drawn anew at each step.

    Parameters
    ----------
    hidden_features, embedding_features : int
        Widths of the encoder.
    iterations : int
        Steps of Adam.
    learning_rate, weight_decay : float
        Of Adam.
    dropout, feature_dropout : float
        Share of the hidden layer, and of the features' entries, dropped at each step.
    edge_dropout : float
        Share of the seen edges hidden from the encoder at each step, drawn anew; the loss sees all.
    smoothing : int
        Averages of the features over seen neighbours before training.
    random_state : int, Generator or None
        Seed of everything random; an int makes :meth:`fit` repeatable to the bit.
    verbose : bool
        Show a progress bar.

    Attributes
    ----------
    embedding_ : array of float32, shape (n_nodes, embedding_features)
    relation_ : array of float32, shape (embedding_features,)
        The weights r.
    losses_ : list of float
        Loss of every step.
    graph_ : Graph
        The seen graph that predictions are about.
    graphs_ : tuple of Graph
        What it was trained on: `graph_`, or the graphs given to :meth:`fit_inductive`.
    network_ : graphopt.nn.LinkPredictor
    interrupted_ : bool
        Whether Ctrl-C ended training early.

    Notes
    -----
    A probability answers the question of training, edge or not at even odds; true edges are far
    rarer, so probabilities of all pairs sum to many more edges than there are. Rankings are not
    affected; :class:`TwoStage` can correct the sum.

    Wilder et al., "End to End Learning and Optimization on Graphs", NeurIPS 2019, the first of the
    two stages.

    Examples
    --------
    >>> from graphopt import datasets
    >>> data = datasets.synthetic(60, random_state=0)
    >>> model = LinkPredictor(iterations=30, random_state=0)
    >>> model = model.fit(data.observed, data.observed_features)
    >>> model.predict([(0, 1), (5, 7)]).shape
    (2,)
    >>> scores = model.evaluate(data.splits.unseen)
    >>> 0.0 <= scores.auc <= 1.0
    True
    """

    losses_: list[float]
    graphs_: tuple[Graph, ...]
    network_: Network
    interrupted_: bool
    _n_features: int | None  # None: fitted without features

    def __init__(
        self,
        *,
        hidden_features: int = 50,
        embedding_features: int = 50,
        iterations: int = 300,
        learning_rate: float = 0.01,
        weight_decay: float = 0.0,
        dropout: float = 0.5,
        feature_dropout: float = 0.0,
        edge_dropout: float = 0.2,
        smoothing: int = 0,
        random_state: RandomState = None,
        verbose: bool = False,
    ) -> None:
        self.hidden_features = hidden_features
        self.embedding_features = embedding_features
        self.iterations = iterations
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.dropout = dropout
        self.feature_dropout = feature_dropout
        self.edge_dropout = edge_dropout
        self.smoothing = smoothing
        self.random_state = random_state
        self.verbose = verbose

    # --- learning -------------------------------------------------------------------------------

    @one_thread()
    def fit(self, graph: Graph, features: Any = None) -> Self:
        """Train on the seen edges.

        Parameters
        ----------
        graph : Graph
            The seen graph, undirected, with every node.
        features : array, sparse array or tensor, shape (n_nodes, n_features), optional
            Node features; None: every node is its own feature.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For a parameter out of range, features that do not match, or a graph without an edge or
            with an edge between all nodes.
        """
        self._check_parameters()
        random_state = check_random_state(self.random_state)
        cases = LinkCases([self._case(graph, features)])
        self._start(cases, random_state)
        self._train(cases, random_state)
        self.graphs_ = (graph,)
        self._describe(graph, cases)
        self._n_features = None if features is None else cases.inputs.n_features
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
        """Train on the seen edges of several graphs, to predict those of others.

        Go on with :meth:`transfer` or :meth:`fine_tune`; until then there is no ``graph_`` and no
        ``embedding_``, and nothing can be predicted.

        Parameters
        ----------
        graphs : list of Graph
            What is seen of each, undirected, with every node; of any sizes.
        features : list of array, sparse array or tensor, shape (n_nodes, n_features)
            Node features, of one kind and width.
        validation_graphs, validation_features : list, optional
            Further graphs, likewise. The state of the network is kept in which the cross-entropy
            on their seen edges is lowest, a share `edge_dropout` of them hidden from the encoder.
            Default: the last state is kept.

        Returns
        -------
        self

        Raises
        ------
        TypeError, ValueError
            For lists that do not match, and as :meth:`fit`, naming the graph.

        Examples
        --------
        >>> from graphopt import datasets
        >>> data = [datasets.synthetic(60, random_state=seed) for seed in range(3)]
        >>> seen, features = zip(*((d.observed, d.observed_features) for d in data))
        >>> model = LinkPredictor(iterations=30, random_state=0)
        >>> model = model.fit_inductive(seen[:2], features[:2])
        >>> model.transfer(seen[2], features[2]).predict([(0, 1), (5, 7)]).shape
        (2,)
        """
        self._check_parameters()
        random_state = check_random_state(self.random_state)
        given = prepare_each(("graphs", "features"), graphs, features, self._case)
        others = prepare_validation(given, validation_graphs, validation_features, self._case)
        cases = LinkCases(given)
        self._start(cases, random_state)
        self._train(cases, random_state, LinkCases(others) if others else None)
        for name in ("graph_", "embedding_"):
            self.__dict__.pop(name, None)  # of an earlier fit
        self.graphs_ = tuple(graphs)
        self._n_features = cases.inputs.n_features
        return self

    @one_thread()
    def transfer(self, graph: Graph, features: Any) -> Self:
        """Return a copy that predicts on another graph, without training.

        Parameters
        ----------
        graph : Graph
            What is seen of it.
        features : array, sparse array or tensor, shape (n_nodes, n_features)
            Of the same kind and width as those given to :meth:`fit` or :meth:`fit_inductive`.

        Returns
        -------
        LinkPredictor
            Fitted; ``losses_`` are those of this one.

        Raises
        ------
        TypeError, ValueError
            For features that do not match.
        graphopt.errors.NotFittedError
            Before :meth:`fit` or :meth:`fit_inductive`.
        """
        other, cases = self._copy_for(graph, features)
        other._describe(graph, cases)
        return other

    @one_thread()
    def fine_tune(self, graph: Graph, features: Any, *, iterations: int | None = None) -> Self:
        """Return a copy that is trained on, on the seen edges of another graph.

        Parameters
        ----------
        graph : Graph
            What is seen of it.
        features : array, sparse array or tensor, shape (n_nodes, n_features)
            Of the same kind and width as those given to :meth:`fit` or :meth:`fit_inductive`.
        iterations : int, optional
            Steps of training. Default: a quarter of those before.

        Returns
        -------
        LinkPredictor
            Fitted to `graph`; this one stays as it is.

        Raises
        ------
        TypeError, ValueError
            As :meth:`fit`, and for features of another width.
        graphopt.errors.NotFittedError
            Before :meth:`fit` or :meth:`fit_inductive`.
        """
        other, cases = self._copy_for(graph, features)
        steps = max(1, self.iterations // 4) if iterations is None else iterations
        check_integer("iterations", steps, minimum=1)
        other._train(cases, check_random_state(self.random_state), iterations=steps)
        other._describe(graph, cases)
        return other

    def _case(self, graph: Graph, features: Any) -> LinkCase:
        """Return what is learned from on one graph."""
        check_graph(graph)
        rows = None if features is None else check_features(features, graph.n_nodes)
        check_learnable(graph)
        return LinkCase(graph, encoder_rows(graph, rows, self.smoothing))

    def _copy_for(self, graph: Graph, features: Any) -> tuple[Self, LinkCases]:
        """Return a copy with the trained network, and `graph` as it sees it."""
        self._check_fitted("network_", "has learned nothing")
        check_graph(graph)
        case = self._case(graph, rows_of_a_kind(graph, features, self._n_features))
        other = type(self)(**self.get_params())
        other.network_ = copy.deepcopy(self.network_)
        other.losses_, other.interrupted_ = list(self.losses_), self.interrupted_
        other.graphs_, other._n_features = self.graphs_, self._n_features
        return other, LinkCases([case])

    def _start(self, cases: LinkCases, random_state: np.random.Generator) -> None:
        """Make a new network."""
        inputs = cases.inputs
        self.network_ = self._network(inputs.n_features)
        self.network_.initialize(inputs.features, inputs.adjacency.whole, random_state)

    def _train(
        self,
        cases: LinkCases,
        random_state: np.random.Generator,
        judged_on: LinkCases | None = None,
        *,
        iterations: int | None = None,
    ) -> None:
        """Train the network, from the state it is in."""
        steps = self.iterations if iterations is None else iterations
        optimizer = Adam(self.network_.parameters(), self.learning_rate, self.weight_decay)
        with ProgressBar(steps, self.verbose) as progress:
            self.losses_, self.interrupted_ = train_links(
                self.network_,
                cases,
                optimizer,
                steps,
                feature_dropout=self.feature_dropout,
                edge_dropout=self.edge_dropout,
                random_state=random_state,
                progress=progress,
                judged_on=judged_on,
            )

    def _describe(self, graph: Graph, cases: LinkCases) -> None:
        """Set what predictions on `graph` are made from."""
        with torch.no_grad():
            embedding = self.network_(cases.inputs.features, cases.inputs.adjacency.whole)
        self.embedding_ = embedding.numpy()
        self.relation_ = self.network_.relation.detach().numpy().copy()
        self.graph_ = graph

    def _network(self, n_features: int) -> Network:
        with torch.random.fork_rng(devices=[]):  # a new network draws what nobody will use
            return Network(
                n_features,
                hidden_features=self.hidden_features,
                embedding_features=self.embedding_features,
                dropout=self.dropout,
            )

    def _check_parameters(self) -> None:
        check_integer("iterations", self.iterations, minimum=1)
        check_integer("smoothing", self.smoothing, minimum=0)
        check_number("learning_rate", self.learning_rate, minimum=0.0, open_minimum=True)
        check_number("weight_decay", self.weight_decay, minimum=0.0)
        for name in ("feature_dropout", "edge_dropout"):
            if check_number(name, getattr(self, name), minimum=0.0, maximum=1.0) == 1.0:
                raise ValueError(f"{name} must be less than 1, not 1")
