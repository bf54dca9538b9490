"""Nodes of which nothing is known."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphopt.features import row_norms
from graphopt.graph import Graph

_NEGLIGIBLE = 0.1
"""A feature row this small beside the usual one is noise: embeddings by random walks leave a node
without an edge where they initialised it."""


def informative_nodes(graph: Graph, features: Any) -> NDArray[np.int32]:
    """Return the nodes that have a seen edge or features worth the name, ascending.

    Parameters
    ----------
    graph : Graph
    features : array or CSR array, shape (n_nodes, n_features), or None
        None: nodes without an edge tell nothing.
    """
    connected = graph.degrees > 0
    if features is None:
        return np.flatnonzero(connected).astype(np.int32)
    norms = row_norms(features)
    usual = float(np.median(norms[connected])) if connected.any() else 0.0
    described = norms > _NEGLIGIBLE * usual
    return np.flatnonzero(connected | described).astype(np.int32)
