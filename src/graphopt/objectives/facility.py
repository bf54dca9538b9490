"""Facility location: sites whose farthest customer is near."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, cast

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from graphopt._scale import clipped_power, exponent_of, restored_number
from graphopt._threads import get_num_threads
from graphopt._validation import (
    RandomState,
    check_choice,
    check_integer,
    check_memory,
    check_node_indices,
    check_number,
)
from graphopt._weights import divided, typical_weight
from graphopt.centers.swaps import swap_sites
from graphopt.facility import (
    DistanceArray,
    check_charge,
    check_distances,
    distance_costs,
    hop_steps,
    in_ordinary_unit,
    order_sites,
)
from graphopt.graph import Graph, check_graph, check_undirected
from graphopt.objectives import _ops
from graphopt.objectives.base import Objective, SoftClusters
from graphopt.paths import largest_distance
from graphopt.rounding import pipage_rounding

_CUSTOMERS = ("all", "largest-component")
# The largest growth * charge for which float64 and float32 hold costs near 0 and near the charge.
_MAX_EXPONENT = 600.0
_MAX_EXPONENT_FLOAT32 = 60.0
# Below, exp(growth d) - 1 is growth d to the last bit, and perhaps 0 in single precision.
_MIN_EXPONENT = 2.0**-53


@dataclass(frozen=True, slots=True, eq=False)
class FacilityProblem:
    """Distances from the customers that count to all sites; make one with :meth:`from_distances`.

    Attributes
    ----------
    distances : Tensor, shape (n_customers, n_sites)
        uint8, uint16 or uint32 hops, or float64 lengths.
    charge : float
        Distance charged to a customer whom no open site nearer than it serves.
    growth : float
        How fast the cost of a distance grows: 0, in proportion; g > 0, as exp(g d).
    exponent : int
        Lengths, and so charge, growth, costs and losses, are in units of ``2**exponent``: 0 unless
        lengths are so long or short that single precision might not hold them, or for a weighted
        graph, whose typical edge is then at least 1 and below 2.
    steps : Tensor of float64 or None
        Hops: what each hop further costs, the last entry for not being served.
    stretched : Tensor of float64, shape (n_customers, n_sites), or None
        Lengths: the cost of each distance, less that of distance 0.
    order : Tensor of int32, shape (n_customers, n_sites), or None
        Lengths: each customer's sites by distance.
    """

    distances: Tensor
    charge: float
    growth: float
    steps: Tensor | None = None
    stretched: Tensor | None = None
    order: Tensor | None = None
    exponent: int = 0
    # What swaps need: sites by customers, the costs of hops. Made when first asked for.
    _by_site: list[tuple[NDArray[Any], NDArray[np.float64] | None]] = field(
        default_factory=list, init=False, repr=False
    )

    @classmethod
    def from_distances(
        cls,
        distances: ArrayLike,
        *,
        charge: float | None = None,
        growth: float = 0.0,
        customers: str = "all",
    ) -> FacilityProblem:
        """Prepare distances, shape (n_customers, n_sites), as in :func:`expected_distances`.

        Parameters
        ----------
        distances : array of uint8, uint16, uint32 or float
        charge : int or float, optional
            Default: the largest finite distance of a customer that counts, plus 1.
        growth : float
            At least 0 and at most 600 / charge, beyond which float64 does not hold exp(g d). Taken
            for 0 where costs are in proportion to distances to the last bit.
        customers : {"all", "largest-component"}
            The second: only customers that reach what the best connected customer reaches.
        """
        check_choice("customers", customers, _CUSTOMERS)
        matrix = check_distances("distances", distances)
        if customers == "largest-component":
            matrix = check_distances("distances", matrix[_largest_component(matrix)])
        pays = check_charge(charge, matrix)
        growth = check_number("growth", growth, minimum=0.0)
        if growth * pays > _MAX_EXPONENT:
            raise ValueError(
                f"growth must be at most {_MAX_EXPONENT / pays:.3g}, {_MAX_EXPONENT:g} / charge, "
                f"not {growth}; exp(growth * charge) would overflow"
            )
        if growth * pays < _MIN_EXPONENT:
            growth = 0.0
        if matrix.dtype != np.float64:
            steps = torch.from_numpy(hop_steps(matrix, pays, growth))
            return cls(_ops.shared_tensor(matrix), pays, growth, steps)
        lengths, pays, exponent = in_ordinary_unit(matrix, pays)
        growth = float(np.ldexp(growth, exponent))
        if growth > 0.0:
            way_around = "take growth 0, or fewer customers (rows)"
            check_memory("the costs and the order of all distances", lengths.size * 12, way_around)
        kept = stretched = _ops.shared_tensor(lengths)
        if growth > 0.0:
            costs = distance_costs(np.minimum(lengths, pays), pays, growth)
            stretched = torch.from_numpy(costs)
        order = torch.from_numpy(order_sites(lengths, get_num_threads()))
        return cls(kept, pays, growth, stretched=stretched, order=order, exponent=exponent)

    @property
    def n_customers(self) -> int:
        """Number of customers that count."""
        return self.distances.shape[0]

    @property
    def n_sites(self) -> int:
        """Number of candidate sites."""
        return self.distances.shape[1]

    def with_sites(self, sites: NDArray[Any]) -> FacilityProblem:
        """Return the problem of deciding between these sites alone, stored site by site."""

        def columns(table: Tensor | None) -> Any:
            if table is None:
                return None
            return torch.from_numpy(np.ascontiguousarray(table.numpy().take(sites, axis=1).T)).T

        stretched = self.stretched if self.stretched is self.distances else columns(self.stretched)
        distances = columns(self.distances)
        return replace(self, distances=distances, stretched=stretched, order=None)

    def improved_by_swaps(self, sites: NDArray[Any]) -> NDArray[np.int32]:
        """Return as many sites, ascending, that no exchange of one for another makes cheaper.

        Exchanges begin at `sites`, distinct and at least one; see :func:`local_search_k_center`.
        """
        if not self._by_site:
            self._by_site.append(self._transposed())
        table, costs = self._by_site[0]
        lost = distance_costs(np.array(self.charge), self.charge, self.growth).item()
        found = swap_sites(table, costs, sites, lost=lost, num_threads=get_num_threads())
        return np.sort(found.sites)

    def _transposed(self) -> tuple[NDArray[Any], NDArray[np.float64] | None]:
        table: NDArray[Any] = self.distances.numpy()
        costs = None if self.steps is None else np.append(0.0, self.steps.numpy().cumsum())
        if costs is not None and _is_symmetric(table):
            return table, costs
        check_memory("the costs from every site", table.nbytes, "decode with polish=False")
        if costs is not None:
            return np.ascontiguousarray(table.T), costs
        if self.growth == 0.0 or self.stretched is None:
            return np.minimum(table.T, self.charge, order="C"), None
        return np.ascontiguousarray(self.stretched.numpy().T), None

    def expected_costs(self, opening: Tensor) -> Tensor:
        """Return every customer's expected cost, shape (n_customers,); differentiable.

        The distance itself, in units of ``2**exponent``, at growth 0; else
        ``exp(growth (d - charge))`` less its value at d = 0. Of the dtype of `opening`, but float64
        if float32 does not hold such costs.
        """
        opening = self._checked(opening)
        expected: Tensor
        if self.steps is not None:
            expected = _ops.expected_hops(opening, self.distances, self.steps)
            return expected
        limit = self.charge if self.growth == 0.0 else -math.expm1(-self.growth * self.charge)
        expected = _ops.expected_lengths(opening, self.stretched, self.order, limit)
        return expected

    def mean_expected_cost(self, opening: Tensor) -> Tensor:
        """Return the mean of :meth:`expected_costs`, 0 without customers; differentiable.

        In hops its gradient is computed with it, from one reading of the distances.
        """
        if self.steps is None:
            costs = self.expected_costs(opening)
            return costs.mean() if self.n_customers else costs.sum()
        mean: Tensor = _ops.mean_expected_hops(self._checked(opening), self.distances, self.steps)[
            0
        ]
        return mean

    def _checked(self, opening: Tensor) -> Tensor:
        """Return `opening` in a dtype that holds the costs, or raise if it is not one per site."""
        if opening.shape != (self.n_sites,):
            raise ValueError(
                f"opening must have shape ({self.n_sites},), not {tuple(opening.shape)}"
            )
        if opening.dtype == torch.float32 and self.growth * self.charge > _MAX_EXPONENT_FLOAT32:
            return opening.double()
        return opening

    def distance_at(self, cost: Tensor) -> Tensor:
        """Return the distance that costs so much, differentiably."""
        if self.growth == 0.0:
            return cost
        return torch.log1p(cost * math.exp(self.growth * self.charge)) / self.growth

    def paid(self, sites: NDArray[Any]) -> NDArray[np.float64]:
        """Return the distance each customer is charged for exactly these sites, (n_customers,).

        In units of ``2**exponent``.
        """
        distances: NDArray[Any] = self.distances.numpy()
        if len(sites) == 0:
            return np.full(self.n_customers, self.charge)
        nearest = distances.T[sites].min(axis=0)
        unreachable = np.inf if self.steps is None else np.iinfo(distances.dtype).max
        served = (nearest < self.charge) & (nearest != unreachable)
        return np.where(served, nearest, self.charge).astype(np.float64)


def _is_symmetric(matrix: NDArray[Any]) -> bool:
    """Tell whether a matrix is its own transpose, in blocks that need no further matrix."""
    n, width = matrix.shape
    return n == width and all(
        np.array_equal(matrix[i : i + 256], matrix[:, i : i + 256].T) for i in range(0, n, 256)
    )


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
    >>> problem = FacilityProblem.from_distances(path)  # growth 0: the mean distance
    >>> objective = FacilityLocation(n_facilities=1)
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
    decides: ClassVar[str] = "centers"

    def __post_init__(self) -> None:
        if self.n_facilities is not None:
            check_integer("n_facilities", self.n_facilities, minimum=1)
        check_number("site_temperature", self.site_temperature, minimum=0.0, open_minimum=True)
        if self.charge is not None:
            check_number("charge", self.charge, minimum=0.0, open_minimum=True)
        check_choice("customers", self.customers, _CUSTOMERS)
        check_number("growth", self.growth, minimum=0.0)
        check_number("reach", self.reach, minimum=0.0, open_minimum=True)
        check_integer("draws", self.draws, minimum=1)

    def prepare(self, graph: Graph) -> FacilityProblem:
        """Compute the distances of the seen graph, which must be undirected."""
        check_undirected("graph", graph)
        from graphopt.paths import all_pairs_shortest_paths

        # Hops: a byte at least. Lengths: the distances, their costs and the order of the sites.
        per_pair = 1 if graph.weights is None else 8 + 4 + (8 if self.growth > 0.0 else 0)
        check_memory(
            "the table of distances from every customer to every site",
            graph.n_nodes**2 * per_pair,
            "let prepare() return a sample of the customers, FacilityProblem.from_distances("
            "all_pairs_shortest_paths(graph, sources=sample))"
            + ("" if graph.weights is None else ", or on hops, a byte each"),
        )
        if graph.weights is None:
            distances = all_pairs_shortest_paths(graph)
            charge = self.charge
            if charge is None:
                charge = max(2, math.ceil(self.reach * largest_distance(distances)))
            return FacilityProblem.from_distances(
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
        problem = FacilityProblem.from_distances(
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

    def loss(self, decision: Tensor, problem: FacilityProblem) -> Tensor:
        """Return the mean distance (see `growth`) expected for opening probabilities.

        In units of ``2**problem.exponent``.
        """
        return problem.distance_at(problem.mean_expected_cost(decision)).to(decision.dtype)

    def decode(
        self, decision: Tensor, problem: FacilityProblem, *, random_state: RandomState = None
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
        from graphopt.centers import evaluate_centers

        check_graph("graph", graph)
        return float(evaluate_centers(graph, decision).radius)

    def training_value(self, decision: NDArray[Any], problem: FacilityProblem) -> float:
        """Return the mean distance (see `growth`) that customers are charged."""
        sites = check_node_indices("decision", decision, problem.n_sites)
        paid = problem.paid(sites)
        if paid.size == 0:
            return 0.0
        costs = distance_costs(paid, problem.charge, problem.growth)
        value = problem.distance_at(torch.tensor(costs.mean())).item()
        return restored_number("problem (or weights of graph)", value, problem.exponent)
