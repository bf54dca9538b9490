"""An iterated local search that holds the number of groups, for any partition."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from graphopt._native import _core
from graphopt._threads import resolve_num_threads
from graphopt._validation import RandomState, check_integer, check_random_state
from graphopt.communities._cnm import merge_groups
from graphopt.communities._newman import split_groups
from graphopt.communities._problem import (
    CommunityProblem,
    CommunityResult,
    check_labels,
    check_problem,
    numbered_by_node,
)
from graphopt.graph import Graph

# At each level of the graph, for each start: more find little.
PERTURBATIONS = 200


def polish(
    graph: Graph | ArrayLike,
    labels: ArrayLike,
    k: int | None = None,
    *,
    exactly: bool = False,
    resolution: float = 1.0,
    perturbations: int = PERTURBATIONS,
    random_state: RandomState = None,
    num_threads: int | None = None,
) -> CommunityResult:
    """Raise the modularity of a partition by iterated local search, at most `k` groups.

    Nodes, and communities within groups as though they were nodes, move to the group that gains
    most, adjacent or not, until none gains. Then, again and again, a few nodes that hang together
    are put into another group, their neighbours move, and what did not gain is undone.

    Where there are more than `k` groups, pairs are merged first, those that gain most or cost
    least. Where there are fewer and `exactly` is asked for, nodes without an edge leave theirs,
    which costs nothing; if these are too few, groups are split in two, as :func:`newman` does.

    Parameters
    ----------
    graph : Graph or array of float, shape (n_nodes, n_nodes)
        Undirected; weights, if any, must not be negative. An array holds the weight of every pair:
        symmetric, its diagonal is ignored.
    labels : array of int, shape (n_nodes,)
        Group of each node; any integers, say ``model.labels_``.
    k : int, optional
        Number of groups, ``1 .. n_nodes``. None: as many as `labels` has.
    exactly : bool
        False: at most `k` groups; some may lose all their nodes.
    resolution : float
        Above 1: more and smaller groups.
    perturbations : int
        At each level: the nodes, their communities, communities of these, ... Every hundred are a
        cycle with levels of its own. 0: local moves only.
    random_state : int, Generator or None
        Nodes are visited in random order, and perturbed at random.
    num_threads : int, optional
        For symmetry with other functions; one partition is polished on one thread.

    Returns
    -------
    CommunityResult
        Its modularity is at least that of `labels`, unless these had to be merged or split. Nodes
        without an edge stay in their group, except as described above.

    Raises
    ------
    ValueError
        If the graph is directed, the array not symmetric, a weight negative, or for `k` outside
        ``1 .. n_nodes``.

    Notes
    -----
    Near-linear time for the local moves, and about a mean degree's square for a perturbation. Moves
    and levels are those of V. D. Blondel et al., J. Stat. Mech. P10008 (2008), with the number of
    groups held.

    Examples
    --------
    >>> two_triangles = Graph.from_edges([(0, 1), (1, 2), (0, 2), (3, 4), (4, 5), (3, 5), (2, 3)])
    >>> polish(two_triangles, [0, 1, 0, 1, 0, 1], random_state=0).labels
    array([0, 0, 0, 1, 1, 1], dtype=int32)
    """
    problem = check_problem(graph, k, resolution=resolution)
    graph = problem.as_graph()
    problem = replace(problem, weights=graph)
    given = check_labels(labels, problem.n_nodes)
    search = LocalSearch(
        graph,
        problem.resolution,
        check_perturbations(perturbations),
        check_random_state(random_state),
        num_threads,
    )
    if problem.n_nodes == 0:
        return problem.result(given)

    k = int(given.max()) + 1 if problem.k is None else problem.k
    start = numbered_by_node(merge_groups(graph, given, k, problem.resolution))

    def improved(start: NDArray[np.int64], keep_all: bool) -> NDArray[np.int64]:
        found = search.run(start[None], k, keep_all=keep_all)
        # The kernel loses nothing but by rounding.
        return found if problem.modularity(found) >= problem.modularity(start) else start

    if not exactly:
        return problem.result(improved(start, keep_all=False))
    isolated = np.flatnonzero(graph.strengths == 0)
    if isolated.size:
        # Groups may be lost as long as such nodes make up for them.
        found = _with_alone(improved(start, keep_all=False), isolated, k)
        if len(np.unique(found)) == k:
            return problem.result(found)
    start = _split_to(problem, _with_alone(start, isolated, k), k)
    return problem.result(improved(start, keep_all=True))


@dataclass(frozen=True, slots=True)
class LocalSearch:
    """Moves and perturbations that hold the number of groups.

    Attributes
    ----------
    graph : Graph
    resolution : float
    perturbations : int
        At each level of the graph, for each start.
    rng : Generator
        Gives each run a seed.
    num_threads : int or None
    """

    graph: Graph
    resolution: float
    perturbations: int
    rng: np.random.Generator
    num_threads: int | None

    def run(self, starts: NDArray[np.int64], k: int, *, keep_all: bool) -> NDArray[np.int64]:
        """Return the best partition that was found from some starts, shape (n_starts, n_nodes).

        At most `k` groups; with `keep_all`, none that has nodes in a start loses its last one.
        """
        labels = _core.polish(
            self.graph.indptr,
            self.graph.indices,
            self.graph.weights,
            np.ascontiguousarray(starts, np.int32),
            k,
            self.resolution,
            keep_all,
            self.perturbations,
            int(self.rng.integers(2**63)),
            resolve_num_threads(self.num_threads),
        )
        return labels.astype(np.int64)


def check_perturbations(perturbations: object) -> int:
    """Return the number of perturbations."""
    return check_integer("perturbations", perturbations, minimum=0, maximum=2**62)


def _with_alone(group: NDArray[np.int64], isolated: NDArray[np.int64], k: int) -> NDArray[np.int64]:
    """Let nodes without an edge leave their groups, the last ones first, until there are `k`."""
    group = numbered_by_node(group)
    sizes = np.bincount(group).tolist()
    for node in isolated[::-1]:
        if len(sizes) < k and sizes[group[node]] > 1:
            sizes[group[node]] -= 1
            group[node] = len(sizes)
            sizes.append(1)
    return group


def _split_to(problem: CommunityProblem, group: NDArray[np.int64], k: int) -> NDArray[np.int64]:
    """Split groups, numbered from 0, until there are `k`.

    If there are fewer, nodes without an edge are alone, so that those with one can make the rest.
    """
    n_groups = int(group.max()) + 1
    if n_groups == k:
        return group
    nodes, matrix = problem.nodes_with_edges()
    names, local = np.unique(group[nodes], return_inverse=True)
    n_local = len(names) + k - n_groups
    split = split_groups(matrix, local.reshape(-1), n_local, n_local, refine=False)
    group = group.copy()
    group[nodes] = np.concatenate([names, np.arange(n_groups, k)])[split]
    return group
