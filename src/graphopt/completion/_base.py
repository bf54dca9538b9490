"""What a completion is, and what all that rate pairs of nodes have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Protocol

from graphopt._validation import RandomState, check_number
from graphopt.completion._probabilities import EdgeProbabilities
from graphopt.graph import Graph


class Completion(Protocol):
    """Anything that tells from a seen graph and node features where edges are missing."""

    def missing_edges(self, graph: Graph, features: Any) -> Graph:
        """Return the expected further edges: a graph on the same nodes, weighted."""
        ...


class PairCompletion(ABC):
    """A completion that says how likely an edge is between any two nodes.

    A subclass writes :meth:`probabilities`; expected edges and sampled graphs follow from it.

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
        """Return how likely an edge is where none was seen.

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
        """Return whole graphs as they might be: every seen edge, and missing ones by chance.

        Parameters
        ----------
        graph : Graph
            The seen graph, undirected.
        features : array or sparse array, shape (n_nodes, n_features), optional
        n_samples : int
        join : bool
            Whether what is left apart is joined by likely edges.
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
    """Raise TypeError naming `name` unless `value` is a completion, or has its method."""
    if not hasattr(value, "missing_edges"):
        raise TypeError(f"{name} must be completions, not {type(value).__name__}")
