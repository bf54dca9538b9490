"""Which roles meet on random walks: the counts that skip-gram learns from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from graphopt._native import _core
from graphopt._validation import check_memory
from graphopt.graph import Graph

_COLUMNS = 256  # roles whose meetings are computed together


def expected_meetings(
    graph: Graph,
    roles: NDArray[np.int64],
    n_roles: int,
    walk_length: int,
    window: int,
    num_threads: int,
) -> NDArray[np.float64]:
    """Return how often roles meet on a walk from every node, on average over all walks.

    Parameters
    ----------
    graph : Graph
    roles : array of int64, shape (n_nodes,)
        Role of each node; those of nodes without an edge play no part.
    n_roles : int
    walk_length : int
        Nodes on a walk.
    window : int
        Two places on a walk meet if they are at most so far apart.
    num_threads : int

    Returns
    -------
    array of float64, shape (n_roles, n_roles)
        Symmetric: each meeting counts once from either side.

    Notes
    -----
    With P the transition matrix, Z the 0/1 matrix of roles and w_t(i) how often the average walk is
    at node i with at least t more steps to go, roles meet ``Z^T diag(w_t) P^t Z`` times t steps
    apart. O(window * m * n_roles).
    """
    n, degrees = graph.n_nodes, graph.degrees
    _check_places(walk_length, n)
    moving = np.flatnonzero(degrees)
    away = np.repeat(1.0 / np.maximum(degrees, 1), degrees)  # P, row by row

    def onward(matrix: NDArray[np.float64], threads: int) -> NDArray[np.float64]:
        return _core.spmm(graph.indptr, graph.indices, away, n, matrix, threads)

    # The places of a walk: P^T is D P D^-1, as the graph is undirected.
    occupied = [(degrees > 0).astype(np.float64)]
    safe = np.maximum(degrees, 1).astype(np.float64)
    for _ in range(walk_length - 1):
        occupied.append(degrees * onward((occupied[-1] / safe)[:, None], 1)[:, 0])
    visits = np.cumsum(occupied, axis=0)
    # Nodes ordered by role, so that sums over a role's nodes are sums over rows that follow.
    order = moving[np.argsort(roles[moving], kind="stable")]
    starts = np.searchsorted(roles[order], np.arange(n_roles + 1))
    members = (starts.astype(np.int64), order.astype(np.int32))

    meetings = np.zeros((n_roles, n_roles))
    for first in range(0, n_roles, _COLUMNS):
        columns = np.arange(first, min(first + _COLUMNS, n_roles))
        reached = (roles[:, None] == columns).astype(np.float64)
        for apart in range(1, min(window, walk_length - 1) + 1):
            reached = onward(reached, num_threads)
            weights = visits[walk_length - 1 - apart][order]
            meetings[:, columns] += _core.spmm(*members, weights, n, reached, num_threads)
    return meetings + meetings.T


def _check_places(walk_length: int, n_walkers: int) -> None:
    check_memory(
        f"walks of {walk_length:,} places from {n_walkers:,} nodes",
        8 * 3 * walk_length * n_walkers,
        "use shorter walks (walk_length)",
    )


def sampled_meetings(
    graph: Graph,
    roles: NDArray[np.int64],
    n_roles: int,
    walk_length: int,
    window: int,
    n_walks: int,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Return how often roles meet on `n_walks` random walks from every node that has an edge.

    As :func:`expected_meetings`, which this tends to per walk. O(n * n_walks * walk_length *
    window).
    """
    indptr, indices, degrees = graph.indptr, graph.indices, graph.degrees
    at = np.flatnonzero(degrees)
    _check_places(walk_length, len(at))
    meetings = np.zeros(n_roles * n_roles, np.int64)
    for _ in range(n_walks):
        here = at
        passed = np.empty((walk_length, len(at)), np.int64)  # roles, place by place
        passed[0] = roles[here]
        for place in range(1, walk_length):
            steps = (rng.random(len(here)) * degrees[here]).astype(np.int64)
            here = indices[indptr[here] + steps]
            passed[place] = roles[here]
        for apart in range(1, min(window, walk_length - 1) + 1):
            pairs = passed[:-apart] * n_roles + passed[apart:]
            meetings += np.bincount(pairs.ravel(), minlength=len(meetings))
    square = meetings.reshape(n_roles, n_roles).astype(np.float64)
    return square + square.T
