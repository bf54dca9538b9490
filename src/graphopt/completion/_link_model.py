"""Estimate missing edges by a model that learns to predict hidden seen edges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphopt._loading import load_whole
from graphopt._threads import one_blas_thread
from graphopt._validation import (
    RandomState,
    check_integer,
    check_memory,
    check_number,
    check_random_state,
)
from graphopt.completion._base import PairCompletion
from graphopt.completion._pair_features import PairFeatures
from graphopt.completion._probabilities import EdgeProbabilities
from graphopt.completion.unseen_pairs import UnseenPairs
from graphopt.datasets.hiding import check_seen_graph
from graphopt.datasets.splits import observed_graph, split_edges
from graphopt.features import check_features
from graphopt.graph import Graph

_LISTED_BYTES = 100  # of a candidate, while candidates are collected and sorted


@dataclass(frozen=True, slots=True)
class LinkModel(PairCompletion):
    """Logistic regression on properties of two nodes, learned from hidden seen edges.

    The share of the seen edges that is hidden equals the share that is missing from the whole
    graph. From the remaining edges, the model learns to tell hidden edges from pairs without an
    edge by degrees, common neighbours, Adamic-Adar, resource allocation, 3-paths and the cosines of
    node features. The model is then applied to the whole seen graph, and its odds are corrected so
    that the probabilities sum to the expected number of missing edges.

    Parameters
    ----------
    weight : float
        Expected number of missing edges, relative to the seen ones. When a share s of all edges was
        seen, 1/s - 1 is missing; 1.5 stands for s = 0.4.
    features_from_edges : bool
        Whether the features were computed from the seen edges, as embeddings are. Such features
        reveal the hidden edges, so the model would learn to rely on information that it will not
        have. If True, the model does not use features.
    smoothing : int
        Number of averages over seen neighbours before the second cosine is computed.
    n_candidates : int
        Number of pairs per node that are listed with their own probability; the others share their
        average.
    n_maskings : int
        Number of times that edges are hidden, each time drawn again.
    n_others : int
        Number of pairs without an edge, per hidden edge, to learn from.
    random_state : int, Generator or None
        Determines which edges are hidden.

    Notes
    -----
    O(n²) time (seconds for 3,000 nodes), in blocks of rows; memory for the candidates. Gradient
    boosting instead of the regression ranked the unseen edges worse on the paper's graphs: degrees
    on the whole seen graph are beyond those it learned from.

    Examples
    --------
    >>> from graphopt import datasets
    >>> data = datasets.synthetic(60, random_state=0)
    >>> chances = LinkModel().probabilities(data.observed, data.observed_features)
    >>> round(chances.n_missing / data.observed.n_edges, 6)
    1.5
    >>> likely = chances.pairs[chances.probabilities > 0.2]
    >>> bool(len(likely) > 0)
    True
    """

    weight: float = 1.5
    features_from_edges: bool = False
    smoothing: int = 1
    n_candidates: int = 200
    n_maskings: int = 3
    n_others: int = 20
    random_state: RandomState = 0

    def __post_init__(self) -> None:
        # Python's numbers: those of NumPy may be of a type that their products do not fit.
        object.__setattr__(self, "weight", check_number("weight", self.weight, minimum=0.0))
        for name, least in (
            ("smoothing", 0),
            ("n_candidates", 1),
            ("n_maskings", 1),
            ("n_others", 1),
        ):
            number = check_integer(name, getattr(self, name), minimum=least)
            object.__setattr__(self, name, number)

    def probabilities(self, graph: Graph, features: Any = None) -> EdgeProbabilities:
        """Learn from the seen edges and return probabilities for all other pairs.

        Parameters
        ----------
        graph : Graph
            The seen graph, undirected.
        features : array or sparse array, shape (n_nodes, n_features), optional

        Returns
        -------
        EdgeProbabilities
            They sum to `weight` times the number of seen edges. If there are fewer than two seen
            edges, nothing can be learned and all pairs get the same probability.

        Raises
        ------
        ValueError
            For a directed graph or negative weights, features that do not match, or if there are
            fewer unseen pairs than missing edges.
        graphopt.errors.MemoryLimitError
            If the candidates, or features averaged over neighbours, do not fit in memory.
        """
        check_seen_graph(graph)
        rows = None if features is None else check_features(features, graph.n_nodes)
        if self.features_from_edges:
            rows = None
        n, total = graph.n_nodes, self.weight * graph.n_edges
        n_listed = n * min(self.n_candidates, max(n - 1, 0))
        check_memory(
            f"{n_listed:,} candidate pairs", _LISTED_BYTES * n_listed, "use fewer n_candidates"
        )
        unseen = n * (n - 1) // 2 - graph.n_edges
        nothing = EdgeProbabilities(graph, np.empty((0, 2), np.int32), np.empty(0))
        if total == 0.0:
            return nothing
        if total >= unseen:
            raise ValueError(
                f"graph must have room for {total:g} missing edges; {unseen} pairs of nodes are "
                "not joined"
            )
        n_kept = round(graph.n_edges / (1.0 + self.weight))
        if not 0 < n_kept < graph.n_edges:
            return EdgeProbabilities(graph, nothing.pairs, nothing.probabilities, total / unseen)
        with one_blas_thread():
            return self._rated(graph, rows, self._learned(graph, rows)).with_total(total)

    def _learned(self, graph: Graph, rows: Any) -> NDArray[np.float64]:
        """Return the coefficients of the pairs' values, followed by the constant."""
        load_whole("sklearn.linear_model")
        from sklearn.linear_model import LogisticRegression

        rng = check_random_state(self.random_state)
        others = UnseenPairs(graph.n_nodes, graph.edges)
        values, weights, hidden = [], [], []
        for _ in range(self.n_maskings):
            split = split_edges(graph, 1.0 / (1.0 + self.weight), random_state=rng)
            count = min(self.n_others * len(split.unseen), others.count)
            absent = others.draw(count, rng, distinct=True)
            known = PairFeatures(observed_graph(graph, split), rows, self.smoothing)
            values.append(known.of(np.concatenate([split.unseen, absent])))
            hidden.append(np.repeat([1, 0], [len(split.unseen), count]))
            weights.append(np.repeat([1.0, others.count / count], [len(split.unseen), count]))
        table = np.concatenate(values).astype(np.float64)
        mean, spread = table.mean(axis=0), table.std(axis=0)
        spread[spread == 0.0] = 1.0
        model = LogisticRegression(max_iter=1000)
        model.fit((table - mean) / spread, np.concatenate(hidden), np.concatenate(weights))
        slope = model.coef_[0] / spread
        return np.append(slope, model.intercept_[0] - slope @ mean)

    def _rated(
        self, graph: Graph, rows: Any, coefficients: NDArray[np.float64]
    ) -> EdgeProbabilities:
        """Return the probabilities of the best pairs of each node, and the average of all others.

        These are probabilities of the hidden edges, of which there were fewer than missing edges.
        """
        load_whole("scipy.special")
        from scipy.special import expit

        n = graph.n_nodes
        count = min(self.n_candidates, n - 1)
        slope, constant = coefficients[:-1].astype(np.float32), np.float32(coefficients[-1])
        codes, chances, total = [], [], 0.0
        for start, values in PairFeatures(graph, rows, self.smoothing).blocks():
            odds = np.tensordot(slope, values, axes=1) + constant
            here = np.arange(len(odds))
            odds[here, start + here] = -np.inf
            row, column = _entries(graph, start, start + len(odds))
            odds[row, column] = -np.inf
            total += float(expit(odds).sum(dtype=np.float64))
            best = np.argpartition(odds, n - count, axis=1)[:, n - count :]
            log_odds = np.take_along_axis(odds, best, axis=1)
            real = log_odds > -np.inf
            source = np.broadcast_to(start + here[:, None], best.shape)[real]
            target = best[real]
            codes.append(np.minimum(source, target) * np.int64(n) + np.maximum(source, target))
            chances.append(expit(log_odds[real].astype(np.float64)))
        listed, place = np.unique(np.concatenate(codes), return_index=True)
        probability = np.concatenate(chances)[place]
        pairs = np.column_stack([listed // n, listed % n]).astype(np.int32)
        found = EdgeProbabilities(graph, pairs, probability)
        if found.n_others == 0:
            return found
        rest = max(total / 2.0 - found.n_missing, 0.0) / found.n_others
        return EdgeProbabilities(graph, pairs, probability, min(rest, 1.0))


def _entries(graph: Graph, start: int, stop: int) -> tuple[NDArray[np.intp], NDArray[np.int32]]:
    """Return the seen edges of some nodes: which of them, and the neighbour."""
    rows = np.repeat(np.arange(stop - start), graph.degrees[start:stop])
    return rows, graph.indices[graph.indptr[start] : graph.indptr[stop]]
