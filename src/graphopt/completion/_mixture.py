"""The average of several completions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from graphopt._validation import as_tuple, check_number
from graphopt._weights import edge_weights
from graphopt.completion._base import Completion, check_completion
from graphopt.datasets.hiding import check_seen_graph
from graphopt.graph import Graph


@dataclass(frozen=True, slots=True)
class Mixture:
    """Expects the average of what several completions expect.

    Parameters
    ----------
    parts : tuple of Completion
        At least one.
    shares : tuple of float, optional
        Of each part, in any unit. None: equal shares.

    Examples
    --------
    >>> from graphopt.completion import Bagging, FeatureNeighbours
    >>> graph = Graph.from_edges([(0, 1), (1, 2), (3, 4), (4, 5)], n_nodes=7)
    >>> both = Mixture((FeatureNeighbours(), Bagging()))
    >>> missing = both.missing_edges(graph, np.repeat(np.eye(2), [3, 4], axis=0))
    >>> round(float(missing.edge_weights.sum()), 6)
    6.0
    """

    parts: tuple[Completion, ...]
    shares: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        parts = as_tuple("parts", self.parts)
        if len(parts) == 0:
            raise ValueError("parts must hold at least one completion")
        for part in parts:
            check_completion("parts", part)
        if self.shares is not None:
            shares = as_tuple("shares", self.shares)
            if len(shares) != len(parts):
                raise ValueError(f"shares must be one per part, {len(parts)}, not {len(shares)}")
            for share in shares:
                check_number("shares", share, minimum=0.0, open_minimum=True)

    def missing_edges(self, graph: Graph, features: Any = None) -> Graph:
        """Return the weighted average of the parts' expected edges.

        Parameters
        ----------
        graph : Graph
            The seen graph, undirected.
        features : array or sparse array, shape (n_nodes, n_features), optional
            As the parts need them.

        Returns
        -------
        Graph
        """
        check_seen_graph(graph)
        shares = np.ones(len(self.parts)) if self.shares is None else np.array(self.shares, float)
        shares = shares / shares.sum()
        found = [part.missing_edges(graph, features) for part in self.parts]
        weights = [share * edge_weights(part) for share, part in zip(shares, found, strict=True)]
        return Graph.from_edges(
            np.concatenate([part.edges for part in found]),
            graph.n_nodes,
            np.concatenate(weights),
            duplicates="sum",
            names=graph.names,
        )
