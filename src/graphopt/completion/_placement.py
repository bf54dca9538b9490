"""Decide on seen and expected edges together, and place the nodes without a seen edge."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from graphopt._validation import RandomState, check_choice, check_random_state
from graphopt._weights import in_own_unit
from graphopt.datasets.hiding import check_seen_graph
from graphopt.graph import Graph

PLACEMENTS = ("together", "spread", "expected")
"""What becomes of nodes without a seen edge, the simpler first; see :func:`decide_under`."""

Decide: TypeAlias = Callable[[Graph, np.random.Generator], NDArray[Any]]


def decide_under(
    graph: Graph,
    missing: Graph | None,
    decide: Decide,
    *,
    placement: str = "expected",
    random_state: RandomState = None,
) -> NDArray[Any]:
    """Decide on seen and expected edges together.

    Parameters
    ----------
    graph : Graph
        The seen graph, undirected.
    missing : Graph or None
        The expected missing edges.
    decide : callable
        ``decide(graph, generator)`` returns a decision.
    placement : {"expected", "together", "spread"}
        What happens to nodes without a seen edge. ``"expected"``: the expected edges decide.
        ``"together"``: they are one node while `decide` runs, and share its group; best if most of
        their missing edges are among themselves. ``"spread"``: they are spread over the groups in
        proportion to the seen edges; best if a few hubs have most edges. The latter two require
        that decisions are labels.
    random_state : int, Generator or None

    Returns
    -------
    array
        What `decide` returned; if these are labels, with the nodes placed.
    """
    check_choice("placement", placement, PLACEMENTS)
    check_seen_graph(graph)
    rng = check_random_state(random_state)
    whole = graph if missing is None else graph.plus(missing)
    alone = np.flatnonzero(graph.degrees == 0)
    if placement == "expected" or len(alone) == 0 or len(alone) == graph.n_nodes:
        return decide(whole, rng)
    connected = np.flatnonzero(graph.degrees > 0).astype(np.int32)
    if placement == "spread":
        labels = decide(whole, rng)
        n_groups = int(labels.max()) + 1
        return spread_over_groups(labels[connected], connected, graph, n_groups, rng)
    number = np.empty(graph.n_nodes, np.int64)
    number[connected] = np.arange(len(connected))
    number[alone] = len(connected)
    merged = Graph.from_edges(
        number[whole.edges], len(connected) + 1, whole.edge_weights, duplicates="sum"
    )
    return decide(merged, rng)[number]


def spread_over_groups(
    labels: NDArray[np.integer[Any]],
    nodes: NDArray[np.int32],
    graph: Graph,
    n_groups: int,
    random_state: np.random.Generator,
) -> NDArray[np.int32]:
    """Return labels for all nodes: `labels` for `nodes`; the others are spread over the groups.

    The others are distributed at random, and each group receives a share in proportion to its
    degrees: a node whose edges were not seen most likely belongs to a group where many edges end.

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
