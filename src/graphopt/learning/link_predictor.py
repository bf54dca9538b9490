"""A link predictor as an estimator: fit on seen edges, read off probabilities of the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
from graphopt.errors import NotFittedError
from graphopt.features import check_features
from graphopt.graph import Graph
from graphopt.learning.adam import Adam
from graphopt.learning.inputs import EncoderInputs
from graphopt.learning.negatives import UnseenPairs
from graphopt.learning.parameters import Parameters, check_graph
from graphopt.learning.progress import ProgressBar
from graphopt.nn import LinkPredictor as Network

if TYPE_CHECKING:
    from typing_extensions import Self

_BLOCK_ROWS = 512  # of the dense result at a time
_BLOCK_PAIRS = 2**18


@dataclass(frozen=True, slots=True)
class LinkScores:
    """How well held-out edges are told from pairs without an edge.

    Attributes
    ----------
    auc : float
        Area under the receiver operating characteristic: how often an edge scores higher than a
        pair without one.
    average_precision : float
        Of the edges, ranked together with the pairs without one.
    hits : mapping of int to float
        By K: the share of edges that score higher than the K-th best pair without one (1 where
        there are fewer than K).
    n_edges, n_others : int
        How many were compared.
    """

    auc: float
    average_precision: float
    hits: Mapping[int, float]
    n_edges: int
    n_others: int


class LinkPredictor(Parameters):
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
        The seen graph.
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
    network_: Network
    interrupted_: bool

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
        check_graph(graph)
        self._check_parameters()
        random_state = check_random_state(self.random_state)
        rows = None if features is None else check_features(features, graph.n_nodes)
        unseen = UnseenPairs(graph.n_nodes, graph.edges)
        if graph.n_edges == 0 or unseen.count == 0:
            raise ValueError(
                f"graph must have both pairs with and without an edge, not {graph.n_edges} edges "
                f"between {graph.n_nodes} nodes"
            )
        inputs = EncoderInputs.make(graph, rows, smoothing=self.smoothing)
        self.network_ = self._network(inputs.n_features)
        self.network_.initialize(inputs.features, inputs.adjacency.whole, random_state)
        self.losses_, self.interrupted_ = [], False
        with ProgressBar(self.iterations, self.verbose) as progress:
            try:
                self._train(inputs, graph, unseen, random_state, progress)
            except KeyboardInterrupt:
                self.interrupted_ = True
        self.network_.eval()
        with torch.no_grad():
            embedding = self.network_(inputs.features, inputs.adjacency.whole)
        self.embedding_ = embedding.numpy()
        self.relation_ = self.network_.relation.detach().numpy().copy()
        self.graph_ = graph
        return self

    def _train(
        self,
        inputs: EncoderInputs,
        graph: Graph,
        unseen: UnseenPairs,
        random_state: np.random.Generator,
        progress: ProgressBar,
    ) -> None:
        network = self.network_.train()
        optimizer = Adam(network.parameters(), self.learning_rate, self.weight_decay)
        edges = torch.from_numpy(graph.edges.astype(np.int64))
        with torch.random.fork_rng(devices=[]):  # dropout draws from the global generator
            torch.manual_seed(int(random_state.integers(2**63)))
            for step in range(1, self.iterations + 1):
                others = torch.from_numpy(unseen.draw(len(edges), random_state))
                seen = inputs.perturbed(self.feature_dropout, self.edge_dropout)
                optimizer.zero_grad()
                loss = network.loss(network(*seen), edges, others)
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                self.losses_.append(loss.item())
                progress(step, self.losses_[-1], min(self.losses_))

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
        self._check_fitted()
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
        self._check_fitted()
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
        self._check_fitted()
        from sklearn.metrics import average_precision_score, roc_auc_score

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
        truth = np.repeat([1, 0], [len(present), len(missing)])
        scores = np.concatenate([present, missing])
        falling = np.sort(missing)[::-1]
        return LinkScores(
            auc=float(roc_auc_score(truth, scores)),
            average_precision=float(average_precision_score(truth, scores)),
            hits={
                k: float((present > falling[k - 1]).mean()) if k <= len(falling) else 1.0
                for k in levels
            },
            n_edges=len(present),
            n_others=len(missing),
        )

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

    def _check_fitted(self) -> None:
        if not hasattr(self, "graph_"):
            raise NotFittedError("this LinkPredictor has learned nothing yet; call fit first")


def _probabilities(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    from scipy.special import expit

    return np.asarray(expit(scores), np.float32)
