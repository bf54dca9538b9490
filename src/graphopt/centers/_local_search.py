"""k-center by swaps from many starts."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from graphopt._native import _core
from graphopt._scale import restored_number
from graphopt._threads import resolve_num_threads
from graphopt._validation import RandomState, check_integer, check_number, check_random_state
from graphopt.centers._bottleneck import cover_below
from graphopt.centers._demand import check_demand, times_demand
from graphopt.centers._evaluate import evaluate_centers
from graphopt.centers._input import Sites, check_sites, checked_source, size_of, unreachable
from graphopt.centers._result import KCenterResult
from graphopt.centers._swaps import SmoothCosts
from graphopt.graph import Graph
from graphopt.paths import find_distances

_GROWTHS = (1.0, 2.0, 3.0)
_HOPS_IN_A_RADIUS = 8.0  # what counts as a hop where distances are lengths
_ROUNDS_PER_CHAIN = 25
_MAX_WEIGHT = 2.0**20
_STEPS_PER_ROUND = 12


def local_search_k_center(
    graph_or_distances: Graph | ArrayLike,
    k: int,
    *,
    n_starts: int = 12,
    n_rounds: int = 25,
    time_limit: float | None = None,
    random_state: RandomState = None,
    candidates: ArrayLike | None = None,
    must_open: ArrayLike = (),
    forbidden: ArrayLike = (),
    demand: ArrayLike | None = None,
    num_threads: int | None = None,
) -> KCenterResult:
    """Choose k centres by exchanging one at a time, from many starts.

    Parameters
    ----------
    graph_or_distances : Graph or array, shape (n_nodes, n_nodes)
        As for :func:`greedy_k_center`.
    k : int
        Number of centres, 1 to n_nodes.
    n_starts : int
        Descents from different choices: of the greedy algorithm, farthest-first from random nodes,
        and random ones.
    n_rounds : int
        Further descents from the best, in which the nodes that are at the radius count more and
        more; after them come 12 times as many exchanges that look for the next smaller radius.
    time_limit : float, optional
        Seconds after which no further exchange is looked for. The result then depends on the
        machine.
    random_state : int, numpy.random.Generator or None
    candidates : array of int, optional
        The nodes that may become centres. None: every node.
    must_open : array of int
        Distinct nodes that are centres in any case, at most `k`; they come first.
    forbidden : array of int
        Nodes that may not become centres.
    demand : array, shape (n_nodes,), optional
        What a node's distance counts, not negative; 0: the node need not be served. None: 1.
    num_threads : int, optional
        Without a time limit, the result is the same at any number of threads.

    Returns
    -------
    KCenterResult
        Of all the choices met the one with the smallest radius, then with the fewest nodes at it.
        The centres that need not open are ascending. With a `demand`, the radius is the largest
        distance times demand.

    Raises
    ------
    ValueError
        For `k` out of range or above the number of nodes that may become centres, negative weights,
        a `must_open` that may not open, a negative `demand`, a negative `time_limit`, a matrix that
        is not square, has NaN or a negative entry, or a radius that is too large for float64, or
        too small.
    MemoryLimitError
        If the distances of the graph, a copy of the matrix, what lengths cost (hops need no such
        table), or distances times demand do not fit in memory; nothing is allocated then.

    See Also
    --------
    exact_k_center : proves what the best radius is.

    Notes
    -----
    The radius hardly ever tells two neighbouring choices apart, so exchanges lower the mean of
    ``exp(growth d)`` instead, for growths of 1, 2 and 3 a hop (of lengths: an eighth of the greedy
    radius). A node that is not reached costs more than all others together. All exchanges are
    judged in one pass over the distances, O(n^2) whatever k is: M. G. C. Resende and R. F. Werneck,
    Eur. J. Oper. Res. 174, 54-68 (2007). Raising the weights of what is badly served leads out of
    local optima: Q. Zhang, Z. Lu, Z. Su, C. Li, Y. Fang and F. Ma, IJCAI 2020. Last, as there, the
    cover of the next smaller radius is looked for, by exchanges that may be for the worse.

    Examples
    --------
    >>> path = Graph.from_edges([(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)])
    >>> result = local_search_k_center(path, 2, random_state=0)
    >>> result.centers, result.radius
    (array([1, 4], dtype=int32), 1.0)
    """
    begin = time.monotonic()
    source = checked_source(graph_or_distances)
    n = size_of(source)
    k, sites = check_sites(n, k, candidates, must_open, forbidden)
    starts = check_integer("n_starts", n_starts, minimum=1)
    rounds = check_integer("n_rounds", n_rounds, minimum=0)
    limit = math.inf if time_limit is None else check_number("time_limit", time_limit, minimum=0.0)
    generator = check_random_state(random_state)
    weights = check_demand(demand, n)
    threads = resolve_num_threads(num_threads)
    distances = source
    if isinstance(distances, Graph):
        distances = find_distances(
            distances,
            None,
            cutoff=None,
            num_threads=threads,
            way_around="gonzalez needs no distances between all nodes",
        )
    needed = np.ones(n, bool) if weights is None else weights > 0
    costs, exponent = times_demand(distances, weights)
    search = _Search(costs, k, sites, needed, generator, begin + limit, threads)
    search.run(starts, rounds)
    n_required = len(sites.must_open)
    chosen = np.concatenate([search.best[:n_required], np.sort(search.best[n_required:])])
    found = evaluate_centers(distances, chosen)
    radius = restored_number("graph_or_distances", search.radius, exponent)
    return KCenterResult(found.centers, radius, found.assignment)


@dataclass(frozen=True, slots=True, order=True)
class _Quality:
    """How bad a choice is: smaller is better."""

    radius: float
    n_at_radius: int


class _Search:
    """The best of many descents on a table of costs, row c from candidate c to each customer."""

    def __init__(
        self,
        costs: NDArray[Any],
        k: int,
        sites: Sites,
        needed: NDArray[np.bool_],
        generator: np.random.Generator,
        deadline: float,
        num_threads: int,
    ) -> None:
        self.costs, self.k, self.sites, self.needed = costs, k, sites, needed
        self.generator, self.deadline = generator, deadline
        self.optional = np.setdiff1d(
            np.arange(len(costs)) if sites.may_open is None else np.flatnonzero(sites.may_open),
            sites.must_open,
        ).astype(np.int32)
        greedy, _, _ = _core.greedy_k_center(
            costs, k, sites.must_open, sites.may_open, needed.astype(np.uint8), num_threads
        )
        self.best: NDArray[np.int32] = greedy
        self.quality = self._judge(greedy)
        self.met = [(self.quality, greedy)]  # what descents ended with
        self.smooth = SmoothCosts(costs, unit=self._unit(), num_threads=num_threads)

    @property
    def radius(self) -> float:
        return self.quality.radius

    def run(self, n_starts: int, n_rounds: int) -> None:
        """Descend from `n_starts` choices, then `n_rounds` times from what is best then."""
        greedy = self.best
        for number in range(n_starts):
            if self._done():
                return
            growth = _GROWTHS[number % len(_GROWTHS)]
            self.met.append(self._descend(self._start(number, n_starts, greedy), growth, None))
        self.met.sort(key=lambda one: one[0])  # stable
        for number in range(n_rounds):
            chain, step = divmod(number, _ROUNDS_PER_CHAIN)
            if step == 0:
                present = self.met[chain % len(self.met)][1]
                weights = self.needed.astype(np.float64)
            if self._done():
                return
            weights[self._nearest(present) >= self._worst()] *= 2.0
            if weights.max() > _MAX_WEIGHT:
                weights = np.sqrt(weights)
            growth = _GROWTHS[number % len(_GROWTHS)]
            _, present = self._descend(present, growth, weights)
        self._go_below(n_rounds * _STEPS_PER_ROUND)

    def _go_below(self, n_steps: int) -> None:
        """Look for smaller and smaller radii, with so many steps for each."""
        while not self._done():
            found = cover_below(
                self.costs,
                self.best,
                self._nearest(self.best).max(initial=0),
                optional=self.optional,
                needed=self.needed,
                n_fixed=len(self.sites.must_open),
                n_steps=n_steps,
                generator=self.generator,
                late=lambda: self._left() <= 0.0,
            )
            if found is None:
                return
            self.best, self.quality = found, self._judge(found)

    def _done(self) -> bool:
        return self.radius == 0.0 or self.k == len(self.sites.must_open) or self._left() <= 0.0

    def _left(self) -> float:
        return self.deadline - time.monotonic()

    def _start(self, number: int, n_starts: int, greedy: NDArray[np.int32]) -> NDArray[np.int32]:
        if number < len(_GROWTHS):
            return greedy
        if number < (len(_GROWTHS) + n_starts + 1) // 2:
            first = int(self.generator.choice(self.optional))
            found, _, _ = _core.gonzalez_from_matrix(
                self.costs, self.k, first, self.sites.must_open, self.sites.may_open
            )
            return found
        n_free = self.k - len(self.sites.must_open)
        drawn = self.generator.choice(self.optional, n_free, replace=False)
        return np.concatenate([self.sites.must_open, drawn])

    def _descend(
        self, start: NDArray[np.int32], growth: float, weights: NDArray[np.float64] | None
    ) -> tuple[_Quality, NDArray[np.int32]]:
        """Return where exchanges lead, and note it if it is the best so far."""
        if weights is None and not self.needed.all():
            weights = self.needed.astype(np.float64)
        pivot = self.radius if math.isfinite(self.radius) else self.smooth.largest
        found = self.smooth.swap(
            start,
            growth=growth,
            pivot=pivot,
            weights=weights,
            may_open=self.sites.may_open,
            n_fixed=len(self.sites.must_open),
            first_site=int(self.generator.integers(len(self.costs))),
            seconds=self._left(),
        ).sites
        quality = self._judge(found)
        if quality < self.quality:
            self.best, self.quality = found, quality
        return quality, found

    def _nearest(self, choice: NDArray[np.int32]) -> NDArray[Any]:
        """Return each customer's cost, that of those who need not be served being 0."""
        nearest: NDArray[Any] = self.costs[choice].min(axis=0)
        nearest[~self.needed] = 0
        return nearest

    def _worst(self) -> float:
        """Return the radius in the units of the table, its mark for unreachable included."""
        if math.isfinite(self.radius):
            return self.radius
        return float(unreachable(self.costs.dtype) or 0.0)

    def _judge(self, choice: NDArray[np.int32]) -> _Quality:
        nearest = self._nearest(choice)
        largest = nearest.max(initial=0)
        count = int((nearest == largest).sum())
        lost = largest == unreachable(self.costs.dtype)
        return _Quality(math.inf if lost else float(largest), count)

    def _unit(self) -> float:
        if self.costs.dtype.kind == "u":
            return 1.0
        nearest = self._nearest(self.best)
        largest = float(nearest.max(where=np.isfinite(nearest), initial=0.0))
        return largest / _HOPS_IN_A_RADIUS or 1.0
