"""k-center by exchanging one centre at a time, from many starts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from graphopt._native import _core
from graphopt._scale import restored_number
from graphopt._validation import RandomState, check_integer, check_random_state
from graphopt.centers._problem import (
    Clock,
    KCenterProblem,
    KCenterResult,
    check_problem,
    evaluate,
    start_clock,
)
from graphopt.centers.swaps import SmoothCosts
from graphopt.graph import Graph
from graphopt.paths import unreachable

_GROWTHS = (1.0, 2.0, 3.0)
_ROUNDS_PER_CHAIN = 25
_MAX_WEIGHT = 2.0**20
_STEPS_PER_ROUND = 12
_MOST_CANDIDATES = 64  # of the sites that serve a customer, drawn where there are more


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
        Number of descents from different choices: the greedy one, farthest-first ones from random
        nodes, and random ones.
    n_rounds : int
        Number of further descents from the best choice, in which the nodes at the radius get larger
        and larger weights. They are followed by 12 times as many exchanges that look for the next
        smaller radius.
    time_limit : float, optional
        Seconds after which the search stops. The result then depends on the machine.
    random_state : int, numpy.random.Generator or None
    candidates : array of int, optional
        The nodes that may become centres. None: every node.
    must_open : array of int
        Distinct nodes that are centres in any case, at most `k`; they come first.
    forbidden : array of int
        Nodes that may not become centres.
    demand : array, shape (n_nodes,), optional
        Factor by which a node's distance is multiplied, not negative; 0: the node need not be
        served. None: 1.
    num_threads : int, optional
        Without a time limit, the result is the same at any number of threads.

    Returns
    -------
    KCenterResult
        The choice with the smallest radius that was found; of equal ones, that with the fewest
        nodes at the radius. The centres that are not in `must_open` are ascending. With `demand`,
        the radius is the largest distance times demand.

    Raises
    ------
    ValueError
        For `k` out of range or above the number of nodes that may become centres, negative weights,
        a `must_open` that may not open, a negative `demand`, a negative `time_limit`, a matrix that
        is not square, has NaN or a negative entry, or a radius that is too large for float64, or
        too small.
    MemoryLimitError
        If the distances of the graph, a copy of the matrix, the table of what lengths cost (hops
        need no such table), or distances times demand do not fit in memory; in this case, nothing
        is allocated.

    See Also
    --------
    exact_k_center : proves which radius is the smallest.

    Notes
    -----
    Two choices that differ by one exchange usually have the same radius, so exchanges lower the
    mean of ``exp(growth d)`` instead, for growths of 1, 2 and 3 a hop (of lengths: an eighth of the
    greedy radius). A node that is not reached costs more than all others together. One pass over
    the distances judges all exchanges, in O(n^2) for any k: M. G. C. Resende and R. F. Werneck,
    Eur. J. Oper. Res. 174, 54-68 (2007). Raising the weights of badly served nodes helps to leave
    local optima: Q. Zhang, Z. Lu, Z. Su, C. Li, Y. Fang and F. Ma, IJCAI 2020. Last, as in that
    paper, the search looks for a cover of the next smaller radius, by exchanges that may make the
    choice worse.

    Examples
    --------
    >>> path = Graph.from_edges([(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)])
    >>> result = local_search_k_center(path, 2, random_state=0)
    >>> result.centers, result.radius
    (array([1, 4], dtype=int32), 1.0)
    """
    clock = start_clock(time_limit)
    problem = check_problem(
        graph_or_distances,
        k,
        candidates=candidates,
        must_open=must_open,
        forbidden=forbidden,
        demand=demand,
        num_threads=num_threads,
    )
    starts = check_integer("n_starts", n_starts, minimum=1)
    rounds = check_integer("n_rounds", n_rounds, minimum=0)
    generator = check_random_state(random_state)
    distances = problem.distances()
    costs, exponent = problem.costs(distances)
    search = _Search(problem, costs, generator, clock)
    search.run(starts, rounds)
    found = evaluate(distances, problem.in_order(search.best))
    radius = restored_number("graph_or_distances", search.radius, exponent)
    return KCenterResult(found.centers, radius, found.assignment)


@dataclass(frozen=True, slots=True, order=True)
class _Quality:
    """The quality of a choice: smaller is better."""

    radius: float
    n_at_radius: int


class _Search:
    """The best of many descents on a table of costs; row c has each customer's at candidate c."""

    def __init__(
        self,
        problem: KCenterProblem,
        costs: NDArray[Any],
        generator: np.random.Generator,
        clock: Clock,
    ) -> None:
        self.problem, self.costs = problem, costs
        self.optional = problem.optional
        self.generator, self.clock = generator, clock
        self.best, _, _ = problem.greedy(costs)
        self.quality = self._judge(self.best)
        self.met = [(self.quality, self.best)]  # what descents ended with
        nearest = self._nearest(self.best)
        largest = nearest.max(where=np.isfinite(nearest), initial=0)
        self.smooth = SmoothCosts(problem, costs, radii=np.array([largest], np.float64))

    @property
    def radius(self) -> float:
        return self.quality.radius

    def run(self, n_starts: int, n_rounds: int) -> None:
        """Descend from `n_starts` choices, then `n_rounds` times from the best choice so far."""
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
                weights = self.problem.needed.astype(np.float64)
            if self._done():
                return
            weights[self._nearest(present) >= self._worst()] *= 2.0
            if weights.max() > _MAX_WEIGHT:
                weights = np.sqrt(weights)
            growth = _GROWTHS[number % len(_GROWTHS)]
            _, present = self._descend(present, growth, weights)
        self._go_below(n_rounds * _STEPS_PER_ROUND)

    def _go_below(self, n_steps: int) -> None:
        """Look for smaller and smaller radii, with `n_steps` steps for each."""
        while not self._done():
            found = cover_below(
                self.problem,
                self.costs,
                self.best,
                self._nearest(self.best).max(initial=0),
                n_steps=n_steps,
                generator=self.generator,
                clock=self.clock,
            )
            if found is None:
                return
            self.best, self.quality = found, self._judge(found)

    def _done(self) -> bool:
        fixed = self.problem.k == len(self.problem.must_open)
        return self.radius == 0.0 or fixed or self.clock.late()

    def _start(self, number: int, n_starts: int, greedy: NDArray[np.int32]) -> NDArray[np.int32]:
        if number < len(_GROWTHS):
            return greedy
        if number < (len(_GROWTHS) + n_starts + 1) // 2:
            first = int(self.generator.choice(self.optional))
            found, _, _ = _core.gonzalez_from_matrix(
                self.costs, self.problem.k, first, self.problem.must_open, self.problem.may_open
            )
            return found
        return self.problem.random_choice(self.generator)

    def _descend(
        self, start: NDArray[np.int32], growth: float, weights: NDArray[np.float64] | None
    ) -> tuple[_Quality, NDArray[np.int32]]:
        """Return the choice to which exchanges lead, and keep it if it is the best so far."""
        found = self.smooth.swap(
            start,
            growth=growth,
            pivot=self.radius if math.isfinite(self.radius) else self.smooth.largest,
            weights=weights,
            first_site=int(self.generator.integers(len(self.costs))),
            seconds=self.clock.left(),
        ).sites
        quality = self._judge(found)
        if quality < self.quality:
            self.best, self.quality = found, quality
        return quality, found

    def _nearest(self, choice: NDArray[np.int32]) -> NDArray[Any]:
        return self.problem.nearest_costs(self.costs, choice)

    def _worst(self) -> float:
        """Return the radius in the units of the table; it may be the mark for unreachable nodes."""
        if math.isfinite(self.radius):
            return self.radius
        return float(unreachable(self.costs.dtype) or 0.0)

    def _judge(self, choice: NDArray[np.int32]) -> _Quality:
        nearest = self._nearest(choice)
        largest = nearest.max(initial=0)
        count = int((nearest == largest).sum())
        lost = largest == unreachable(self.costs.dtype)
        return _Quality(math.inf if lost else float(largest), count)


def cover_below(
    problem: KCenterProblem,
    costs: NDArray[Any],
    start: NDArray[np.int32],
    radius: Any,
    *,
    n_steps: int,
    generator: np.random.Generator,
    clock: Clock,
) -> NDArray[np.int32] | None:
    """Return a choice with all costs below a radius; None: none was found.

    Each step draws an unserved customer and makes the best exchange that opens a site serving it,
    even if this makes the choice worse. An exchange is judged by the weight of the unserved
    customers; after each step, the weight of those still unserved rises by one. Weights are whole
    numbers, so sums are exact. The site just opened stays for a step, and the one just closed stays
    closed. Vertex weighting of Q. Zhang, Z. Lu, Z. Su, C. Li, Y. Fang and F. Ma, IJCAI 2020.

    Parameters
    ----------
    problem : KCenterProblem
    costs : array, shape (n_sites, n_customers)
    start : array of int32, shape (k,)
        The first entries are the sites that must open.
    radius : scalar of the costs' type
    """
    needed, n_fixed = problem.needed, len(problem.must_open)
    sites = start.copy()
    serves = costs[sites] < radius
    may_open = np.zeros(len(costs), bool)
    may_open[problem.optional] = True
    weights = needed.astype(np.float64)
    opened = closed = -1
    for _ in range(n_steps):
        times = serves.sum(axis=0)
        unserved = np.flatnonzero((times == 0) & needed)
        if len(unserved) == 0:
            return sites
        if clock.late():
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
    """Return the weight that is no longer served if a candidate opens and a place closes.

    It is the weight of the customers that only this place serves and the candidate does not serve.
    Matrix products are avoided, because threads of BLAS would wait for each other longer than they
    work.
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
