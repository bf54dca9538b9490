"""A link predictor as an estimator: fit on seen edges, read off probabilities of the others."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from graphopt._threads import one_blas_thread
from graphopt._validation import (
    RandomState,
    check_integer,
    check_memory,
    check_node_indices,
    check_number,
    check_random_state,
)
from graphopt.completion.unseen_pairs import UnseenPairs
from graphopt.features import check_features
from graphopt.graph import Graph
from graphopt.learning.adam import Adam
from graphopt.learning.fitted import Fitted
from graphopt.learning.inductive import prepare_each, prepare_validation
from graphopt.learning.inputs import encoder_rows
from graphopt.learning.link_scores import LinkScores, score_links
from graphopt.learning.link_training import LinkCase, LinkCases, check_learnable, train_links
from graphopt.learning.parameters import check_graph
from graphopt.learning.progress import ProgressBar
from graphopt.nn import LinkPredictor as Network

if TYPE_CHECKING:
    from typing_extensions import Self

_BLOCK_ROWS = 512  # of the dense result at a time
_BLOCK_PAIRS = 2**18


class LinkPredictor(Fitted):
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

    embedding_: NDArray[np.float32]
    relation_: NDArray[np.float32]
    losses_: list[float]
    graph_: Graph
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
        if features is None or self._n_features is None:
            raise ValueError(
                "features must be given, here and in fit: without them a network knows only the "
                "nodes it was trained on"
            )
        case = self._case(graph, features)
        if case.rows.shape[1] != self._n_features:
            raise ValueError(
                f"features must have {self._n_features} columns, as in fit, "
                f"not {case.rows.shape[1]}"
            )
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

    # --- probabilities --------------------------------------------------------------------------

    def predict(self, pairs: ArrayLike) -> NDArray[np.float32]:
        """Return the probability of an edge, between given nodes.

        Parameters
        ----------
        pairs : array of int, shape (n_pairs, 2)
            Node numbers; the order within a pair does not matter.

        Returns
        -------
        array of float32, shape (n_pairs,)
        """
        self._check_described()
        nodes = self._checked_pairs("pairs", pairs)
        u, v = nodes.min(axis=1), nodes.max(axis=1)
        scaled = self.embedding_ * self.relation_
        scores = np.empty(len(nodes), np.float32)
        for start in range(0, len(nodes), _BLOCK_PAIRS):
            part = slice(start, start + _BLOCK_PAIRS)
            scores[part] = np.einsum("pd,pd->p", self.embedding_[u[part]], scaled[v[part]])
        return _probabilities(scores)

    def predict_dense(self) -> NDArray[np.float32]:
        """Return the probability of an edge between any two nodes.

        Returns
        -------
        array of float32, shape (n_nodes, n_nodes)
            Symmetric to the bit, its diagonal 0; the same at any number of threads.

        Raises
        ------
        graphopt.errors.MemoryLimitError
            If it does not fit in memory; nothing is allocated then.

        Notes
        -----
        O(n² embedding_features).
        """
        self._check_described()
        n = self.graph_.n_nodes
        check_memory(
            f"the probabilities of all pairs of {n:,} nodes",
            4 * n * (n + 2 * _BLOCK_ROWS),
            "predict pairs instead",
        )
        scaled = self.embedding_ * self.relation_
        dense = np.empty((n, n), np.float32)
        with one_blas_thread():
            for start in range(0, n, _BLOCK_ROWS):
                stop = min(start + _BLOCK_ROWS, n)
                block = _probabilities(self.embedding_[start:stop] @ scaled[start:].T)
                corner = np.triu(block[:, : stop - start], 1)
                block[:, : stop - start] = corner + corner.T
                dense[start:stop, start:] = block
                dense[start:, start:stop] = block.T
        return dense

    def evaluate(
        self,
        edges: ArrayLike,
        others: ArrayLike | None = None,
        *,
        hits_at: Sequence[int] = (10, 50, 100),
        random_state: RandomState = 0,
    ) -> LinkScores:
        """Tell held-out edges from pairs without an edge, and count how well that went.

        Parameters
        ----------
        edges : array of int, shape (n_edges, 2)
            Edges that were not seen.
        others : array of int, shape (n_others, 2), optional
            Pairs without an edge. None: as many as `edges`, drawn uniformly without repeats from
            the pairs that are neither seen nor held out.
        hits_at : sequence of int
            The K of Hits@K.
        random_state : int, Generator or None
            Draws `others`.

        Returns
        -------
        LinkScores

        Raises
        ------
        ValueError
            For an edge that was seen, no edges, or no pairs without one.
        """
        self._check_described()
        held_out = self._checked_pairs("edges", edges)
        seen = np.isin(self._keys(held_out), self._keys(self.graph_.edges))
        if seen.any():
            u, v = held_out[seen.argmax()]
            raise ValueError(f"edges must not have been seen; ({u}, {v}) was")
        levels = [check_integer("hits_at", k, minimum=1) for k in hits_at]
        if others is None:
            unseen = UnseenPairs(self.graph_.n_nodes, np.concatenate([self.graph_.edges, held_out]))
            generator = check_random_state(random_state)
            count = min(len(held_out), unseen.count)
            absent = unseen.draw(count, generator, distinct=True).astype(np.int32)
        else:
            absent = self._checked_pairs("others", others)
        for name, pairs in (("edges", held_out), ("others", absent)):
            if len(pairs) == 0:
                raise ValueError(f"{name} must hold at least one pair")
        present, missing = self.predict(held_out), self.predict(absent)
        return score_links(present, missing, levels)

    def _keys(self, pairs: NDArray[np.int32]) -> NDArray[np.int64]:
        """Return a number for each pair, whatever its order."""
        numbers: NDArray[np.int64] = pairs.min(axis=1) * np.int64(self.graph_.n_nodes)
        return np.asarray(numbers + pairs.max(axis=1))

    def _checked_pairs(self, name: str, pairs: ArrayLike) -> NDArray[np.int32]:
        nodes = np.asarray(pairs)
        if nodes.size == 0:
            return np.empty((0, 2), np.int32)
        if nodes.ndim != 2 or nodes.shape[1] != 2:
            raise ValueError(f"{name} must have shape (n_pairs, 2), not {nodes.shape}")
        flat = check_node_indices(name, nodes.reshape(-1), self.graph_.n_nodes)
        loops = np.flatnonzero(flat[::2] == flat[1::2])
        if loops.size:
            raise ValueError(f"{name} must join different nodes; {name}[{loops[0]}] does not")
        return flat.reshape(-1, 2)

    def _check_described(self) -> None:
        self._check_fitted("network_", "has learned nothing")
        self._check_fitted("graph_", "knows no graph to predict on", "transfer or fine_tune")


def _probabilities(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    from scipy.special import expit

    return np.asarray(expit(scores), np.float32)
