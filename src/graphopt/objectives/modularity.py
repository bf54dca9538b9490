"""Communities by modularity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

import graphopt.communities as communities
from graphopt._validation import RandomState, check_number
from graphopt._weights import in_own_unit
from graphopt.graph import Graph
from graphopt.objectives import _ops
from graphopt.objectives.base import Objective


@dataclass(frozen=True, slots=True, eq=False)
class ModularityProblem:
    """A graph whose communities are sought, as the loss takes it.

    `weights` are those of the graph divided by a power of two, the largest being in [1, 2).
    """

    graph: Graph
    indptr: Tensor
    indices: Tensor
    weights: Tensor | None


@dataclass(frozen=True)
class Modularity(Objective):
    """Modularity of a soft assignment of nodes to groups.

    ``Q = 1/2m [ sum over edges, both ways, of w_ij r_i . r_j - resolution |r^T s|^2 / 2m ]`` with
    strengths s: the expected modularity if every node drew its group from its row. Value and exact
    gradient come from one pass over the edges, O(m n_clusters); the matrix of modularity is never
    formed (Wilder et al., NeurIPS 2019, community objective).

    Parameters
    ----------
    resolution : float
        1 is Newman and Girvan's modularity; above, more and smaller groups.

    Examples
    --------
    >>> import torch
    >>> two_triangles = Graph.from_edges([(0, 1), (1, 2), (0, 2), (3, 4), (4, 5), (3, 5), (2, 3)])
    >>> objective = Modularity()
    >>> problem = objective.prepare(two_triangles)
    >>> assignment = torch.eye(2)[[0, 0, 0, 1, 1, 1]]
    >>> objective.loss(assignment, problem)
    tensor(-0.3571)
    >>> objective.decode(assignment, problem)
    array([0, 0, 0, 1, 1, 1])
    """

    resolution: float = 1.0

    greater_is_better: ClassVar[bool] = True
    uses_expected_edges: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_number("resolution", self.resolution, minimum=0.0)

    def prepare(self, graph: Graph) -> ModularityProblem:
        """Check that `graph` is undirected, without negative weights, and hand it to torch."""
        communities.check_strengths("graph", graph)
        scaled, _ = in_own_unit(graph)  # modularity has no unit
        weights = None if scaled.weights is None else _ops.shared_tensor(scaled.weights)
        indptr, indices = _ops.shared_tensor(graph.indptr), _ops.shared_tensor(graph.indices)
        return ModularityProblem(graph, indptr, indices, weights)

    def loss(self, decision: Tensor, problem: ModularityProblem) -> Tensor:
        """Return minus the modularity of an assignment, shape (n_nodes, n_clusters)."""
        n_nodes = problem.indptr.shape[0] - 1
        if decision.ndim != 2 or decision.shape[0] != n_nodes:
            raise ValueError(
                f"decision must have shape ({n_nodes}, n_clusters), not {tuple(decision.shape)}"
            )
        graph = problem.indptr, problem.indices, problem.weights
        value: Tensor = _ops.modularity(decision, *graph, float(self.resolution))[0]
        return -value

    def decode(
        self, decision: Tensor, problem: Any, *, random_state: RandomState = None
    ) -> NDArray[np.int64]:
        """Return each node's group of largest share, shape (n_nodes,); nothing is random here."""
        labels: NDArray[np.int64] = decision.detach().argmax(dim=1).cpu().numpy()
        return labels

    def evaluate(self, decision: NDArray[Any], graph: Graph) -> float:
        """Return the modularity of labels on `graph`."""
        return communities.modularity(graph, decision, resolution=self.resolution)

    def improve(
        self,
        decision: NDArray[Any],
        problem: ModularityProblem,
        n_clusters: int,
        *,
        random_state: RandomState = None,
    ) -> NDArray[Any]:
        """Return labels after local moves at a fixed number of groups (:func:`graphopt.polish`)."""
        polished = communities.polish(
            problem.graph,
            decision,
            n_clusters,
            resolution=self.resolution,
            random_state=random_state,
        )
        return polished.labels.astype(np.int64)

    def training_value(self, decision: NDArray[Any], problem: ModularityProblem) -> float:
        """Return the modularity of labels on the seen graph."""
        return self.evaluate(decision, problem.graph)
