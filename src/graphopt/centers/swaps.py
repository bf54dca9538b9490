"""Swaps of sites on a smooth objective, for local search and robust location."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphopt._native import _core
from graphopt._validation import check_memory
from graphopt.centers._problem import KCenterProblem
from graphopt.paths import largest_distance, unreachable

_MAX_EXPONENT = 20.0  # costs are proportional beyond: e^20 customers fit in a double's digits
_MAX_LEVELS = 2**20  # larger hops are costed as lengths are
_HOPS_IN_A_RADIUS = 8.0  # what counts as a hop where distances are lengths


@dataclass(frozen=True, slots=True, eq=False)
class Swap:
    """The result of swaps.

    Attributes
    ----------
    sites : array of int32
        The sites; a new site is in the place of the one that it replaced.
    cost : float
        The objective.
    n_swaps : int
    finished : bool
        Whether no swap lowers the objective; False if the time ran out.
    """

    sites: NDArray[np.int32]
    cost: float
    n_swaps: int
    finished: bool


def swap_sites(
    table: NDArray[Any],
    costs: NDArray[np.float64] | None,
    start: NDArray[np.int32],
    *,
    lost: float,
    weights: NDArray[np.float64] | None = None,
    n_scenarios: int = 1,
    tail: float = 1.0,
    may_open: NDArray[np.uint8] | None = None,
    n_fixed: int = 0,
    first_site: int = 0,
    seconds: float = math.inf,
    num_threads: int,
) -> Swap:
    """Swap sites of `start`, except the first `n_fixed`, until no swap lowers the mean cost.

    Sites are tried in order from `first_site` on. The customers are `n_scenarios` groups of equal
    size; the mean is over the `tail` groups that cost most.

    Parameters
    ----------
    table : array, shape (n_sites, n_customers)
        uint8, uint16 or uint32 (`costs` then holds the cost of each value, ascending; the last
        entry also holds for all larger values), or costs in float32 or float64. The largest value
        of an unsigned type and infinity mean that a customer is not reached.
    lost : float
        The cost of a customer that is not reached; at least as large as any entry.
    """
    return Swap(
        *_core.swap_search(
            table,
            costs,
            lost,
            weights,
            n_scenarios,
            tail,
            np.ascontiguousarray(start, dtype=np.int32),
            may_open,
            n_fixed,
            first_site,
            2**62,
            seconds,
            num_threads,
        )
    )


class SmoothCosts:
    """A table of distances whose customers pay ``exp(growth * (d - pivot) / hop)``.

    Above an exponent of 20, costs grow linearly. A customer that no site reaches pays more than all
    others together could, or the cost of the distance `charge`.

    Parameters
    ----------
    problem : KCenterProblem
        Defines which sites may and must open, and which customers must be served.
    distances : array, shape (n_sites, n_customers)
        uint8, uint16, uint32, float32 or float64; C-contiguous.
    radii : array of float64
        Finite radii of some choices. If distances are lengths, a hop is an eighth of their mean.
    charge : float, optional
        The distance of a customer that is not reached, and the largest distance that counts.
    """

    def __init__(
        self,
        problem: KCenterProblem,
        distances: NDArray[Any],
        *,
        radii: NDArray[np.float64],
        charge: float | None = None,
    ) -> None:
        self.problem = problem
        self.distances = distances
        self.charge = charge
        self.largest = largest_distance(distances, problem.num_threads)
        self._hop = 1.0
        self._levels: NDArray[np.float64] | None = None
        if distances.dtype.kind != "u" and radii.size:
            self._hop = float(radii.mean()) / _HOPS_IN_A_RADIUS or 1.0
        if distances.dtype.kind == "u" and self.largest < _MAX_LEVELS:
            self._levels = np.arange(int(self.largest) + 1, dtype=np.float64)
        else:
            check_memory(
                "what every distance costs, in float64,",
                8 * distances.size,
                "use distances in hops, which need no such table",
            )
        self._costs: tuple[tuple[float, float], NDArray[np.float64]] | None = None

    def _of(self, lengths: NDArray[np.float64], growth: float, pivot: float) -> NDArray[np.float64]:
        """Return the costs of lengths; lengths far beyond all others cost infinity."""
        with np.errstate(over="ignore"):
            exponent = self._exponent(lengths - pivot, growth)
            if self.charge is not None:
                most = self._exponent(np.array(self.charge - pivot), growth)
                exponent = np.minimum(exponent, most)
            beyond = np.maximum(exponent - _MAX_EXPONENT, 0.0)
            costs: NDArray[np.float64] = np.exp(np.minimum(exponent, _MAX_EXPONENT))
            return costs * (1.0 + beyond)

    def _exponent(self, lengths: NDArray[np.float64], growth: float) -> NDArray[np.float64]:
        scale = growth / self._hop
        if 0.0 < scale < math.inf:
            return lengths * scale
        return lengths / self._hop * growth  # in two steps, 0 is not multiplied by infinity

    def _lost(self, growth: float, pivot: float) -> float:
        """Return the cost of not being reached."""
        if self.charge is not None:
            return self._of(np.array(self.charge), growth, pivot).item()
        most = self._of(np.array(self.largest), growth, pivot).item()
        return float(most * (self.distances.shape[1] + 1))

    def _table(
        self, growth: float, pivot: float
    ) -> tuple[NDArray[Any], NDArray[np.float64] | None]:
        """Return the input of the kernel: hops and the cost of each, or costs."""
        if self._levels is not None:
            return self.distances, self._of(self._levels, growth, pivot)
        if self._costs is None or self._costs[0] != (growth, pivot):
            self._costs = None  # two tables need not fit
            table = np.empty(self.distances.shape, np.float64)
            mark = unreachable(self.distances.dtype)
            for row, distances in zip(table, self.distances, strict=True):
                row[:] = self._of(distances.astype(np.float64), growth, pivot)
                row[distances == mark] = np.inf
            self._costs = (growth, pivot), table
        return self._costs[1], None

    def swap(
        self,
        start: NDArray[np.int32],
        *,
        growth: float,
        pivot: float,
        weights: NDArray[np.float64] | None = None,
        n_scenarios: int = 1,
        tail: float = 1.0,
        first_site: int = 0,
        seconds: float = math.inf,
    ) -> Swap:
        """Do what :func:`swap_sites` does for costs of this growth.

        `start` begins with the sites that must open. If `weights` is None, all customers that must
        be served count alike.
        """
        if weights is None and not self.problem.needed.all():
            weights = self.problem.needed.astype(np.float64)
        table, costs = self._table(growth, pivot)
        return swap_sites(
            table,
            costs,
            start,
            lost=self._lost(growth, pivot),
            weights=weights,
            n_scenarios=n_scenarios,
            tail=tail,
            may_open=self.problem.may_open,
            n_fixed=len(self.problem.must_open),
            first_site=first_site,
            seconds=seconds,
            num_threads=self.problem.num_threads,
        )
