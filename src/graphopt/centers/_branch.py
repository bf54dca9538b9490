"""Set cover by branch and bound: whether k sites serve everybody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphopt._loading import load_whole
from graphopt._native import _core
from graphopt.centers._prices import Clock, Prices, best_prices
from graphopt.centers._solver import solve

_NO_LIMIT = np.iinfo(np.int64).max
_WORTH_ANOTHER = 0.9  # when no more sites than this part are left, another linear program is solved
_SERVES, _MISSES = 0, 1


class Undecided(Exception):
    """Time, or the linear programs that were allowed, are used up."""


@dataclass(slots=True)
class Branching:
    """A search whose every refutation rests on prices that were checked.

    A cover is reduced, a linear program prices it, and the sites that are too dear for a cover of k
    leave it, which reduces it further. Then the sites that serve one customer are opened in turn,
    each without those before it.

    Attributes
    ----------
    clock : Clock
    most_programs : int
        How many linear programs may be solved.
    n_programs : int
        How many were.
    """

    clock: Clock
    most_programs: int
    n_programs: int = 0

    def cover(self, incidence: Any, k: int) -> list[int] | None:
        """Return at most k sites that serve everybody; None: there are none.

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
        """Do what `cover` does, for the rows of a table, which are these sites."""
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
        """Return forced sites, sites left, incidence (None: no cover) and table."""
        load_whole("scipy.sparse")
        from scipy.sparse import csr_array

        n_sites, n_customers = table.shape
        feasible, finished, forced, left, customers, indptr, serving = _core.reduce_cover(
            np.ascontiguousarray(table),
            np.full(n_customers, _SERVES, np.uint8),
            np.ones(n_sites, np.uint8),
            np.ones(n_customers, np.uint8),
            self.clock.left(),
            _NO_LIMIT,
            1,
        )
        if not feasible:
            return forced, left, None, table
        if not finished:
            raise Undecided
        shape = (len(customers), len(left))
        incidence = csr_array((np.ones(len(serving)), serving, indptr), shape=shape)
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
    """Ask HiGHS whether k sites serve everybody, and by which; None: no time, or no sound answer.

    That there are none, is its word.
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
    nobody = np.empty(0, np.int64)
    if answer.x is None:
        return (False if answer.status == 2 else None), nobody
    picked = np.flatnonzero(answer.x > 0.5)
    serves_all = bool((incidence[:, picked].sum(axis=1) > 0.5).all())
    return (True, picked) if serves_all and len(picked) <= k else (None, nobody)
