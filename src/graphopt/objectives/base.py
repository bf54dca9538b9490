"""The interface of an objective, open to the user's own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Protocol

from numpy.typing import NDArray
from torch import Tensor

from graphopt._validation import RandomState
from graphopt.graph import Graph


class SoftClusters(Protocol):
    """What a clustering network puts out."""

    @property
    def assignment(self) -> Tensor:
        """Shares of every node in every cluster, shape (n_nodes, n_clusters); rows sum to 1."""

    @property
    def centers(self) -> Tensor:
        """Cluster centres, shape (n_clusters, n_features)."""

    @property
    def embedding(self) -> Tensor:
        """Unit rows, one per node, shape (n_nodes, n_features)."""


class Objective(ABC):
    """A loss to train with, a way to decide, and an exact judgement of the decision.

    The trainer calls :meth:`prepare` once with the graph that is seen, then in every step
    ``loss(relax(clusters), problem)``, and at the end :meth:`decode`. :meth:`evaluate` judges the
    decision on any graph, the full one in particular. A class of your own needs `loss`, `decode`
    and `evaluate`; the rest has defaults.

    Attributes
    ----------
    greater_is_better : bool
        Whether :meth:`evaluate` and :meth:`training_value` are to be maximised. The loss is
        always minimised.
    decides : {"labels", "centers"}
        What a decision is: the group of each node, or the nodes chosen.
    uses_expected_edges : bool
        Whether the loss makes sense on a weighted graph that holds edges that are only likely.

    Examples
    --------
    The largest cut, as an objective of one's own:

    >>> import torch
    >>> class Cut(Objective):
    ...     def loss(self, decision, problem):
    ...         u, v = torch.tensor(problem.edges, dtype=torch.long).T
    ...         return (decision[u] * decision[v]).sum()
    ...
    ...     def decode(self, decision, problem, *, random_state=None):
    ...         return decision.argmax(dim=1).numpy()
    ...
    ...     def evaluate(self, decision, graph):
    ...         u, v = graph.edges.T
    ...         return float((decision[u] != decision[v]).sum())
    >>> square = Graph.from_edges([(0, 1), (1, 2), (2, 3), (3, 0)])
    >>> cut = Cut()
    >>> problem = cut.prepare(square)
    >>> decision = torch.eye(2)[[0, 1, 0, 1]]
    >>> cut.loss(decision, problem)
    tensor(0.)
    >>> cut.training_value(cut.decode(decision, problem), problem)
    4.0
    """

    greater_is_better: ClassVar[bool] = True
    decides: ClassVar[str] = "labels"
    uses_expected_edges: ClassVar[bool] = False

    def prepare(self, graph: Graph) -> Any:
        """Compute once what the loss needs of the seen graph; by default the graph itself."""
        return graph

    def relax(self, clusters: SoftClusters) -> Tensor:
        """Turn soft clusters into what :meth:`loss` takes; by default the assignment."""
        return clusters.assignment

    @abstractmethod
    def loss(self, decision: Tensor, problem: Any) -> Tensor:
        """Return a differentiable scalar to minimise.

        Parameters
        ----------
        decision : Tensor
            From :meth:`relax`, or from a network that decides directly.
        problem
            From :meth:`prepare`.
        """

    @abstractmethod
    def decode(
        self, decision: Tensor, problem: Any, *, random_state: RandomState = None
    ) -> NDArray[Any]:
        """Return the whole decision, an integer array."""

    @abstractmethod
    def evaluate(self, decision: NDArray[Any], graph: Graph) -> float:
        """Return the exact value of a whole decision on a graph."""

    def improve(
        self,
        decision: NDArray[Any],
        problem: Any,
        n_clusters: int,
        *,
        random_state: RandomState = None,
    ) -> NDArray[Any]:
        """Return a decision at least as good on the seen problem, found by local search from one.

        By default the same decision; an objective that can do better says so by a method of its
        own, and :attr:`improves` tells which can.

        Parameters
        ----------
        decision : array of int
        problem : object
            From :meth:`prepare`.
        n_clusters : int
            Groups, or chosen nodes, at most.
        random_state : int, Generator or None
        """
        return decision

    @property
    def improves(self) -> bool:
        """Whether :meth:`improve` does something."""
        return type(self).improve is not Objective.improve

    def training_value(self, decision: NDArray[Any], problem: Any) -> float:
        """Return the value of a whole decision on the seen problem, to choose between decisions.

        By default :meth:`evaluate` on the seen graph.

        Raises
        ------
        TypeError
            If :meth:`prepare` returns something else than a graph and this method is not given.
        """
        if not isinstance(problem, Graph):
            raise TypeError(
                f"{type(self).__name__}.training_value must be defined, because its prepare() "
                f"returns {type(problem).__name__}, not a Graph"
            )
        return self.evaluate(decision, problem)

    def better(self, value: float, than: float) -> bool:
        """Return whether `value` is strictly better than the other."""
        return value > than if self.greater_is_better else value < than
