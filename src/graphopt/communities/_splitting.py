"""Groups that are split in two, again and again."""

from __future__ import annotations

from heapq import heappop, heappush

import numpy as np
from numpy.typing import NDArray

from graphopt.communities._bisection import ROUNDING, Group, bisect
from graphopt.communities._inputs import Matrix


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
        if not queue or (queue[0][0] > -ROUNDING and count >= n_forced):
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
