"""Small graphs that tests share."""

from __future__ import annotations

import numpy as np

from graphopt import Graph


def random_graph(
    n_nodes: int,
    n_edges: int,
    seed: int,
    *,
    weights: str | None = None,
    directed: bool = False,
) -> Graph:
    """Draw edges uniformly: often disconnected, with isolated nodes; `weights`: int or float."""
    rng = np.random.default_rng(seed)
    edges = rng.integers(0, max(n_nodes, 1), size=(n_edges if n_nodes else 0, 2))
    lengths = None
    if weights == "int":
        lengths = rng.integers(1, 10, len(edges)).astype(float)
    elif weights == "float":
        lengths = rng.uniform(0.1, 3.0, len(edges))
    return Graph.from_edges(edges, n_nodes, lengths, directed)
