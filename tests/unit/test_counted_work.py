"""Kernels count their work as they do it: no large piece of it at once, and none left out.

Ctrl-C is looked for after so much work, so that this, and not the clock of a busy machine, says
how long it may have to wait.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from graphopt import Graph
from graphopt._native import _core

# About a nanosecond each: looked for every 4 million, in pieces of at most about as many.
MOST = 16_000_000

N, M = 60_000, 600_000


def graph(weights: bool = False) -> Graph:
    rng = np.random.default_rng(0)
    lengths = rng.uniform(0.5, 1.5, M) if weights else None
    return Graph.from_edges(rng.integers(0, N, (M, 2)), N, lengths, duplicates="first")


def table(n: int) -> Any:
    return np.random.default_rng(0).uniform(1.0, 2.0, (n, n))


def hops(n: int) -> Any:
    return np.random.default_rng(0).integers(1, 10, (n, n)).astype(np.uint8)


G, W = graph(), graph(True)
NO_NODES = np.empty(0, np.int32)
SOURCES = np.arange(512, dtype=np.int32)


def csr(graph: Graph) -> tuple[Any, Any, Any]:
    return graph.indptr, graph.indices, graph.weights


# Each with the least work it does: of the order of what the algorithm must look at.
KERNELS: dict[str, tuple[Callable[[], Any], float]] = {
    "build_csr": (
        lambda: _core.build_csr(
            N,
            *np.ascontiguousarray(G.edges.T.astype(np.int64)),
            None,
            False,
            True,
            "first",
        ),
        10 * M,
    ),
    "transpose_csr": (lambda: _core.transpose_csr(*csr(G)), 10 * M),
    "hop_distances, together": (
        lambda: _core.hop_distances(G.indptr, G.indices, False, SOURCES, 2**31, 1, 1),
        10 * M,
    ),
    "hop_distances, one by one": (
        lambda: _core.hop_distances(G.indptr, G.indices, False, SOURCES[:20], 2**31, 1, 1),
        20 * 2 * M,
    ),
    "path_lengths, one by one": (
        lambda: _core.path_lengths(*csr(W), False, SOURCES[:10], np.inf, 1),
        10 * 2 * M,
    ),
    "path_lengths, together": (
        lambda: _core.path_lengths(*csr(W), False, SOURCES[:32], np.inf, 1),
        32 * M,
    ),
    "floyd_warshall": (
        lambda: _core.floyd_warshall(*csr(W.subgraph(np.arange(700))), True, 1),
        700**3 / 10,
    ),
    "distances_to_nearest": (lambda: _core.distances_to_nearest(*csr(W), SOURCES), 4 * M),
    "gonzalez_from_graph, hops": (
        lambda: _core.gonzalez_from_graph(*csr(G), 200, 0, NO_NODES, None),
        200 * N,
    ),
    "gonzalez_from_graph, lengths": (
        lambda: _core.gonzalez_from_graph(*csr(W), 100, 0, NO_NODES, None),
        100 * N,
    ),
    "gonzalez_from_matrix": (
        lambda: _core.gonzalez_from_matrix(hops(1500), 1500, 0, NO_NODES, None),
        1500**2,
    ),
    "greedy_k_center": (
        lambda: _core.greedy_k_center(hops(1500), 1000, NO_NODES, None, None, 1),
        1500 * 1000,
    ),
    "greedy_k_center, many ties": (  # hardly a row is refuted early
        lambda: _core.greedy_k_center(hops(1500), 100, NO_NODES, None, None, 1),
        100 * 1500**2 / 4,
    ),
    "swap_search": (
        lambda: _core.swap_search(
            table(1500), None, 1e9, None, 1, 1.0, SOURCES[:100], None, 0, 0, 20, 1e9, 1
        ),
        1500 * 1500,
    ),
    "polish": (
        lambda: _core.polish(
            *csr(G), (np.arange(N) % 10).astype(np.int32)[None], 10, 1.0, False, 0, 0, 1
        ),
        10 * M,
    ),
    "cnm": (lambda: _core.cnm(table(800) + table(800).T, 2), 800**2),
    "kernighan_lin": (
        lambda: _core.kernighan_lin(
            table(2500), table(2500).sum(axis=1), 1e7, np.arange(2500) % 2 == 0
        ),
        2500**2,
    ),
    "modularity_gradient": (
        lambda: _core.modularity_gradient(*csr(G), np.full((N, 100), 0.01), 1.0, 1),
        M * 100 / 16,
    ),
    "spmm": (
        lambda: _core.spmm(G.indptr, G.indices, np.ones(2 * M)[: len(G.indices)], N,
                           np.ones((N, 32)), 1),
        4 * M,
    ),
    "expected_hops_gradient": (
        lambda: _core.expected_hops_gradient(
            hops(3000), np.full(3000, 0.01), np.ones(3000), np.arange(11.0), 1
        ),
        3000**2,
    ),
    "order_sites": (lambda: _core.order_sites(table(1000), 1), 1000**2 * 10),
    "expected_lengths_gradient": (
        lambda: _core.expected_lengths_gradient(
            table(2000), np.tile(np.arange(2000, dtype=np.int32), (2000, 1)),
            np.full(2000, 0.01), np.ones(2000), 9.0, 1
        ),
        2000**2,
    ),
    "all_finite": (lambda: _core.all_finite(np.ones(4_000_000)), 4_000_000 / 2),
    "pipage_rounding": (
        lambda: _core.pipage_rounding(np.full(1_000_000, 1e-4), 100, 1, 1e-9, 0, 1),
        1_000_000,
    ),
    "reduce_cover": (
        lambda: _core.reduce_cover(
            hops(2500), np.full(2500, 2, np.uint8), np.ones(2500, np.uint8),
            np.ones(2500, np.uint8), 1e9, 2**62, 1
        ),
        2500**2,
    ),
    "soft_kmeans": (
        lambda: _core.soft_kmeans(
            np.random.default_rng(0).standard_normal((100_000, 16)),
            np.array([0, 100_000]), np.random.default_rng(1).standard_normal((1, 20, 16)),
            10.0, 3, 0, True, True, 1
        ),
        100_000 * 16 * 20,
    ),
    "symmetric_product": (
        lambda: _core.symmetric_product(table(4000), np.ones(4000), 1),
        2000**2 / 2,
    ),
    "weight_within": (
        lambda: _core.weight_within(table(4000), np.zeros(4000, np.int64), 1),
        4000**2 / 4,
    ),
}  # fmt: skip


@pytest.mark.parametrize("kernel", KERNELS)
def test_work_is_counted_as_it_is_done(kernel: str) -> None:
    call, least = KERNELS[kernel]
    _core.take_counted_work()
    call()
    total, most = _core.take_counted_work()
    assert total >= least
    assert most <= MOST
