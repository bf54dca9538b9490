"""What becomes of nodes of which nothing is known."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphopt._weights import in_own_unit
from graphopt.graph import Graph


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
    strengths = in_own_unit(graph)[0].strengths
    volumes = np.bincount(labels, weights=strengths[nodes], minlength=n_groups)
    if volumes.sum() == 0.0:
        volumes[:] = 1.0
    quota = volumes / volumes.sum() * len(others)
    counts = np.floor(quota).astype(np.int64)
    largest_remainders = np.argsort(-(quota - counts), kind="stable")
    counts[largest_remainders[: len(others) - counts.sum()]] += 1
    everyone[others] = random_state.permutation(np.repeat(np.arange(len(volumes)), counts))
    return everyone
