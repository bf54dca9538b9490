"""k-center to proven optimality: the radius is bisected, and each radius is a set cover."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from graphopt._native import _core
from graphopt._scale import restored_number
from graphopt.centers._cover import Cover, Verdict, reduce_to_cover
from graphopt.centers._problem import (
    Clock,
    KCenterProblem,
    KCenterResult,
    check_problem,
    evaluate,
    start_clock,
)
from graphopt.centers._solver import solver_process
from graphopt.centers.swaps import SmoothCosts
from graphopt.errors import InfeasibleError
from graphopt.graph import Graph
from graphopt.paths import unreachable

_BLOCK = 2**24  # entries of the costs looked at together
_SMALL = 2**20  # entries up to which threads would wait for each other longer than they work
_LARGE = 2**26  # entries from which on packings and exchanges come before the reductions
_MANY = 3  # radii between bound and choice that are worth the exchanges
_GROWTH = 2.0  # of costs with every hop, in exchanges
_PART_FOR_EXCHANGES = 1 / 3  # of the time that is left


@dataclass(frozen=True, slots=True)
class Reduction:
    """The part of the set cover at a radius that was left, and what settled it.

    Attributes
    ----------
    radius : float
    kept : bool or None
        Whether k sites keep the radius; None: not known, because the time ran out or other radii
        answered the question.
    settled_by : str
        ``"unserved"``: no site is that near to some customer. ``"packing"``: more than k customers
        were found such that no site serves two of them. ``"count"``: more than k sites were forced.
        ``"greedy"``, ``"exchanges"``: the greedy algorithm or exchanges of sites found a choice.
        ``"prices"``, ``"linear program"``: checked prices, from a rule of thumb or from a linear
        program. ``"branching"``: branch and bound, which rests on checked prices. ``"solver"``:
        HiGHS's branch and bound, which is trusted if `kept` is False. ``"open"``: it is not
        settled.
    opened : int or None
        Number of sites that were required, or forced by the reduction. None, here and below: the
        cover was not made, or not fully reduced.
    customers, sites : int or None
        Number of the n_nodes rows and columns that are left after removing dominated ones.
    linear_programs : int
        Number of linear programs that were solved, without those inside HiGHS's branch and bound.
    """

    radius: float
    kept: bool | None
    settled_by: str
    opened: int | None = None
    customers: int | None = None
    sites: int | None = None
    linear_programs: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class ExactKCenterResult(KCenterResult):
    """A choice of centres, ascending, and what is proven about every other choice.

    Attributes
    ----------
    centers, radius, assignment
        As in :class:`KCenterResult`.
    lower_bound : float
        No choice of k centres that obeys the constraints has a smaller radius.
    status : str
        ``"optimal"``: `radius` equals `lower_bound`. ``"time_limit"``: the time ran out first.
    reductions : tuple of Reduction
        The radii that were tested, ascending: what was left of each, and what settled it.
    """

    lower_bound: float
    status: Literal["optimal", "time_limit"]
    reductions: tuple[Reduction, ...] = ()

    @property
    def gap(self) -> float:
        """The share of `radius` that may be too much, 0 (optimal) to 1."""
        if self.radius == self.lower_bound:
            return 0.0
        return 1.0 if math.isinf(self.radius) else 1.0 - self.lower_bound / self.radius


def exact_k_center(
    graph_or_distances: Graph | ArrayLike,
    k: int,
    *,
    time_limit: float | None = None,
    candidates: ArrayLike | None = None,
    must_open: ArrayLike = (),
    forbidden: ArrayLike = (),
    demand: ArrayLike | None = None,
    num_threads: int | None = None,
) -> ExactKCenterResult:
    """Choose k centres with the smallest radius, and prove that no choice has a smaller one.

    Parameters
    ----------
    graph_or_distances : Graph or array, shape (n_nodes, n_nodes)
        As for :func:`graphopt.greedy_k_center`: hops or lengths from a centre to every node.
    k : int
        Number of centres, 1 to n_nodes.
    time_limit : float, optional
        Seconds after which the best choice found so far and a valid bound are returned. The
        distances of a graph and a first greedy choice are computed in any case. None: until
        optimality is proven.
    candidates : array of int, optional
        The nodes that may become centres. None: every node.
    must_open : array of int
        Distinct nodes that are centres in any case, at most `k`.
    forbidden : array of int
        Nodes that may not become centres.
    demand : array, shape (n_nodes,), optional
        Factor by which a node's distance is multiplied, not negative; 0: the node need not be
        served. None: 1.
    num_threads : int, optional
        Without a time limit, the result is the same at any number of threads.

    Returns
    -------
    ExactKCenterResult

    Raises
    ------
    ValueError
        For `k` out of range or above the number of nodes that may become centres, negative weights,
        a `must_open` that may not open, a negative `demand`, a negative `time_limit`, a matrix that
        is not square, has NaN or a negative entry, or a radius that is too large for float64, or
        too small.
    InfeasibleError
        If it is proven that no allowed choice reaches all nodes that are to be served.
    MemoryLimitError
        If the distances of the graph, a copy of the matrix, or distances times demand (where it has
        other values than 0 and 1) do not fit in memory; nothing is allocated then.

    Notes
    -----
    k sites keep a radius if they cover all nodes, where a site covers the nodes within the radius;
    the radius is bisected. First, dominated nodes and sites are removed from each cover, and often
    nothing remains. The rest is settled by a greedy choice or else by prices from a linear program
    (HiGHS). The prices are lowered until they are exactly feasible, so that the bound holds despite
    the solver's rounding; they also show which sites no cover of k has. What is left is searched by
    branch and bound on these prices. If hundreds of linear programs do not finish the search, HiGHS
    continues it; only in this case is its claim that a radius is impossible trusted, and
    `reductions` shows this. Every choice is evaluated on the distances themselves. If fewer than k
    centres are needed, the others are the farthest allowed nodes. Memory: two bit sets of n_nodes x
    n_nodes in addition to the distances. Time: exponential at worst. If the solver takes longer
    than a moment, it runs in a process of its own, which Ctrl-C ends.

    Examples
    --------
    >>> path = Graph.from_edges([(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)])
    >>> result = exact_k_center(path, 2)
    >>> result.centers, result.radius, result.status
    (array([1, 4], dtype=int32), 1.0, 'optimal')
    >>> exact_k_center(path, 2, forbidden=[4]).radius
    2.0
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
    distances = problem.distances()
    costs, exponent = problem.costs(distances)
    search = Search(problem, costs, clock)
    with solver_process():
        search.run()
    if math.isinf(search.lower_bound):
        raise InfeasibleError(_why_infeasible(problem, distances))
    chosen = evaluate(distances, _filled_up(problem, distances, search.best))
    radius = search.radius_of(chosen.centers)

    def given_unit(radius: float) -> float:
        return restored_number("graph_or_distances", radius, exponent)

    return ExactKCenterResult(
        chosen.centers,
        given_unit(radius),
        chosen.assignment,
        given_unit(search.lower_bound),
        "optimal" if radius <= search.lower_bound else "time_limit",
        tuple(
            replace(reduction, radius=given_unit(reduction.radius))
            for _, reduction in sorted(search.reductions.items())
        ),
    )


def _filled_up(
    problem: KCenterProblem, distances: NDArray[Any], chosen: NDArray[np.int32]
) -> NDArray[np.int32]:
    """Return k sites: those chosen, and the farthest from them."""
    if len(chosen) == problem.k:
        return np.sort(chosen)
    first = -1 if len(chosen) else int(problem.candidates[0])
    centers, _, _ = _core.gonzalez_from_matrix(
        distances, problem.k, first, chosen.astype(np.int32), problem.may_open
    )
    return np.sort(centers)


def _why_infeasible(problem: KCenterProblem, distances: NDArray[Any]) -> str:
    """Explain why no choice of k sites can reach all nodes."""
    nearest = distances[problem.candidates].min(axis=0)
    lost = np.flatnonzero(problem.needed & (nearest == unreachable(distances.dtype)))
    if len(lost):
        return f"no radius is finite: no node that may become a centre reaches node {lost[0]}" + (
            f" or {len(lost) - 1} others" if len(lost) > 1 else ""
        )
    allowed = ""
    if problem.may_open is not None:
        allowed = f" of the {len(problem.candidates)} nodes that may open"
    message = (
        f"no radius is finite: no choice of k = {problem.k}{allowed} reaches every node to be "
        "served"
    )
    if isinstance(problem.source, Graph):
        components = len(np.unique(problem.source.connected_components()[1][problem.needed]))
        if components > problem.k:
            message += f"; they lie in {components} components"
    return message


class Search:
    """k-center on a table of costs, solved by bisecting the radius.

    Parameters
    ----------
    problem : KCenterProblem
    costs : array, shape (n, n)
        Row i: the cost of each customer at site i. Of a type that the kernels accept; C-contiguous.
    clock : Clock

    Attributes
    ----------
    best : array of int32
        The best choice so far.
    radii : array
        The radii that need a test, ascending.
    within, beyond : int
        Positions in `radii`: `best` keeps the radius at `within` (their number if it keeps none);
        all radii up to `beyond` are proven to be too small.
    reductions : dict of int to Reduction
        By position, the result for a radius.
    """

    def __init__(self, problem: KCenterProblem, costs: NDArray[Any], clock: Clock) -> None:
        """Make a first choice, and list the radii that need a test."""
        if costs.size <= _SMALL:
            problem = replace(problem, num_threads=1)
        self.problem, self.costs, self.clock = problem, costs, clock
        self.needed = problem.needed
        self.may_open = np.zeros(len(costs), bool)
        self.may_open[problem.candidates] = True
        self.best, _, _ = problem.greedy(costs)
        self.radii = self._distinct(self._least_radius(), self._radius(self.best))
        self.within = int(np.searchsorted(self.radii, self._radius(self.best)))
        self.beyond = -1
        self.reductions: dict[int, Reduction] = {}
        self._open: dict[int, Cover | None] = {}

    def radius_of(self, choice: NDArray[np.int32]) -> float:
        """Return the radius of a choice; inf: some needed customer is not reached."""
        worst = self._radius(choice)
        return math.inf if worst == unreachable(self.costs.dtype) else float(worst)

    @property
    def lower_bound(self) -> float:
        """No choice has a smaller radius; inf: none has a finite one."""
        first = self.beyond + 1
        return float(self.radii[first]) if first < len(self.radii) else math.inf

    def run(self) -> None:
        """Improve the choice and the bound until they meet or the time runs out."""
        if self.costs.size >= _LARGE:
            self._bisect(self._pack, undecided_is_kept=True)
            if self.within - self.beyond > _MANY:
                self._exchange()
        # Quick tests alone first: from above for a good choice, from below for a good bound.
        self._bisect(self._test, undecided_is_kept=False)
        self._bisect(self._test, undecided_is_kept=True)
        # What they left open is searched.
        while self.within - self.beyond > 1 and not self.clock.late():
            middle = (self.within + self.beyond) // 2
            if self._test(middle) is None and self._search(middle) is None:
                break  # late

    def _bisect(self, test: Callable[[int], bool | None], *, undecided_is_kept: bool) -> None:
        """Test positions between `beyond` and `within`; if a test returns None, it is undecided."""
        low, high = self.beyond, self.within
        while high - low > 1 and not self.clock.late():
            middle = (low + high) // 2
            verdict = test(middle)
            if verdict or (verdict is None and undecided_is_kept):
                high = middle
            else:
                low = middle

    def _pack(self, position: int) -> bool | None:
        """Refute a radius by a packing; None: no such packing was found."""
        if self._packs_more(self.radii[position]):
            return self._settle(position, Verdict(False, "packing"))
        return None

    def _exchange(self) -> None:
        """Improve the choice by exchanging sites; only if distances are hops.

        For lengths, a table with the cost of each would be needed.
        """
        if self.costs.dtype.kind != "u" or self.problem.k == len(self.problem.must_open):
            return
        smooth = SmoothCosts(self.problem, self.costs, radii=np.empty(0))
        found = smooth.swap(
            self.best,
            growth=_GROWTH,
            pivot=min(float(self._radius(self.best)), smooth.largest),
            seconds=self.clock.left() * _PART_FOR_EXCHANGES,
        )
        reached = int(np.searchsorted(self.radii, self._radius(found.sites)))
        if reached < self.within:
            self._settle(reached, Verdict(True, "exchanges", choice=found.sites))

    def _test(self, position: int) -> bool | None:
        """Tell quickly whether a radius can be kept; None: it takes a search."""
        if position >= self.within:
            return True
        if position <= self.beyond:
            return False
        if position in self._open:
            return None
        feasible, cover = reduce_to_cover(
            self.problem, self.costs, self.radii[position], self.clock
        )
        if not feasible:
            return self._settle(position, Verdict(False, "unserved"))
        self._open[position] = cover
        if cover is None:
            return self._settle(position, Verdict(None, "open"))
        verdict = cover.test(self.clock)
        if verdict.kept is None:
            self._open[position] = verdict.cover
        n_customers, n_sites = cover.incidence.shape
        return self._settle(
            position, verdict, customers=n_customers, sites=n_sites, opened=len(cover.chosen)
        )

    def _search(self, position: int) -> bool | None:
        """Decide whether a radius can be kept; None: the time ran out first."""
        cover = self._open[position]
        return None if cover is None else self._settle(position, cover.search(self.clock))

    def _settle(self, position: int, verdict: Verdict, **sizes: int) -> bool | None:
        """Write down what was found about a radius, on top of what was found before."""
        radius = float(self.radii[position])
        before = self.reductions.get(position, Reduction(radius, None, "open"))
        self.reductions[position] = replace(
            before,
            kept=verdict.kept,
            settled_by=verdict.how,
            linear_programs=before.linear_programs + verdict.n_programs,
            **sizes,
        )
        if verdict.kept is False:
            self.beyond = max(self.beyond, position)
        if verdict.choice is not None:
            reached = int(np.searchsorted(self.radii, self._radius(verdict.choice)))
            if reached < self.within:
                self.within, self.best = reached, verdict.choice
        return verdict.kept

    def _packs_more(self, radius: Any) -> bool:
        """Return whether more than k customers were found such that no site serves two of them."""
        sites = self.may_open.copy()
        sites[self.problem.must_open] = False
        left = self.needed.copy()
        for site in self.problem.must_open:
            left &= self.costs[site] > radius
        n_serving = np.zeros(len(left), np.int64)
        for rows in self._blocks():
            n_serving += (self.costs[rows] <= radius)[sites[rows]].sum(axis=0)
        for _ in range(self.problem.k - len(self.problem.must_open) + 1):
            if not left.any() or self.clock.late():
                return False
            loneliest = int(np.where(left, n_serving, np.iinfo(np.int64).max).argmin())
            left[loneliest] = False
            for site in np.flatnonzero(sites & (self.costs[:, loneliest] <= radius)):
                left &= self.costs[site] > radius
        return True

    def _radius(self, choice: NDArray[np.int32]) -> Any:
        return self.problem.nearest_costs(self.costs, choice).max(initial=0)

    def _blocks(self) -> Iterator[slice]:
        n = len(self.costs)
        step = max(1, _BLOCK // n)
        for begin in range(0, n, step):
            yield slice(begin, begin + step)

    def _least_radius(self) -> Any:
        """Return the radius if all sites that may open are open; no radius is smaller."""
        nearest = np.full(len(self.costs), unreachable(self.costs.dtype), self.costs.dtype)
        for rows in self._blocks():
            allowed = self.costs[rows]
            if not self.may_open[rows].all():
                allowed = allowed[self.may_open[rows]]
            np.minimum(nearest, allowed.min(axis=0, initial=nearest.max()), out=nearest)
        return nearest[self.needed].max(initial=self.costs.dtype.type(0))

    def _distinct(self, least: Any, most: Any) -> NDArray[Any]:
        """Return the finite costs between two radii, each once, ascending, and the bounds."""
        found = np.array([least, most], self.costs.dtype)
        for rows in self._blocks():
            part = self.costs[rows].ravel()
            if part.dtype == np.uint8:
                values = np.flatnonzero(np.bincount(part, minlength=256)).astype(np.uint8)
            else:
                values = part
            values = values[(values > least) & (values < most)]
            found = np.unique(np.concatenate([found, np.unique(values)]))
        return found[found < unreachable(self.costs.dtype)]
