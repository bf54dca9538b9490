"""igraph, and its one random number generator."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphopt._interop import igraph_from_edges
from graphopt._loading import load_whole
from graphopt.graph import Graph

_RANDOM = threading.Lock()


def as_igraph(graph: Graph) -> tuple[Any, NDArray[np.float64] | None]:
    """Return the graph without edges of weight 0, which igraph refuses, and the weights left."""
    edges, weights = graph.edges, graph.edge_weights
    if weights is not None:
        edges, weights = edges[weights > 0], weights[weights > 0]
    return igraph_from_edges(graph.n_nodes, edges), weights


@contextmanager
def igraph_random(seed: int) -> Iterator[None]:
    """Seed igraph for the length of a block; blocks of several threads wait for each other."""
    load_whole("igraph")
    import igraph

    with _RANDOM:
        igraph.set_random_number_generator(random.Random(seed))
        try:
            yield
        finally:
            igraph.set_random_number_generator(random)
