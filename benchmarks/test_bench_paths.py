"""Distances and k-center beside their peers, on one graph, in one process; answers must agree.

Run with ``pytest benchmarks/test_bench_paths.py``; compare medians within a run.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture
from scipy.sparse import csr_array

import graphopt
from graphopt import Graph, all_pairs_shortest_paths, gonzalez, greedy_k_center

N_NODES, N_EDGES = 2_539, 10_455  # those of the paper's adolescent friendship graph


def scale_free_edges(n_nodes: int, n_edges: int, seed: int) -> NDArray[np.int64]:
    """Return distinct edges of a connected graph with heavy-tailed degrees and short distances.

    A random recursive tree, then pairs drawn in proportion to fixed Pareto weights.
    """
    rng = np.random.default_rng(seed)
    order = rng.permutation(n_nodes)
    parent = (rng.random(n_nodes - 1) * np.arange(1, n_nodes)).astype(np.int64)
    pairs = np.column_stack([order[1:], order[parent]])
    weight = rng.pareto(2.0, n_nodes) + 0.1
    while len(pairs) < n_edges:
        more = rng.choice(n_nodes, size=(n_edges, 2), p=weight / weight.sum())
        more = more[more[:, 0] != more[:, 1]]
        pairs = np.vstack([pairs, more])
        _, first = np.unique(np.sort(pairs, axis=1), axis=0, return_index=True)
        pairs = pairs[np.sort(first)][:n_edges]
    return pairs


def make_graph(weighted: bool) -> Graph:
    edges = scale_free_edges(N_NODES, N_EDGES, seed=0)
    weights = np.random.default_rng(1).uniform(0.1, 2.0, len(edges)) if weighted else None
    return Graph.from_edges(edges, N_NODES, weights)


@pytest.fixture(scope="module", params=[False, True], ids=["hops", "lengths"])
def graph(request: pytest.FixtureRequest) -> Graph:
    return make_graph(request.param)


@pytest.fixture(scope="module")
def hop_graph() -> Graph:
    return make_graph(weighted=False)


def with_graphopt(graph: Graph, threads: int) -> Callable[[], Any]:
    return lambda: all_pairs_shortest_paths(graph, num_threads=threads)


def with_scipy(graph: Graph) -> Callable[[], Any]:
    from scipy.sparse.csgraph import shortest_path

    weights = np.ones(len(graph.indices)) if graph.weights is None else graph.weights
    matrix = csr_array((weights, graph.indices, graph.indptr), shape=(N_NODES, N_NODES))
    return lambda: shortest_path(matrix, method="D", unweighted=not graph.weighted)


def with_igraph(graph: Graph) -> Callable[[], Any]:
    igraph = pytest.importorskip("igraph")
    peer = igraph.Graph(graph.n_nodes, graph.edges.tolist())
    weights = None if graph.edge_weights is None else graph.edge_weights.tolist()
    return lambda: peer.distances(weights=weights)


def with_rustworkx(graph: Graph) -> Callable[[], Any]:
    rustworkx = pytest.importorskip("rustworkx")
    peer = rustworkx.PyGraph()
    peer.add_nodes_from(range(graph.n_nodes))
    if graph.edge_weights is None:
        peer.add_edges_from_no_data([(u, v) for u, v in graph.edges.tolist()])
        return lambda: rustworkx.graph_distance_matrix(peer)
    weights = graph.edge_weights.tolist()
    peer.add_edges_from(
        [(u, v, w) for (u, v), w in zip(graph.edges.tolist(), weights, strict=True)]
    )

    def run() -> NDArray[np.float64]:
        found = rustworkx.all_pairs_dijkstra_path_lengths(peer, float)
        distances = np.zeros((N_NODES, N_NODES))
        for u, row in found.items():
            distances[u, list(row.keys())] = list(row.values())
        return distances

    return run


def with_networkit(graph: Graph) -> Callable[[], Any]:
    networkit = pytest.importorskip("networkit")
    peer = networkit.Graph(graph.n_nodes, weighted=graph.weighted)
    edges = graph.edges.tolist()
    weights = [1.0] * len(edges) if graph.edge_weights is None else graph.edge_weights.tolist()
    for (u, v), w in zip(edges, weights, strict=True):
        peer.addEdge(u, v, w)
    return lambda: networkit.distance.APSP(peer).run().getDistances()


PEERS = {
    "graphopt-1": lambda graph: with_graphopt(graph, 1),
    "graphopt": lambda graph: with_graphopt(graph, graphopt.get_num_threads()),
    "scipy": with_scipy,
    "igraph": with_igraph,
    "rustworkx": with_rustworkx,
    "networkit": with_networkit,
}


def record(benchmark: BenchmarkFixture, graph: Graph, threads: int) -> None:
    benchmark.extra_info.update(
        n=graph.n_nodes, m=graph.n_edges, threads=threads, isa=graphopt.build_config()["isa"]
    )


@pytest.mark.parametrize("library", PEERS)
def test_all_pairs_shortest_paths(benchmark: BenchmarkFixture, graph: Graph, library: str) -> None:
    run = PEERS[library](graph)
    record(benchmark, graph, 1 if library == "graphopt-1" else graphopt.get_num_threads())
    ours = library.startswith("graphopt")
    rounds = 15 if ours and not graph.weighted else 3
    found = benchmark.pedantic(run, rounds=rounds, warmup_rounds=1 if ours else 0)
    expected = all_pairs_shortest_paths(graph)
    # Peers may add the lengths of a path in another order.
    np.testing.assert_allclose(np.asarray(found, float), expected, rtol=1e-12)


@pytest.mark.parametrize("k", [10])
def test_greedy_k_center(benchmark: BenchmarkFixture, hop_graph: Graph, k: int) -> None:
    distances = all_pairs_shortest_paths(hop_graph)
    record(benchmark, hop_graph, graphopt.get_num_threads())
    result = benchmark(greedy_k_center, distances, k)
    assert result.radius == distances[result.centers].min(axis=0).max()


@pytest.mark.parametrize("k", [10])
def test_gonzalez(benchmark: BenchmarkFixture, hop_graph: Graph, k: int) -> None:
    record(benchmark, hop_graph, 1)
    result = benchmark(gonzalez, hop_graph, k, first=0)
    distances = all_pairs_shortest_paths(hop_graph, sources=result.centers)
    assert result.radius == distances.min(axis=0).max()


@pytest.mark.parametrize("k", [10])
def test_gonzalez_with_numpy(benchmark: BenchmarkFixture, hop_graph: Graph, k: int) -> None:
    """The usual few lines of NumPy, which need the whole matrix."""
    run = with_scipy(hop_graph)

    def farthest_first() -> list[int]:
        distances = run()
        centers = [0]
        for _ in range(k - 1):
            centers.append(int(distances[centers].min(axis=0).argmax()))
        return centers

    record(benchmark, hop_graph, 1)
    centers = benchmark.pedantic(farthest_first, rounds=1)
    assert centers == gonzalez(hop_graph, k, first=0).centers.tolist()
