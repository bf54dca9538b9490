"""The weights of a graph in a unit that suits them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from graphopt._scale import exponent_of, mean_of, restored, times_power
from graphopt.graph import Graph


def in_own_unit(graph: Graph) -> tuple[Graph, int]:
    """Return the graph with its weights divided by 2^e, and e: the largest is then in [1, 2).

    It has no names. An unweighted graph, or one whose weights are like that, is returned itself.
    """
    exponent = 0 if graph.weights is None else exponent_of(graph.weights)
    return divided(graph, exponent), exponent


def in_unit_of(name: str, graph: Graph, exponent: int) -> Graph:
    """Return a graph with its weights times ``2**exponent``, the unit of the argument `name`.

    Raises
    ------
    ValueError
        As :func:`graphopt._scale.restored`.
    """
    if graph.weights is None or exponent == 0:
        return graph
    weights = restored(f"weights of {name}", graph.weights, exponent)
    return Graph._trusted(
        graph.indptr, graph.indices, weights, directed=graph.directed, names=graph.names
    )


def as_lengths(graph: Graph) -> tuple[Graph, int]:
    """Return the graph with its weights divided by 2^e, and e: 0 unless a path may be too long.

    Sums of lengths are the same bits in any unit, so long as none is too large for float64.
    """
    weights = graph.weights
    if weights is None or weights.size == 0:
        return graph, 0
    exponent = max(0, exponent_of(weights) + graph.n_nodes.bit_length() + 1 - 1023)
    return divided(graph, exponent), exponent


def edge_weights(graph: Graph) -> NDArray[np.float64]:
    """Return the weight of each row of `graph.edges`: 1 in an unweighted graph."""
    weights = graph.edge_weights
    return np.ones(graph.n_edges) if weights is None else weights


def mean_weight(graph: Graph) -> float:
    """Return the mean weight of an edge, 1 without weights or edges."""
    weights = graph.edge_weights
    if weights is None or len(weights) == 0:
        return 1.0
    return mean_of(weights)


def typical_weight(graph: Graph) -> float:
    """Return the mean weight of an edge, or 1 where that is 0: what a hop, or a self loop, is."""
    return mean_weight(graph) or 1.0


def divided(graph: Graph, exponent: int) -> Graph:
    """Return the graph with its weights divided by ``2**exponent``, without names."""
    if graph.weights is None or exponent == 0:
        return graph
    weights = times_power(graph.weights, -exponent)
    return Graph._trusted(graph.indptr, graph.indices, weights, directed=graph.directed)
