"""The k-center problem, which is checked once for all algorithms, and its result."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from graphopt._native import _core
from graphopt._scale import times_power, unusual_exponent
from graphopt._threads import resolve_num_threads
from graphopt._validation import (
    as_array,
    check_float_array,
    check_integer,
    check_memory,
    check_node_indices,
    check_number,
)
from graphopt.graph import Graph
from graphopt.paths import check_lengths, distances_to_nearest, find_distances, unreachable

_KEPT_TYPES = (np.uint8, np.uint16, np.uint32, np.float32, np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class KCenterResult:
    """A choice of centres and how far the nodes are from them.

    Attributes
    ----------
    centers : array of int32, shape (k,)
        Node numbers, in the order in which they were chosen.
    radius : float
        The largest distance of a node from its nearest centre, in the units of the distances (hops
        for an unweighted graph), times the node's demand if there is one; ``inf`` if no centre
        reaches a node that must be served.
    assignment : array of int32, shape (n_nodes,)
        Position in `centers` of each node's nearest centre, the smallest on ties; -1 if no centre
        reaches it.
    """

    centers: NDArray[np.int32]
    radius: float
    assignment: NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class KCenterProblem:
    """A k-center problem that has been checked. To make one, call :func:`check_problem`.

    Attributes
    ----------
    source : Graph or array, shape (n_nodes, n_nodes)
        A graph whose weights are lengths, or distances of a type that the kernels accept.
    k : int
    may_open : array of uint8, shape (n_nodes,), or None
        1: the node may become a centre. None: all may.
    must_open : array of int32
        Distinct nodes that may become centres, at most `k`.
    demand : array of float64, shape (n_nodes,), or None
        Factor by which a node's distance is multiplied. None: 1.
    num_threads : int
    """

    source: Graph | NDArray[Any]
    k: int
    may_open: NDArray[np.uint8] | None
    must_open: NDArray[np.int32]
    demand: NDArray[np.float64] | None
    num_threads: int

    @property
    def n_nodes(self) -> int:
        """The number of nodes."""
        return _size_of(self.source)

    @property
    def candidates(self) -> NDArray[np.intp]:
        """The nodes that may become centres, ascending."""
        return np.arange(self.n_nodes) if self.may_open is None else np.flatnonzero(self.may_open)

    @property
    def optional(self) -> NDArray[np.int32]:
        """The nodes that may become centres but need not, ascending."""
        return np.setdiff1d(self.candidates, self.must_open).astype(np.int32)

    @property
    def needed(self) -> NDArray[np.bool_]:
        """Which nodes must be served, shape (n_nodes,)."""
        return np.ones(self.n_nodes, bool) if self.demand is None else self.demand > 0

    def distances(
        self, way_around: str = "gonzalez needs no distances between all nodes"
    ) -> NDArray[Any]:
        """Return the distances, row c from centre c to every node.

        Raises
        ------
        MemoryLimitError
            If those of a graph do not fit in memory; the message includes `way_around`, what to do
            instead.
        """
        if not isinstance(self.source, Graph):
            return self.source
        return find_distances(
            self.source, None, cutoff=None, num_threads=self.num_threads, way_around=way_around
        )

    def costs(self, distances: NDArray[Any]) -> tuple[NDArray[Any], int]:
        """Return the cost of each distance, divided by 2^e, and e.

        They are the distances themselves if every demand is 0 or 1 and e is 0. e is 0 unless
        distances are very long or short.
        """
        costs, exponent = in_ordinary_unit(distances)
        if self.demand is None or np.isin(self.demand, (0.0, 1.0)).all():
            return costs, exponent
        check_memory(
            "distances times demand, in float64,",
            8 * distances.size,
            "a demand of zeros and ones needs no copy",
        )
        counts = unusual_exponent(self.demand)
        needed = self.needed
        costs = costs.astype(np.float64)
        if distances.dtype.kind == "u":
            costs[distances == unreachable(distances.dtype)] = np.inf
        costs[:, ~needed] = 0.0
        # A demand that is lost beside the largest one still makes an unreached customer wait.
        least = np.finfo(np.float64).smallest_subnormal
        costs *= np.where(needed, np.maximum(times_power(self.demand, -counts), least), 1.0)
        return costs, exponent + counts

    def greedy(self, costs: NDArray[Any]) -> tuple[NDArray[np.int32], NDArray[np.int32], float]:
        """Return the greedy choice on a table of costs, its assignment and its radius."""
        needed = None if self.demand is None else self.needed.view(np.uint8)
        return _core.greedy_k_center(
            costs, self.k, self.must_open, self.may_open, needed, self.num_threads
        )

    def nearest_costs(self, costs: NDArray[Any], choice: NDArray[np.int32]) -> NDArray[Any]:
        """Return each customer's cost of a choice; 0 for those that need not be served."""
        nearest: NDArray[Any] = costs[choice].min(axis=0)
        if self.demand is not None:
            nearest[~self.needed] = 0
        return nearest

    def random_choice(self, generator: np.random.Generator) -> NDArray[np.int32]:
        """Return the nodes that must open, and others at random."""
        n_free = self.k - len(self.must_open)
        return np.concatenate(
            [self.must_open, generator.choice(self.optional, n_free, replace=False)]
        )

    def in_order(self, choice: NDArray[np.int32]) -> NDArray[np.int32]:
        """Return a choice that begins with the nodes that must open, the others ascending."""
        n_required = len(self.must_open)
        return np.concatenate([choice[:n_required], np.sort(choice[n_required:])])


@dataclass(frozen=True, slots=True)
class Clock:
    """The time left until a deadline, measured by :func:`time.monotonic`."""

    deadline: float = math.inf

    def left(self) -> float:
        """Return the seconds left, at least 0; infinity without a deadline."""
        return max(0.0, self.deadline - time.monotonic())

    def late(self) -> bool:
        """Return whether no time is left."""
        return self.left() == 0.0


def start_clock(time_limit: float | None) -> Clock:
    """Return a clock that is late after `time_limit` seconds, or never late if it is None."""
    start = time.monotonic()
    if time_limit is None:
        return Clock()
    return Clock(start + check_number("time_limit", time_limit, minimum=0.0))


def check_problem(
    graph_or_distances: Graph | ArrayLike,
    k: object,
    *,
    candidates: ArrayLike | None = None,
    must_open: ArrayLike = (),
    forbidden: ArrayLike = (),
    demand: ArrayLike | None = None,
    num_threads: int | None = None,
) -> KCenterProblem:
    """Return the problem, or raise a TypeError or ValueError that names the wrong argument."""
    source = check_source(graph_or_distances)
    n_nodes = _size_of(source)
    number = check_integer("k", k, minimum=1)
    if number > n_nodes:
        raise ValueError(f"k must be at most the number of nodes, {n_nodes}, not {number}")
    allowed = np.ones(n_nodes, np.uint8)
    if candidates is not None:
        allowed[:] = 0
        allowed[check_node_indices("candidates", candidates, n_nodes)] = 1
    allowed[check_node_indices("forbidden", forbidden, n_nodes)] = 0
    required = check_distinct_nodes("must_open", must_open, n_nodes)
    if len(required) > number:
        raise ValueError(f"must_open must hold at most k = {number} nodes, not {len(required)}")
    closed = required[allowed[required] == 0]
    if len(closed):
        raise ValueError(
            f"must_open must hold candidates that are not forbidden; node {closed[0]} is none"
        )
    n_sites = int(allowed.sum())
    if number > n_sites:
        raise ValueError(
            f"k must be at most the number of candidates that are not forbidden, {n_sites}, "
            f"not {number}"
        )
    return KCenterProblem(
        source,
        number,
        None if n_sites == n_nodes else allowed,
        required,
        None if demand is None else _check_demand(demand, n_nodes),
        resolve_num_threads(num_threads),
    )


def check_source(graph_or_distances: Graph | ArrayLike) -> Graph | NDArray[Any]:
    """Return a graph whose weights are lengths, or a contiguous matrix of distances."""
    if isinstance(graph_or_distances, Graph):
        check_lengths(graph_or_distances)
        return graph_or_distances
    name = "graph_or_distances"
    matrix = as_array(name, graph_or_distances)
    if matrix.dtype.kind not in "fiu":
        raise TypeError(f"{name} must be a Graph or a numeric array, not {matrix.dtype}")
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"{name} must be a square matrix, not of shape {matrix.shape}")
    if matrix.size and matrix.dtype.kind != "u":
        smallest = matrix.min()  # NaN if there is one
        if np.isnan(smallest):
            raise ValueError(f"{name} must not hold NaN")
        if smallest < 0:
            raise ValueError(f"{name} must not be negative; its smallest entry is {smallest}")
    if matrix.dtype in _KEPT_TYPES and matrix.flags.c_contiguous:
        return matrix
    dtype = matrix.dtype if matrix.dtype in _KEPT_TYPES else np.dtype(np.float64)
    check_memory(
        f"a copy of {name} as contiguous {dtype}",
        matrix.size * dtype.itemsize,
        "pass a C-contiguous array of uint8, uint16, uint32, float32 or float64",
    )
    if matrix.dtype != dtype:
        mark = unreachable(matrix.dtype)
        missing = None if mark is None else matrix == mark
        matrix = matrix.astype(dtype)
        if missing is not None:
            matrix[missing] = np.inf
    return np.ascontiguousarray(matrix)


def check_distinct_nodes(name: str, value: ArrayLike, n_nodes: int) -> NDArray[np.int32]:
    """Return distinct node numbers, or raise an error that names `name`."""
    nodes = check_node_indices(name, value, n_nodes)
    if len(np.unique(nodes)) != len(nodes):
        raise ValueError(f"{name} must not repeat")
    return nodes


def _check_demand(demand: ArrayLike, n_nodes: int) -> NDArray[np.float64]:
    weights = check_float_array("demand", demand, ndim=1).astype(np.float64)
    if len(weights) != n_nodes:
        raise ValueError(f"demand must have one entry per node, {n_nodes}, not {len(weights)}")
    negative = np.flatnonzero(weights < 0)
    if len(negative):
        first = negative[0]
        raise ValueError(f"demand must not be negative; demand[{first}] is {weights[first]:g}")
    return weights


def _size_of(source: Graph | NDArray[Any]) -> int:
    return source.n_nodes if isinstance(source, Graph) else len(source)


def evaluate_centers(graph_or_distances: Graph | ArrayLike, centers: ArrayLike) -> KCenterResult:
    """Return how far the nodes are from given centres.

    Parameters
    ----------
    graph_or_distances : Graph or array, shape (n_nodes, n_nodes)
        As for :func:`gonzalez`. The distances of a graph are not formed: one search suffices.
    centers : array of int, shape (k,)
        Distinct node numbers, at least one.

    Returns
    -------
    KCenterResult

    Raises
    ------
    ValueError
        If there are no centres, or centres repeat or are not nodes, and as :func:`gonzalez`.

    Examples
    --------
    >>> path = Graph.from_edges([(0, 1), (1, 2), (2, 3), (3, 4)])
    >>> evaluate_centers(path, [0, 1]).radius
    3.0
    """
    source = check_source(graph_or_distances)
    nodes = check_distinct_nodes("centers", centers, _size_of(source))
    if len(nodes) == 0:
        raise ValueError("centers must hold at least one node")
    return evaluate(source, nodes.copy())


def evaluate(source: Graph | NDArray[Any], centers: NDArray[np.int32]) -> KCenterResult:
    """Do the work of :func:`evaluate_centers` on checked arguments."""
    if isinstance(source, Graph):
        distances, assignment = distances_to_nearest(source, centers)
        return KCenterResult(centers, float(distances.max()), assignment)
    rows = source[centers]
    shortest = rows.min(axis=0)
    reached = shortest != unreachable(source.dtype)
    assignment = np.where(reached, rows.argmin(axis=0), -1).astype(np.int32)
    return KCenterResult(centers, float(shortest.max()) if reached.all() else np.inf, assignment)


def in_ordinary_unit(distances: NDArray[Any]) -> tuple[NDArray[Any], int]:
    """Return distances divided by 2^e, and e: 0 unless sums or products leave the range."""
    exponent = unusual_exponent(distances) if distances.dtype.kind == "f" else 0
    if exponent != 0:
        check_memory("the distances in another unit", distances.nbytes, "divide them by a constant")
    return times_power(distances, -exponent), exponent
