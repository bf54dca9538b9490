"""Nodes of which nothing is known: which they are, and what becomes of them."""

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


def spread_over_groups(
    labels: NDArray[np.integer[Any]],
    nodes: NDArray[np.int32],
    graph: Graph,
    n_groups: int,
    random_state: np.random.Generator,
) -> NDArray[np.int32]:
    """Return labels for all nodes: `labels` for `nodes`, the rest spread over the groups.

    The others are dealt at random, each group receiving a share in proportion to its degrees: a
    node whose edges were not seen most likely belongs where most edges end.

    Parameters
    ----------
    labels : array of int, shape (len(nodes),)
    nodes : array of int32
    graph : Graph
    n_groups : int
    random_state : numpy.random.Generator

    Returns
    -------
    array of int32, shape (n_nodes,)
    """
    everyone = np.zeros(graph.n_nodes, np.int32)
    everyone[nodes] = labels
    others = np.setdiff1d(np.arange(graph.n_nodes, dtype=np.int32), nodes)
    if len(others) == 0:
        return everyone
    volumes = np.bincount(labels, weights=graph.strengths[nodes], minlength=n_groups)
    if volumes.sum() == 0.0:
        volumes[:] = 1.0
    quota = volumes / volumes.sum() * len(others)
    counts = np.floor(quota).astype(np.int64)
    largest_remainders = np.argsort(-(quota - counts), kind="stable")
    counts[largest_remainders[: len(others) - counts.sum()]] += 1
    everyone[others] = random_state.permutation(np.repeat(np.arange(len(volumes)), counts))
    return everyone
