"""Groups that merge pair by pair: greedy agglomeration, exactly k groups."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heapify, heappop, heappush

import numpy as np
from numpy.typing import ArrayLike, NDArray

from graphopt._native import _core
from graphopt._validation import check_memory
from graphopt.communities._problem import (
    CommunityProblem,
    CommunityResult,
    check_problem,
    numbered_by_node,
    with_isolated,
)
from graphopt.communities.igraph import as_igraph
from graphopt.graph import Graph

# From this share of all pairs on, a matrix is faster than igraph's lists (measured), while a graph
# is small enough to become one.
_DENSE = 0.01
_DENSE_NODES = 10_000


def cnm(graph: Graph | ArrayLike, k: int | None = None) -> CommunityResult:
    """Find communities by Clauset, Newman and Moore's greedy agglomeration, exactly `k` of them.

    Every node starts as a group; the two groups whose union gains most modularity are merged, again
    and again, as long as some union gains. Where `k` is smaller still, the unions that cost least
    follow, whether the groups are adjacent or not: nodes without an edge join the largest group
    first, in their order, as that costs nothing.

    Parameters
    ----------
    graph : Graph or array of float, shape (n_nodes, n_nodes)
        Undirected; weights, if any, must not be negative. An array holds the weight of every pair,
        say the probability of an edge: symmetric, its diagonal is ignored.
    k : int, optional
        Number of groups, ``1 .. n_nodes``. None: merging stops where nothing gains.

    Returns
    -------
    CommunityResult

    Raises
    ------
    ValueError
        If the graph is directed, the array not symmetric, a weight negative or not finite, or for
        `k` outside ``1 .. n_nodes``.
    MemoryLimitError
        If the matrix of gains of a dense graph does not fit into memory.

    Notes
    -----
    Near-linear time on sparse graphs, where igraph merges while something gains; its own dendrogram
    cannot be cut below the number of components, and merges within a component even where joining
    two others would cost less. Where one pair in a hundred or more has a weight, a matrix of all
    gains takes over: O(n²) memory, O(n²) time in practice, and of unions that gain the same the
    smallest pair of nodes comes first. Both ways merge alike except for such ties, and for steps
    where igraph takes a union that gains less than the best, as it does now and then.
    A. Clauset, M. E. J. Newman and C. Moore, Phys. Rev. E 70, 066111 (2004).

    Examples
    --------
    >>> two_triangles = Graph.from_edges([(0, 1), (1, 2), (0, 2), (3, 4), (4, 5), (3, 5), (2, 3)])
    >>> cnm(two_triangles, 2).labels
    array([0, 0, 0, 1, 1, 1], dtype=int32)
    """
    problem = check_problem(graph, k)
    weights, k = problem.weights, problem.k
    if isinstance(weights, Graph):
        sparse = 2 * weights.n_edges < _DENSE * weights.n_nodes**2
        if sparse or weights.n_nodes > _DENSE_NODES:
            return problem.result(_merge_lists(weights, k))
        return problem.result(_merge_matrix(weights.to_scipy().toarray(), k))
    if np.count_nonzero(weights) < _DENSE * weights.size:
        return problem.result(_merge_lists(problem.as_graph(), k))
    return problem.result(_merge_matrix(weights, k))


def _merge_lists(graph: Graph, k: int | None) -> NDArray[np.int64]:
    """Let igraph merge while something gains, then merge down to `k`."""
    group = np.arange(graph.n_nodes)
    peer, weights = as_igraph(graph)
    if peer.ecount():
        merging = peer.community_fastgreedy(weights=weights)
        count = merging.optimal_count if k is None else max(k, merging.optimal_count)
        group = numbered_by_node(merging.as_clustering(count).membership)
    return group if k is None else merge_groups(graph, group, k, 1.0)


def _merge_matrix(weights: NDArray[np.float64], k: int | None) -> NDArray[np.int64]:
    """Merge what gains; then nodes without an edge join the largest group; then merge on."""
    n_nodes = len(weights)
    nodes, between = CommunityProblem(weights).nodes_with_edges()
    n_isolated = n_nodes - len(nodes)
    if len(nodes) == 0:
        return with_isolated(nodes, nodes, n_nodes, n_nodes if k is None else k)
    check_memory(
        f"a matrix of gains of {len(nodes):,} nodes", 8 * len(nodes) ** 2, "drop weak edges"
    )
    pairs, gains = _core.cnm(np.ascontiguousarray(between), max(1, (k or 1) - n_isolated))
    n_gaining = int((gains > 0.0).sum())  # the first ones: once none gains, none will
    if k is None:
        return with_isolated(_cut(pairs[:n_gaining], len(nodes)), nodes, n_nodes, n_isolated)
    n_first = min(n_gaining, n_nodes - k)
    n_alone = max(0, n_isolated - (n_nodes - k - n_first))
    first = _cut(pairs[:n_first], len(nodes))
    final = _cut(pairs[: len(nodes) + n_alone - k], len(nodes))
    return with_isolated(final, nodes, n_nodes, n_alone, host=int(np.bincount(first).argmax()))


def _cut(pairs: NDArray[np.int32], n_nodes: int) -> NDArray[np.int64]:
    """Return the smallest node of each node's group after some merges."""
    smallest = np.arange(n_nodes)
    smallest[pairs[:, 1]] = pairs[:, 0]
    while (smallest[smallest] != smallest).any():
        smallest = smallest[smallest]
    return smallest


def merge_groups(
    graph: Graph, group: NDArray[np.int64], k: int, resolution: float
) -> NDArray[np.int64]:
    """Merge pairs of groups, the best first, until `k` remain; O(m + g log g) for g groups."""
    if len(np.unique(group)) <= k:
        return group
    groups = _Groups(graph, group, resolution)
    while groups.count > k and (best := groups.best_pair()) is not None and best[0] < 0.0:
        groups.merge(*best[1:])
    groups.absorb_isolated(groups.count - k)
    while groups.count > k and (best := groups.best_pair()) is not None:
        groups.merge(*best[1:])
    return groups.final_numbers()[group]


class _Groups:
    """Groups that merge pair by pair; a union is a new group with the next free number.

    The best pair is an adjacent one, kept in a heap by loss, or the two groups of smallest
    strength: groups that share no edge lose in proportion to the product of their strengths.
    Groups without any edge are set aside. Heaps keep merged groups until they come to the top.
    """

    def __init__(self, graph: Graph, group: NDArray[np.int64], resolution: float) -> None:
        strengths = np.bincount(group, weights=graph.strengths)
        self.count = len(strengths)
        self.total = float(strengths.sum())  # twice the weight of all edges
        self.resolution = resolution
        self.strength: list[float] = strengths.tolist()
        self.size: list[int] = np.bincount(group).tolist()
        self.union: list[int] = list(range(self.count))  # the group that each is now part of
        self.isolated: list[int] = np.flatnonzero(strengths == 0).tolist()
        self.links: list[dict[int, float]] = [{} for _ in range(self.count)]
        for a, b, weight in _weights_between(graph, group):
            self.links[a][b] = self.links[b][a] = weight
        self.pairs = [self._pair(a, b) for a, row in enumerate(self.links) for b in row if a < b]
        self.smallest = [(s, g) for g, s in enumerate(self.strength) if s > 0]
        heapify(self.pairs)
        heapify(self.smallest)

    def best_pair(self) -> tuple[float, int, int] | None:
        """Return the modularity that the best merge loses, and the pair; None if there is none."""
        while self.pairs and not (self._alive(self.pairs[0][1]) and self._alive(self.pairs[0][2])):
            heappop(self.pairs)
        two: list[tuple[float, int]] = []
        while self.smallest and len(two) < 2:
            entry = heappop(self.smallest)
            if self._alive(entry[1]):
                two.append(entry)
        for entry in two:
            heappush(self.smallest, entry)
        if len(two) < 2:
            return None
        # If these two do share an edge, their entry in the heap is better still.
        apart = self._pair(two[0][1], two[1][1])
        return min(self.pairs[0], apart) if self.pairs else apart

    def merge(self, a: int, b: int) -> None:
        """Replace two groups by their union."""
        new = len(self.union)
        self.union[a] = self.union[b] = new
        self.union.append(new)
        self.strength.append(self.strength[a] + self.strength[b])
        self.size.append(self.size[a] + self.size[b])
        self.links.append({})
        for old in (a, b):
            for other, weight in self.links[old].items():
                if other not in (a, b):
                    del self.links[other][old]
                    total = self.links[new].get(other, 0.0) + weight
                    self.links[new][other] = self.links[other][new] = total
            self.links[old] = {}
        for other in self.links[new]:
            heappush(self.pairs, self._pair(other, new))
        heappush(self.smallest, (self.strength[new], new))
        self.count -= 1

    def absorb_isolated(self, how_many: int) -> None:
        """Let up to `how_many` groups without an edge join the largest group."""
        alive = [g for g, union in enumerate(self.union) if g == union]
        if how_many <= 0 or not alive:
            return
        host = max(alive, key=lambda g: (self.strength[g] > 0, self.size[g], -g))
        for g in [g for g in self.isolated if g != host][:how_many]:
            self.union[g] = host
            self.count -= 1

    def final_numbers(self) -> NDArray[np.int64]:
        """Return the group that each group became part of in the end."""
        final = np.array(self.union)
        while (final[final] != final).any():
            final = final[final]
        return final

    def _pair(self, a: int, b: int) -> tuple[float, int, int]:
        together = self.links[a].get(b, 0.0) / self.total
        expected = self.strength[a] / self.total * (self.strength[b] / self.total)
        return 2.0 * (self.resolution * expected - together), min(a, b), max(a, b)

    def _alive(self, g: int) -> bool:
        return self.union[g] == g


def _weights_between(graph: Graph, group: NDArray[np.int64]) -> Iterator[tuple[int, int, float]]:
    """Yield the pairs of groups a < b that share edges, and the weight they share, not 0."""
    ends = np.sort(group[graph.edges], axis=1)
    weights = graph.edge_weights
    across = ends[:, 0] < ends[:, 1]
    if weights is not None:
        across &= weights > 0.0
    n_groups = int(group.max(initial=0)) + 1
    pairs, which = np.unique(ends[across] @ (n_groups, 1), return_inverse=True)
    shared = np.bincount(which, None if weights is None else weights[across], minlength=len(pairs))
    a, b = np.divmod(pairs, n_groups)
    yield from zip(a.tolist(), b.tolist(), shared.tolist(), strict=True)
