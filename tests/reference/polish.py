"""Iterated local search for modularity with the number of groups held, drawn as the kernel does."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tests.reference.rounding import SplitMix64

_ROUNDING = 1e-12
_KICKS_PER_CYCLE = 100
_FARTHEST_REACH = 8
_FAR_KICKS = 8


@dataclass(frozen=True)
class Level:
    """A graph whose nodes may stand for several: neighbours' weights, and nodes' strengths."""

    rows: list[dict[int, float]]
    strengths: list[float]


@dataclass(frozen=True)
class Rule:
    """What a move gains, and which moves there are."""

    total: float
    resolution: float
    keep_all: bool
    leap: bool


def polish(
    adjacency: NDArray[np.float64],
    starts: NDArray[np.int32],
    n_groups: int,
    resolution: float,
    keep_all: bool,
    perturbations: int,
    seed: int,
) -> NDArray[np.int32]:
    """Raise the modularity of each start, then combine the best with each other one.

    Parameters
    ----------
    adjacency : array of float64, shape (n_nodes, n_nodes)
        Symmetric, with zeros on the diagonal; what is not zero is an edge.
    starts : array of int32, shape (n_starts, n_nodes)
        In ``0 .. n_groups - 1``.
    n_groups : int
    resolution : float
    keep_all : bool
        No group loses its last node.
    perturbations : int
        At each level.
    seed : int

    Returns
    -------
    array of int32, shape (n_nodes,)
    """
    rows = [{int(j): float(row[j]) for j in np.flatnonzero(row)} for row in adjacency]
    graph = Level(rows, [_sum(row.values()) for row in rows])
    total = _sum(graph.strengths)
    if not total > 0.0:
        return np.array(starts[0])
    between = Rule(total, resolution, keep_all, leap=True)
    found = [
        _polish_one(graph, start.tolist(), n_groups, between, perturbations, seed, number)
        for number, start in enumerate(starts)
    ]
    found.sort(key=lambda labels: -_modularity(graph, labels, n_groups, between))
    best, random = found[0], SplitMix64.of_draw(seed, len(starts))
    for other in found[1:]:
        pairs = list(zip(best, other, strict=True))
        levels = [(graph, best)]
        classes = _add_communities(levels, _numbered(pairs), between, random)
        parent = _numbered(classes)
        if max(parent) + 1 < len(parent):
            _add(levels, parent)
        best = _descend(levels, n_groups, between, min(perturbations, _KICKS_PER_CYCLE), random)
    return np.array(best, np.int32)


def _polish_one(
    graph: Level,
    labels: list[int],
    n_groups: int,
    rule: Rule,
    perturbations: int,
    seed: int,
    number: int,
) -> list[int]:
    random = SplitMix64.of_draw(seed, number)
    Moves(graph, labels, n_groups, rule).settle_all(random)
    left = perturbations
    while True:
        kicks = min(left, _KICKS_PER_CYCLE)
        levels = [(graph, labels)]
        _add_communities(levels, labels, rule, random)
        labels = _descend(levels, n_groups, rule, kicks, random)
        left -= kicks
        if left == 0:
            return labels


Levels = list[tuple[Level, list[int]]]


def _add_communities(
    levels: Levels, classes: list[int], rule: Rule, random: SplitMix64
) -> list[int]:
    """Append levels whose nodes are communities within classes; return the last one's classes."""
    inside = Rule(rule.total, rule.resolution, keep_all=False, leap=False)
    while True:
        level = levels[-1][0]
        n = len(level.rows)
        parent = list(range(n))
        Moves(level, parent, n, inside, classes).settle_all(random)
        parent = _numbered(parent)
        if max(parent) + 1 == n:
            return classes
        classes = [classes[parent.index(p)] for p in range(max(parent) + 1)]
        _add(levels, parent)


def _add(levels: Levels, parent: list[int]) -> None:
    """Append a level whose nodes are those of the last one, joined; remember who is whose."""
    level, labels = levels[-1]
    rows: list[dict[int, float]] = []
    strengths: list[float] = []
    joined: list[int] = []
    for p in range(max(parent) + 1):
        members = [i for i, of in enumerate(parent) if of == p]
        links: dict[int, float] = {}
        for i in members:
            for j, weight in level.rows[i].items():
                if parent[j] != p:
                    links[parent[j]] = links.get(parent[j], 0.0) + weight
        rows.append(dict(sorted(links.items())))
        strengths.append(_sum(level.strengths[i] for i in members))
        joined.append(labels[members[0]])
    levels[-1] = (level, parent)  # from now on, where its labels come from
    levels.append((Level(rows, strengths), joined))


def _descend(
    levels: Levels, n_groups: int, rule: Rule, kicks: int, random: SplitMix64
) -> list[int]:
    """Move and perturb at every level, from the coarsest on; return the labels of the finest."""
    labels: list[int] = []
    for level, own in reversed(levels):
        labels = own if not labels else [labels[p] for p in own]
        moves = Moves(level, labels, n_groups, rule)
        moves.settle_all(random)
        reach = min(max(len(labels) // (2 * n_groups), 2), _FARTHEST_REACH)
        for _ in range(kicks):
            moves.kick(reach, random)
    return labels


class Moves:
    """A partition that changes node by node; `labels` are changed in place."""

    def __init__(
        self,
        level: Level,
        labels: list[int],
        n_groups: int,
        rule: Rule,
        within: list[int] | None = None,
    ) -> None:
        self.level, self.labels, self.n_groups, self.rule = level, labels, n_groups, rule
        self.within = within
        self.volumes = [0.0] * n_groups
        for i, group in enumerate(labels):
            self.volumes[group] += level.strengths[i]
        self.queue: deque[int] = deque()

    def settle_all(self, random: SplitMix64) -> None:
        """Let every node move to the group that gains most, until none gains."""
        self.queue.extend(random.shuffled(self._movable()))
        self._settle()

    def kick(self, reach: int, random: SplitMix64) -> None:
        """Put a few adjacent nodes into another group and settle; keep what gains."""
        movable = self._movable()
        if not movable or self.n_groups < 2:
            return
        start = movable[_below(len(movable), random)]
        own = self.labels[start]
        region = self._region(start, 1 + _below(reach, random), random)
        around = [self.labels[j] for i in region for j in self.level.rows[i]]
        groups = [group for group in dict.fromkeys(around) if group != own]
        if not groups or _below(_FAR_KICKS, random) == 0:
            other = _below(self.n_groups - 1, random)
            target = other if other < own else other + 1
        else:
            target = groups[_below(len(groups), random)]

        whole = self.rule.keep_all and len(region) == self.labels.count(own)
        if whole and target not in self.labels:
            return
        before = list(self.labels), list(self.volumes)
        gained = 0.0
        for i in region:
            gained += self._move(i, target)
        if whole:
            at = _below(len(movable), random)
            while self.labels.count(self.labels[movable[at]]) < 2:
                at = (at + 1) % len(movable)
            region.append(movable[at])
            gained += self._move(movable[at], own)
        for i in region:
            for j in self.level.rows[i]:
                if self.labels[j] != target:
                    self._push(j)
        for i in region:
            self._push(i)
        gained += self._settle()
        if gained <= self._least():
            self.labels[:], self.volumes[:] = before

    def _movable(self) -> list[int]:
        return [i for i, strength in enumerate(self.level.strengths) if strength > 0.0]

    def _least(self) -> float:
        return _ROUNDING * self.rule.total * self.rule.total / 2.0

    def _region(self, start: int, wanted: int, random: SplitMix64) -> list[int]:
        own, frontier, met = self.labels[start], [start], {start}
        region: list[int] = []
        while frontier and len(region) < wanted:
            at = _below(len(frontier), random)
            frontier[at], frontier[-1] = frontier[-1], frontier[at]
            i = frontier.pop()
            region.append(i)
            new = [j for j in self.level.rows[i] if self.labels[j] == own and j not in met]
            frontier += new
            met.update(new)
        return region

    def _links(self, i: int) -> dict[int, float]:
        links: dict[int, float] = {}
        for j, weight in self.level.rows[i].items():
            if self.within is None or self.within[j] == self.within[i]:
                links[self.labels[j]] = links.get(self.labels[j], 0.0) + weight
        return links

    def _stay(self, i: int) -> float:
        own, strength = self.labels[i], self.level.strengths[i]
        pull = self.rule.resolution * strength
        link = self._links(i).get(own, 0.0)
        return link * self.rule.total - pull * (self.volumes[own] - strength)

    def _gain(self, i: int, group: int) -> float:
        """Return what a move gains, in units of total² / 2: exact for whole numbers."""
        pull = self.rule.resolution * self.level.strengths[i]
        link = self._links(i).get(group, 0.0)
        return link * self.rule.total - pull * self.volumes[group] - self._stay(i)

    def _settle(self) -> float:
        gained = 0.0
        while self.queue:
            i = self.queue.popleft()
            own = self.labels[i]
            if self.rule.keep_all and self.labels.count(own) == 1:
                continue
            groups = set(self._links(i)) - {own}
            if self.rule.leap and self._stay(i) < 0.0 and self.n_groups > 1:
                others = [group for group in range(self.n_groups) if group != own]
                groups.add(min(others, key=lambda group: self.volumes[group]))
            gains = [(-self._gain(i, group), group) for group in groups]
            if not gains or -min(gains)[0] <= self._least():
                continue
            to = min(gains)[1]
            gained += self._move(i, to)
            for j in self.level.rows[i]:
                if self.labels[j] != to and (
                    self.within is None or self.within[j] == self.within[i]
                ):
                    self._push(j)
        return gained

    def _move(self, i: int, to: int) -> float:
        gain = self._gain(i, to)
        self.volumes[self.labels[i]] -= self.level.strengths[i]
        self.volumes[to] += self.level.strengths[i]
        self.labels[i] = to
        return gain

    def _push(self, i: int) -> None:
        if i not in self.queue:
            self.queue.append(i)


def _modularity(graph: Level, labels: list[int], n_groups: int, rule: Rule) -> float:
    volumes = [0.0] * n_groups
    inside = 0.0
    for i, row in enumerate(graph.rows):
        volumes[labels[i]] += graph.strengths[i]
        for j, weight in row.items():
            if labels[i] == labels[j]:
                inside += weight
    expected = _sum(volume * volume for volume in volumes)
    return (inside - rule.resolution * expected / rule.total) / rule.total


def _numbered(items: Sequence[object]) -> list[int]:
    """Return the items numbered in the order they are met."""
    number = {item: at for at, item in enumerate(dict.fromkeys(items))}
    return [number[item] for item in items]


def _below(bound: int, random: SplitMix64) -> int:
    return int(random.uniform() * bound)


def _sum(values: Iterable[float]) -> float:
    """Add from left to right, as the kernel does (`sum` of newer Pythons compensates)."""
    total = 0.0
    for value in values:
        total += value
    return total
