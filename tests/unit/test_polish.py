"""Modularity with k held: the kernel against its twin, brute force and peers; polish and leiden."""

from __future__ import annotations

import os
import random

import igraph
import networkx as nx
import numpy as np
import pytest
from helpers import random_graph

from graphopt import Graph, leiden, modularity, polish
from graphopt._native import _core
from tests.reference import communities as slow
from tests.reference import polish as twin

KARATE = Graph.from_networkx(nx.karate_club_graph(), weight=None)


def dense(graph: Graph) -> np.ndarray:
    return graph.to_scipy().toarray()


def random_starts(n_starts: int, n_nodes: int, k: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, k, (n_starts, n_nodes)).astype(np.int32)


def run(graph: Graph, starts: np.ndarray, k: int, **changes: object) -> np.ndarray:
    options = {
        "resolution": 1.0,
        "keep_all": False,
        "perturbations": 20,
        "seed": 0,
        "num_threads": 1,
    } | changes
    return _core.polish(graph.indptr, graph.indices, graph.weights, starts, k, *options.values())


def partitions(n_nodes: int, k: int) -> np.ndarray:
    """Every partition into at most `k` groups, numbered by first node."""
    found = [[0]] if n_nodes else [[]]
    for _ in range(1, n_nodes):
        found = [[*part, g] for part in found for g in range(min(max(part) + 2, k))]
    return np.array(found)


# --- the kernel ---------------------------------------------------------------------------------


@pytest.mark.parametrize("keep_all", [False, True], ids=["at most", "exactly"])
@pytest.mark.parametrize("weights", [None, "int", "float"])
def test_moves_are_the_twins(weights: str | None, keep_all: bool) -> None:
    moved = 0
    for seed in range(12):
        n, m = ((12, 20), (25, 40), (30, 120), (40, 30))[seed % 4]
        graph = random_graph(n, m, seed, weights=weights)
        k = (2, 4, 7)[seed % 3]
        starts = random_starts(1 + seed % 3, n, k, seed)
        for resolution, perturbations in ((1.0, 0), (1.0, 120), (0.4, 10)):
            found = run(
                graph,
                starts,
                k,
                resolution=resolution,
                keep_all=keep_all,
                perturbations=perturbations,
                seed=seed + 2**40,
            )
            expected = twin.polish(
                dense(graph), starts, k, resolution, keep_all, perturbations, seed + 2**40
            )
            assert np.array_equal(found, expected)
            moved += not np.array_equal(found, starts[0])
    assert moved >= 30


@pytest.mark.parametrize("threads", [2, 3, 8])
def test_same_bits_at_any_number_of_threads(threads: int) -> None:
    graph = random_graph(300, 900, 1, weights="float")
    starts = random_starts(6, 300, 8, 1)
    expected = run(graph, starts, 8, num_threads=1)
    assert np.array_equal(run(graph, starts, 8, num_threads=threads), expected)


def test_the_kernel_refuses_what_does_not_fit() -> None:
    starts = np.zeros((1, 34), np.int32)
    with pytest.raises(ValueError, match="starts must be 2D, not 1D"):
        run(KARATE, starts[0], 2)
    with pytest.raises(ValueError, match="starts must have a row"):
        run(KARATE, starts[:0], 2)
    with pytest.raises(ValueError, match="starts must have shape \\(1, 34\\)"):
        run(KARATE, starts[:, 1:].copy(), 2)
    for wrong in (-1, 2):
        with pytest.raises(ValueError, match="starts must be at least 0 and less than 2"):
            run(KARATE, starts + np.int32(wrong), 2)
    with pytest.raises(TypeError):
        run(KARATE, starts.astype(np.int64), 2)


# --- what both functions reach ------------------------------------------------------------------


@pytest.mark.parametrize("weights", [None, "float"])
@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_tiny_graphs_reach_the_optimum(k: int, weights: str | None) -> None:
    for seed in range(8):
        graph = random_graph(7 + seed % 2, 8 + 2 * (seed % 5), seed, weights=weights)
        parts = partitions(graph.n_nodes, k)
        values = np.array([slow.modularity(dense(graph), part) for part in parts])
        exact = parts.max(axis=1) == k - 1
        start = np.random.default_rng(seed).integers(0, k, graph.n_nodes)
        start[:k] = range(k)
        for exactly, best in ((False, values.max()), (True, values[exact].max())):
            polished = polish(
                graph, start, k, exactly=exactly, perturbations=300, random_state=seed
            )
            found = leiden(graph, k, exactly=exactly, random_state=seed)
            assert polished.modularity == pytest.approx(best, abs=1e-12)
            assert found.modularity == pytest.approx(best, abs=1e-12)
            assert polished.n_communities <= k
            assert not exactly or polished.n_communities == found.n_communities == k


def test_beyond_leiden_and_louvain_merged() -> None:
    gains = []
    for seed in range(5):
        graph = random_graph(200, 500, seed, weights="float")
        peer = igraph.Graph(n=200, edges=graph.edges.astype(int))
        random.seed(seed)  # igraph draws from Python's generator
        free = peer.community_leiden("modularity", weights=graph.edge_weights, n_iterations=-1)
        merged = slow_merge(graph, np.array(free.membership), 5)
        found = leiden(graph, 5, random_state=seed)
        gains.append(found.modularity - modularity(graph, merged))
        loose = leiden(graph, 200, random_state=seed).modularity
        assert loose >= peer.modularity(free.membership, graph.edge_weights) - 1e-3
        louvain = nx.community.louvain_communities(graph.to_networkx(), seed=seed)
        assert loose >= nx.community.modularity(graph.to_networkx(), louvain)
    assert min(gains) > 0.0


def slow_merge(graph: Graph, labels: np.ndarray, k: int) -> np.ndarray:
    """Greedy merging by a matrix of group weights."""
    labels = np.unique(labels, return_inverse=True)[1]
    member = np.eye(labels.max() + 1)[labels]
    between = member.T @ dense(graph) @ member
    while len(between) > k:
        volumes = between.sum(axis=1)
        gain = between - np.outer(volumes, volumes) / volumes.sum()
        np.fill_diagonal(gain, -np.inf)
        a, b = sorted(np.unravel_index(gain.argmax(), gain.shape))
        labels[labels == b] = a
        labels[labels > b] -= 1
        between[a] += between[b]
        between[:, a] += between[:, b]
        between = np.delete(np.delete(between, b, 0), b, 1)
    return labels


@pytest.mark.parametrize("resolution", [0.0, 0.5, 1.0, 3.0])
@pytest.mark.parametrize("weights", [None, "int", "float"])
def test_never_worse_and_k_kept(weights: str | None, resolution: float) -> None:
    for seed in range(10):
        graph = random_graph(40, (15, 50, 200)[seed % 3], seed, weights=weights)
        labels = np.random.default_rng(seed).integers(-3, 4, 40)
        n_given = len(np.unique(labels))
        before = modularity(graph, labels, resolution=resolution)
        for exactly in (False, True):
            found = polish(
                graph,
                labels,
                exactly=exactly,
                resolution=resolution,
                perturbations=10,
                random_state=seed,
            )
            assert found.modularity >= before
            assert found.modularity == modularity(graph, found.labels, resolution=resolution)
            assert found.n_communities <= n_given
            assert not exactly or found.n_communities == n_given


def test_what_is_best_stays() -> None:
    graph = Graph.from_networkx(nx.ring_of_cliques(6, 5))
    labels = np.repeat(np.arange(6), 5)
    for k in (None, 6, 9):
        assert np.array_equal(polish(graph, labels, k, random_state=0).labels, labels)


@pytest.mark.parametrize("exactly", [False, True])
def test_any_k_from_one_to_all_nodes(exactly: bool) -> None:
    for seed in range(4):
        graph = random_graph(14, (10, 30)[seed % 2], seed, weights=(None, "float")[seed // 2])
        labels = np.random.default_rng(seed).integers(0, 5, 14)
        for k in range(1, 15):
            for found in (
                leiden(graph, k, exactly=exactly, starts=2, random_state=0),
                polish(graph, labels, k, exactly=exactly, perturbations=5, random_state=0),
            ):
                assert found.labels.dtype == np.int32
                assert np.bincount(found.labels).min() >= 1
                assert found.n_communities <= k
                assert not exactly or found.n_communities == k


def test_more_groups_are_split_where_it_costs_least() -> None:
    graph = Graph.from_networkx(nx.ring_of_cliques(6, 5))
    found = polish(graph, np.zeros(30, int), 6, exactly=True, random_state=0)
    assert np.array_equal(found.labels, np.repeat(np.arange(6), 5))
    # Two nodes without an edge leave first: that costs nothing.
    lonely = Graph.from_edges([(0, 1), (1, 2), (0, 2)], 5)
    found = polish(lonely, [0, 0, 0, 0, 0], 3, exactly=True, random_state=0)
    assert found.labels.tolist() == [0, 0, 0, 1, 2]
    assert polish(lonely, [0, 0, 0, 0, 0], 5, exactly=True).labels.tolist() == [0, 1, 2, 3, 4]


def test_leiden_with_exactly_k_groups() -> None:
    graph = Graph.from_edges([(0, 1), (1, 2), (0, 2), (3, 4)], 7)
    assert leiden(graph, 3, exactly=True, random_state=0).labels.tolist() == [0, 0, 0, 1, 1, 0, 2]
    assert leiden(Graph.from_edges([], 5), 3, exactly=True).labels.tolist() == [0, 0, 0, 1, 2]
    karate = leiden(KARATE, 8, exactly=True, random_state=0)
    assert karate.n_communities == 8
    assert leiden(KARATE, 8, random_state=0).n_communities == 4
    with pytest.raises(ValueError, match="exactly needs a number of groups k"):
        leiden(KARATE, exactly=True)
    with pytest.raises(ValueError, match="k must be at most 34, not 35"):
        leiden(KARATE, 35, exactly=True)


def test_weights_count_as_so_many_edges() -> None:
    for seed in range(5):
        graph = random_graph(30, 60, seed, weights="int")
        labels = random_starts(1, 30, 4, seed)[0]
        found = polish(graph, labels, random_state=seed)
        multi = igraph.Graph(
            n=30, edges=np.repeat(graph.edges, graph.edge_weights.astype(int), axis=0).tolist()
        )
        assert found.modularity == pytest.approx(multi.modularity(found.labels), abs=1e-12)
        for scale in (0.25, 2.0**400):
            scaled = Graph.from_edges(graph.edges, 30, graph.edge_weights * scale)
            again = polish(scaled, labels, random_state=seed)
            assert np.array_equal(again.labels, found.labels)


def test_a_seed_decides() -> None:
    graph = random_graph(200, 500, 3)
    labels = random_starts(1, 200, 6, 0)[0]
    first = polish(graph, labels, random_state=4).labels
    assert np.array_equal(first, polish(graph, labels, random_state=4).labels)
    others = [polish(graph, labels, random_state=seed).labels for seed in range(5)]
    assert any(not np.array_equal(first, other) for other in others)
    held = leiden(graph, 6, random_state=4, num_threads=1).labels
    assert np.array_equal(held, leiden(graph, 6, random_state=4, num_threads=3).labels)


def test_more_perturbations_find_more() -> None:
    graph = random_graph(300, 700, 5)
    labels = random_starts(1, 300, 6, 0)[0]
    reached = [
        polish(graph, labels, perturbations=p, random_state=0).modularity for p in (0, 100, 1_000)
    ]
    assert reached == sorted(reached)
    assert reached[2] > reached[0]


# --- edges of what is taken ---------------------------------------------------------------------


def test_nodes_without_an_edge_stay_where_they_were() -> None:
    graph = Graph.from_edges([(0, 1), (1, 2), (0, 2), (3, 4), (4, 5), (3, 5), (2, 3)], 9)
    found = polish(graph, [0, 1, 0, 1, 0, 1, 1, 2, 2], random_state=0)
    # Node 6 came with label 1, whichever triangle has that now.
    assert found.labels[[0, 1, 2, 7, 8]].tolist() == [0, 0, 0, 2, 2]
    assert found.labels[[3, 4, 5]].tolist() == [1, 1, 1]
    assert found.labels[6] in (0, 1)
    alone = polish(graph, [0, 1, 0, 1, 0, 1, 3, 2, 2], random_state=0)
    assert (alone.labels == alone.labels[6]).sum() == 1
    assert polish(Graph.from_edges([], 4), [3, 3, 1, 1]).labels.tolist() == [0, 0, 1, 1]
    assert polish(Graph.from_edges([], 4), [0, 1, 2, 3], 2).n_communities == 2


def test_empty_single_and_tiny() -> None:
    assert polish(Graph.from_edges([], 0), []).labels.shape == (0,)
    assert polish(Graph.from_edges([], 1), [7]).labels.tolist() == [0]
    assert polish(Graph.from_edges([(0, 1)]), [0, 1]).labels.tolist() == [0, 0]
    assert polish(Graph.from_edges([(0, 1)]), [0, 1], exactly=True).labels.tolist() == [0, 1]


def test_a_matrix_is_taken_as_its_graph() -> None:
    graph = random_graph(40, 120, 2, weights="float")
    labels = np.arange(40) % 5
    by_graph = polish(graph, labels, random_state=1)
    by_matrix = polish(dense(graph), labels, random_state=1)
    assert np.array_equal(by_graph.labels, by_matrix.labels)


def test_labels_of_any_kind_and_left_alone() -> None:
    labels = np.repeat(np.arange(34) % 4, 2)[::2]
    labels.flags.writeable = False
    expected = polish(KARATE, labels.copy(), random_state=0).labels
    for same in (labels, labels.astype(np.uint8), labels * 9 - 4, list(labels)):
        assert np.array_equal(polish(KARATE, same, random_state=0).labels, expected)
    assert np.array_equal(labels, np.arange(34) % 4)


def test_arguments_are_checked() -> None:
    labels = np.arange(34) % 4
    with pytest.raises(ValueError, match="k must be at most 34, not 35"):
        polish(KARATE, labels, 35)
    with pytest.raises(ValueError, match="k must be at least 1, not 0"):
        polish(KARATE, labels, 0)
    with pytest.raises(ValueError, match=r"labels must have shape \(34,\), not \(33,\)"):
        polish(KARATE, labels[1:])
    with pytest.raises(TypeError, match="labels must be integers, not float64"):
        polish(KARATE, labels * 1.0)
    with pytest.raises(ValueError, match="perturbations must be at least 0, not -1"):
        polish(KARATE, labels, perturbations=-1)
    with pytest.raises(ValueError, match="resolution must be at least 0, not -1"):
        polish(KARATE, labels, resolution=-1.0)
    with pytest.raises(ValueError, match="num_threads must be at least 1, not 0"):
        polish(KARATE, labels, num_threads=0)
    with pytest.raises(ValueError, match="graph must be undirected"):
        polish(Graph.from_edges([(0, 1)], directed=True), [0, 1])
    with pytest.raises(ValueError, match="graph must not have negative weights"):
        polish(Graph.from_edges([(0, 1)], weights=[-1.0]), [0, 1])
    with pytest.raises(ValueError, match="starts must be at least 1, not 0"):
        leiden(KARATE, 2, starts=0)


@pytest.mark.skipif(not os.environ.get("GRAPHOPT_DATA"), reason="needs the published data sets")
@pytest.mark.parametrize(
    ("name", "reached"),
    [("cora", 0.803), ("citeseer", 0.851), ("protein_vidal", 0.65), ("moreno", 0.65), ("fb", 0.8)],
)
def test_published_graphs(name: str, reached: float) -> None:
    from graphopt import datasets

    data = datasets.load(name, download=False).permuted(0)
    found = leiden(data.graph, 10, random_state=0)
    assert found.n_communities <= 10
    assert found.modularity >= reached
