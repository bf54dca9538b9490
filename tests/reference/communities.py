"""Modularity as its definition reads, and the algorithms that raise it, by trying everything."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray


def modularity(
    adjacency: NDArray[np.float64], labels: NDArray[np.int64], resolution: float = 1.0
) -> float:
    """Return ``1/2m`` times the sum of ``A_ij - resolution * d_i d_j / 2m`` over pairs together.

    Parameters
    ----------
    adjacency : array of float64, shape (n_nodes, n_nodes)
        Symmetric, with zeros on the diagonal.
    labels : array of int, shape (n_nodes,)
    resolution : float

    Returns
    -------
    float
        0 for a graph without edges.
    """
    n_nodes = len(adjacency)
    strengths = adjacency.sum(axis=1)
    twice_m = adjacency.sum()
    if twice_m == 0:
        return 0.0
    q = 0.0
    for i in range(n_nodes):
        for j in range(n_nodes):
            if labels[i] == labels[j]:
                q += adjacency[i, j] - resolution * strengths[i] * strengths[j] / twice_m
    return float(q / twice_m)


def greedy_merging(
    adjacency: NDArray[np.float64],
    labels: NDArray[np.int64],
    k: int,
    resolution: float = 1.0,
) -> NDArray[np.int64]:
    """Merge the two groups whose union has the largest modularity, until `k` groups remain.

    Parameters
    ----------
    adjacency : array of float64, shape (n_nodes, n_nodes)
        Symmetric, with zeros on the diagonal.
    labels : array of int, shape (n_nodes,)
        The groups to start from.
    k : int
    resolution : float

    Returns
    -------
    array of int, shape (n_nodes,)
        Among equally good unions, the first pair in the order of labels.
    """
    labels = labels.copy()
    while len(np.unique(labels)) > k:
        unions = [np.where(labels == b, a, labels) for a, b in combinations(np.unique(labels), 2)]
        labels = max(unions, key=lambda union: modularity(adjacency, union, resolution))
    return labels


def agglomeration(weights: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Merge the two groups whose union gains most until one is left; the first pair on ties.

    Parameters
    ----------
    weights : array of float64, shape (n_nodes, n_nodes)
        Symmetric; the diagonal is ignored.

    Returns
    -------
    pairs : array of int, shape (n_nodes - 1, 2)
        Each merge's groups a < b, named by their smallest nodes.
    gains : array of float64, shape (n_nodes - 1,)
        How much modularity each merge adds.
    """
    weights = weights - np.diag(np.diag(weights))
    strengths = np.array([sum(row.tolist()) for row in weights])
    total = sum(strengths.tolist())
    gain = total * weights - np.outer(strengths, strengths)
    np.fill_diagonal(gain, -np.inf)
    pairs, gains = [], []
    for _ in range(len(weights) - 1):
        a, b = np.unravel_index(gain.argmax(), gain.shape)
        pairs.append((int(a), int(b)))
        gains.append(2.0 * (gain[a, b] / total / total))
        gain[a] += gain[b]
        gain[:, a] = gain[a]
        gain[a, a] = gain[b] = gain[:, b] = -np.inf
    return np.array(pairs, np.int64).reshape(-1, 2), np.array(gains)


def group_modularity_matrix(
    adjacency: NDArray[np.float64], members: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return Newman's generalised modularity matrix of a group: its rows sum to 0.

    Parameters
    ----------
    adjacency : array of float64, shape (n_nodes, n_nodes)
        Symmetric, with zeros on the diagonal.
    members : array of int, shape (n_members,)

    Returns
    -------
    array of float64, shape (n_members, n_members)
    """
    strengths = adjacency.sum(axis=1)
    whole = adjacency - np.outer(strengths, strengths) / adjacency.sum()
    group: NDArray[np.float64] = whole[np.ix_(members, members)]
    return group - np.diag(group.sum(axis=1))


def normalized_modularity_matrix(
    adjacency: NDArray[np.float64], regularization: float
) -> NDArray[np.float64]:
    """Return ``D^-1/2 B D^-1/2`` of the graph with a further weight between all pairs.

    Parameters
    ----------
    adjacency : array of float64, shape (n_nodes, n_nodes)
        Symmetric, with zeros on the diagonal.
    regularization : float
        The further weights of a node, including one to itself, sum to this many mean strengths.

    Returns
    -------
    array of float64, shape (n_nodes, n_nodes)
    """
    more = adjacency + regularization * adjacency.sum(axis=1).mean() / len(adjacency)
    strengths = more.sum(axis=1)
    modularities: NDArray[np.float64] = more - np.outer(strengths, strengths) / more.sum()
    return modularities / np.sqrt(np.outer(strengths, strengths))


def sign_split(
    adjacency: NDArray[np.float64], members: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], float]:
    """Split a group by the signs of its leading eigenvector.

    Parameters
    ----------
    adjacency : array of float64, shape (n_nodes, n_nodes)
        Symmetric, with zeros on the diagonal.
    members : array of int, shape (n_members,)

    Returns
    -------
    positive : array of bool, shape (n_members,)
    eigenvalue : float
        If it is not positive, the signs tell nothing.
    """
    values, vectors = np.linalg.eigh(group_modularity_matrix(adjacency, members))
    return vectors[:, -1] > 0.0, float(values[-1])


def kernighan_lin(
    adjacency: NDArray[np.float64], members: NDArray[np.int64], positive: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Let nodes of a group change sides, each once a pass, until no pass ends better.

    Parameters
    ----------
    adjacency : array of float64, shape (n_nodes, n_nodes)
        Symmetric, with zeros on the diagonal.
    members : array of int, shape (n_members,)
    positive : array of bool, shape (n_members,)
        The sides to start from.

    Returns
    -------
    array of bool, shape (n_members,)
        Both sides keep a node.
    """

    def quality(sides: NDArray[np.bool_]) -> float:
        labels = np.arange(len(adjacency)) + 2
        labels[members] = sides
        return modularity(adjacency, labels)

    while True:
        states, sides, left = [positive], positive, set(range(len(members)))
        while left:
            moved = {i: np.where(np.arange(len(sides)) == i, ~sides, sides) for i in left}
            best = max(left, key=lambda i: quality(moved[i]))
            sides = moved[best]
            left.remove(best)
            if sides.all() or not sides.any():
                break
            states.append(sides)
        best_state = max(states, key=quality)
        if quality(best_state) <= quality(positive) + 1e-12:
            return positive
        positive = best_state
