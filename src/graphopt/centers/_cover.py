"""Is a radius kept by k sites? A set cover, reduced, bounded by prices and searched."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphopt._loading import load_whole
from graphopt._native import _core
from graphopt.centers._branch import Branching, Undecided, solver_cover
from graphopt.centers._prices import Clock, best_prices, cheap_prices

_GREEDY_STARTS = 8
# With a limit on the time, more than these entries are not handed to the solver: it would not look
# at its clock before it has read them all.
_MOST_ENTRIES = 20_000_000
# Where our own search has solved this many linear programs and still not ended, sites are cheap
# beside the gap that prices leave: there the solver's cuts are better.
_MOST_PROGRAMS = 400
_LARGEST_TABLE = 2**28  # bytes that our own search may take


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

    def greedy(self, clock: Clock) -> NDArray[np.int32] | None:
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

    def refute(self, clock: Clock) -> Refutation:
        """Look for prices at which k sites are too few, and drop the sites too dear for k."""
        if self.k < 0:
            return Refutation("count", self, 0)
        if self.incidence.shape[0] == 0:
            return Refutation(None, self, 0)
        cheap = cheap_prices(self.incidence)
        if cheap.n_sites > self.k:
            return Refutation("prices", self, 0)
        if clock.late():
            return Refutation(None, self, 0)
        found = best_prices(self.incidence, self.k, clock)
        if found is None:
            return Refutation(None, self, 1)
        prices, _ = found
        if prices.n_sites > self.k:
            return Refutation("linear program", self, 1)
        useful = prices.useful(self.k)
        rest = replace(self, sites=self.sites[useful], incidence=self.incidence[:, useful])
        return Refutation(None, rest, 1)

    def search(self, clock: Clock) -> Verdict:
        """Decide by branch and bound whether k sites serve all, and by which."""
        branching = Branching(clock, _MOST_PROGRAMS)
        if math.prod(self.incidence.shape) <= _LARGEST_TABLE:
            try:
                cover = branching.cover(self.incidence, self.k)
            except Undecided:
                pass
            else:
                picked = None if cover is None else self._choice(np.array(cover, np.int64))
                return Verdict(cover is not None, picked, "branching", branching.n_programs)
        if clock.late():
            return Verdict(None, None, "open", branching.n_programs)
        kept, sites = solver_cover(self.incidence, self.k, clock)
        picked = self._choice(sites) if kept else None
        how = "open" if kept is None else "solver"
        return Verdict(kept, picked, how, branching.n_programs)

    def _choice(self, picked: NDArray[np.int64]) -> NDArray[np.int32]:
        return np.sort(np.concatenate([self.chosen, self.sites[picked]]))


@dataclass(frozen=True, slots=True, eq=False)
class Refutation:
    """Whether prices prove that k sites are too few.

    Attributes
    ----------
    how : str or None
        What proved it; None: nothing did.
    cover : Cover
        Without the sites that no cover of k sites has.
    n_programs : int
        How many linear programs were solved.
    """

    how: str | None
    cover: Cover
    n_programs: int


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """Whether k sites serve all (None: not decided), by which, and who says so."""

    kept: bool | None
    choice: NDArray[np.int32] | None
    how: str
    n_programs: int


def reduce_to_cover(
    costs: NDArray[Any],
    radius: Any,
    k: int,
    *,
    may_open: NDArray[np.bool_],
    must_open: NDArray[np.int32],
    needed: NDArray[np.bool_],
    clock: Clock,
    num_threads: int,
) -> tuple[bool, Cover | None]:
    """Reduce the cover at a radius.

    Returns
    -------
    feasible : bool
        False: somebody has no site that near.
    cover : Cover or None
        None where that is so, and where the time was too short or the rest is too large.
    """
    load_whole("scipy.sparse")
    from scipy.sparse import csr_array

    if len(must_open):
        served = (costs[must_open] <= radius).any(axis=0)
        needed = needed & ~served
        may_open = may_open.copy()
        may_open[must_open] = False
    limited = math.isfinite(clock.deadline)
    feasible, finished, forced, sites, customers, indptr, serving = _core.reduce_cover(
        costs,
        np.full(costs.shape[1], radius, costs.dtype),
        may_open.astype(np.uint8),
        needed.astype(np.uint8),
        clock.left(),
        _MOST_ENTRIES if limited else np.iinfo(np.int64).max,
        num_threads,
    )
    if not feasible or not finished:
        return feasible, None
    shape = (len(customers), len(sites))
    incidence = csr_array((np.ones(len(serving)), serving, indptr), shape=shape)
    chosen = np.concatenate([must_open, forced]).astype(np.int32)
    return True, Cover(chosen, sites, incidence, k - len(chosen))
