"""k-center to proven optimality: a set cover for every radius, most of them settled by bounds."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphopt._native import _core
from graphopt.centers._cover import Cover, reduce_to_cover
from graphopt.centers._input import unreachable
from graphopt.centers._prices import Clock
from graphopt.centers._reduction import Reduction
from graphopt.centers._swaps import SmoothCosts

_BLOCK = 2**24  # entries of the costs looked at together
_SMALL = 2**20  # entries up to which threads would wait for each other longer than they work
_LARGE = 2**26  # entries from which on packings and exchanges come before the reductions
_MANY = 3  # radii between bound and choice that are worth the exchanges
_GROWTH = 2.0  # of costs with every hop, in exchanges
_PART_FOR_EXCHANGES = 1 / 3  # of the time that is left


@dataclass(slots=True, eq=False)
class Search:
    """k-center on a table of costs, to be solved by bisecting the radius.

    Attributes
    ----------
    costs : array, shape (n, n)
        Row i: of opening site i, to each customer. Of a type that the kernels take; C-contiguous.
    k : int
    may_open : array of bool, shape (n,)
        At least k.
    must_open : array of int32
        Some of those that may, at most k.
    needed : array of bool, shape (n,)
    clock : Clock
    num_threads : int
    """

    costs: NDArray[Any]
    k: int
    may_open: NDArray[np.bool_]
    must_open: NDArray[np.int32]
    needed: NDArray[np.bool_]
    clock: Clock
    num_threads: int
    best: NDArray[np.int32] = field(init=False)
    radii: NDArray[Any] = field(init=False)
    # Positions in `radii`: `best` has the one (or none has it: their number), all up to the other
    # are proven to be too small.
    within: int = field(init=False)
    beyond: int = field(init=False, default=-1)
    reductions: dict[int, Reduction] = field(init=False, default_factory=dict)
    _open: dict[int, Cover | None] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Make a first choice, and list the radii that are worth a look."""
        if self.costs.size <= _SMALL:
            self.num_threads = 1
        self.best, _, _ = _core.greedy_k_center(
            self.costs,
            self.k,
            self.must_open,
            self.may_open.astype(np.uint8),
            self.needed.astype(np.uint8),
            self.num_threads,
        )
        self.radii = self._distinct(self._least_radius(), self._radius(self.best))
        self.within = int(np.searchsorted(self.radii, self._radius(self.best)))

    def radius_of(self, choice: NDArray[np.int32]) -> float:
        """Return the radius of a choice; inf: some needed customer is not reached."""
        worst = self._radius(choice)
        return math.inf if worst == unreachable(self.costs.dtype) else float(worst)

    @property
    def lower_bound(self) -> float:
        """No choice has a radius below; inf: none has a finite one."""
        first = self.beyond + 1
        return float(self.radii[first]) if first < len(self.radii) else math.inf

    def run(self) -> None:
        """Improve the choice and the bound until they meet or the time is over."""
        if self.costs.size >= _LARGE:
            self._pack()
            if self.within - self.beyond > _MANY:
                self._exchange()
        # Quick tests alone first: from above for a good choice, from below for a good bound.
        for cautious in (True, False):
            low, high = self.beyond, self.within
            while high - low > 1 and not self.clock.late():
                middle = (low + high) // 2
                verdict = self._test(middle)
                if verdict or (verdict is None and not cautious):
                    high = middle
                else:
                    low = middle
        # What they left open is searched.
        while self.within - self.beyond > 1 and not self.clock.late():
            middle = (self.within + self.beyond) // 2
            if self._test(middle) is None and self._search(middle) is None:
                break  # late

    def _pack(self) -> None:
        """Raise the bound by packings."""
        low, high = self.beyond, self.within
        while high - low > 1 and not self.clock.late():
            middle = (low + high) // 2
            if self._packs_more(self.radii[middle]):
                self._refuted(middle, "packing")
                low = middle
            else:
                high = middle

    def _exchange(self) -> None:
        """Improve the choice by exchanging sites; only where hops tell what that costs."""
        if self.costs.dtype.kind != "u" or self.k == len(self.must_open):
            return
        smooth = SmoothCosts(self.costs, unit=1.0, num_threads=self.num_threads)
        found = smooth.swap(
            self.best,
            growth=_GROWTH,
            pivot=min(float(self._radius(self.best)), smooth.largest),
            weights=None if self.needed.all() else self.needed.astype(np.float64),
            may_open=self.may_open.astype(np.uint8),
            n_fixed=len(self.must_open),
            seconds=self.clock.left() * _PART_FOR_EXCHANGES,
        )
        reached = int(np.searchsorted(self.radii, self._radius(found.sites)))
        if reached < self.within:
            self._found(reached, found.sites, "exchanges")

    def _test(self, position: int) -> bool | None:
        """Tell quickly whether a radius can be kept; None: it takes a search."""
        if position >= self.within:
            return True
        if position <= self.beyond:
            return False
        if position in self._open:
            return None
        radius = self.radii[position]
        feasible, cover = reduce_to_cover(
            self.costs,
            radius,
            self.k,
            may_open=self.may_open,
            must_open=self.must_open,
            needed=self.needed,
            clock=self.clock,
            num_threads=self.num_threads,
        )
        if not feasible:
            return self._refuted(position, "unserved")
        self._open[position] = cover
        if cover is None:
            self._note(position, None, "open")
            return None
        n_customers, n_sites = cover.incidence.shape
        self._note(
            position, None, "open", customers=n_customers, sites=n_sites, opened=len(cover.chosen)
        )
        choice = cover.greedy(self.clock) if cover.k >= 0 else None
        if choice is not None:
            return self._found(position, choice, "greedy")
        refutation = cover.refute(self.clock)
        if refutation.how is not None:
            return self._refuted(position, refutation.how, refutation.n_programs)
        self._open[position] = refutation.cover
        self._note(position, None, "open", programs=refutation.n_programs)
        return None

    def _search(self, position: int) -> bool | None:
        cover = self._open[position]
        if cover is None:
            return None
        verdict = cover.search(self.clock)
        if verdict.choice is not None:
            return self._found(position, verdict.choice, verdict.how, verdict.n_programs)
        if verdict.kept is False:
            return self._refuted(position, verdict.how, verdict.n_programs)
        self._note(position, None, verdict.how, programs=verdict.n_programs)
        return None

    def _found(self, position: int, choice: NDArray[np.int32], how: str, programs: int = 0) -> bool:
        self._note(position, True, how, programs=programs)
        reached = int(np.searchsorted(self.radii, self._radius(choice)))
        if reached < self.within:
            self.within, self.best = reached, choice
        return True

    def _refuted(self, position: int, how: str, programs: int = 0) -> bool:
        self._note(position, False, how, programs=programs)
        self.beyond = max(self.beyond, position)
        return False

    def _note(
        self, position: int, kept: bool | None, how: str, *, programs: int = 0, **sizes: int
    ) -> None:
        """Write down what was found about a radius, on top of what was found before."""
        radius = float(self.radii[position])
        before = self.reductions.get(position, Reduction(radius, None, how))
        programs += before.linear_programs
        self.reductions[position] = replace(
            before, kept=kept, settled_by=how, linear_programs=programs, **sizes
        )

    def _packs_more(self, radius: Any) -> bool:
        """Tell whether more than k customers were found of which no site serves two."""
        sites = self.may_open.copy()
        sites[self.must_open] = False
        left = self.needed.copy()
        for site in self.must_open:
            left &= self.costs[site] > radius
        n_serving = np.zeros(len(left), np.int64)
        for rows in self._blocks():
            n_serving += (self.costs[rows] <= radius)[sites[rows]].sum(axis=0)
        for _ in range(self.k - len(self.must_open) + 1):
            if not left.any() or self.clock.late():
                return False
            loneliest = int(np.where(left, n_serving, np.iinfo(np.int64).max).argmin())
            left[loneliest] = False
            for site in np.flatnonzero(sites & (self.costs[:, loneliest] <= radius)):
                left &= self.costs[site] > radius
        return True

    def _radius(self, choice: NDArray[np.int32]) -> Any:
        nearest = self.costs[choice].min(axis=0)[self.needed]
        return nearest.max(initial=self.costs.dtype.type(0))

    def _blocks(self) -> Iterator[slice]:
        n = len(self.costs)
        step = max(1, _BLOCK // n)
        for begin in range(0, n, step):
            yield slice(begin, begin + step)

    def _least_radius(self) -> Any:
        """Return a radius that even n sites keep no less than: everybody's nearest one."""
        nearest = np.full(len(self.costs), unreachable(self.costs.dtype), self.costs.dtype)
        for rows in self._blocks():
            allowed = self.costs[rows]
            if not self.may_open[rows].all():
                allowed = allowed[self.may_open[rows]]
            np.minimum(nearest, allowed.min(axis=0, initial=nearest.max()), out=nearest)
        return nearest[self.needed].max(initial=self.costs.dtype.type(0))

    def _distinct(self, least: Any, most: Any) -> NDArray[Any]:
        """Return the finite costs between two radii, each once, ascending, and the bounds."""
        found = np.array([least, most], self.costs.dtype)
        for rows in self._blocks():
            part = self.costs[rows].ravel()
            if part.dtype == np.uint8:
                values = np.flatnonzero(np.bincount(part, minlength=256)).astype(np.uint8)
            else:
                values = part
            values = values[(values > least) & (values < most)]
            found = np.unique(np.concatenate([found, np.unique(values)]))
        return found[found < unreachable(self.costs.dtype)]
