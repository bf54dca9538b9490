"""Prices that customers offer to sites: how many sites a cover needs, and which are of no use."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphopt.centers._solver import solve

_ROUNDING = 1e-9  # far above what adding up prices can err by
_TOLERANCE = 1e-6  # above the solver's own
_FIRST_CUSTOMERS = 50


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


class Prices:
    """Prices such that no site is offered more than 1 by the customers that it serves.

    Every cover then has at least as many sites as the prices add up to: each of its sites is
    offered at most 1, and together they are offered all prices at least once. Whatever the prices
    are wished to be, a solver's word in floats, they are cut until they obey the rule.

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
        """How many sites a cover has at least."""
        return math.ceil(self._sum)

    def useful(self, k: int) -> NDArray[np.bool_]:
        """Tell which sites a cover of k sites may have.

        With a site that is offered less than 1, a cover has as many sites as the prices add up to,
        and what is missing in that offer on top.
        """
        useful: NDArray[np.bool_] = self._sum + (1.0 - self._offers) <= k + _ROUNDING
        return useful


def cheap_prices(incidence: Any) -> Prices:
    """Return prices at which each customer asks what its largest site can pay to all alike."""
    sizes = incidence.sum(axis=0)
    largest = np.asarray(incidence.multiply(sizes).max(axis=1).todense()).ravel()
    return Prices(incidence, 1.0 / largest)


def best_prices(incidence: Any, k: int, clock: Clock) -> tuple[Prices, NDArray[np.float64]] | None:
    """Return the prices that a linear program finds best, and how much of each site it opens.

    Most customers are served on the way to those who are hard to serve: the program is solved for
    the hardest and, again and again, those whom that leaves unserved, until nobody is or the prices
    of some prove that k sites are too few for all. None: time was over first.
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
