"""Decide whether k sites keep a radius: a set cover is reduced, bounded by prices and searched."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphopt._loading import load_whole
from graphopt._native import _core
from graphopt.centers._problem import Clock, KCenterProblem
from graphopt.centers._solver import solve

_GREEDY_STARTS = 8
# With a limit on the time, more than these entries are not handed to the solver: it would not look
# at its clock before it has read them all.
_MOST_ENTRIES = 20_000_000
_NO_LIMIT = np.iinfo(np.int64).max
# Where our own search has solved this many linear programs and still not ended, sites are cheap
# beside the gap that prices leave: there the solver's cuts are better.
_MOST_PROGRAMS = 400
_LARGEST_TABLE = 2**28  # bytes that our own search may take
_ROUNDING = 1e-9  # far above what adding up prices can err by
_TOLERANCE = 1e-6  # above the solver's own
_FIRST_CUSTOMERS = 50
_WORTH_ANOTHER = 0.9  # when no more sites than this part are left, another linear program is solved
_SERVES, _MISSES = 0, 1


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """The result of looking for a cover.

    Attributes
    ----------
    kept : bool or None
        Whether k sites can serve all customers; None: not decided.
    how : str
        What settled it, as in :class:`Reduction`.
    choice : array of int32 or None
        Sites that serve all customers, if some were found.
    n_programs : int
        Number of linear programs that were solved.
    cover : Cover or None
        The part that is left to decide, if known.
    """

    kept: bool | None
    how: str
    choice: NDArray[np.int32] | None = None
    n_programs: int = 0
    cover: Cover | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Cover:
    """The part of the set cover at a radius that is left when nothing in it is dominated.

    Attributes
    ----------
    chosen : array of int32
        Sites that are open: required, or forced by the reduction.
    sites : array of int32
    incidence : csr_array of float64, shape (n_customers left, len(sites))
    k : int
        Number of `sites` that may be opened.
    """

    chosen: NDArray[np.int32]
    sites: NDArray[np.int32]
    incidence: Any
    k: int

    def test(self, clock: Clock) -> Verdict:
        """Tell quickly whether k sites serve all, or make the cover smaller."""
        choice = self.greedy(clock) if self.k >= 0 else None
        return self.refute(clock) if choice is None else Verdict(True, "greedy", choice)

    def greedy(self, clock: Clock) -> NDArray[np.int32] | None:
        """Return a choice that opens, again and again, the site that serves most.

        None: no `k` sites that serve all were found.

        It tries several times: first by the number of customers served, then by this number
        weighted by how hard each customer was to serve before.
        """
        n_customers = self.incidence.shape[0]
        if n_customers == 0:
            return np.sort(self.chosen)
        by_site = self.incidence.tocsc()
        hardness = np.ones(n_customers)
        for _ in range(_GREEDY_STARTS):
            unserved = np.ones(n_customers, bool)
            picked: list[int] = []
            while unserved.any() and len(picked) < self.k and not clock.late():
                gain = self.incidence.T @ (hardness * unserved)
                site = int(gain.argmax())
                picked.append(site)
                unserved[by_site.indices[by_site.indptr[site] : by_site.indptr[site + 1]]] = False
            if not unserved.any():
                return self._choice(np.array(picked))
            hardness[unserved] *= 2.0
            hardness /= hardness.mean()
        return None

    def refute(self, clock: Clock) -> Verdict:
        """Look for prices at which k sites are too few, and drop sites too expensive for k."""
        if self.k < 0:
            return Verdict(False, "count")
        if self.incidence.shape[0] == 0:
            return Verdict(None, "open", cover=self)
        if cheap_prices(self.incidence).n_sites > self.k:
            return Verdict(False, "prices")
        if clock.late():
            return Verdict(None, "open", cover=self)
        found = best_prices(self.incidence, self.k, clock)
        if found is None:
            return Verdict(None, "open", None, 1, self)
        prices, _ = found
        if prices.n_sites > self.k:
            return Verdict(False, "linear program", n_programs=1)
        useful = prices.useful(self.k)
        rest = replace(self, sites=self.sites[useful], incidence=self.incidence[:, useful])
        return Verdict(None, "open", None, 1, rest)

    def search(self, clock: Clock) -> Verdict:
        """Decide by branch and bound whether k sites serve all, and find them."""
        branching = Branching(clock, _MOST_PROGRAMS)
        if math.prod(self.incidence.shape) <= _LARGEST_TABLE:
            try:
                cover = branching.cover(self.incidence, self.k)
            except Undecided:
                pass
            else:
                picked = None if cover is None else self._choice(np.array(cover, np.int64))
                return Verdict(cover is not None, "branching", picked, branching.n_programs)
        if clock.late():
            return Verdict(None, "open", None, branching.n_programs)
        kept, sites = solver_cover(self.incidence, self.k, clock)
        picked = self._choice(sites) if kept else None
        return Verdict(kept, "open" if kept is None else "solver", picked, branching.n_programs)

    def _choice(self, picked: NDArray[np.int64]) -> NDArray[np.int32]:
        return np.sort(np.concatenate([self.chosen, self.sites[picked]]))


def reduce_to_cover(
    problem: KCenterProblem, costs: NDArray[Any], radius: Any, clock: Clock
) -> tuple[bool, Cover | None]:
    """Reduce the cover of the customers by the sites within a radius.

    Returns
    -------
    feasible : bool
        False: no site is that near to some customer.
    cover : Cover or None
        None if that is so, if the time was too short, or if the rest is too large.
    """
    may_open = np.zeros(len(costs), np.uint8)
    may_open[problem.optional] = 1
    served = (costs[problem.must_open] <= radius).any(axis=0)
    limited = math.isfinite(clock.deadline)
    feasible, finished, forced, sites, _, incidence = _reduce(
        costs,
        radius,
        may_open,
        problem.needed & ~served,
        clock,
        most_entries=_MOST_ENTRIES if limited else _NO_LIMIT,
        num_threads=problem.num_threads,
    )
    if not feasible or not finished:
        return feasible, None
    chosen = np.concatenate([problem.must_open, forced]).astype(np.int32)
    return True, Cover(chosen, sites, incidence, problem.k - len(chosen))


def _reduce(
    table: NDArray[Any],
    radius: Any,
    may_open: NDArray[np.uint8],
    needed: NDArray[np.bool_],
    clock: Clock,
    *,
    most_entries: int = _NO_LIMIT,
    num_threads: int = 1,
) -> tuple[bool, bool, NDArray[np.int32], NDArray[np.int32], NDArray[np.int32], Any]:
    """Reduce the cover of a table's columns by its rows; an entry up to `radius` serves.

    Returns
    -------
    feasible : bool
        False: some needed customer has no site; the other results are then meaningless.
    finished : bool
        False: the time was over, or more than `most_entries` are left.
    forced, sites, customers : array of int32
        The sites that every cover has, and the rows and columns that are left.
    incidence : csr_array of float64, shape (len(customers), len(sites)), or None
        None unless `feasible` and `finished`.
    """
    load_whole("scipy.sparse")
    from scipy.sparse import csr_array

    feasible, finished, forced, sites, customers, indptr, serving = _core.reduce_cover(
        table,
        np.full(table.shape[1], radius, table.dtype),
        may_open,
        needed.astype(np.uint8),
        clock.left(),
        most_entries,
        num_threads,
    )
    incidence = None
    if feasible and finished:
        shape = (len(customers), len(sites))
        incidence = csr_array((np.ones(len(serving)), serving, indptr), shape=shape)
    return feasible, finished, forced, sites, customers, incidence


class Prices:
    """Prices such that no site is offered more than 1 by the customers that it serves.

    Every cover then has at least as many sites as the sum of the prices: each of its sites is
    offered at most 1, and together they are offered all prices at least once. A solver returns
    rounded prices, so the wished prices are lowered until they obey this rule.

    Parameters
    ----------
    incidence : csr_array of float64, shape (n_customers, n_sites)
    wished : array of float64, shape (n_customers,)
    """

    def __init__(self, incidence: Any, wished: NDArray[np.float64]) -> None:
        prices = np.where(np.isfinite(wished), np.maximum(wished, 0.0), 0.0)
        offers = incidence.T @ prices
        largest = float(offers.max(initial=1.0))
        self._offers: NDArray[np.float64] = offers / largest
        self._sum = math.fsum(prices) / largest * (1.0 - _ROUNDING) - _ROUNDING

    @property
    def n_sites(self) -> int:
        """A lower bound on the number of sites of a cover."""
        return math.ceil(self._sum)

    def useful(self, k: int) -> NDArray[np.bool_]:
        """Return which sites a cover of k sites may have.

        If a cover has a site that is offered less than 1, its number of sites is at least the sum
        of the prices plus the amount missing in that offer.
        """
        useful: NDArray[np.bool_] = self._sum + (1.0 - self._offers) <= k + _ROUNDING
        return useful


def cheap_prices(incidence: Any) -> Prices:
    """Return prices at which each customer offers an equal share of 1 at its largest site."""
    sizes = incidence.sum(axis=0)
    largest = np.asarray(incidence.multiply(sizes).max(axis=1).todense()).ravel()
    return Prices(incidence, 1.0 / largest)


def best_prices(incidence: Any, k: int, clock: Clock) -> tuple[Prices, NDArray[np.float64]] | None:
    """Return the prices that a linear program finds best, and how much of each site it opens.

    Sites that serve the hardest customers usually serve most of the others too. So the program is
    first solved for the hardest customers, then again with those that its solution leaves unserved,
    until none is left or the prices prove that k sites are too few. None: the time ran out first.
    """
    n_customers, n_sites = incidence.shape
    hardest = np.argsort(np.diff(incidence.indptr), kind="stable")
    charged = np.zeros(n_customers, bool)
    charged[hardest[:_FIRST_CUSTOMERS]] = True
    while True:
        rows = incidence[np.flatnonzero(charged)]
        answer = solve(
            "linprog",
            clock.left(),
            c=np.ones(n_sites),
            A_ub=-rows,
            b_ub=-np.ones(rows.shape[0]),
            bounds=(0.0, None),
            method="highs",
        )
        marginals = getattr(answer.get("ineqlin"), "marginals", None)
        if answer.x is None or marginals is None or len(marginals) != rows.shape[0]:
            return None
        wished = np.zeros(n_customers)
        wished[charged] = -np.asarray(marginals, dtype=np.float64)
        prices = Prices(incidence, wished)
        served = incidence @ answer.x
        unserved = np.flatnonzero((served < 1.0 - _TOLERANCE) & ~charged)
        if prices.n_sites > k or len(unserved) == 0:
            return prices, answer.x
        if clock.late():
            return None
        n_more = max(_FIRST_CUSTOMERS, rows.shape[0] // 2)
        charged[unserved[np.argsort(served[unserved], kind="stable")[:n_more]]] = True


class Undecided(Exception):
    """The time or the allowed number of linear programs is used up."""


@dataclass(slots=True)
class Branching:
    """A search in which every refutation is proven by checked prices.

    A cover is reduced, a linear program finds prices, and the sites that are too expensive for a
    cover of k are removed, which allows further reductions. Then the sites that serve one customer
    are opened in turn, each without those before it.

    Attributes
    ----------
    clock : Clock
    most_programs : int
        Number of linear programs that may be solved.
    n_programs : int
        Number of linear programs that were solved.
    """

    clock: Clock
    most_programs: int
    n_programs: int = 0

    def cover(self, incidence: Any, k: int) -> list[int] | None:
        """Return at most k sites that serve all customers; None: there are none.

        Parameters
        ----------
        incidence : csr_array, shape (n_customers, n_sites)
        k : int

        Raises
        ------
        Undecided
        """
        table = np.full(incidence.shape[::-1], _MISSES, np.uint8)
        customers = np.repeat(np.arange(incidence.shape[0]), np.diff(incidence.indptr))
        table[incidence.indices, customers] = _SERVES
        return self._settle(table, np.arange(len(table)), k)

    def _settle(
        self, table: NDArray[np.uint8], sites: NDArray[np.int64], k: int
    ) -> list[int] | None:
        """Do the same as `cover` for the rows of a table, which are these sites."""
        opened: list[int] = []
        while True:
            forced, left, incidence, table = self._reduced(table)
            if incidence is None:
                return None
            opened += sites[forced].tolist()
            sites = sites[left]
            k -= len(forced)
            if table.shape[1] == 0:
                return opened if k >= 0 else None
            if k <= 0:
                return None
            if k == 1:
                alone = np.flatnonzero((table == _SERVES).all(axis=1))
                return [*opened, int(sites[alone[0]])] if len(alone) else None
            prices, opening = self._priced(incidence, k)
            if prices.n_sites > k:
                return None
            useful = prices.useful(k)
            table, sites, opening = table[useful], sites[useful], opening[useful]
            if len(sites) > _WORTH_ANOTHER * len(useful):
                break
        rest = self._branch(table, sites, opening, k)
        return None if rest is None else opened + rest

    def _branch(
        self,
        table: NDArray[np.uint8],
        sites: NDArray[np.int64],
        opening: NDArray[np.float64],
        k: int,
    ) -> list[int] | None:
        serves = table == _SERVES
        choices = np.flatnonzero(serves[:, serves.sum(axis=0).argmin()])
        allowed = np.ones(len(sites), bool)
        for site in choices[np.argsort(-opening[choices], kind="stable")]:
            allowed[site] = False
            rest = self._settle(table[allowed][:, ~serves[site]], sites[allowed], k - 1)
            if rest is not None:
                return [int(sites[site]), *rest]
        return None

    def _reduced(
        self, table: NDArray[np.uint8]
    ) -> tuple[NDArray[np.int32], NDArray[np.int32], Any, NDArray[np.uint8]]:
        """Return forced sites, remaining sites, the incidence (None: no cover) and the table."""
        feasible, finished, forced, left, customers, incidence = _reduce(
            np.ascontiguousarray(table),
            _SERVES,
            np.ones(len(table), np.uint8),
            np.ones(table.shape[1], bool),
            self.clock,
        )
        if not feasible:
            return forced, left, None, table
        if not finished:
            raise Undecided
        return forced, left, incidence, table[np.ix_(left, customers)]

    def _priced(self, incidence: Any, k: int) -> tuple[Prices, NDArray[np.float64]]:
        if self.n_programs >= self.most_programs:
            raise Undecided
        self.n_programs += 1
        found = best_prices(incidence, k, self.clock)
        if found is None or self.clock.late():
            raise Undecided
        return found


def solver_cover(incidence: Any, k: int, clock: Clock) -> tuple[bool | None, NDArray[np.int64]]:
    """Ask HiGHS whether k sites serve all customers, and which; None: no time, or no sound answer.

    If it answers that there are none, this answer is trusted.
    """
    load_whole("scipy.optimize")
    from scipy.optimize import Bounds, LinearConstraint

    n_sites = incidence.shape[1]
    answer = solve(
        "milp",
        clock.left(),
        c=np.ones(n_sites),
        constraints=[
            LinearConstraint(incidence, lb=1.0),
            LinearConstraint(np.ones((1, n_sites)), ub=k),
        ],
        bounds=Bounds(0.0, 1.0),
        integrality=np.ones(n_sites),
    )
    nothing = np.empty(0, np.int64)
    if answer.x is None:
        return (False if answer.status == 2 else None), nothing
    picked = np.flatnonzero(answer.x > 0.5)
    serves_all = bool((incidence[:, picked].sum(axis=1) > 0.5).all())
    return (True, picked) if serves_all and len(picked) <= k else (None, nothing)
