"""Facility location by swaps, written for reading. Costs: row i from site i, to each customer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SITES_PER_BLOCK = 256


def objective(
    costs: NDArray[np.float64], sites: list[int], n_scenarios: int = 1, tail: float | None = None
) -> float:
    """Return the mean of the scenarios' costs over the `tail` worst scenarios (None: all).

    Customers come in scenarios of equal size, one after another, each paying for its nearest site.
    """
    totals = costs[sites].min(axis=0).reshape(n_scenarios, -1).sum(axis=1)
    left = tail = float(n_scenarios) if tail is None else min(tail, float(n_scenarios))
    value = 0.0
    for total in sorted(totals.tolist(), reverse=True):
        value += total * min(left, 1.0)
        left = max(left - 1.0, 0.0)
    return value / tail


def swap_search(
    costs: NDArray[np.float64],
    start: list[int],
    *,
    n_scenarios: int = 1,
    tail: float | None = None,
    may_open: set[int] | None = None,
    n_fixed: int = 0,
    first_site: int = 0,
    max_swaps: int | None = None,
) -> tuple[list[int], float, int]:
    """Return the sites, the objective and the number of swaps.

    Sites that may open (None: all) are looked at in blocks, from `first_site` on and round. The
    best swap of a block is made if it helps; on ties that of the smallest site, then of the first
    place, which the site takes. The first `n_fixed` places stay. Ends after a round without a swap.
    """
    n_sites = len(costs)
    order = [(first_site + i) % n_sites for i in range(n_sites)]
    order = [site for site in order if may_open is None or site in may_open]
    sites, n_swaps = list(start), 0
    value = objective(costs, sites, n_scenarios, tail)
    seen, position = 0, 0
    while seen < len(order) and n_swaps != max_swaps:
        block = order[position : position + SITES_PER_BLOCK]
        best = (value, -1, -1)
        for site in sorted(set(block) - set(sites)):
            for place in range(n_fixed, len(sites)):
                swapped = [*sites[:place], site, *sites[place + 1 :]]
                best = min(best, (objective(costs, swapped, n_scenarios, tail), site, place))
        seen += len(block)
        position = (position + len(block)) % len(order)
        if best[0] < value:
            value, site, place = best
            sites[place] = site
            n_swaps, seen = n_swaps + 1, 0
    return sites, value, n_swaps
