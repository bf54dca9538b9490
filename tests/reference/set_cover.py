"""Set covering with a radius, written for reading: the reduction, and covers by trying them all."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray


def reduce_cover(
    serves: NDArray[np.bool_],
) -> tuple[list[int], list[int], list[int]] | None:
    """Return forced sites, sites left and customers left; None: somebody is served by no site.

    `serves`, shape (n_sites, n_customers), tells who serves whom. Taken out, until nothing changes:
    a customer who is served by every site that serves another one; a site that serves nobody beyond
    those of another one; a site that alone serves somebody: it is forced, those it serves are done.
    Of equals the smallest stays.
    """
    sites, customers = set(range(serves.shape[0])), set(range(serves.shape[1]))
    forced: list[int] = []
    changed = True
    while changed:
        before = (len(sites), len(customers))
        by = {j: {s for s in sites if serves[s, j]} for j in customers}
        if any(not servers for servers in by.values()):
            return None
        customers -= {j for j in by for i in by if by[i] < by[j] or (by[i] == by[j] and i < j)}
        to = {s: {j for j in customers if serves[s, j]} for s in sites}
        sites -= {s for s in to for t in to if to[s] < to[t] or (to[s] == to[t] and t < s)}
        sites -= {s for s in to if not to[s]}
        for j in sorted(customers):
            servers = {s for s in sites if serves[s, j]}
            if len(servers) == 1 and j in customers:
                site = servers.pop()
                forced.append(site)
                sites.remove(site)
                customers -= to[site]
        changed = (len(sites), len(customers)) != before
    return sorted(forced), sorted(sites), sorted(customers)


def smallest_cover(serves: NDArray[np.bool_]) -> int | None:
    """Return how few sites serve every customer; None: not even all do."""
    for size in range(serves.shape[0] + 1):
        for sites in combinations(range(serves.shape[0]), size):
            if serves[list(sites)].any(axis=0).all():
                return size
    return None


def exact_k_center(
    distances: NDArray[np.float64],
    k: int,
    *,
    candidates: list[int],
    must_open: list[int],
    demand: NDArray[np.float64],
) -> float:
    """Return the smallest radius of k candidates with `must_open` among them, by trying them all.

    The distance of a customer counts `demand` times; without demand it does not count.
    """
    best = np.inf
    free = [c for c in candidates if c not in must_open]
    needed = np.flatnonzero(demand > 0)
    for others in combinations(free, k - len(must_open)):
        nearest = distances[[*must_open, *others]].min(axis=0)
        best = min(best, max((float(nearest[j] * demand[j]) for j in needed), default=0.0))
    return best
