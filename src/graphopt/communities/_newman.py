"""Groups that are split in two, again and again: Newman's leading eigenvector method."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heappop, heappush

import numpy as np
from numpy.typing import ArrayLike, NDArray

from graphopt._loading import load_whole
from graphopt._native import _core
from graphopt.communities._eigenvectors import group_modularity, leading_eigenvectors
from graphopt.communities._problem import CommunityResult, Matrix, check_problem, with_isolated
from graphopt.graph import Graph

Side = NDArray[np.bool_]

# Differences of modularity below this are rounding.
_ROUNDING = 1e-12


def newman(
    graph: Graph | ArrayLike, k: int | None = None, *, exact: bool = True, refine: bool = True
) -> CommunityResult:
    """Find communities by Newman's leading eigenvector method, exactly `k` of them.

    All nodes start as one group. Again and again the group whose split in two gains most modularity
    is split, by the signs of the leading eigenvector of its generalised modularity matrix. Where
    these gain nothing, the best cut along the eigenvector, the best single node and a component are
    tried. Where no split gains but there are fewer than `k` groups, nodes without an edge leave the
    largest group, where they have been so far, and then the splits that cost least are made.

    Parameters
    ----------
    graph : Graph or array of float, shape (n_nodes, n_nodes)
        Undirected; weights, if any, must not be negative. An array holds the weight of every pair,
        say the probability of an edge: symmetric, its diagonal is ignored.
    k : int, optional
        Number of groups, ``1 .. n_nodes``. None: splitting stops where nothing gains; a node
        without an edge is then a group of its own.
    exact : bool
        False: at most `k` groups; no split is made that does not gain.
    refine : bool
        Fine-tune every split: nodes change sides, as Kernighan and Lin do, as long as that gains
        (section "Fine-tuning" of the paper). False: the signs as they are.

    Returns
    -------
    CommunityResult

    Raises
    ------
    ValueError
        If the graph is directed, the array not symmetric, a weight negative or not finite, or for
        `k` outside ``1 .. n_nodes``.

    Warns
    -----
    ConvergenceWarning
        If the eigenvector of a group of over 1,000 nodes was not found precisely.

    Notes
    -----
    Nothing is drawn: the same graph gives the same groups. Up to ``2k - 3`` groups are looked
    at; a product with the matrix takes O(m) for a graph and O(n²) for an array, and Lanczos takes
    tens to hundreds. Refining takes O(n² + m) for each of a few passes.
    M. E. J. Newman, PNAS 103, 8577 (2006), and Phys. Rev. E 74, 036104 (2006).

    Examples
    --------
    >>> two_triangles = Graph.from_edges([(0, 1), (1, 2), (0, 2), (3, 4), (4, 5), (3, 5), (2, 3)])
    >>> newman(two_triangles, 2).labels
    array([0, 0, 0, 1, 1, 1], dtype=int32)
    """
    problem = check_problem(graph, k)
    k = problem.k
    nodes, matrix = problem.nodes_with_edges()
    n_isolated = problem.n_nodes - len(nodes)
    one = np.zeros(len(nodes), np.int64)
    if k is None:
        group = split_groups(matrix, one, len(nodes), 0, refine)
        n_alone = n_isolated
    else:
        group = split_groups(matrix, one, k, k - n_isolated if exact else 0, refine)
        n_found = int(group.max(initial=-1)) + 1
        n_alone = min(n_isolated, k - n_found) if exact else 0
    return problem.result(with_isolated(group, nodes, problem.n_nodes, n_alone))


def split_groups(
    matrix: Matrix, start: NDArray[np.int64], n_wanted: int, n_forced: int, refine: bool
) -> NDArray[np.int64]:
    """Split the group whose split gains most modularity, or costs least, until there are enough.

    Parameters
    ----------
    matrix : array or sparse array of float64, shape (n, n)
        Weights between nodes that all have an edge.
    start : array of int64, shape (n,)
        Groups to start from, numbered from 0.
    n_wanted : int
        No more groups than that.
    n_forced : int
        Up to that number, splits are made whatever they cost; beyond, only those that gain.
    refine : bool
        Fine-tune every split.

    Returns
    -------
    array of int64, shape (n,)
        Of a group that is split, the side without its smallest node gets the next free number.
    """
    group = start.copy()
    if len(group) == 0:
        return group
    strengths = np.asarray(matrix.sum(axis=1)).ravel()
    total = float(strengths.sum())
    # By loss, then by smallest node; no two groups share that one.
    queue: list[tuple[float, int, NDArray[np.int64]]] = []
    n_start = int(group.max()) + 1
    unseen = np.split(np.argsort(group, kind="stable"), np.cumsum(np.bincount(group))[:-1])
    for count in range(n_start, n_wanted):
        for part in unseen:
            if len(part) > 1:
                inside = Group(_submatrix(matrix, part), strengths[part], total)
                gain, side = bisect(inside, refine)
                heappush(queue, (-gain, int(part[0]), _leaving(part, side)))
        if not queue or (queue[0][0] > -_ROUNDING and count >= n_forced):
            break
        leaving = heappop(queue)[2]
        staying = np.flatnonzero(group == group[leaving[0]])
        group[leaving] = count
        unseen = [np.setdiff1d(staying, leaving, assume_unique=True), leaving]
    return group


def _leaving(part: NDArray[np.int64], side: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the side without the smallest node, so that a group keeps the name of that one."""
    leaving: NDArray[np.int64] = part[side != side[0]]
    return leaving


def _submatrix(matrix: Matrix, nodes: NDArray[np.int64]) -> Matrix:
    if len(nodes) == matrix.shape[0]:
        return matrix
    if isinstance(matrix, np.ndarray):
        return matrix[np.ix_(nodes, nodes)]
    return matrix[nodes][:, nodes]


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """Some nodes of a graph.

    Attributes
    ----------
    matrix : array or sparse array of float64, shape (n, n)
        Weights within the group.
    strengths : array of float64, shape (n,)
        Of its nodes in the whole graph.
    total : float
        Sum of all strengths in the whole graph, 2m.
    """

    matrix: Matrix
    strengths: NDArray[np.float64]
    total: float

    def gain(self, side: Side) -> float:
        """Return how much modularity rises if `side` leaves the group."""
        leaving = side.astype(np.float64)
        across = float(leaving @ (self.matrix @ (1.0 - leaving)))
        volume = float(self.strengths @ leaving)
        rest = float(self.strengths.sum()) - volume
        return 2.0 * (volume / self.total * (rest / self.total) - across / self.total)


def bisect(group: Group, refine: bool) -> tuple[float, Side]:
    """Return the gain in modularity of a split in two, and one of its sides; at least two nodes.

    The split is that by the signs of the leading eigenvector, fine-tuned if asked for. If it gains
    nothing, it is compared with all cuts along the eigenvector, with taking out any single node and
    with taking out a component; what gains most, or costs least, counts.
    """
    operator = group_modularity(group.matrix, group.strengths, group.total)
    vector = leading_eigenvectors(operator, 1)[:, 0]
    best = _tuned(group, vector > 0.0, refine)
    if best[0] > _ROUNDING:
        return best
    others = (_cut_along(group, vector), _single_node(group), _component(group))
    return max(best, *(_tuned(group, side, refine) for side in others), key=lambda split: split[0])


def _tuned(group: Group, side: Side, refine: bool) -> tuple[float, Side]:
    if side.all() or not side.any():  # an eigenvector of rounding errors only
        return -np.inf, side
    if refine:
        side = fine_tune(group, side)
    return group.gain(side), side


def _cut_along(group: Group, vector: NDArray[np.float64]) -> Side:
    """Return the best of all sides that hold the nodes from some value of the vector on."""
    order = np.argsort(-vector, kind="stable")
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    # Weight of each node to those before it; what a node adds across is the rest of its weight.
    if isinstance(group.matrix, np.ndarray):
        before = np.tril(group.matrix[np.ix_(order, order)]).sum(axis=1)
    else:
        pairs = group.matrix.tocoo()
        back = rank[pairs.col] < rank[pairs.row]
        before = np.bincount(rank[pairs.row[back]], pairs.data[back], len(order))
    inside = np.asarray(group.matrix.sum(axis=1)).ravel()[order]
    across = np.cumsum(inside - 2.0 * before)[:-1]
    volume = np.cumsum(group.strengths[order]) / group.total
    gains = volume[:-1] * (volume[-1] - volume[:-1]) - across / group.total
    side: Side = rank <= gains.argmax()
    return side


def _single_node(group: Group) -> Side:
    inside = np.asarray(group.matrix.sum(axis=1)).ravel()
    volumes = group.strengths / group.total
    gains = volumes * (volumes.sum() - volumes) - inside / group.total
    side: Side = np.arange(len(gains)) == gains.argmax()
    return side


def _component(group: Group) -> Side:
    """Return the component of the first node; all nodes where the group is connected."""
    load_whole("scipy.sparse.csgraph")
    from scipy.sparse.csgraph import connected_components

    _, component = connected_components(group.matrix, directed=False)
    side: Side = component == component[0]
    return side


def fine_tune(group: Group, side: Side) -> Side:
    """Move nodes between the sides while that gains, as Kernighan and Lin do.

    In one pass every node changes sides once, always the one that gains most or costs least; the
    best state on the way starts the next pass, until a pass finds none better. Both sides keep a
    node. O(n² + m) a pass.
    """
    matrix, strengths, total = group.matrix, group.strengths, group.total
    if isinstance(matrix, np.ndarray):
        return _core.kernighan_lin(np.ascontiguousarray(matrix), strengths, total, side)
    return _core.kernighan_lin_sparse(
        matrix.indptr.astype(np.int64),
        matrix.indices.astype(np.int32, copy=False),
        matrix.data,
        strengths,
        total,
        side,
    )
