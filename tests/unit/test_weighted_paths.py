"""Distances by length: searches from many sources at once, and Floyd-Warshall on dense graphs."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from helpers import random_graph
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import shortest_path

from graphopt import Graph, all_pairs_shortest_paths, paths
from graphopt._native import _core
from graphopt.errors import MemoryLimitError
from graphopt.paths import distances_to_nearest
from tests.reference import shortest_paths as reference

BOTH_KINDS = pytest.mark.parametrize("directed", [False, True], ids=["undirected", "directed"])


def scipy_distances(graph: Graph) -> NDArray[np.float64]:
    n = graph.n_nodes
    matrix = csr_array((graph.weights, graph.indices, graph.indptr), shape=(n, n))
    found: NDArray[np.float64] = shortest_path(matrix, method="D")
    return found


def floyd_warshall(graph: Graph, threads: int = 2) -> NDArray[np.float64]:
    return _core.floyd_warshall(graph.indptr, graph.indices, graph.weights, graph.directed, threads)


def search(graph: Graph, threads: int = 2, cutoff: float = np.inf) -> NDArray[np.float64]:
    every = np.arange(graph.n_nodes, dtype=np.int32)
    return _core.path_lengths(
        graph.indptr, graph.indices, graph.weights, graph.directed, every, cutoff, threads
    )


def dense_graph(n: int, kind: str, *, directed: bool = False, seed: int = 0) -> Graph:
    return random_graph(n, n * n // 3, seed, weights=kind, directed=directed)


def zigzag(n: int) -> Graph:
    """Draw a path whose ends and middle have far numbers, with chords that never pay."""
    node = np.random.default_rng(0).permutation(n)
    path = np.column_stack([node[:-1], node[1:]])
    chords = np.column_stack([node[:-2], node[2:]])
    lengths = np.concatenate([np.full(n - 1, 0.1), np.full(n - 2, 0.7)])
    return Graph.from_edges(np.vstack([path, chords]), n, lengths)


@BOTH_KINDS
@pytest.mark.parametrize("kind", ["int", "float"])
@pytest.mark.parametrize("n_nodes", [31, 32, 33, 63, 64, 65, 130])
def test_searches_together_equal_twin(n_nodes: int, kind: str, directed: bool) -> None:
    for seed, n_edges in enumerate([n_nodes // 2, 2 * n_nodes, 8 * n_nodes]):
        graph = random_graph(n_nodes, n_edges, seed, weights=kind, directed=directed)
        expected = reference.all_pairs_shortest_paths(graph)
        np.testing.assert_array_equal(search(graph), expected)


@BOTH_KINDS
def test_searches_together_equal_scipy(directed: bool) -> None:
    for n_edges in (700, 1500, 20_000):
        graph = random_graph(900, n_edges, 1, weights="float", directed=directed)
        np.testing.assert_array_equal(search(graph), scipy_distances(graph))


def test_zero_lengths_and_cycles_of_them() -> None:
    rng = np.random.default_rng(0)
    edges = rng.integers(0, 200, (400, 2))
    for directed in (False, True):
        graph = Graph.from_edges(edges, 200, rng.integers(0, 3, 400).astype(float), directed)
        np.testing.assert_array_equal(search(graph), reference.all_pairs_shortest_paths(graph))


def test_sums_are_rounded_in_the_order_of_the_path() -> None:
    lengths = np.array([1e16, 1.0, 1.0, 1.0, 1e-9])
    graph = Graph.from_edges(np.column_stack([np.arange(5), np.arange(1, 6)]), 40, lengths)
    found = all_pairs_shortest_paths(graph)
    np.testing.assert_array_equal(found[0, :6], np.cumsum([0.0, *lengths]))
    np.testing.assert_array_equal(found[5, 5::-1], np.cumsum([0.0, *lengths[::-1]]))


def test_long_paths_against_the_numbering() -> None:
    graph = zigzag(700)
    np.testing.assert_array_equal(search(graph), scipy_distances(graph))


def test_paths_that_the_numbering_does_not_follow() -> None:
    # The searches are numbered along the paths of node 0, a star; all others follow a long path
    # through nodes in random order, which sweeps would take a few nodes at a time.
    n = 40_000
    path = np.random.default_rng(0).permutation(np.arange(1, n))
    star = np.column_stack([np.zeros(n - 1, int), np.arange(1, n)])
    along = np.column_stack([path[:-1], path[1:]])
    lengths = np.concatenate([np.full(n - 1, 1e6), np.ones(n - 2)])
    graph = Graph.from_edges(np.vstack([star, along]), n, lengths, directed=True)
    position = np.empty(n)
    position[path] = np.arange(n - 1)
    position[0] = -np.inf  # reached by none
    sources = path[:: n // 33]
    ahead = position - position[sources][:, None]
    found = all_pairs_shortest_paths(graph, sources=sources)
    np.testing.assert_array_equal(found, np.where(ahead >= 0, ahead, np.inf))


def test_lengths_that_overflow_are_refused() -> None:
    big = sys.float_info.max
    graph = Graph.from_edges([(0, 1), (1, 2)], 40, [big, big])
    with pytest.raises(ValueError, match=r"weights of graph must be smaller: .* float64"):
        all_pairs_shortest_paths(graph)
    with pytest.raises(ValueError, match=r"weights of graph must be smaller: .* float64"):
        distances_to_nearest(graph, [0])
    found = all_pairs_shortest_paths(graph, cutoff=big)  # farther: as though unreachable
    assert found[0, 1] == big
    assert found[0, 2] == np.inf
    assert distances_to_nearest(graph, [1])[0].tolist()[:4] == [big, 0.0, big, np.inf]


@pytest.mark.parametrize("cutoff", [0.0, 0.5, 2.0, 7.0, 1e9])
def test_cutoff_with_many_sources(cutoff: float) -> None:
    graph = random_graph(600, 900, 2, weights="float")
    expected = search(graph)
    expected[expected > cutoff] = np.inf
    np.testing.assert_array_equal(search(graph, cutoff=cutoff), expected)


@BOTH_KINDS
@pytest.mark.parametrize("n_nodes", [1, 2, 7, 8, 24, 25, 64, 65, 129, 200])
def test_floyd_warshall_equals_twin(n_nodes: int, directed: bool) -> None:
    for n_edges in (0, n_nodes, n_nodes * n_nodes // 3):
        whole = random_graph(n_nodes, n_edges, 3, weights="int", directed=directed)
        np.testing.assert_array_equal(floyd_warshall(whole), reference.floyd_warshall(whole))
        real = random_graph(n_nodes, n_edges, 3, weights="float", directed=directed)
        np.testing.assert_allclose(floyd_warshall(real), reference.floyd_warshall(real), rtol=1e-14)


def test_twins_agree() -> None:
    for directed in (False, True):
        graph = random_graph(30, 60, 0, weights="int", directed=directed)
        np.testing.assert_array_equal(
            reference.floyd_warshall(graph), reference.all_pairs_shortest_paths(graph)
        )


@BOTH_KINDS
def test_dense_graph_takes_floyd_warshall(directed: bool) -> None:
    graph = dense_graph(300, "float", directed=directed)
    found = all_pairs_shortest_paths(graph)
    np.testing.assert_array_equal(found, floyd_warshall(graph))
    by_path = all_pairs_shortest_paths(graph, sources=range(300))
    np.testing.assert_array_equal(by_path, scipy_distances(graph))
    np.testing.assert_allclose(found, by_path, rtol=1e-15 * 10)
    if not directed:
        np.testing.assert_array_equal(found, found.T)
    whole = dense_graph(300, "int", directed=directed)
    np.testing.assert_array_equal(all_pairs_shortest_paths(whole), scipy_distances(whole))


def test_dense_triangle_inequality() -> None:
    distances = all_pairs_shortest_paths(dense_graph(260, "float"))
    for k in range(0, 260, 20):
        through = distances[:, k, None] + distances[k]
        assert (distances <= through * (1 + 1e-14)).all()


@settings(max_examples=30, deadline=None)
@given(
    n=st.integers(1, 90),
    density=st.floats(0.0, 1.0),
    directed=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_both_ways_agree(n: int, density: float, directed: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    edges = np.argwhere(rng.random((n, n)) < density)
    edges = edges[edges[:, 0] != edges[:, 1]]
    graph = Graph.from_edges(edges, n, rng.integers(0, 20, len(edges)).astype(float), directed)
    np.testing.assert_array_equal(search(graph), floyd_warshall(graph))


@BOTH_KINDS
def test_same_bits_at_any_number_of_threads(directed: bool) -> None:
    sparse = random_graph(500, 900, 4, weights="float", directed=directed)
    dense = dense_graph(333, "float", directed=directed)
    for threads in (2, 3, 8):
        assert search(sparse, threads).tobytes() == search(sparse, 1).tobytes()
        assert floyd_warshall(dense, threads).tobytes() == floyd_warshall(dense, 1).tobytes()


def test_memory_of_the_labels_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = random_graph(100, 200, 0, weights="float")
    needed = 100 * 100 * 8 + 100 * 32 * 8
    monkeypatch.setattr("graphopt._validation.available_memory", lambda: needed - 1)
    with pytest.raises(MemoryLimitError, match=rf"{needed:,} bytes"):
        paths.all_pairs_shortest_paths(graph, num_threads=1)
    assert paths.all_pairs_shortest_paths(graph, sources=range(31)).shape == (31, 100)
