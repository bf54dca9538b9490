"""The weights of a graph in a unit that suits them."""

from __future__ import annotations

import numpy as np

from graphopt._scale import exponent_of, times_power
from graphopt.graph import Graph


def in_own_unit(graph: Graph) -> tuple[Graph, int]:
    """Return the graph with its weights divided by 2^e, and e: the largest is then in [1, 2).

    It has no names. An unweighted graph, or one whose weights are like that, is returned itself.
    """
    return _in_unit(graph, 0 if graph.weights is None else exponent_of(graph.weights))


def as_lengths(graph: Graph) -> tuple[Graph, int]:
    """Return the graph with its weights divided by 2^e, and e: 0 unless a path may be too long.

    Sums of lengths are the same bits in any unit, so long as none is too large for float64.
    """
    weights = graph.weights
    if weights is None or weights.size == 0:
        return graph, 0
    room = exponent_of(weights) + graph.n_nodes.bit_length() + 1 - 1023
    return _in_unit(graph, max(0, room))


def mean_weight(graph: Graph) -> float:
    """Return the mean weight of an edge: 1 for a graph without weights, or with zeros only."""
    weights = graph.edge_weights
    if weights is None or not weights.any():
        return 1.0
    exponent = exponent_of(weights)
    return float(np.ldexp(times_power(weights, -exponent).mean(), exponent))


def _in_unit(graph: Graph, exponent: int) -> tuple[Graph, int]:
    if graph.weights is None or exponent == 0:
        return graph, 0
    weights = times_power(graph.weights, -exponent)
    changed = Graph._trusted(graph.indptr, graph.indices, weights, directed=graph.directed)
    return changed, exponent
