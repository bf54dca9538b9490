"""Modularity of a soft assignment, from the full matrix of modularity."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from graphopt.graph import Graph


def modularity_matrix(graph: Graph, resolution: float = 1.0) -> NDArray[np.float64]:
    """Return ``A - resolution * s s^T / 2m``; zeros for a graph without edges."""
    adjacency = np.zeros((graph.n_nodes, graph.n_nodes))
    weights = graph.edge_weights
    if weights is None:
        weights = np.ones(graph.n_edges)
    for (u, v), weight in zip(graph.edges, weights, strict=True):
        adjacency[u, v] = adjacency[v, u] = weight
    strengths = adjacency.sum(axis=1)
    total = strengths.sum()
    if total == 0.0:
        return adjacency
    expected: NDArray[np.float64] = resolution * np.outer(strengths, strengths) / total
    return adjacency - expected


def modularity(
    graph: Graph, assignment: NDArray[np.float64], resolution: float = 1.0
) -> tuple[float, NDArray[np.float64]]:
    """Return ``Tr(r^T B r) / 2m`` and its gradient ``2 B r / 2m``."""
    total = graph.strengths.sum()
    if total == 0.0:
        return 0.0, np.zeros_like(assignment)
    matrix = modularity_matrix(graph, resolution)
    value = np.trace(assignment.T @ matrix @ assignment) / total
    return float(value), 2.0 * matrix @ assignment / total
