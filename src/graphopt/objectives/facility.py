"""Facility location: sites whose farthest customer is near."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, ClassVar, cast

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from graphopt._threads import get_num_threads
from graphopt._validation import (
    RandomState,
    check_choice,
    check_integer,
    check_node_indices,
    check_number,
)
from graphopt.facility import (
    DistanceArray,
    check_charge,
    check_distances,
    count_levels,
    order_sites,
)
from graphopt.graph import Graph
from graphopt.objectives import _ops
from graphopt.objectives.base import Objective, SoftClusters
from graphopt.rounding import pipage_rounding

_CUSTOMERS = ("all", "largest-component")


@dataclass(frozen=True, slots=True, eq=False)
class FacilityProblem:
    """Distances from the customers that count to all sites; make one with :meth:`from_distances`.

    Attributes
    ----------
    distances : Tensor, shape (n_customers, n_sites)
        uint8, uint16 or uint32 hops, or float64 lengths.
    charge : float
        What a customer pays whom no open site serves.
    n_levels : int
        Hops: distances from this one on serve nobody. Lengths: 0.
    order : Tensor of int32 or None
        Lengths: each customer's sites by distance.
    """

    distances: Tensor
    charge: float
    n_levels: int
    order: Tensor | None

    @classmethod
    def from_distances(
        cls, distances: ArrayLike, *, charge: float | None = None, customers: str = "all"
    ) -> FacilityProblem:
        """Prepare distances, shape (n_customers, n_sites), as in :func:`expected_distances`.

        Parameters
        ----------
        distances : array of uint8, uint16, uint32 or float
        charge : int or float, optional
            Default: the largest finite distance of a customer that counts, plus 1.
        customers : {"all", "largest-component"}
            The second: only customers that reach what the best connected customer reaches.
        """
        check_choice("customers", customers, _CUSTOMERS)
        matrix = check_distances("distances", distances)
        if customers == "largest-component":
            matrix = check_distances("distances", matrix[_largest_component(matrix)])
        pays = check_charge(charge, matrix)
        if matrix.dtype == np.float64:
            lengths = cast("NDArray[np.float64]", matrix)
            order = torch.from_numpy(order_sites(lengths, get_num_threads()))
            return cls(_ops.shared_tensor(lengths), pays, 0, order)
        return cls(_ops.shared_tensor(matrix), pays, count_levels(matrix, pays), None)

    @property
    def n_customers(self) -> int:
        """Number of customers that count."""
        return self.distances.shape[0]

    @property
    def n_sites(self) -> int:
        """Number of candidate sites."""
        return self.distances.shape[1]

    def expected_distances(self, opening: Tensor) -> Tensor:
        """Return every customer's expected distance, shape (n_customers,); differentiable."""
        if opening.shape != (self.n_sites,):
            raise ValueError(
                f"opening must have shape ({self.n_sites},), not {tuple(opening.shape)}"
            )
        expected: Tensor
        if self.order is not None:
            expected = _ops.expected_lengths(opening, self.distances, self.order, self.charge)
            return expected
        # Sums are kept for the gradient unless they would outgrow the distances.
        sums = self.n_levels * opening.element_size()
        keep = sums <= self.n_sites * self.distances.element_size()
        expected, *_ = _ops.expected_hops(opening, self.distances, self.n_levels, self.charge, keep)
        return expected

    def paid(self, sites: NDArray[Any]) -> NDArray[np.float64]:
        """Return what every customer pays with exactly these sites open, shape (n_customers,)."""
        distances: NDArray[Any] = self.distances.numpy()
        if len(sites) == 0:
            return np.full(self.n_customers, self.charge)
        nearest = distances[:, sites].min(axis=1)
        limit = self.n_levels if self.order is None else self.charge
        return np.where(nearest < limit, nearest, self.charge).astype(np.float64)


def _largest_component(distances: DistanceArray) -> NDArray[np.bool_]:
    """Return which customers reach a site that the one who reaches most sites reaches."""
    if distances.dtype == np.float64:
        reached = np.isfinite(distances)
    else:
        reached = distances != np.iinfo(cast("np.dtype[np.uint8]", distances.dtype)).max
    if not reached.any():
        return np.ones(len(distances), np.bool_)
    best = reached.sum(axis=1).argmax()
    same: NDArray[np.bool_] = reached[:, reached[best].argmax()]
    return same


@dataclass(frozen=True)
class FacilityLocation(Objective):
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
    charge : int or float, optional
        What a customer pays whom no open site serves. Default: the seen graph's largest finite
        distance plus 1, taken over the customers that count.
    customers : {"all", "largest-component"}
        Who counts in training. Nodes that nobody can serve on the seen graph otherwise are the
        largest term whatever is decided.
    emphasis : float
        0: the loss is the mean expected distance. a > 0: ``(1/a) log mean exp(a E)``, which goes
        to the largest as a grows.
    draws : int
        Number of roundings, of which :meth:`decode` keeps the best by :meth:`training_value`.

    Examples
    --------
    >>> import numpy as np, torch
    >>> path = np.abs(np.subtract.outer(np.arange(5), np.arange(5))).astype(np.uint8)
    >>> problem = FacilityProblem.from_distances(path)
    >>> objective = FacilityLocation(n_facilities=1)
    >>> opening = torch.tensor([0.0, 0.25, 0.5, 0.25, 0.0])
    >>> sites = objective.decode(opening, problem, random_state=0)
    >>> sites, objective.training_value(sites, problem)
    (array([2], dtype=int32), (2.0, 2.0, 1.2))
    """

    n_facilities: int | None = None
    site_temperature: float = field(default=100.0, kw_only=True)
    charge: float | None = field(default=None, kw_only=True)
    customers: str = field(default="all", kw_only=True)
    emphasis: float = field(default=0.0, kw_only=True)
    draws: int = field(default=50, kw_only=True)

    greater_is_better: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.n_facilities is not None:
            check_integer("n_facilities", self.n_facilities, minimum=1)
        check_number("site_temperature", self.site_temperature, minimum=0.0, open_minimum=True)
        if self.charge is not None:
            check_number("charge", self.charge, minimum=0.0, open_minimum=True)
        check_choice("customers", self.customers, _CUSTOMERS)
        check_number("emphasis", self.emphasis, minimum=0.0)
        check_integer("draws", self.draws, minimum=1)

    def prepare(self, graph: Graph) -> FacilityProblem:
        """Compute the distances of the seen graph, which must be undirected."""
        if graph.directed:
            raise ValueError("graph must be undirected")
        from graphopt.paths import all_pairs_shortest_paths

        distances = all_pairs_shortest_paths(graph)
        return FacilityProblem.from_distances(
            distances, charge=self.charge, customers=self.customers
        )

    def relax(self, clusters: SoftClusters) -> Tensor:
        """Return opening probabilities, shape (n_nodes,), that sum to at most the facilities.

        Every centre spreads one unit over the nodes, ``softmax(site_temperature * cosine)``; the
        units at a node add up to u, which becomes ``tanh(2 u)`` (the paper's
        ``2 (sigmoid(4 u) - 1/2)``), and all are scaled down if their sum is too large.
        """
        similarity = clusters.embedding @ clusters.centers.T
        units = torch.softmax(self.site_temperature * similarity, dim=0).sum(dim=1)
        opening = torch.tanh(2.0 * units)
        most = clusters.centers.shape[0] if self.n_facilities is None else self.n_facilities
        total = opening.sum()
        return opening * (most / torch.clamp(total, min=most))

    def loss(self, decision: Tensor, problem: FacilityProblem) -> Tensor:
        """Return the mean (see `emphasis`) expected distance for opening probabilities."""
        expected = problem.expected_distances(decision)
        if problem.n_customers == 0:
            return expected.sum()
        if self.emphasis == 0.0:
            return expected.mean()
        total = torch.logsumexp(self.emphasis * expected, dim=0)
        return (total - math.log(problem.n_customers)) / self.emphasis

    def decode(
        self, decision: Tensor, problem: FacilityProblem, *, random_state: RandomState = None
    ) -> NDArray[np.int32]:
        """Return the best of `draws` rounded sets of sites, ascending, shape (n_facilities,).

        At most as many as there are sites. An opening that sums to more than `n_facilities` is
        scaled down first; see :func:`graphopt.pipage_rounding` for one that sums to less.
        """
        opening = decision.detach().cpu().numpy().clip(0.0, 1.0)
        k = None
        if self.n_facilities is not None:
            k = min(self.n_facilities, len(opening))
            total = float(opening.sum(dtype=np.float64))
            if total > k:
                opening = (opening * (k / total)).astype(opening.dtype)
        draws = pipage_rounding(opening, k=k, draws=self.draws, random_state=random_state)
        candidates = np.unique(draws, axis=0)
        values = [self.training_value(sites, problem) for sites in candidates]
        best: NDArray[np.int32] = candidates[values.index(min(values))]
        return best

    def evaluate(self, decision: NDArray[Any], graph: Graph) -> float:
        """Return the radius of the sites on `graph`, infinite if a node reaches none of them."""
        from graphopt.centers import evaluate_centers

        return float(evaluate_centers(graph, decision).radius)

    def training_value(
        self, decision: NDArray[Any], problem: FacilityProblem
    ) -> tuple[float, float, float]:
        """Return what customers pay: the largest, how many pay it, and the mean."""
        sites = check_node_indices("decision", decision, problem.n_sites)
        paid = problem.paid(sites)
        if paid.size == 0:
            return 0.0, 0.0, 0.0
        largest = paid.max()
        return float(largest), float((paid == largest).sum()), float(paid.mean())
