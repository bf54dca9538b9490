"""Pairs of nodes without an edge, drawn uniformly."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


class UnseenPairs:
    """All pairs of distinct nodes except some edges; draws from them without rejected tries.

    Parameters
    ----------
    n_nodes : int
    edges : array of int, shape (n_edges, 2)
        The pairs to leave out; repeats and either order are allowed.

    Notes
    -----
    Pairs are numbered around a circle of nodes: ``a`` and the node ``d`` places on, for d = 1, 2,
    ... half way round, have number ``(d - 1) n + a``. Of the sorted numbers that are left out, the
    i-th has ``number - i`` others before it, so the r-th pair that remains is found by bisection:
    O(log n_edges) per draw, however dense the graph is.

    Examples
    --------
    >>> square = UnseenPairs(4, np.array([(0, 1), (1, 2), (2, 3), (3, 0)]))
    >>> square.count
    2
    >>> square.pairs(np.arange(2))
    array([[0, 2],
           [1, 3]])
    """

    def __init__(self, n_nodes: int, edges: NDArray[np.integer[Any]]) -> None:
        self._n_nodes = n_nodes
        excluded = np.unique(_numbers(n_nodes, np.asarray(edges, np.int64).reshape(-1, 2)))
        self._others_before = excluded - np.arange(len(excluded))
        self.count = n_nodes * (n_nodes - 1) // 2 - len(excluded)

    def pairs(self, ranks: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the pairs at places in 0 .. count - 1, shape (n, 2), the smaller node first."""
        n = self._n_nodes
        number = ranks + np.searchsorted(self._others_before, ranks, side="right")
        first = number % n
        second = (first + number // n + 1) % n
        return np.column_stack([np.minimum(first, second), np.maximum(first, second)])

    def draw(
        self, size: int, random_state: np.random.Generator, *, distinct: bool = False
    ) -> NDArray[np.int64]:
        """Return pairs drawn uniformly, shape (size, 2), repeats allowed unless `distinct`."""
        if distinct:
            return self.pairs(random_state.choice(self.count, size, replace=False))
        return self.pairs(random_state.integers(self.count, size=size))


def _numbers(n_nodes: int, edges: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the number of each pair."""
    u, v = edges.min(axis=1), edges.max(axis=1)
    apart = v - u
    across = 2 * apart > n_nodes  # shorter the other way round
    start = np.where(across, v, u)
    apart = np.where(across, n_nodes - apart, apart)
    return np.asarray((apart - 1) * n_nodes + start)
