"""Leiden, at most k groups."""

from __future__ import annotations

import numpy as np

from graphopt._validation import RandomState, check_integer, check_number, check_random_state
from graphopt.communities._igraph import as_igraph, igraph_random
from graphopt.communities._inputs import check_k, check_strengths
from graphopt.communities._merging import merge_groups
from graphopt.communities._result import CommunityResult, numbered_by_node, result
from graphopt.graph import Graph


def leiden(
    graph: Graph,
    k: int | None = None,
    *,
    resolution: float = 1.0,
    iterations: int | None = None,
    random_state: RandomState = None,
) -> CommunityResult:
    """Find communities by the Leiden algorithm, at most `k` of them.

    Leiden (igraph's) looks for the partition of largest modularity, whatever its number of groups.
    Where it finds more than `k`, groups are merged, always the pair that gains most or costs
    least, adjacent or not; nodes without an edge, which cost nothing, all join the largest group.

    Parameters
    ----------
    graph : Graph
        Undirected; weights, if any, must not be negative.
    k : int, optional
        Largest number of groups, ``1 .. n_nodes``. None: as many as Leiden finds; a node without an
        edge is then a group of its own.
    resolution : float
        Above 1: more and smaller groups.
    iterations : int, optional
        Passes over the graph, each starting from the result of the last. None: until one changes
        nothing.
    random_state : int, Generator or None
        Leiden visits nodes in random order.

    Returns
    -------
    CommunityResult

    Raises
    ------
    ValueError
        If the graph is directed or has negative weights, or for `k` outside ``1 .. n_nodes``.

    Notes
    -----
    Near-linear time. V. A. Traag, L. Waltman and N. J. van Eck, Sci. Rep. 9, 5233 (2019).

    igraph has one random number generator for the process. It is set to a private one during the
    call, calls from several threads wait for each other, and afterwards it is igraph's default
    again (Python's `random` module). Other threads must not use igraph's random functions meanwhile
    if either is to be repeatable.

    Examples
    --------
    >>> two_triangles = Graph.from_edges([(0, 1), (1, 2), (0, 2), (3, 4), (4, 5), (3, 5), (2, 3)])
    >>> leiden(two_triangles, random_state=0).labels
    array([0, 0, 0, 1, 1, 1], dtype=int32)
    """
    check_strengths("graph", graph)
    k = check_k(k, graph.n_nodes)
    resolution = check_number("resolution", resolution, minimum=0.0)
    passes = -1 if iterations is None else check_integer("iterations", iterations, minimum=1)
    seed = int(check_random_state(random_state).integers(2**63))

    group = np.arange(graph.n_nodes)
    peer, weights = as_igraph(graph)
    if peer.ecount():
        with igraph_random(seed):
            found = peer.community_leiden(
                objective_function="modularity",
                weights=weights,
                resolution=resolution,
                n_iterations=passes,
            )
        group = numbered_by_node(found.membership)
    if k is not None:
        with_edges = len(np.unique(group[graph.strengths > 0]))
        group = merge_groups(graph, group, min(k, max(with_edges, 1)), resolution)
    return result(graph, group, resolution)
