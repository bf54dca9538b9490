"""Synthetic graphs: spatial preferential attachment, as in ClusterNet's appendix 2.2."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import overload

import numpy as np
from numpy.typing import NDArray

from graphopt._loading import load_whole
from graphopt._validation import (
    RandomState,
    check_choice,
    check_integer,
    check_memory,
    check_number,
    check_random_state,
)
from graphopt.datasets.dataset import Dataset
from graphopt.datasets.splits import observed_graph, split_edges
from graphopt.datasets.structural_features import LOCAL_FEATURES, structural_features
from graphopt.graph import Graph

# Attributes are a mixture of Gaussians. The region and the width are chosen so that, with rho of
# the paper, 500 nodes give graphs like the published ones.
_REGION = 4.0
_WIDTH = 0.4

# In units of rho: boxes farther away are not looked at one by one.
_NEAR = 12.0

# Attributes are of size 1: below, rounding decides who is near; above, squares leave the range.
_LEAST_RHO, _MOST_RHO = 1e-12, 1e100

_MAX_EDGES_PER_NODE = 2.0**31  # more than there can be nodes

# Of a node, of an edge and of a group, in a graph while it grows: Python lists and numbers.
_NODE_BYTES, _EDGE_BYTES, _GROUP_BYTES = 400, 300, 100


@overload
def synthetic(
    n_nodes: int = ...,
    *,
    n_graphs: None = None,
    rho: float = ...,
    edges_per_node: float = ...,
    n_attributes: int = ...,
    n_groups: int = ...,
    features: str = ...,
    n_features: int = ...,
    seen_fraction: float = ...,
    random_state: RandomState = ...,
) -> Dataset: ...
@overload
def synthetic(
    n_nodes: int = ...,
    *,
    n_graphs: int,
    rho: float = ...,
    edges_per_node: float = ...,
    n_attributes: int = ...,
    n_groups: int = ...,
    features: str = ...,
    n_features: int = ...,
    seen_fraction: float = ...,
    random_state: RandomState = ...,
) -> list[Dataset]: ...
def synthetic(
    n_nodes: int = 500,
    *,
    n_graphs: int | None = None,
    rho: float = 0.025,
    edges_per_node: float = 1.75,
    n_attributes: int = 2,
    n_groups: int = 20,
    features: str = "structural",
    n_features: int = 64,
    seen_fraction: float = 0.4,
    random_state: RandomState = 0,
) -> Dataset | list[Dataset]:
    """Draw connected graphs with homophily and a heavy tail of degrees.

    Every node has attributes y, drawn from a mixture of Gaussians as people's are from groups.
    Nodes join one by one; a node makes 1 + Poisson(`edges_per_node` - 1) edges, to nodes j that
    joined before it, different ones, with probability proportional to
    ``exp(-|y_i - y_j| / rho) * degree(j)``. Then nodes are renumbered at random and part of the
    edges is hidden.

    Parameters
    ----------
    n_nodes : int
    n_graphs : int, optional
        None: one data set; a number: a list of so many, one after the other from one generator.
    rho : float
        Reach of homophily in the space of attributes: the smaller, the more alike are neighbours.
        Within 1e-12 .. 1e100.
    edges_per_node : float
        At least 1. The default gives 500 nodes about 875 edges, as the published graphs have.
    n_attributes, n_groups : int
        Dimension and number of Gaussians. `labels` tells each node's group.
    features : {"structural", "attributes"}
        ``"structural"``: :func:`graphopt.datasets.structural_features` of the observed graph for
        `observed_features` and of the full graph for `features`; attributes stay unknown, as in
        the paper (which computes role2vec: see :func:`synthetic_distribution`).
        ``"attributes"``: y itself for both.
    n_features : int
        Columns of structural features, at least 7.
    seen_fraction : float
        Part of the undirected edges that is observed, drawn uniformly.
    random_state : int, Generator or None

    Returns
    -------
    Dataset or list of Dataset
        `node_ids` tells when each node joined.

    Raises
    ------
    ValueError
        For arguments out of range.
    graphopt.errors.MemoryLimitError
        If the graphs do not fit in memory.

    Notes
    -----
    Sampling is exact at every size, in O(n + m) memory; a node takes the time to look at the
    neighbourhood of radius 12 rho in boxes of diagonal 4 rho.

    Examples
    --------
    >>> synthetic(200, random_state=1).graph.connected_components()[0]
    1
    """
    n_nodes = check_integer("n_nodes", n_nodes, minimum=1)
    if n_graphs is not None:
        n_graphs = check_integer("n_graphs", n_graphs, minimum=0)
    rho = check_number("rho", rho, minimum=_LEAST_RHO, maximum=_MOST_RHO)
    edges_per_node = check_number(
        "edges_per_node", edges_per_node, minimum=1.0, maximum=_MAX_EDGES_PER_NODE
    )
    n_attributes = check_integer("n_attributes", n_attributes, minimum=1)
    n_groups = check_integer("n_groups", n_groups, minimum=1)
    check_choice("features", features, ("structural", "attributes"))
    n_features = check_integer("n_features", n_features, minimum=len(LOCAL_FEATURES))
    seen_fraction = check_number("seen_fraction", seen_fraction, minimum=0.0, maximum=1.0)
    _check_fits(
        1 if n_graphs is None else n_graphs,
        n_nodes,
        edges_per_node,
        n_groups,
        n_attributes,
        n_features if features == "structural" else n_attributes,
    )
    rng = check_random_state(random_state)

    def draw(name: str) -> Dataset:
        centers = rng.uniform(0.0, _REGION, (n_groups, n_attributes))
        groups = rng.integers(0, n_groups, n_nodes)
        y = centers[groups] + _WIDTH * rng.standard_normal((n_nodes, n_attributes))
        edges = _grow(y, rho, 1 + rng.poisson(edges_per_node - 1.0, n_nodes), rng)
        joined = rng.permutation(n_nodes)  # node i of the result joined as number joined[i]
        graph = Graph.from_edges(np.argsort(joined)[edges], n_nodes)
        split = split_edges(graph, seen_fraction, random_state=rng)
        observed = observed_graph(graph, split)
        if features == "structural":
            seen_x, x = (
                structural_features(part, n_features, random_state=rng)
                for part in (observed, graph)
            )
        else:
            x = seen_x = y[joined].astype(np.float32)
        return Dataset(
            name=name,
            graph=graph,
            observed=observed,
            features=x,
            observed_features=seen_x,
            splits=split,
            labels=groups[joined].astype(np.int32),
            label_names=tuple(f"group {i}" for i in range(n_groups)),
            node_ids=joined,
        )

    if n_graphs is None:
        return draw("synthetic")
    return [draw(f"synthetic/{i}") for i in range(n_graphs)]


def _check_fits(
    n_graphs: int,
    n_nodes: int,
    edges_per_node: float,
    n_groups: int,
    n_attributes: int,
    n_features: int,
) -> None:
    n_edges = min(math.ceil(edges_per_node * n_nodes), n_nodes**2 // 2)
    of_one = n_groups * (_GROUP_BYTES + 8 * n_attributes) + _EDGE_BYTES * n_edges
    of_one += n_nodes * (_NODE_BYTES + 8 * 4 * n_attributes)
    kept = 24 * n_nodes + 32 * n_edges + 4 * 2 * n_features * n_nodes + _GROUP_BYTES * n_groups
    check_memory(
        f"{n_graphs:,} synthetic graphs of {n_nodes:,} nodes and {n_features:,} features",
        of_one + n_graphs * kept,
        "draw fewer or smaller graphs, with fewer features, attributes or groups",
    )


class _Growth:
    """Nodes at fixed places that join in order.

    Partners are drawn by rejection, exactly. Nodes lie in boxes. A box is chosen by an upper bound
    of its weight, its total degree times the kernel at its nearest point; in it an end of an edge,
    so a node in proportion to its degree; the node is accepted with kernel(node) / kernel(nearest
    point), at least exp(-4). All boxes beyond a radius count as one, which is hardly ever chosen.
    """

    def __init__(self, y: NDArray[np.float64], rho: float, rng: np.random.Generator) -> None:
        load_whole("scipy.spatial")
        from scipy.spatial import cKDTree

        self.rho, self.rng = rho, rng
        side = 4.0 * rho / np.sqrt(y.shape[1])
        origin = y.min(axis=0)
        corners, box = np.unique(np.floor((y - origin) / side), axis=0, return_inverse=True)
        self.low = origin + corners * side
        self.high = self.low + side
        self.centers = cKDTree(self.low + side / 2)
        self.y = y
        self.places = y.tolist()
        self.box: list[int] = box.reshape(-1).tolist()
        self.degree = [0] * len(y)
        self.ends: list[int] = []  # a node once for each of its edges
        self.ends_in: list[list[int]] = [[] for _ in corners]
        self.volume = np.zeros(len(corners))  # lengths of `ends_in`

    def connect(self, i: int, j: int) -> None:
        """Count an edge between two nodes."""
        for node in (i, j):
            self.degree[node] += 1
            self.ends.append(node)
            self.ends_in[self.box[node]].append(node)
            self.volume[self.box[node]] += 1

    def partners(self, i: int, count: int) -> list[int]:
        """Draw different nodes for node i; at least `count` nodes must have an edge."""
        chosen: list[int] = []
        radius = _NEAR * self.rho
        boxes, gap = self._boxes_within(i, radius)
        while len(chosen) < count:
            free = self.volume[boxes]
            for j in chosen:
                free[boxes == self.box[j]] -= self.degree[j]
            if (free > 0).any():
                # Relative to the nearest box, so that the kernel does not vanish altogether.
                shift = gap[free > 0].min()
                bound = np.cumsum(np.exp(np.minimum(shift - gap, 0.0) / self.rho) * free)
                beyond = len(self.ends) * math.exp(min(shift - radius, 0.0) / self.rho)
                if len(boxes) == len(self.volume):
                    beyond = 0.0
                if beyond <= bound[-1]:
                    chosen.append(self._draw(i, chosen, boxes, gap, bound, radius, beyond))
                    continue
            radius *= 2.0
            boxes, gap = self._boxes_within(i, radius)
        return chosen

    def _draw(
        self,
        i: int,
        chosen: list[int],
        boxes: NDArray[np.intp],
        gap: NDArray[np.float64],
        bound: NDArray[np.float64],
        radius: float,
        beyond: float,
    ) -> int:
        """Draw a node that is not yet chosen: from a box near by, or from beyond the radius."""
        while True:
            at = self.rng.random() * (bound[-1] + beyond)
            if at < bound[-1]:
                b = int(bound.searchsorted(at, side="right"))
                j, nearest = self._end(self.ends_in[boxes[b]], chosen), float(gap[b])
            else:
                j, nearest = self._end(self.ends, ()), radius
                if j in chosen or (boxes == self.box[j]).any():
                    continue
            distance = math.dist(self.places[i], self.places[j])
            if self.rng.random() < math.exp(min(nearest - distance, 0.0) / self.rho):
                return j

    def _end(self, ends: list[int], unwanted: Collection[int]) -> int:
        while True:
            j = ends[int(self.rng.random() * len(ends))]
            if j not in unwanted:
                return j

    def _boxes_within(self, i: int, radius: float) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Return all boxes nearer than `radius`, perhaps some others, and how near they are."""
        half_diagonal = 2.0 * self.rho
        found = self.centers.query_ball_point(
            self.places[i], radius + half_diagonal, return_sorted=True
        )
        boxes = np.array(found, dtype=np.intp)
        y = self.y[i]
        outside = np.maximum(np.maximum(self.low[boxes] - y, y - self.high[boxes]), 0.0)
        return boxes, np.sqrt(np.einsum("bd,bd->b", outside, outside))


def _grow(
    y: NDArray[np.float64], rho: float, wanted: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Let nodes join in order; return the edges they make."""
    growth = _Growth(y, rho, rng)
    edges: list[tuple[int, int]] = []
    for i in range(1, len(y)):
        partners = growth.partners(i, min(int(wanted[i]), i)) if i > 1 else [0]
        for j in partners:
            growth.connect(i, j)
            edges.append((j, i))
    return np.array(edges, dtype=np.int64).reshape(-1, 2)
