"""Leiden, with at most or exactly k groups."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphopt._loading import interrupts_held
from graphopt._validation import RandomState, check_integer, check_memory, check_random_state
from graphopt.communities._cnm import merge_groups
from graphopt.communities._polish import PERTURBATIONS, LocalSearch, check_perturbations
from graphopt.communities._problem import (
    CommunityResult,
    check_problem,
    numbered_by_node,
    with_isolated,
)
from graphopt.communities.igraph import as_igraph, igraph_random
from graphopt.graph import Graph, check_undirected

# A local search follows each start, so igraph need not continue until nothing changes.
_PASSES_PER_START = 2


def leiden(
    graph: Graph,
    k: int | None = None,
    *,
    exactly: bool = False,
    resolution: float = 1.0,
    iterations: int | None = None,
    starts: int = 4,
    perturbations: int = PERTURBATIONS,
    random_state: RandomState = None,
    num_threads: int | None = None,
) -> CommunityResult:
    """Find communities by the Leiden algorithm, at most `k` of them.

    Leiden (igraph's) looks for the partition of largest modularity, whatever its number of groups.
    Where `k` is given, groups are merged down to it, always the pair that gains most or costs
    least, adjacent or not; then an iterated local search improves them with the number of groups
    held, as in :func:`polish`. It begins at several starts, and combines what they found. Nodes
    without an edge, which cost nothing, all join the largest group.

    Parameters
    ----------
    graph : Graph
        Undirected; weights, if any, must not be negative.
    k : int, optional
        Largest number of groups, ``1 .. n_nodes``. None: as many as Leiden finds; a node without an
        edge is then a group of its own.
    exactly : bool
        True: exactly `k` groups. Where Leiden finds fewer, nodes without an edge are groups of
        their own first, and then it looks for smaller groups.
    resolution : float
        Above 1: more and smaller groups.
    iterations : int, optional
        Passes of Leiden over the graph, each starting from the result of the last. None: until one
        changes nothing, or two where `k` is given, as the local search follows.
    starts : int
        Where `k` is given: runs of Leiden, each with a seed of its own. 1 is fastest.
    perturbations : int
        Where `k` is given: of each start at each level, as in :func:`polish`. 0: local moves only.
    random_state : int, Generator or None
        Leiden visits nodes in random order.
    num_threads : int, optional
        Starts are polished side by side; the same result at any number of threads.

    Returns
    -------
    CommunityResult

    Raises
    ------
    ValueError
        If the graph is directed or has negative weights, for `k` outside ``1 .. n_nodes``, or for
        `exactly` without `k`.

    Notes
    -----
    Near-linear time. V. A. Traag, L. Waltman and N. J. van Eck, Sci. Rep. 9, 5233 (2019); starts
    are combined as in M. Ovelgönne and A. Geyer-Schulz, DIMACS 10 (2013): what two of them keep
    together moves as a whole.

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
    check_undirected("graph", graph)  # here a matrix is refused
    problem = check_problem(graph, k, resolution=resolution)
    graph, resolution = problem.as_graph(), problem.resolution
    if exactly and k is None:
        raise ValueError("exactly needs a number of groups k")
    if iterations is not None:
        iterations = check_integer("iterations", iterations, minimum=1)
    starts = check_integer("starts", starts, minimum=1)
    perturbations = check_perturbations(perturbations)
    rng = check_random_state(random_state)
    if problem.k is None:
        return problem.result(_Leiden(graph, iterations or -1).run(resolution, rng))
    k = problem.k
    check_memory(f"{starts:,} starts", 32 * starts * graph.n_nodes, "use fewer starts")

    nodes = np.flatnonzero(graph.strengths > 0)
    n_isolated = graph.n_nodes - len(nodes)

    def full(group: NDArray[np.int64], n_alone: int) -> CommunityResult:
        return problem.result(with_isolated(group, nodes, graph.n_nodes, n_alone))

    if len(nodes) == 0:
        return full(np.empty(0, np.int64), k if exactly else 0)
    inside = graph if n_isolated == 0 else graph.subgraph(nodes)
    algorithm = _Leiden(inside, iterations or _PASSES_PER_START)
    search = LocalSearch(inside, resolution, perturbations, rng, num_threads)
    found = [algorithm.run(resolution, rng) for _ in range(starts)]

    def held(n_groups: int, keep_all: bool) -> NDArray[np.int64]:
        merged = [merge_groups(inside, group, n_groups, resolution) for group in found]
        numbered = np.array([numbered_by_node(group) for group in merged])
        return search.run(numbered, n_groups, keep_all=keep_all)

    if not exactly:
        return full(held(min(k, len(nodes)), keep_all=False), 0)
    if n_isolated:
        # Nodes without an edge make up for as many groups as the others do best without.
        group = held(min(k, len(nodes)), keep_all=False)
        n_alone = k - len(np.unique(group))
        if n_alone <= n_isolated:
            return full(group, n_alone)
    n_groups = k - n_isolated  # each node without an edge is a group of its own
    found = [algorithm.refined(group, n_groups, resolution, rng) for group in found]
    return full(held(n_groups, keep_all=True), k - n_groups)


def _count(group: NDArray[np.int64]) -> int:
    return int(group.max(initial=-1)) + 1


class _Leiden:
    """igraph's Leiden on one graph, again and again."""

    def __init__(self, graph: Graph, n_passes: int) -> None:
        self._n_nodes = graph.n_nodes
        self._n_passes = n_passes
        self._graph, self._weights = as_igraph(graph)

    def run(self, resolution: float, rng: np.random.Generator) -> NDArray[np.int64]:
        """Return groups numbered in the order of their smallest nodes."""
        seed = int(rng.integers(2**63))
        if self._graph.ecount() == 0:
            return np.arange(self._n_nodes)
        # Interrupted, igraph 1.0 frees memory that it has not allocated, and the process ends.
        with igraph_random(seed), interrupts_held():
            found: Any = self._graph.community_leiden(
                objective_function="modularity",
                weights=self._weights,
                resolution=resolution,
                n_iterations=self._n_passes,
            )
        return numbered_by_node(found.membership)

    def refined(
        self, group: NDArray[np.int64], k: int, resolution: float, rng: np.random.Generator
    ) -> NDArray[np.int64]:
        """Return the groups, or where they are fewer than `k`, ones of a higher resolution."""
        finer = max(resolution, 0.5)
        while _count(group) < k:
            finer *= 2.0
            # Beyond, no two nodes gain by being together, or rounding says so.
            if finer > 1e12:
                return np.arange(self._n_nodes)
            group = self.run(finer, rng)
        return group
