"""A link predictor's network as a completion."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphopt._validation import RandomState, check_integer, check_memory, check_number
from graphopt.completion import EdgeProbabilities, PairCompletion
from graphopt.graph import Graph, check_graph
from graphopt.learning.link_predictor import LinkPredictor

_BLOCK_PAIRS = 2**21
_LISTED_BYTES = 100  # of a candidate, while candidates are collected and sorted
_SUREST = np.float32(1.0 - 2.0**-24)


class PredictedLinks(PairCompletion):
    """Expects missing edges where a graph convolutional network predicts them.

    The first stage of :class:`graphopt.TwoStage`, for whatever takes a completion. The network is
    trained on the graph to be completed; its odds are corrected to the expected number of missing
    edges.

    Parameters
    ----------
    weight : float
        Expected number of missing edges, relative to the seen ones. When a share s of all edges was
        seen, 1/s - 1 is missing; 1.5 stands for s = 0.4.
    predictor : LinkPredictor, optional
        Its parameters are taken, and it is left as it is. None: the default with `random_state`.
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
        table[unseen] = np.minimum(predicted, _SUREST)
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
