"""Distances: against the twin, SciPy and networkx; types, limits, threads, errors."""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np
import pytest
from helpers import random_graph
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import shortest_path
from sized_graphs import SIZES, sized_graphs

from graphopt import Graph, all_pairs_shortest_paths, paths
from graphopt.errors import MemoryLimitError
from graphopt.paths import distances_to_nearest
from tests.reference import shortest_paths as reference

BOTH_KINDS = pytest.mark.parametrize("directed", [False, True], ids=["undirected", "directed"])


def path_graph(n: int) -> Graph:
    return Graph.from_edges(np.column_stack([np.arange(n - 1), np.arange(1, n)]), n)


def grid_graph(side: int) -> Graph:
    node = np.arange(side * side).reshape(side, side)
    across = np.column_stack([node[:, :-1].ravel(), node[:, 1:].ravel()])
    down = np.column_stack([node[:-1].ravel(), node[1:].ravel()])
    return Graph.from_edges(np.vstack([across, down]))


def as_float(distances: NDArray[Any]) -> NDArray[np.float64]:
    """Return hops with infinity for unreachable."""
    if distances.dtype == np.float64:
        return distances
    result = distances.astype(np.float64)
    result[distances == np.iinfo(distances.dtype).max] = np.inf
    return result


def scipy_distances(graph: Graph, sources: NDArray[Any] | None = None) -> NDArray[np.float64]:
    data = np.ones(len(graph.indices)) if graph.weights is None else graph.weights
    matrix = csr_array((data, graph.indices, graph.indptr), shape=(graph.n_nodes, graph.n_nodes))
    found: NDArray[np.float64] = shortest_path(
        matrix, method="D", unweighted=not graph.weighted, indices=sources
    )
    return found


@BOTH_KINDS
@pytest.mark.parametrize("weights", [None, "int", "float"])
@pytest.mark.parametrize("n_nodes", [1, 2, 20, 45])
def test_equals_twin(n_nodes: int, weights: str | None, directed: bool) -> None:
    for seed, n_edges in enumerate([0, n_nodes, 3 * n_nodes]):
        graph = random_graph(n_nodes, n_edges, seed, weights=weights, directed=directed)
        found = as_float(all_pairs_shortest_paths(graph))
        np.testing.assert_array_equal(found, reference.all_pairs_shortest_paths(graph))


@BOTH_KINDS
@pytest.mark.parametrize("weights", [None, "int", "float"])
@pytest.mark.parametrize("n_edges", [300, 900, 6000])
def test_equals_scipy(n_edges: int, weights: str | None, directed: bool) -> None:
    # 700 nodes: one full block of 512 sources and a part of one.
    graph = random_graph(700, n_edges, n_edges, weights=weights, directed=directed)
    found = as_float(all_pairs_shortest_paths(graph))
    np.testing.assert_array_equal(found, scipy_distances(graph))


def test_equals_networkx() -> None:
    graph = random_graph(60, 70, 3, weights="int")
    peer = nx.Graph()
    peer.add_nodes_from(range(60))
    peer.add_weighted_edges_from(
        (int(u), int(v), w) for (u, v), w in zip(graph.edges, graph.edge_weights, strict=True)
    )
    found = all_pairs_shortest_paths(graph)
    for u, lengths in nx.all_pairs_dijkstra_path_length(peer):
        expected = [lengths.get(v, np.inf) for v in range(60)]
        np.testing.assert_array_equal(found[u], expected)


@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("name", SIZES)
def test_equals_scipy_on_graphs_of_the_published_sizes(name: str, weighted: bool) -> None:
    graph, _ = sized_graphs(name)
    edges, n_nodes = graph.edges, graph.n_nodes
    rng = np.random.default_rng(0)
    if weighted:
        graph = Graph.from_edges(edges, n_nodes, rng.uniform(0.1, 2.0, len(edges)))
    sources = np.sort(rng.permutation(n_nodes)[: 200 if name == "pubmed" and weighted else 600])
    found = as_float(all_pairs_shortest_paths(graph, sources=sources))
    np.testing.assert_array_equal(found, scipy_distances(graph, sources))
    if not weighted and n_nodes < 10_000:
        every = all_pairs_shortest_paths(graph)
        np.testing.assert_array_equal(as_float(every[sources]), found)
        np.testing.assert_array_equal(every, every.T)
        np.testing.assert_array_equal(np.argwhere(np.triu(every) == 1), graph.edges)


def test_zero_lengths_are_lengths() -> None:
    graph = Graph.from_edges([(0, 1), (1, 2), (0, 2)], weights=[0.0, 0.0, 1.0])
    np.testing.assert_array_equal(all_pairs_shortest_paths(graph), np.zeros((3, 3)))


@pytest.mark.parametrize(
    ("n_nodes", "dtype"), [(255, np.uint8), (256, np.uint16), (300, np.uint16), (900, np.uint16)]
)
def test_path_graph_takes_the_smallest_type(n_nodes: int, dtype: type) -> None:
    distances = all_pairs_shortest_paths(path_graph(n_nodes))
    node = np.arange(n_nodes)
    assert distances.dtype == dtype
    np.testing.assert_array_equal(distances, abs(node[:, None] - node))


@pytest.mark.parametrize(("n_nodes", "dtype"), [(65_535, np.uint16), (70_000, np.uint32)])
def test_long_path(n_nodes: int, dtype: type) -> None:
    sources = np.array([0, n_nodes // 2, n_nodes - 1])
    distances = all_pairs_shortest_paths(path_graph(n_nodes), sources=sources)
    assert distances.dtype == dtype
    np.testing.assert_array_equal(distances, abs(sources[:, None] - np.arange(n_nodes)))


def test_long_tail_behind_a_dense_part() -> None:
    # Far from the first block's sources is a part that only later distances reach.
    dense = random_graph(600, 4000, 0).edges
    tail = np.column_stack([np.arange(599, 999), np.arange(600, 1000)])
    graph = Graph.from_edges(np.vstack([dense, tail]))
    distances = all_pairs_shortest_paths(graph)
    assert distances.dtype == np.uint16
    np.testing.assert_array_equal(as_float(distances), scipy_distances(graph))


def test_grid_is_the_manhattan_distance() -> None:
    side = 40
    row, column = np.divmod(np.arange(side * side), side)
    expected = abs(row[:, None] - row) + abs(column[:, None] - column)
    np.testing.assert_array_equal(all_pairs_shortest_paths(grid_graph(side)), expected)


def test_star() -> None:
    n = 2000
    star = Graph.from_edges(np.column_stack([np.zeros(n - 1, int), np.arange(1, n)]))
    distances = all_pairs_shortest_paths(star)
    expected = np.full((n, n), 2)
    expected[0], expected[:, 0] = 1, 1
    np.fill_diagonal(expected, 0)
    np.testing.assert_array_equal(distances, expected)


@pytest.mark.parametrize("weights", [None, "float"])
def test_no_nodes_and_no_sources(weights: str | None) -> None:
    dtype = np.uint8 if weights is None else np.float64
    empty = Graph.from_edges(np.empty((0, 2), int), 0, None if weights is None else [])
    assert all_pairs_shortest_paths(empty).shape == (0, 0)
    assert all_pairs_shortest_paths(empty).dtype == dtype
    graph = random_graph(5, 5, 0, weights=weights)
    assert all_pairs_shortest_paths(graph, sources=[]).shape == (0, 5)


@pytest.mark.parametrize("weights", [None, "float"])
@pytest.mark.parametrize("n_sources", [1, 31, 32, 700])
def test_sources_repeated_and_in_any_order(n_sources: int, weights: str | None) -> None:
    graph = random_graph(90, 130, 1, weights=weights)
    sources = np.random.default_rng(0).integers(0, 90, n_sources)
    every = all_pairs_shortest_paths(graph)
    np.testing.assert_array_equal(all_pairs_shortest_paths(graph, sources=sources), every[sources])
    backwards = np.repeat(sources, 2)[::-2].astype(np.int64)  # strided
    backwards.flags.writeable = False
    found = all_pairs_shortest_paths(graph, sources=backwards)
    np.testing.assert_array_equal(found, every[backwards])


@pytest.mark.parametrize("cutoff", [0, 1, 2, 5, 10**12])
@pytest.mark.parametrize("weights", [None, "float"])
def test_cutoff(weights: str | None, cutoff: int) -> None:
    graph = random_graph(80, 110, 2, weights=weights)
    for sources in (None, [3, 3, 8]):
        expected = as_float(all_pairs_shortest_paths(graph, sources=sources))
        expected[expected > cutoff] = np.inf
        found = all_pairs_shortest_paths(graph, sources=sources, cutoff=cutoff)
        np.testing.assert_array_equal(as_float(found), expected)


def test_cutoff_keeps_the_type_small() -> None:
    assert all_pairs_shortest_paths(path_graph(400), cutoff=254).dtype == np.uint8
    assert all_pairs_shortest_paths(path_graph(400), cutoff=255).dtype == np.uint16


@pytest.mark.parametrize("weights", [None, "float"])
def test_same_bits_at_any_number_of_threads(weights: str | None) -> None:
    graphs = [random_graph(1100, 1500, 5, weights=weights), path_graph(600), grid_graph(30)]
    for graph in graphs:
        one = all_pairs_shortest_paths(graph, num_threads=1)
        for threads in (2, 3, 8):
            more = all_pairs_shortest_paths(graph, num_threads=threads)
            assert more.dtype == one.dtype
            assert more.tobytes() == one.tobytes()


@BOTH_KINDS
@pytest.mark.parametrize("weights", [None, "int", "float"])
def test_nearest_equals_twin(weights: str | None, directed: bool) -> None:
    rng = np.random.default_rng(0)
    for seed in range(8):
        graph = random_graph(40, 55, seed, weights=weights, directed=directed)
        centers = rng.integers(0, 40, rng.integers(0, 6))
        distances, nearest = distances_to_nearest(graph, centers)
        expected = reference.distances_to_nearest(graph, centers.tolist())
        np.testing.assert_array_equal(distances, expected[0])
        np.testing.assert_array_equal(nearest, expected[1])
        assert nearest.dtype == np.int32


def test_errors_name_the_argument() -> None:
    graph = random_graph(5, 8, 0)
    with pytest.raises(ValueError, match=r"sources must hold node numbers in 0\.\.4; sources\[1\]"):
        all_pairs_shortest_paths(graph, sources=[0, 5])
    with pytest.raises(TypeError, match="sources must hold integers"):
        all_pairs_shortest_paths(graph, sources=[0.5])
    with pytest.raises(ValueError, match="cutoff must be at least 0, not -1"):
        all_pairs_shortest_paths(graph, cutoff=-1)
    with pytest.raises(TypeError, match="cutoff must be an integer, not float"):
        all_pairs_shortest_paths(graph, cutoff=1.5)
    with pytest.raises(ValueError, match="num_threads must be at least 1, not 0"):
        all_pairs_shortest_paths(graph, num_threads=0)
    with pytest.raises(ValueError, match="centers must hold node numbers"):
        distances_to_nearest(graph, [-1])


def test_negative_length_names_the_edge() -> None:
    graph = Graph.from_edges([(0, 1), (1, 2)], weights=[1.0, -2.0])
    message = r"graph must have weights that are lengths, at least 0; edge \(1, 2\) has -2"
    with pytest.raises(ValueError, match=message):
        all_pairs_shortest_paths(graph)
    with pytest.raises(ValueError, match=message):
        distances_to_nearest(graph, [0])


def test_a_result_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = random_graph(100, 200, 0, weights="float")
    monkeypatch.setattr("graphopt._validation.available_memory", lambda: 105_599)
    with pytest.raises(MemoryLimitError, match=r"105,600 bytes and 105,599 are available; pass a"):
        paths.all_pairs_shortest_paths(graph, num_threads=1)
    assert paths.all_pairs_shortest_paths(graph, sources=np.arange(31)).shape == (31, 100)


def test_hops_too_many_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    graph, long = random_graph(100, 200, 0), path_graph(400)
    monkeypatch.setattr("graphopt._validation.available_memory", lambda: 9_999)
    with pytest.raises(
        MemoryLimitError, match=r"100 sources to 100 nodes \(uint8\) needs .* bytes"
    ):
        paths.all_pairs_shortest_paths(graph)
    assert paths.all_pairs_shortest_paths(graph, sources=np.arange(20)).shape == (20, 100)
    # Bytes fit, the wider type that a long path needs does not.
    monkeypatch.setattr("graphopt._validation.available_memory", lambda: 5_000)
    with pytest.raises(MemoryLimitError, match=r"\(uint16\).*or a cutoff of at most 254 hops"):
        paths.all_pairs_shortest_paths(long, sources=np.arange(7), num_threads=1)
    found = paths.all_pairs_shortest_paths(long, sources=np.arange(7), cutoff=254, num_threads=1)
    assert found.dtype == np.uint8


@BOTH_KINDS
def test_a_large_graph_is_searched_by_all_threads_together(directed: bool) -> None:
    # Over 2**15 nodes, threads share a block of sources; 600 sources are two blocks.
    graph = random_graph(40_000, 120_000, 0, directed=directed)
    sources = np.random.default_rng(0).integers(0, 40_000, 600)
    one = all_pairs_shortest_paths(graph, sources=sources, num_threads=1)
    for threads in (2, 3):
        more = all_pairs_shortest_paths(graph, sources=sources, num_threads=threads)
        np.testing.assert_array_equal(more, one)
    some = [0, 300, 599]
    np.testing.assert_array_equal(as_float(one[some]), scipy_distances(graph, sources[some]))
