"""What a network is trained with: differentiable losses, how they decide, and the user's own."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

import graphopt.communities as communities
import graphopt.nn._loss_operators as operators
from graphopt._scale import clipped_power, exponent_of, restored_number
from graphopt._validation import (
    RandomState,
    check_choice,
    check_integer,
    check_memory,
    check_node_indices,
    check_number,
)
from graphopt._weights import divided, in_own_unit, typical_weight
from graphopt.facility import distance_costs
from graphopt.graph import Graph, check_undirected
from graphopt.nn.facility_distances import CUSTOMERS, FacilityDistances
from graphopt.objectives import KCenter, Modularity, Objective, as_objective
from graphopt.paths import all_pairs_shortest_paths, largest_distance
from graphopt.rounding import pipage_rounding


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


class Loss(ABC):
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
    >>> class Cut(Loss):
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
    decides: ClassVar[Literal["labels", "centers"]] = "labels"
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
        return type(self).improve is not Loss.improve

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
class ModularityLoss(Loss):
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
    >>> objective = ModularityLoss()
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
        weights = None if scaled.weights is None else operators.shared_tensor(scaled.weights)
        indptr, indices = (
            operators.shared_tensor(graph.indptr),
            operators.shared_tensor(graph.indices),
        )
        return ModularityProblem(graph, indptr, indices, weights)

    def loss(self, decision: Tensor, problem: ModularityProblem) -> Tensor:
        """Return minus the modularity of an assignment, shape (n_nodes, n_clusters)."""
        n_nodes = problem.indptr.shape[0] - 1
        if decision.ndim != 2 or decision.shape[0] != n_nodes:
            raise ValueError(
                f"decision must have shape ({n_nodes}, n_clusters), not {tuple(decision.shape)}"
            )
        graph = problem.indptr, problem.indices, problem.weights
        value: Tensor = operators.modularity(decision, *graph, float(self.resolution))[0]
        return -value

    def decode(
        self, decision: Tensor, problem: Any, *, random_state: RandomState = None
    ) -> NDArray[np.int64]:
        """Return each node's group of largest share, shape (n_nodes,); nothing is random here."""
        labels: NDArray[np.int64] = decision.detach().argmax(dim=1).cpu().numpy()
        return labels

    def evaluate(self, decision: NDArray[Any], graph: Graph) -> float:
        """Return the modularity of labels on `graph`."""
        return Modularity(self.resolution).evaluate(decision, graph)

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


@dataclass(frozen=True)
class KCenterLoss(Loss):
    """Choose sites so that the farthest customer is near (k-center), every node being both.

    Training minimises expected distances when every site opens independently (exact, with exact
    gradients; :func:`graphopt.expected_distances`); the decision is drawn by pipage rounding; the
    judgement is the radius: the largest distance of any node to its nearest site.
    Wilder et al., NeurIPS 2019, facility location objective.

    Parameters
    ----------
    n_facilities : int, optional
        Number of sites. Default: the number of cluster centres when relaxing and, when decoding,
        as many as the opening probabilities sum to, rounded up.
    site_temperature : float
        How sharply each cluster centre picks its site; the paper's gamma.
    reach : float
        Share of the seen graph's largest finite distance that becomes the charge (rounded up, at
        least 2 hops): a customer farther than that from every site, or cut off, pays just the
        charge. Half: no site can be nearer than half the diameter to everybody, and what cannot
        be served does not drown what can.
    charge : int or float, optional
        The charge itself, instead of `reach`.
    growth : float
        How fast the cost of a distance grows: 0 trains on the mean expected distance (the paper's
        loss); g > 0 on the distance whose cost ``exp(g d)`` is the mean expected one, which leans
        towards the largest. Per hop, and in a weighted graph per mean length of an edge. At most
        600 / charge.
    customers : {"all", "largest-component"}
        Who counts in training.
    draws : int
        Number of roundings, of which :meth:`decode` keeps the best by :meth:`training_value`.
    polish : bool
        Whether sites of the best rounding are then exchanged, one at a time, until no exchange
        lowers :meth:`training_value`.

    Examples
    --------
    >>> import numpy as np, torch
    >>> path = np.abs(np.subtract.outer(np.arange(5), np.arange(5))).astype(np.uint8)
    >>> problem = FacilityDistances.from_distances(path)  # growth 0: the mean distance
    >>> objective = KCenterLoss(n_facilities=1)
    >>> opening = torch.tensor([0.0, 0.25, 0.5, 0.25, 0.0])
    >>> sites = objective.decode(opening, problem, random_state=0)
    >>> sites, objective.training_value(sites, problem)
    (array([2], dtype=int32), 1.2)
    """

    n_facilities: int | None = None
    site_temperature: float = field(default=100.0, kw_only=True)
    reach: float = field(default=0.5, kw_only=True)
    charge: float | None = field(default=None, kw_only=True)
    growth: float = field(default=0.5, kw_only=True)
    customers: str = field(default="all", kw_only=True)
    draws: int = field(default=50, kw_only=True)
    polish: bool = field(default=True, kw_only=True)

    greater_is_better: ClassVar[bool] = False
    decides: ClassVar[Literal["labels", "centers"]] = "centers"

    def __post_init__(self) -> None:
        if self.n_facilities is not None:
            check_integer("n_facilities", self.n_facilities, minimum=1)
        check_number("site_temperature", self.site_temperature, minimum=0.0, open_minimum=True)
        if self.charge is not None:
            check_number("charge", self.charge, minimum=0.0, open_minimum=True)
        check_choice("customers", self.customers, CUSTOMERS)
        check_number("growth", self.growth, minimum=0.0)
        check_number("reach", self.reach, minimum=0.0, open_minimum=True)
        check_integer("draws", self.draws, minimum=1)

    def prepare(self, graph: Graph) -> FacilityDistances:
        """Compute the distances of the seen graph, which must be undirected."""
        check_undirected("graph", graph)
        # Hops: a byte at least. Lengths: the distances, their costs and the order of the sites.
        per_pair = 1 if graph.weights is None else 8 + 4 + (8 if self.growth > 0.0 else 0)
        check_memory(
            "the table of distances from every customer to every site",
            graph.n_nodes**2 * per_pair,
            "let prepare() return a sample of the customers, FacilityDistances.from_distances("
            "all_pairs_shortest_paths(graph, sources=sample))"
            + ("" if graph.weights is None else ", or on hops, a byte each"),
        )
        if graph.weights is None:
            distances = all_pairs_shortest_paths(graph)
            charge = self.charge
            if charge is None:
                charge = max(2, math.ceil(self.reach * largest_distance(distances)))
            return FacilityDistances.from_distances(
                distances, charge=charge, growth=self.growth, customers=self.customers
            )
        # A weighted graph's typical edge is its hop, whatever the unit of its lengths.
        exponent = exponent_of(np.array(typical_weight(graph)))
        graph = divided(graph, exponent)
        distances = all_pairs_shortest_paths(graph)
        if self.charge is None:
            charge = self.reach * largest_distance(distances) or None
        else:
            charge = clipped_power(self.charge, -exponent)
        problem = FacilityDistances.from_distances(
            distances,
            charge=charge,
            growth=self.growth / typical_weight(graph),
            customers=self.customers,
        )
        return replace(problem, exponent=problem.exponent + exponent)

    def relax(self, clusters: SoftClusters) -> Tensor:
        """Return opening probabilities, shape (n_nodes,), that sum to at most the facilities.

        Every centre spreads one unit over the nodes, ``softmax(site_temperature * cosine)``; the
        units at a node add up to u, which becomes ``tanh(2 u)`` (the paper's
        ``2 (sigmoid(4 u) - 1/2)``), and all are scaled down if their sum is too large.
        """
        centers = torch.nn.functional.normalize(clusters.centers, dim=-1)
        similarity = clusters.embedding @ centers.T
        units = torch.softmax(self.site_temperature * similarity, dim=0).sum(dim=1)
        opening = torch.tanh(2.0 * units)
        most = clusters.centers.shape[0] if self.n_facilities is None else self.n_facilities
        total = opening.sum()
        return opening * (most / torch.clamp(total, min=most))

    def loss(self, decision: Tensor, problem: FacilityDistances) -> Tensor:
        """Return the mean distance (see `growth`) expected for opening probabilities.

        In units of ``2**problem.exponent``.
        """
        return problem.distance_at(problem.mean_expected_cost(decision)).to(decision.dtype)

    def decode(
        self, decision: Tensor, problem: FacilityDistances, *, random_state: RandomState = None
    ) -> NDArray[np.int32]:
        """Return the best of `draws` rounded sets of sites, ascending, shape (n_facilities,).

        Improved by exchanges of sites where `polish` says so.

        At most as many as there are sites. An opening that sums to more than `n_facilities` is
        scaled down first; see :func:`graphopt.pipage_rounding` for one that sums to less.
        """
        if decision.ndim != 1:
            raise ValueError(f"decision must be 1D, one opening per site, not {decision.ndim}D")
        opening = decision.detach().cpu().numpy().clip(0.0, 1.0)
        k = None
        if self.n_facilities is not None:
            k = min(self.n_facilities, len(opening))
            total = float(opening.sum(dtype=np.float64))
            if total > k:
                opening = (opening * (k / total)).astype(opening.dtype)
        draws = pipage_rounding(opening, k=k, draws=self.draws, random_state=random_state)
        candidates = np.unique(draws, axis=0)
        drawn, places = np.unique(candidates, return_inverse=True)
        few = problem.with_sites(drawn)
        values = [self.training_value(s, few) for s in places.reshape(candidates.shape)]
        best: NDArray[np.int32] = candidates[values.index(min(values))]
        return problem.improved_by_swaps(best) if self.polish and len(best) else best

    def evaluate(self, decision: NDArray[Any], graph: Graph) -> float:
        """Return the radius of the sites on `graph`, infinite if a node reaches none of them."""
        return KCenter().evaluate(decision, graph)

    def training_value(self, decision: NDArray[Any], problem: FacilityDistances) -> float:
        """Return the mean distance (see `growth`) that customers are charged."""
        sites = check_node_indices("decision", decision, problem.n_sites)
        paid = problem.paid(sites)
        if paid.size == 0:
            return 0.0
        costs = distance_costs(paid, problem.charge, problem.growth)
        value = problem.distance_at(torch.tensor(costs.mean())).item()
        return restored_number("problem (or weights of graph)", value, problem.exponent)


def loss_of(objective: str | Objective | Loss, k: int) -> Loss:
    """Return the loss that a network is trained with for an objective.

    Parameters
    ----------
    objective : {"modularity", "k-center"}, Objective or Loss
        A loss is returned as it is.
    k : int
        Number of centers to choose, for k-center.

    Raises
    ------
    ValueError
        For a name that is not known, or an objective that no loss of this package stands for.
    TypeError
        For anything else.

    Examples
    --------
    >>> loss_of("modularity", 3)
    ModularityLoss(resolution=1.0)
    """
    if isinstance(objective, Loss):
        return objective
    known = as_objective(objective)
    if isinstance(known, Modularity):
        return ModularityLoss(known.resolution)
    if isinstance(known, KCenter):
        return KCenterLoss(k)
    raise ValueError(
        f"objective {known.name!r} has no loss to train with; give a graphopt.nn.losses.Loss"
    )
