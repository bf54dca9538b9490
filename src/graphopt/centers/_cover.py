"""Is a radius kept by k sites? A set cover, reduced, bounded by prices and searched."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphopt import _core

_ROUNDING = 1e-9  # far above what adding up prices can err by
_GREEDY_STARTS = 8
# With a limit on the time, more than these entries are not handed to the solver: it would not look
# at its clock before it has read them all.
_MOST_ENTRIES = 20_000_000


@dataclass(frozen=True, slots=True)
class Clock:
    """How long there is left, in the time of :func:`time.monotonic`."""

    deadline: float = math.inf

    def left(self) -> float:
        """Return the seconds left, not below 0; infinity without a deadline."""
        return max(0.0, self.deadline - time.monotonic())

    def late(self) -> bool:
        """Tell whether there is no time left."""
        return self.left() == 0.0


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
                return np.sort(np.concatenate([self.chosen, self.sites[picked]]))
            hardness[unserved] *= 2.0
            hardness /= hardness.mean()
        return None

    def needs_more(self, clock: Clock) -> bool:
        """Tell whether a linear program proves that k sites are too few.

        Let customers offer prices such that no site is offered more than 1 by those it serves:
        then every cover has at least as many sites as the prices add up to. Which prices the solver
        finds best is its word in floats; that they obey the rule is made sure of here.
        """
        if self.k < 0:
            return True
        if self.incidence.shape[0] == 0:
            return False
        return any(self._worth(prices) > self.k for prices in self._prices(clock))

    def _prices(self, clock: Clock) -> Any:
        """Yield prices to try, the cheap ones first."""
        from scipy.optimize import linprog

        sizes = self.incidence.sum(axis=0)
        yield 1.0 / np.asarray(self.incidence.multiply(sizes).max(axis=1).todense()).ravel()
        if clock.late():
            return
        n_customers, n_sites = self.incidence.shape
        answer = linprog(
            np.ones(n_sites),
            A_ub=-self.incidence,
            b_ub=-np.ones(n_customers),
            bounds=(0.0, None),
            method="highs",
            options=_options(clock),
        )
        marginals = getattr(answer.get("ineqlin"), "marginals", None)
        if marginals is not None and len(marginals) == n_customers:
            yield -np.asarray(marginals, dtype=np.float64)

    def _worth(self, prices: NDArray[np.float64]) -> int:
        """Return how many sites a cover has at least, by prices that are cut to obey the rule."""
        prices = np.where(np.isfinite(prices), np.maximum(prices, 0.0), 0.0)
        offered = float((self.incidence.T @ prices).max(initial=1.0))
        return math.ceil(math.fsum(prices) / offered * (1.0 - _ROUNDING) - _ROUNDING)

    def search(self, clock: Clock) -> tuple[bool | None, NDArray[np.int32] | None]:
        """Decide by branch and bound whether k sites serve all, and by which; None: no time."""
        from scipy.optimize import Bounds, LinearConstraint, milp

        n_sites = self.incidence.shape[1]
        answer = milp(
            np.ones(n_sites),
            constraints=[
                LinearConstraint(self.incidence, lb=1.0),
                LinearConstraint(np.ones((1, n_sites)), ub=self.k),
            ],
            bounds=Bounds(0.0, 1.0),
            integrality=np.ones(n_sites),
            options=_options(clock),
        )
        if answer.x is not None:
            picked = np.flatnonzero(answer.x > 0.5)
            serves_all = bool((self.incidence[:, picked].sum(axis=1) > 0.5).all())
            if serves_all and len(picked) <= self.k:
                return True, np.sort(np.concatenate([self.chosen, self.sites[picked]]))
            return None, None
        return (False if answer.status == 2 else None), None


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


def _options(clock: Clock) -> Any:
    return {"time_limit": clock.left()} if math.isfinite(clock.deadline) else {}
