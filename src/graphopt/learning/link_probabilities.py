"""Probabilities of edges between embedded nodes, and how good they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from graphopt._loading import load_whole
from graphopt._threads import one_blas_thread
from graphopt._validation import (
    RandomState,
    as_array,
    as_tuple,
    check_integer,
    check_memory,
    check_node_indices,
    check_random_state,
)
from graphopt.completion.unseen_pairs import UnseenPairs
from graphopt.graph import Graph
from graphopt.learning.parameters import TrainedEstimator

_BLOCK_ROWS = 512  # of the dense result at a time
_BLOCK_PAIRS = 2**18


@dataclass(frozen=True, slots=True)
class LinkScores:
    """How well held-out edges are distinguished from pairs without an edge.

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


class LinkProbabilities(TrainedEstimator):
    """Computes probabilities of edges from an embedding, which a subclass learns.

    Attributes
    ----------
    embedding_ : array of float32, shape (n_nodes, embedding_features)
    relation_ : array of float32, shape (embedding_features,)
        The log odds of an edge between i and j are ``sum_d e_id r_d e_jd``.
    graph_ : Graph
        The seen graph that predictions are about.
    """

    embedding_: NDArray[np.float32]
    relation_: NDArray[np.float32]
    graph_: Graph

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
        """Measure how well held-out edges are distinguished from pairs without an edge.

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
        levels = [check_integer("hits_at", k, minimum=1) for k in as_tuple("hits_at", hits_at)]
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
        return _score_links(present, missing, levels)

    def _keys(self, pairs: NDArray[np.int32]) -> NDArray[np.int64]:
        """Return a number for each pair, the same for both orders."""
        numbers: NDArray[np.int64] = pairs.min(axis=1) * np.int64(self.graph_.n_nodes)
        return np.asarray(numbers + pairs.max(axis=1))

    def _checked_pairs(self, name: str, pairs: ArrayLike) -> NDArray[np.int32]:
        nodes = as_array(name, pairs)
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
    load_whole("scipy.special")
    from scipy.special import expit

    return np.asarray(expit(scores), np.float32)


def _score_links(
    present: NDArray[np.float32], missing: NDArray[np.float32], hits_at: Sequence[int]
) -> LinkScores:
    """Compare the probabilities of edges with those of pairs without one; both at least one."""
    load_whole("sklearn.metrics")
    from sklearn.metrics import average_precision_score, roc_auc_score

    truth = np.repeat([1, 0], [len(present), len(missing)])
    scores = np.concatenate([present, missing])
    falling = np.sort(missing)[::-1]
    return LinkScores(
        auc=float(roc_auc_score(truth, scores)),
        average_precision=float(average_precision_score(truth, scores)),
        hits={
            k: float((present > falling[k - 1]).mean()) if k <= len(falling) else 1.0
            for k in hits_at
        },
        n_edges=len(present),
        n_others=len(missing),
    )
