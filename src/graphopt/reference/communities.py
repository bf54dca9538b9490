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
