"""k-center by weighted exchanges on the cover of the next smaller radius."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

_MOST_CANDIDATES = 64  # of the sites that serve a customer, drawn where there are more


def cover_below(
    costs: NDArray[Any],
    start: NDArray[np.int32],
    radius: Any,
    *,
    optional: NDArray[np.int32],
    needed: NDArray[np.bool_],
    n_fixed: int,
    n_steps: int,
    generator: np.random.Generator,
    late: Callable[[], bool],
) -> NDArray[np.int32] | None:
    """Return a choice whose costs are all below a radius; None: none was found.

    At each step a customer who is not served is drawn, and the best exchange is made that opens a
    site which serves it, be it for the worse. What counts is the weight of those not served, and
    whoever stays so weighs one more after each step; the weights are whole, so sums are exact. The
    site that was just opened stays for a step, the one just closed stays closed. Vertex weighting
    of Q. Zhang, Z. Lu, Z. Su, C. Li, Y. Fang and F. Ma, IJCAI 2020.

    Parameters
    ----------
    costs : array, shape (n_sites, n_customers)
    start : array of int32, shape (k,)
        The first `n_fixed` stay.
    radius : scalar of the costs' type
    optional : array of int32
        Sites that may be opened.
    needed : array of bool, shape (n_customers,)
    """
    sites = start.copy()
    serves = costs[sites] < radius
    may_open = np.zeros(len(costs), bool)
    may_open[optional] = True
    weights = needed.astype(np.float64)
    opened = closed = -1
    for _ in range(n_steps):
        times = serves.sum(axis=0)
        unserved = np.flatnonzero((times == 0) & needed)
        if len(unserved) == 0:
            return sites
        if late():
            return None
        customer = generator.choice(unserved)
        able = may_open & (costs[:, customer] < radius)
        able[sites] = False
        if closed >= 0:
            able[closed] = False
        candidates = np.flatnonzero(able)
        if len(candidates) > _MOST_CANDIDATES:
            candidates = np.sort(generator.choice(candidates, _MOST_CANDIDATES, replace=False))
        places = np.flatnonzero((np.arange(len(sites)) >= n_fixed) & (sites != opened))
        if len(candidates) == 0 or len(places) == 0:
            opened = closed = -1
            weights[unserved] += 1.0
            continue
        gained = (costs[np.ix_(candidates, unserved)] < radius) @ weights[unserved]
        values = (
            gained[:, None] - _lost(costs, radius, serves, times, weights, candidates)[:, places]
        )
        best, place = np.unravel_index(values.argmax(), values.shape)
        changed = places[place]
        opened, closed = int(candidates[best]), int(sites[changed])
        sites[changed] = opened
        serves[changed] = costs[opened] < radius
        weights[(serves.sum(axis=0) == 0) & needed] += 1.0
    return None


def _lost(
    costs: NDArray[Any],
    radius: Any,
    serves: NDArray[np.bool_],
    times: NDArray[np.int64],
    weights: NDArray[np.float64],
    candidates: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return the weight that is no longer served where a candidate opens and a place closes.

    It is that of the customers whom the place alone serves and the candidate does not. No product
    of matrices: threads of BLAS would wait for each other longer than they work.
    """
    alone = np.flatnonzero((times == 1) & (weights > 0))
    server = serves[:, alone].argmax(axis=0)
    order = np.argsort(server, kind="stable")
    alone = alone[order]
    bounds = np.searchsorted(server[order], np.arange(len(serves) + 1))
    missed = costs[np.ix_(candidates, alone)] >= radius
    sums = np.zeros((len(candidates), len(alone) + 1))
    np.cumsum(missed * weights[alone], axis=1, out=sums[:, 1:])
    lost: NDArray[np.float64] = sums[:, bounds[1:]] - sums[:, bounds[:-1]]
    return lost
