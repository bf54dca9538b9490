"""Motifs, walks and the loss of skip-gram, one subgraph, one walk and one pair at a time."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from graphopt.graph import Graph


def motif_counts(graph: Graph) -> NDArray[np.int64]:
    """Return of each node its edges, paths of two edges from it, triangles and four-cycles."""
    around = [set(graph.neighbors(u).tolist()) for u in range(graph.n_nodes)]
    counts = np.zeros((graph.n_nodes, 4), np.int64)
    for u, neighbours in enumerate(around):
        paths = [(v, w) for v in neighbours for w in around[v] if w != u]
        # A triangle and a four-cycle are told by the two neighbours of u on them; the latter also
        # by the node across.
        pairs = list(combinations(neighbours, 2))
        triangles = [(v, w) for v, w in pairs if w in around[v]]
        cycles = [(v, w, x) for v, w in pairs for x in around[v] & around[w] if x != u]
        counts[u] = len(neighbours), len(paths), len(triangles), len(cycles)
    return counts


def expected_meetings(
    graph: Graph, roles: NDArray[np.int64], n_roles: int, walk_length: int, window: int
) -> NDArray[np.float64]:
    """Return how often roles meet, by following every walk from every node.

    Exponential in `walk_length`.
    """
    meetings = np.zeros((n_roles, n_roles))

    def follow(walk: list[int], probability: float) -> None:
        if len(walk) < walk_length:
            onward = graph.neighbors(walk[-1]).tolist()
            for node in onward:
                follow([*walk, node], probability / len(onward))
            return
        for i, u in enumerate(walk):
            for j, v in enumerate(walk):
                if i != j and abs(i - j) <= window:
                    meetings[roles[u], roles[v]] += probability

    for node in range(graph.n_nodes):
        follow([node], 1.0)
    return meetings


def skip_gram_loss(
    counts: NDArray[np.float64],
    u: NDArray[np.float64],
    v: NDArray[np.float64],
    negatives: float,
) -> float:
    """Return the mean loss of a meeting, its negative samples averaged."""
    total = counts.sum()
    frequency = counts.sum(axis=1) / total
    drawn = frequency**0.75 / (frequency**0.75).sum()
    loss = 0.0
    for a in range(len(counts)):
        for b in range(len(counts)):
            score = float(u[a] @ v[b])
            loss += counts[a, b] / total * math.log1p(math.exp(-score))
            loss += negatives * frequency[a] * drawn[b] * math.log1p(math.exp(score))
    return loss
