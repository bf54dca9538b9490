"""Groups that merge pair by pair, on a sparse graph."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heapify, heappop, heappush

import numpy as np
from numpy.typing import NDArray

from graphopt.graph import Graph


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
