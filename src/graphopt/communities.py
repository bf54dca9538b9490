"""Communities of a known graph, and how good they are."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from graphopt._validation import RandomState, check_integer, check_number, check_random_state
from graphopt.graph import Graph

_IGRAPH_RANDOM = threading.Lock()


@dataclass(frozen=True, slots=True, eq=False)
class CommunityResult:
    """A partition of the nodes and its quality.

    Parameters
    ----------
    labels : array of int32, shape (n_nodes,)
        Group of each node; groups are numbered ``0 .. n_communities - 1`` by their smallest node.
    modularity : float
        Of these labels, at the resolution that was asked for.
    """

    labels: NDArray[np.int32]
    modularity: float

    @property
    def n_communities(self) -> int:
        """Number of groups."""
        return int(self.labels.max()) + 1 if self.labels.size else 0


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
    k = _check_k(k, graph.n_nodes)
    resolution = check_number("resolution", resolution, minimum=0.0)
    passes = -1 if iterations is None else check_integer("iterations", iterations, minimum=1)
    seed = int(check_random_state(random_state).integers(2**63))

    group = np.arange(graph.n_nodes)
    peer, weights = _as_igraph(graph)
    if peer.ecount():
        with _igraph_random(seed):
            found = peer.community_leiden(
                objective_function="modularity",
                weights=weights,
                resolution=resolution,
                n_iterations=passes,
            )
        group = _numbered_by_node(found.membership)
    if k is not None:
        with_edges = len(np.unique(group[graph.strengths > 0]))
        group = _merge_groups(graph, group, min(k, max(with_edges, 1)), resolution)
    return _result(graph, group, resolution)


def cnm(graph: Graph, k: int | None = None) -> CommunityResult:
    """Find communities by Clauset, Newman and Moore's greedy agglomeration, exactly `k` of them.

    Every node starts as a group; the two groups whose union gains most modularity are merged, again
    and again. As long as some union gains, igraph does the merging. Where `k` is smaller still, it
    goes on with the union that costs least, be the groups adjacent or not: nodes without an edge
    join the largest group first, in their order, as that costs nothing.

    Parameters
    ----------
    graph : Graph
        Undirected; weights, if any, must not be negative.
    k : int, optional
        Number of groups, ``1 .. n_nodes``. None: merging stops where nothing gains.

    Returns
    -------
    CommunityResult

    Raises
    ------
    ValueError
        If the graph is directed or has negative weights, or for `k` outside ``1 .. n_nodes``.

    Notes
    -----
    Near-linear time on sparse graphs. igraph's own dendrogram cannot be cut below the number of
    components, and merges within a component even where joining two others would cost less.
    A. Clauset, M. E. J. Newman and C. Moore, Phys. Rev. E 70, 066111 (2004).

    Examples
    --------
    >>> two_triangles = Graph.from_edges([(0, 1), (1, 2), (0, 2), (3, 4), (4, 5), (3, 5), (2, 3)])
    >>> cnm(two_triangles, 2).labels
    array([0, 0, 0, 1, 1, 1], dtype=int32)
    """
    check_strengths("graph", graph)
    k = _check_k(k, graph.n_nodes)

    group = np.arange(graph.n_nodes)
    peer, weights = _as_igraph(graph)
    if peer.ecount():
        merging = peer.community_fastgreedy(weights=weights)
        count = merging.optimal_count if k is None else max(k, merging.optimal_count)
        group = _numbered_by_node(merging.as_clustering(count).membership)
    if k is not None:
        group = _merge_groups(graph, group, k, 1.0)
    return _result(graph, group, 1.0)


def modularity(graph: Graph, labels: ArrayLike, *, resolution: float = 1.0) -> float:
    """Return the modularity of a partition.

    ``Q = 1/2m [ sum of A_ij over pairs in one group - resolution * sum of S_g^2 / 2m ]`` with
    ``S_g`` the total strength of group g.

    Parameters
    ----------
    graph : Graph
        Undirected; weights, if any, must not be negative.
    labels : array of int, shape (n_nodes,)
        Group of each node; any integers.
    resolution : float
        1 is Newman and Girvan's modularity.

    Returns
    -------
    float
        In [-1/2, 1] at resolution 1; 0 for a graph without edges.

    Raises
    ------
    ValueError
        For a directed graph, negative weights, or labels of the wrong length.

    Notes
    -----
    O(n + m). M. E. J. Newman and M. Girvan, Phys. Rev. E 69, 026113 (2004).

    Examples
    --------
    >>> two_triangles = Graph.from_edges([(0, 1), (1, 2), (0, 2), (3, 4), (4, 5), (3, 5), (2, 3)])
    >>> round(modularity(two_triangles, [0, 0, 0, 1, 1, 1]), 4)
    0.3571
    """
    check_strengths("graph", graph)
    weights = graph.edge_weights
    resolution = check_number("resolution", resolution, minimum=0.0)
    group = _check_labels(labels, graph.n_nodes)
    strengths = graph.strengths
    total = float(strengths.sum())
    if total == 0.0:
        return 0.0
    edges = graph.edges
    together = group[edges[:, 0]] == group[edges[:, 1]]
    inside = float(together.sum() if weights is None else weights[together].sum())
    volumes = np.bincount(group, weights=strengths) / total
    return 2.0 * inside / total - resolution * float(volumes @ volumes)


def _result(graph: Graph, group: NDArray[np.int64], resolution: float) -> CommunityResult:
    labels = _numbered_by_node(group).astype(np.int32)
    return CommunityResult(labels, modularity(graph, labels, resolution=resolution))


def _numbered_by_node(group: ArrayLike) -> NDArray[np.int64]:
    """Return the groups numbered 0, 1, ... in the order of their smallest nodes."""
    _, first, number = np.unique(group, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[number]


def _as_igraph(graph: Graph) -> tuple[Any, NDArray[np.float64] | None]:
    """Return the graph without edges of weight 0, which igraph refuses, and the weights left."""
    import igraph

    edges, weights = graph.edges, graph.edge_weights
    if weights is not None:
        edges, weights = edges[weights > 0], weights[weights > 0]
    return igraph.Graph(n=graph.n_nodes, edges=edges.astype(np.int64)), weights


@contextmanager
def _igraph_random(seed: int) -> Iterator[None]:
    import igraph

    with _IGRAPH_RANDOM:
        igraph.set_random_number_generator(random.Random(seed))
        try:
            yield
        finally:
            igraph.set_random_number_generator(random)


# --- merging ------------------------------------------------------------------------------------


def _merge_groups(
    graph: Graph, group: NDArray[np.int64], k: int, resolution: float
) -> NDArray[np.int64]:
    """Merge pairs of groups, the best first, until `k` remain; O(m + g log g) for g groups."""
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
    """Yield the pairs of groups a < b that share edges, and the weight they share."""
    ends = np.sort(group[graph.edges], axis=1)
    weights = graph.edge_weights
    across = ends[:, 0] < ends[:, 1]
    pairs, which = np.unique(ends[across], axis=0, return_inverse=True)
    shared = np.bincount(
        which.reshape(-1), None if weights is None else weights[across], minlength=len(pairs)
    )
    yield from zip(*pairs.T.tolist(), shared.tolist(), strict=True)


# --- checks -------------------------------------------------------------------------------------


def check_strengths(name: str, graph: Graph) -> None:
    """Raise ValueError naming `name` for a directed graph or negative weights."""
    if graph.directed:
        raise ValueError(f"{name} must be undirected")
    if graph.weights is not None and (graph.weights < 0).any():
        raise ValueError(f"{name} must not have negative weights")


def _check_k(k: int | None, n_nodes: int) -> int | None:
    return None if k is None else check_integer("k", k, minimum=1, maximum=n_nodes)


def _check_labels(labels: ArrayLike, n_nodes: int) -> NDArray[np.int64]:
    """Return labels renumbered from 0."""
    array = np.asarray(labels)
    if array.shape != (n_nodes,):
        raise ValueError(f"labels must have shape ({n_nodes},), not {array.shape}")
    if array.size and array.dtype.kind not in "iub":
        raise TypeError(f"labels must be integers, not {array.dtype}")
    return np.unique(array, return_inverse=True)[1].astype(np.int64).reshape(n_nodes)
