"""Completions: their interface, a base class for those that rate pairs, and their average."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from graphopt._validation import RandomState, as_tuple, check_number
from graphopt._weights import edge_weights
from graphopt.completion._probabilities import EdgeProbabilities
from graphopt.datasets.hiding import check_seen_graph
from graphopt.graph import Graph


class Completion(Protocol):
    """Anything that estimates, from a seen graph and node features, where edges are missing."""

    def missing_edges(self, graph: Graph, features: Any) -> Graph:
        """Return the expected further edges: a graph on the same nodes, weighted."""
        ...


class PairCompletion(ABC):
    """A completion that gives the probability of an edge between any two nodes.

    A subclass defines :meth:`probabilities`, from which expected edges and sampled graphs follow.

    Examples
    --------
    >>> import numpy as np
    >>> class Uniform(PairCompletion):
    ...     def probabilities(self, graph, features=None):
    ...         return EdgeProbabilities(graph, np.empty((0, 2)), [], background=0.1)
    >>> seen = Graph.from_edges([(0, 1), (1, 2)], n_nodes=20)
    >>> [sample.n_edges for sample in Uniform().sample(seen, n_samples=3, random_state=0)]
    [22, 16, 19]
    """

    __slots__ = ()

    @abstractmethod
    def probabilities(self, graph: Graph, features: Any = None) -> EdgeProbabilities:
        """Return the probability of an edge for each pair without a seen edge.

        Parameters
        ----------
        graph : Graph
            The seen graph, undirected.
        features : array or sparse array, shape (n_nodes, n_features), optional
        """

    def missing_edges(self, graph: Graph, features: Any = None) -> Graph:
        """Return the expected missing edges as a weighted graph on the same nodes.

        Parameters
        ----------
        graph : Graph
            The seen graph, undirected.
        features : array or sparse array, shape (n_nodes, n_features), optional

        Returns
        -------
        Graph
            Its weights sum to the expected number of missing edges (times the mean weight, where
            seen edges have weights): :meth:`EdgeProbabilities.expected`.
        """
        return self.probabilities(graph, features).expected()

    def sample(
        self,
        graph: Graph,
        features: Any = None,
        n_samples: int = 10,
        *,
        join: bool = False,
        sharpness: float = 1.0,
        random_state: RandomState = None,
    ) -> list[Graph]:
        """Return possible whole graphs: every seen edge, and missing edges drawn at random.

        Parameters
        ----------
        graph : Graph
            The seen graph, undirected.
        features : array or sparse array, shape (n_nodes, n_features), optional
        n_samples : int
        join : bool
            Whether components that are not connected are joined by likely edges.
        sharpness : float
            Power of the probabilities; see :meth:`EdgeProbabilities.sharpened`.
        random_state : int, Generator or None

        Returns
        -------
        list of Graph
            See :meth:`EdgeProbabilities.sample`.
        """
        sharpness = check_number("sharpness", sharpness, minimum=0.0, open_minimum=True)
        chances = self.probabilities(graph, features)
        if sharpness != 1.0:
            chances = chances.sharpened(sharpness)
        return chances.sample(n_samples, join=join, random_state=random_state)


def check_completion(name: str, value: object) -> None:
    """Raise a TypeError that names `name` unless `value` is a completion or has its method."""
    if not hasattr(value, "missing_edges"):
        raise TypeError(f"{name} must be completions, not {type(value).__name__}")


@dataclass(frozen=True, slots=True)
class Mixture:
    """Expects the average of what several completions expect.

    Parameters
    ----------
    parts : tuple of Completion
        At least one.
    shares : tuple of float, optional
        Weight of each part, in any unit. None: equal weights.

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
            The features that the parts need.

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
