"""k-center to proven optimality."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from graphopt._native import _core
from graphopt._scale import restored_number
from graphopt._threads import resolve_num_threads
from graphopt._validation import check_number
from graphopt.centers._demand import check_demand, times_demand
from graphopt.centers._evaluate import evaluate_centers
from graphopt.centers._input import Sites, check_sites, checked_source, size_of, unreachable
from graphopt.centers._prices import Clock
from graphopt.centers._reduction import Reduction
from graphopt.centers._search import Search
from graphopt.centers._solver import solver_process
from graphopt.errors import InfeasibleError
from graphopt.graph import Graph
from graphopt.paths import find_distances


@dataclass(frozen=True, slots=True, eq=False)
class ExactKCenterResult:
    """A choice of centres, and what is proven of every other one.

    Attributes
    ----------
    centers : array of int32, shape (k,)
        Distinct node numbers, ascending.
    radius : float
        The largest distance of a node from its nearest centre, times the node's demand where there
        is one; ``inf`` where some node that is to be served is not reached.
    assignment : array of int32, shape (n_nodes,)
        Position in `centers` of each node's nearest centre, the smallest on ties; -1 where none
        reaches it.
    lower_bound : float
        No choice of k centres that keeps the constraints has a smaller radius.
    status : str
        ``"optimal"``: `radius` equals `lower_bound`. ``"time_limit"``: the time was over before.
    reductions : tuple of Reduction
        The radii that were looked at, ascending: what was left of each, and who settled it.
    """

    centers: NDArray[np.int32]
    radius: float
    assignment: NDArray[np.int32]
    lower_bound: float
    status: Literal["optimal", "time_limit"]
    reductions: tuple[Reduction, ...] = ()

    @property
    def gap(self) -> float:
        """The part of `radius` that may be too much, 0 (optimal) to 1."""
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
    """Choose k centres of the smallest radius, and prove that there is no smaller one.

    Parameters
    ----------
    graph_or_distances : Graph or array, shape (n_nodes, n_nodes)
        As for :func:`graphopt.greedy_k_center`: hops or lengths from a centre to every node.
    k : int
        Number of centres, 1 to n_nodes.
    time_limit : float, optional
        Seconds after which the best choice found and an honest bound are returned. The distances of
        a graph and a first greedy choice are made in any case. None: until optimality is proven.
    candidates : array of int, optional
        The nodes that may become centres. None: every node.
    must_open : array of int
        Distinct nodes that are centres in any case, at most `k`.
    forbidden : array of int
        Nodes that may not become centres.
    demand : array, shape (n_nodes,), optional
        What a node's distance counts, not negative; 0: the node need not be served. None: 1.
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
    k sites keep a radius if they cover all nodes, a site covering those within the radius; the
    radius is bisected. Dominated nodes and sites leave each cover first, and often nothing remains.
    The rest is settled by a greedy choice, else by prices from a linear program (HiGHS), which are
    cut to be exactly feasible, so that the bound holds whatever the solver's rounding; they also
    tell which sites no cover of k has. What is left is searched by branch and bound on these
    prices and, where hundreds of them do not end it, by HiGHS: only there, that a radius is
    impossible is its word (`reductions` tell). Every choice is evaluated on the distances
    themselves. Centres that the proof does not need are the farthest allowed nodes. Two bit sets of
    n_nodes x n_nodes beside the distances; exponential at worst. Where the solver takes
    longer than a moment, it runs in a process of its own, which Ctrl-C ends.

    Examples
    --------
    >>> path = Graph.from_edges([(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)])
    >>> result = exact_k_center(path, 2)
    >>> result.centers, result.radius, result.status
    (array([1, 4], dtype=int32), 1.0, 'optimal')
    >>> exact_k_center(path, 2, forbidden=[4]).radius
    2.0
    """
    start = time.monotonic()
    source = checked_source(graph_or_distances)
    n = size_of(source)
    k, sites = check_sites(n, k, candidates, must_open, forbidden)
    weights = check_demand(demand, n)
    limit = math.inf if time_limit is None else check_number("time_limit", time_limit, minimum=0.0)
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
    may_open = np.ones(n, bool) if sites.may_open is None else sites.may_open.astype(bool)
    needed = np.ones(n, bool) if weights is None else weights > 0
    costs, exponent = times_demand(distances, weights)
    search = Search(
        costs,
        k,
        may_open,
        sites.must_open,
        needed,
        Clock(start + limit),
        threads,
    )
    with solver_process():
        search.run()
    if math.isinf(search.lower_bound):
        raise InfeasibleError(_why_infeasible(source, distances, k, may_open, needed))
    chosen = evaluate_centers(distances, _filled_up(distances, search.best, k, sites))
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
    distances: NDArray[Any], chosen: NDArray[np.int32], k: int, sites: Sites
) -> NDArray[np.int32]:
    """Return k sites: those chosen, and the farthest from them."""
    if len(chosen) == k:
        return np.sort(chosen)
    first = -1 if len(chosen) else int(0 if sites.may_open is None else sites.may_open.argmax())
    centers, _, _ = _core.gonzalez_from_matrix(
        distances, k, first, chosen.astype(np.int32), sites.may_open
    )
    return np.sort(centers)


def _why_infeasible(
    source: Graph | NDArray[Any],
    distances: NDArray[Any],
    k: int,
    may_open: NDArray[np.bool_],
    needed: NDArray[np.bool_],
) -> str:
    """Return what no choice of k sites can do about nodes that are not reached."""
    nearest = distances[may_open].min(axis=0)
    lost = np.flatnonzero(needed & (nearest == unreachable(distances.dtype)))
    if len(lost):
        return f"no radius is finite: no node that may become a centre reaches node {lost[0]}" + (
            f" or {len(lost) - 1} others" if len(lost) > 1 else ""
        )
    allowed = "" if may_open.all() else f" of the {int(may_open.sum())} nodes that may open"
    message = f"no radius is finite: no choice of k = {k}{allowed} reaches every node to be served"
    if isinstance(source, Graph):
        components = len(np.unique(source.connected_components()[1][needed]))
        if components > k:
            message += f"; they lie in {components} components"
    return message
