"""Python graphs and edge lists into a Graph, beside networkx and NumPy doing the same.

Run with `pytest benchmarks/test_bench_convert.py`. Every test asserts that both sides give the same
matrix, and the ratio of their medians, measured turn by turn in one process.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import networkx as nx
import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from scipy.sparse import csr_array

from graphopt import Graph, build_config

N_NODES, N_EDGES, ROUNDS = 20_000, 100_000, 11


def beside(
    benchmark: BenchmarkFixture,
    ours: Callable[[], Graph],
    peer: Callable[[], csr_array],
    peer_name: str,
) -> float:
    """Time both in turns; return how many times faster ours is."""
    assert abs(ours().to_scipy() - peer()).max() == 0
    peer_seconds: list[float] = []

    def peers_turn() -> None:
        start = time.perf_counter()
        peer()
        peer_seconds.append(time.perf_counter() - start)

    benchmark.pedantic(ours, setup=peers_turn, rounds=ROUNDS)
    ratio = median(peer_seconds) / benchmark.stats.stats.median
    config = build_config()
    benchmark.extra_info.update(
        n_nodes=N_NODES,
        n_edges=N_EDGES,
        threads=1,
        isa=config["isa"],
        peer=peer_name,
        peer_median=median(peer_seconds),
        ratio=ratio,
    )
    return ratio


def drawn_graph(kind: str, labels: str) -> nx.Graph:
    multi = kind.startswith("multi")
    rng = np.random.default_rng(0)
    simple = nx.gnm_random_graph(N_NODES, N_EDGES, seed=1)
    graph = nx.MultiGraph(simple) if multi else simple
    if kind.endswith("unweighted"):
        return graph
    for _, _, attributes in graph.edges(data=True):
        attributes["weight"] = rng.random()
    return nx.relabel_nodes(graph, lambda i: f"node {i}") if labels == "strings" else graph


@pytest.mark.parametrize(
    ("kind", "labels"),
    [
        ("unweighted", "numbers"),
        ("weighted", "numbers"),
        ("weighted", "strings"),
        ("multi weighted", "numbers"),
    ],
)
def test_from_networkx(benchmark: BenchmarkFixture, kind: str, labels: str) -> None:
    graph = drawn_graph(kind, labels)
    ratio = beside(
        benchmark,
        lambda: Graph.from_networkx(graph),
        lambda: nx.to_scipy_sparse_array(graph),
        "networkx.to_scipy_sparse_array",
    )
    assert ratio > 3


def test_from_a_list_of_numbers(benchmark: BenchmarkFixture) -> None:
    edges = list(nx.gnm_random_graph(N_NODES, N_EDGES, seed=1).edges)
    ratio = beside(
        benchmark,
        lambda: Graph.from_edges(edges, N_NODES),
        lambda: matrix_of(np.asarray(edges), N_NODES),
        "numpy.asarray, scipy.sparse",
    )
    assert ratio > 3


def test_from_a_list_of_labels(benchmark: BenchmarkFixture) -> None:
    numbers = nx.gnm_random_graph(N_NODES, N_EDGES, seed=1).edges
    edges = [(f"node {u}", f"node {v}") for u, v in numbers]
    ratio = beside(
        benchmark,
        lambda: Graph.from_edges(edges),
        lambda: nx.to_scipy_sparse_array(nx.Graph(edges)),
        "networkx.Graph, to_scipy_sparse_array",
    )
    assert ratio > 3


def matrix_of(edges: np.ndarray, n_nodes: int) -> csr_array:
    """Return the symmetric matrix of edges that are listed once."""
    ends = np.concatenate([edges, edges[:, ::-1]])
    ones = np.ones(len(ends))
    return csr_array((ones, (ends[:, 0], ends[:, 1])), shape=(n_nodes, n_nodes))
