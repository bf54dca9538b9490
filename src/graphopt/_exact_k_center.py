"""k-center to proven optimality: a set cover for every radius, most of them settled by bounds."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphopt import _core

# HiGHS meets bounds within 1e-6; numbers of sites are whole.
_ROUNDING = 1e-6
_GREEDY_STARTS = 8


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """The best choice found, and what is proven of every other one.

    Attributes
    ----------
    centers : array of int32
        At most k sites, the required ones among them, ascending.
    radius, lower_bound : float
        No choice has a radius below the bound; where both are equal the choice is optimal.
    """

    centers: NDArray[np.int32]
    radius: float
    lower_bound: float


@dataclass(slots=True, eq=False)
class Search:
    """k-center on a table of costs, to be solved by bisecting the radius.

    Attributes
    ----------
    costs : array, shape (n_sites, n_customers)
        Of a type that the kernels take; C-contiguous.
    k : int
    may_open : array of bool, shape (n_sites,)
    must_open : array of int32
        Some of those that may, at most k.
    needed : array of bool, shape (n_customers,)
    deadline : float or None
        In the time of :func:`time.monotonic`.
    num_threads : int
    """

    costs: NDArray[Any]
    k: int
    may_open: NDArray[np.bool_]
    must_open: NDArray[np.int32]
    needed: NDArray[np.bool_]
    deadline: float | None
    num_threads: int
    radii: NDArray[Any] = field(init=False)
    best: NDArray[np.int32] | None = field(init=False, default=None)
    # Positions in `radii`: `best` has the one, all up to the other are proven to be too small.
    within: int = field(init=False)
    beyond: int = field(init=False, default=-1)
    _open: dict[int, Cover] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Look at which radii there are."""
        self.radii = _distinct(self.costs)
        self.within = len(self.radii)

    def run(self) -> Solution | None:
        """Return the best choice, or None if it is proven that there is none of finite radius."""
        # Quick tests alone first: from above for a good choice, from below for a good bound.
        for cautious in (True, False):
            low, high = self.beyond, self.within
            while high - low > 1 and not self._late():
                middle = (low + high) // 2
                verdict = self._test(middle)
                if verdict or (verdict is None and not cautious):
                    high = min(middle, self.within) if verdict else middle
                else:
                    low = middle
        # What they left open is searched, smallest last.
        while self.within - self.beyond > 1 and not self._late():
            middle = (self.within + self.beyond) // 2
            verdict = self._test(middle)
            if verdict is None and self._search(middle) is None:
                break  # late
        if self.best is None:
            if self.beyond == len(self.radii) - 1:
                return None
            self.best = self._any_choice()
        bound = self.radii[self.beyond + 1] if self.beyond + 1 < len(self.radii) else np.inf
        return Solution(self.best, self._radius(self.best), float(bound))

    def _late(self) -> bool:
        return self.deadline is not None and time.monotonic() >= self.deadline

    def _time_left(self) -> float:
        return math.inf if self.deadline is None else max(0.0, self.deadline - time.monotonic())

    def _test(self, position: int) -> bool | None:
        """Tell quickly whether a radius can be kept; None: it takes a search."""
        if position >= self.within:
            return True
        if position <= self.beyond:
            return False
        if position in self._open:
            return None
        cover = Cover.within(self, self.radii[position])
        if cover is None or cover.k < 0:
            return self._refuted(position)
        choice = cover.greedy()
        if choice is not None:
            return self._found(choice)
        if cover.bound(self._time_left()) > cover.k + _ROUNDING:
            return self._refuted(position)
        self._open[position] = cover
        return None

    def _search(self, position: int) -> bool | None:
        verdict, choice = self._open[position].search(self._time_left())
        if choice is not None:
            return self._found(choice)
        return self._refuted(position) if verdict is False else None

    def _found(self, choice: NDArray[np.int32]) -> bool:
        radius = self._radius(choice)
        reached = int(np.searchsorted(self.radii, radius))
        if reached < self.within:
            self.within, self.best = reached, choice
        return True

    def _refuted(self, position: int) -> bool:
        self.beyond = max(self.beyond, position)
        return False

    def _radius(self, choice: NDArray[np.int32]) -> float:
        nearest = self.costs[choice].min(axis=0)[self.needed]
        if len(nearest) == 0:
            return 0.0
        worst = nearest.max()
        return math.inf if worst == _unreachable(self.costs.dtype) else float(worst)

    def _any_choice(self) -> NDArray[np.int32]:
        others = np.setdiff1d(np.flatnonzero(self.may_open), self.must_open)
        first = others[: self.k - len(self.must_open)]
        return np.sort(np.concatenate([self.must_open, first])).astype(np.int32)


@dataclass(frozen=True, slots=True, eq=False)
class Cover:
    """What is left of the set cover at a radius once nothing in it is dominated.

    Attributes
    ----------
    chosen : array of int32
        Sites that are open: required, or forced by the reduction.
    sites : array of int32
    incidence : csr_array of float64, shape (n_customers left, len(sites))
    k : int
        How many of `sites` may be opened.
    """

    chosen: NDArray[np.int32]
    sites: NDArray[np.int32]
    incidence: Any
    k: int

    @classmethod
    def within(cls, search: Search, radius: Any) -> Cover | None:
        """Reduce the cover at a radius; None: somebody has no site that near."""
        from scipy.sparse import csr_array

        costs = search.costs
        needed, may_open = search.needed, search.may_open
        if len(search.must_open):
            served = (costs[search.must_open] <= radius).any(axis=0)
            needed = needed & ~served
            may_open = may_open.copy()
            may_open[search.must_open] = False
        feasible, forced, sites, customers, indptr, serving = _core.reduce_cover(
            costs,
            np.full(costs.shape[1], radius, costs.dtype),
            may_open.astype(np.uint8),
            needed.astype(np.uint8),
            search.num_threads,
        )
        if not feasible:
            return None
        shape = (len(customers), len(sites))
        incidence = csr_array((np.ones(len(serving)), serving, indptr), shape=shape)
        chosen = np.concatenate([search.must_open, forced]).astype(np.int32)
        return cls(chosen, sites, incidence, search.k - len(chosen))

    def greedy(self) -> NDArray[np.int32] | None:
        """Return a choice that opens, again and again, who serves most; None: k are too few.

        Several tries: the first by the number served, the others by the number weighted by how
        hard a customer was to serve before.
        """
        n_customers = self.incidence.shape[0]
        if n_customers == 0:
            return np.sort(self.chosen)
        by_site = self.incidence.tocsc()
        hardness = np.ones(n_customers)
        for _ in range(_GREEDY_STARTS):
            left = np.ones(n_customers, bool)
            picked: list[int] = []
            while left.any() and len(picked) < self.k:
                gain = self.incidence.T @ (hardness * left)
                site = int(gain.argmax())
                picked.append(site)
                left[by_site.indices[by_site.indptr[site] : by_site.indptr[site + 1]]] = False
            if not left.any():
                return np.sort(np.concatenate([self.chosen, self.sites[picked]]))
            hardness[left] *= 2.0
            hardness /= hardness.mean()
        return None

    def bound(self, seconds: float) -> float:
        """Return how many sites a cover needs at least, fractions allowed; 0 if time runs out."""
        answer = self._solve(whole=False, seconds=seconds)
        return float(answer.fun) if answer.status == 0 else 0.0

    def search(self, seconds: float) -> tuple[bool | None, NDArray[np.int32] | None]:
        """Decide by branch and bound whether k sites serve all, and by which; None: no time."""
        answer = self._solve(whole=True, seconds=seconds)
        if answer.x is not None:
            return True, np.sort(np.concatenate([self.chosen, self.sites[answer.x > 0.5]]))
        return (False if answer.status == 2 else None), None

    def _solve(self, *, whole: bool, seconds: float) -> Any:
        from scipy.optimize import Bounds, LinearConstraint, milp

        n_sites = self.incidence.shape[1]
        constraints = [LinearConstraint(self.incidence, lb=1.0)]
        if whole:
            constraints.append(LinearConstraint(np.ones((1, n_sites)), ub=self.k))
        options = {} if math.isinf(seconds) else {"time_limit": seconds}
        return milp(
            np.ones(n_sites),
            constraints=constraints,
            bounds=Bounds(0.0, 1.0),
            integrality=np.full(n_sites, int(whole)),
            options=options,
        )


def _distinct(costs: NDArray[Any]) -> NDArray[Any]:
    """Return the finite costs, each once, ascending."""
    if costs.dtype == np.uint8:
        values = np.flatnonzero(np.bincount(costs.ravel(), minlength=256)).astype(np.uint8)
    else:
        values = np.unique(costs)
    return values[values < _unreachable(costs.dtype)]


def _unreachable(dtype: np.dtype[Any]) -> float | int:
    return np.inf if dtype.kind == "f" else int(np.iinfo(dtype).max)
