"""The best way to split a group in two: by its leading eigenvector, or what comes next."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graphopt._loading import load_whole
from graphopt._native import _core
from graphopt.communities._eigenvectors import group_modularity, leading_eigenvectors
from graphopt.communities._inputs import Matrix

Side = NDArray[np.bool_]

# Differences of modularity below this are rounding.
ROUNDING = 1e-12


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
    if best[0] > ROUNDING:
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
