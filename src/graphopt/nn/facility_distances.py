"""Distances from customers to sites, and what they cost when sites open by chance."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

import graphopt.nn._loss_operators as operators
from graphopt._threads import get_num_threads
from graphopt._validation import (
    check_choice,
    check_memory,
    check_number,
)
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
from graphopt.paths import unreachable

CUSTOMERS = ("all", "largest-component")
# The largest growth * charge for which float64 and float32 hold costs near 0 and near the charge.
_MAX_EXPONENT = 600.0
_MAX_EXPONENT_FLOAT32 = 60.0
# Below, exp(growth d) - 1 is growth d to the last bit, and perhaps 0 in single precision.
_MIN_EXPONENT = 2.0**-53


@dataclass(frozen=True, slots=True, eq=False)
class FacilityDistances:
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
    ) -> FacilityDistances:
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
        check_choice("customers", customers, CUSTOMERS)
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
            return cls(operators.shared_tensor(matrix), pays, growth, steps)
        lengths, pays, exponent = in_ordinary_unit(matrix, pays)
        growth = float(np.ldexp(growth, exponent))
        if growth > 0.0:
            way_around = "take growth 0, or fewer customers (rows)"
            check_memory("the costs and the order of all distances", lengths.size * 12, way_around)
        kept = stretched = operators.shared_tensor(lengths)
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

    def with_sites(self, sites: NDArray[Any]) -> FacilityDistances:
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
            expected = operators.expected_hops(opening, self.distances, self.steps)
            return expected
        limit = self.charge if self.growth == 0.0 else -math.expm1(-self.growth * self.charge)
        expected = operators.expected_lengths(opening, self.stretched, self.order, limit)
        return expected

    def mean_expected_cost(self, opening: Tensor) -> Tensor:
        """Return the mean of :meth:`expected_costs`, 0 without customers; differentiable.

        In hops its gradient is computed with it, from one reading of the distances.
        """
        if self.steps is None:
            costs = self.expected_costs(opening)
            return costs.mean() if self.n_customers else costs.sum()
        opening = self._checked(opening)
        mean: Tensor = operators.mean_expected_hops(opening, self.distances, self.steps)[0]
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
        served = (nearest < self.charge) & (nearest != unreachable(distances.dtype))
        return np.where(served, nearest, self.charge).astype(np.float64)


def _is_symmetric(matrix: NDArray[Any]) -> bool:
    """Tell whether a matrix is its own transpose, in blocks that need no further matrix."""
    n, width = matrix.shape
    return n == width and all(
        np.array_equal(matrix[i : i + 256], matrix[:, i : i + 256].T) for i in range(0, n, 256)
    )


def _largest_component(distances: DistanceArray) -> NDArray[np.bool_]:
    """Return which customers reach a site that the one who reaches most sites reaches."""
    reached = distances != unreachable(distances.dtype)
    if not reached.any():
        return np.ones(len(distances), np.bool_)
    best = reached.sum(axis=1).argmax()
    same: NDArray[np.bool_] = reached[:, reached[best].argmax()]
    return same
