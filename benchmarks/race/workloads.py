"""What is raced on: graphs, rows and probabilities, each drawn from a size and a seed.

Every function gives the same arrays for the same arguments on any machine, and remembers what it
made last. Where the published data sets are at hand (:func:`graphopt.datasets.load` finds them
without the network) :func:`published` gives those.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial import Delaunay

from benchmarks.race.contest import Size
from graphopt import Graph, datasets
from graphopt.errors import DatasetNotFoundError

MORENO = (2_539, 10_455)
PGP = (10_680, 24_316)
PUBMED = (19_717, 44_324)
CORA = (2_708, 5_278)
CORA_CONNECTED = (2_485, 5_069)
MILLION = (1_000_000, 5_000_000)
POWER_GRID = 5_000

_remembered = lru_cache(maxsize=4)


def forget() -> None:
    """Free what the functions remember."""
    for function in (
        scale_free_graph,
        random_graph,
        power_grid,
        complete_graph,
        citations,
        published,
        clustered_rows,
    ):
        function.cache_clear()


# --- graphs -------------------------------------------------------------------------------------


@_remembered
def scale_free_graph(n_nodes: int, n_edges: int, seed: int = 0) -> Graph:
    """Return a connected graph with heavy-tailed degrees and short distances.

    A random recursive tree, then pairs drawn in proportion to fixed Pareto weights.
    """
    rng = np.random.default_rng(seed)
    order = rng.permutation(n_nodes)
    parent = (rng.random(n_nodes - 1) * np.arange(1, n_nodes)).astype(np.int64)
    tree = np.column_stack([order[1:], order[parent]])
    weight = rng.pareto(2.0, n_nodes) + 0.1

    def draw(size: int) -> NDArray[np.int64]:
        return rng.choice(n_nodes, size=(size, 2), p=weight / weight.sum())

    return Graph.from_edges(_distinct(tree, n_nodes, n_edges, draw), n_nodes)


@_remembered
def random_graph(n_nodes: int, n_edges: int, seed: int = 0) -> Graph:
    """Return a connected graph of uniform random pairs.

    Whatever the pairs leave apart is then tied to a random node of the largest component, so the
    number of edges is about `n_edges`.
    """
    rng = np.random.default_rng(seed)

    def draw(size: int) -> NDArray[np.int64]:
        return rng.integers(0, n_nodes, size=(size, 2))

    pairs = _distinct(np.empty((0, 2), np.int64), n_nodes, n_edges, draw)
    n_components, component = Graph.from_edges(pairs, n_nodes).connected_components()
    if n_components > 1:
        giant = np.bincount(component).argmax()
        _, one_of_each = np.unique(component, return_index=True)
        apart = one_of_each[component[one_of_each] != giant]
        anchors = rng.choice(np.flatnonzero(component == giant), len(apart))
        pairs = np.concatenate([pairs, np.column_stack([apart, anchors])])
    return Graph.from_edges(pairs, n_nodes)


@_remembered
def power_grid(n_nodes: int = POWER_GRID, seed: int = 0, lengths: str = "float") -> Graph:
    """Return a connected spatial graph of mean degree 2.67: long paths, many nodes of degree 1, 2.

    Points in a square, their minimum spanning tree and the shortest further edges of their Delaunay
    triangulation among a random half.

    Parameters
    ----------
    n_nodes, seed : int
    lengths : {"integer", "float", "hops"}
        Drawn evenly from 1 .. 100, from [0.1, 10), or none.
    """
    rng = np.random.default_rng(seed)
    points = rng.random((n_nodes, 2))
    corners = Delaunay(points).simplices
    pairs = np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [0, 2]]])
    pairs = np.unique(np.sort(pairs, axis=1), axis=0)
    apart = np.linalg.norm(points[pairs[:, 0]] - points[pairs[:, 1]], axis=1)
    shape = (n_nodes, n_nodes)
    tree = minimum_spanning_tree(coo_array((apart, (pairs[:, 0], pairs[:, 1])), shape).tocsr())
    spanning = np.sort(np.column_stack(tree.nonzero()), axis=1)
    in_tree = np.isin(pairs @ (n_nodes, 1), spanning @ (n_nodes, 1))
    others = np.flatnonzero(~in_tree & (rng.random(len(pairs)) < 0.5))
    n_more = round(2.67 * n_nodes / 2) - len(spanning)
    more = others[np.argsort(apart[others], kind="stable")[:n_more]]
    edges = np.concatenate([spanning, pairs[np.sort(more)]])
    return Graph.from_edges(edges, n_nodes, _lengths(lengths, len(edges), rng))


@_remembered
def complete_graph(n_nodes: int, seed: int = 0) -> Graph:
    """Return a graph with every edge, of lengths drawn evenly from [0.1, 10)."""
    edges = np.column_stack(np.triu_indices(n_nodes, 1))
    rng = np.random.default_rng(seed)
    return Graph.from_edges(edges, n_nodes, _lengths("float", len(edges), rng))


def _distinct(start: NDArray[np.int64], n_nodes: int, n_edges: int, draw: Any) -> NDArray[np.int64]:
    """Add drawn pairs to `start` until there are `n_edges` distinct edges."""
    pairs = start
    wanted = min(n_edges, n_nodes * (n_nodes - 1) // 2)
    while len(pairs) < wanted:
        more = draw(n_edges)
        pairs = np.concatenate([pairs, more[more[:, 0] != more[:, 1]]])
        keys = pairs.min(axis=1) * n_nodes + pairs.max(axis=1)
        _, first = np.unique(keys, return_index=True)
        pairs = pairs[np.sort(first)][:wanted]
    return pairs


def _lengths(kind: str, n_edges: int, rng: np.random.Generator) -> NDArray[np.float64] | None:
    if kind == "hops":
        return None
    if kind == "integer":
        return rng.integers(1, 101, n_edges).astype(np.float64)
    return rng.uniform(0.1, 10.0, n_edges)


# --- graphs with features -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Described:
    """A graph, what is seen of it, and a sparse bag of words for every node.

    Attributes
    ----------
    name : str
        The published data set, or ``"synthetic"``.
    graph, observed : Graph
    words : scipy csr_array of float32, shape (n_nodes, n_words)
    """

    name: str
    graph: Graph
    observed: Graph
    words: Any


@_remembered
def citations(
    n_nodes: int, n_edges: int, *, n_words: int = 1_433, connected: bool = False, seed: int = 0
) -> Described:
    """Return a graph like cora: seven topics, most edges and words within them, 40 % of it seen.

    Parameters
    ----------
    n_nodes, n_edges : int
    n_words : int
        Of which a node has about 18.
    connected : bool
        Start from a spanning tree.
    seed : int
    """
    rng = np.random.default_rng(seed)
    topic = rng.integers(7, size=n_nodes)
    members = [np.flatnonzero(topic == t) for t in range(7)]
    start = np.empty((0, 2), np.int64)
    if connected:
        child = np.arange(1, n_nodes)
        start = np.column_stack([child, (rng.random(n_nodes - 1) * child).astype(np.int64)])

    def draw(size: int) -> NDArray[np.int64]:
        pairs: NDArray[np.int64] = rng.integers(0, n_nodes, size=(size, 2))
        alike = rng.random(size) < 0.8
        for t, group in enumerate(members):
            inside = alike & (topic[pairs[:, 0]] == t)
            if len(group):
                pairs[inside, 1] = rng.choice(group, int(inside.sum()))
        return pairs

    edges = _distinct(start, n_nodes, n_edges, draw)
    seen = edges if connected else edges[rng.permutation(len(edges))[: round(0.4 * len(edges))]]
    share = np.where(rng.random((7, n_words)) < 0.2, 0.042, 0.005)
    words = csr_array((rng.random((n_nodes, n_words)) < share[topic]).astype(np.float32))
    graph, observed = (Graph.from_edges(part, n_nodes) for part in (edges, seen))
    return Described("synthetic", graph, observed, words)


@_remembered
def published(name: str) -> Described | None:
    """Return a published data set that is on this machine, else None.

    Nothing is fetched. ``words`` is None where the features are no bag of words.
    """
    try:
        data = datasets.load(name, download=False)
    except DatasetNotFoundError:
        return None
    if isinstance(data, datasets.InductiveDataset):
        raise ValueError(f"name must be that of a single graph, not {name!r}")
    words = data.observed_features if hasattr(data.observed_features, "nnz") else None
    return Described(data.name, data.graph, data.observed, words)


Source = Callable[[], tuple[Graph, str]]
"""Returns a graph and where it comes from."""


def like(name: str, size: tuple[int, int], scale: float) -> tuple[int, Source]:
    """Return a number of nodes, and the published graph if it is at hand and wanted whole.

    Else that of :func:`citations`, connected if the published one is, or a scale-free one.
    """
    n_nodes, n_edges = (max(60, round(scale * count)) for count in size)

    def source() -> tuple[Graph, str]:
        known = published(name) if name and scale == 1.0 else None
        if known is not None:
            return known.graph, known.name
        if name.startswith("cora"):
            connected = name.endswith("connected")
            return citations(n_nodes, n_edges, connected=connected).graph, "synthetic"
        return scale_free_graph(n_nodes, n_edges), "synthetic"

    return n_nodes, source


def size_of(source: Source) -> Callable[[], Size]:
    """Return what tells the size of a source's graph."""

    def size() -> Size:
        graph, data = source()
        return Size(graph.n_nodes, graph.n_edges, data)

    return size


# --- rows, assignments, probabilities -----------------------------------------------------------


@_remembered
def clustered_rows(
    n_rows: int, *, n_clusters: int = 10, width: int = 50, noise: float = 2.0, seed: int = 0
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return unit rows around `n_clusters` directions, and one row of each to start from.

    Returns
    -------
    rows : array of float32, shape (n_rows, width)
    centers : array of float32, shape (n_clusters, width)
    """
    rng = np.random.default_rng([seed, n_rows])
    directions = rng.standard_normal((n_clusters, width))
    rows = directions[np.arange(n_rows) % n_clusters]
    rows = rows + noise * rng.standard_normal((n_rows, width))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    kept = rows.astype(np.float32)
    return kept, kept[:n_clusters].copy()


def link_probabilities(n_nodes: int, seed: int = 0) -> NDArray[np.float64]:
    """Return a symmetric matrix of probabilities as a link predictor gives them, 0 on the diagonal.

    Shape (n_nodes, n_nodes).
    """
    points = np.random.default_rng(seed).standard_normal((n_nodes, 16))
    found: NDArray[np.float64] = 1.0 / (1.0 + np.exp(4.0 - 0.5 * (points @ points.T)))
    found = (found + found.T) / 2.0
    np.fill_diagonal(found, 0.0)
    return found


def ragged_sizes(n_graphs: int, mean: int, seed: int = 0) -> list[int]:
    """Return numbers of rows between 60 % and 140 % of `mean`, which they have on average."""
    spread = np.random.default_rng(seed).uniform(0.6, 1.4, n_graphs)
    return [max(1, round(mean * float(share))) for share in spread / spread.mean()]


def assignment(n_rows: int, n_clusters: int = 10, seed: int = 0) -> NDArray[np.float32]:
    """Return a soft assignment, float32, shape (n_rows, n_clusters): softmax of normal scores."""
    scores = np.random.default_rng([seed, n_rows]).standard_normal((n_rows, n_clusters))
    weights = np.exp(scores)
    shares: NDArray[np.float32] = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
    return shares


def opening_probabilities(n_sites: int, k: int = 10, seed: int = 0) -> NDArray[np.float64]:
    """Return uneven probabilities below 1, shape (n_sites,), that sum to `k` within rounding."""
    drawn = np.random.default_rng([seed, n_sites]).gamma(0.3, size=n_sites)
    opening: NDArray[np.float64] = np.minimum(k * drawn / drawn.sum(), 0.9)
    free = opening < 0.9
    opening[free] *= (k - 0.9 * (~free).sum()) / opening[free].sum()
    return opening
