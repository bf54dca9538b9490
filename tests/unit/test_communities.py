"""Modularity, Leiden and CNM against twins and peers; what all algorithms have in common."""

from __future__ import annotations

import random
import signal
from dataclasses import FrozenInstanceError
from typing import Any

import igraph
import networkx as nx
import numpy as np
import pytest
from helpers import random_graph

from graphopt import CommunityResult, Graph, cnm, leiden, modularity, newman
from graphopt.communities._cnm import merge_groups
from tests.reference import communities as twin

KARATE = Graph.from_networkx(nx.karate_club_graph(), weight=None)
METHODS = {
    "leiden": lambda graph, k=None: leiden(graph, k, random_state=0),
    "cnm": cnm,
    "newman": newman,
}
each_method = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS.keys())


def dense(graph: Graph) -> np.ndarray:
    return graph.to_scipy().toarray()


def ring_of_cliques(n_cliques: int, size: int) -> Graph:
    return Graph.from_networkx(nx.ring_of_cliques(n_cliques, size))


# --- modularity ---------------------------------------------------------------------------------


@pytest.mark.parametrize("weights", [None, "float"])
@pytest.mark.parametrize("resolution", [0.0, 0.5, 1.0, 2.5])
def test_modularity_equals_twin_and_peers(weights: str | None, resolution: float) -> None:
    for seed in range(10):
        graph = random_graph(15, 40, seed, weights=weights)
        labels = np.random.default_rng(seed).integers(0, 4, 15)
        q = modularity(graph, labels, resolution=resolution)
        assert q == pytest.approx(twin.modularity(dense(graph), labels, resolution), abs=1e-12)
        groups = [set(np.flatnonzero(labels == g).tolist()) for g in np.unique(labels)]
        networkx_q = nx.community.modularity(graph.to_networkx(), groups, resolution=resolution)
        assert q == pytest.approx(networkx_q, abs=1e-12)
        peer = graph.to_igraph()
        igraph_q = peer.modularity(
            labels.tolist(), weights="weight" if weights else None, resolution=resolution
        )
        assert q == pytest.approx(igraph_q, abs=1e-12)


def test_modularity_stays_in_its_bounds() -> None:
    assert modularity(Graph.from_edges([(0, 1)]), [0, 1]) == -0.5
    assert modularity(KARATE, np.zeros(34, int)) == 0.0
    assert modularity(ring_of_cliques(40, 6), np.repeat(np.arange(40), 6)) < 1.0


@pytest.mark.parametrize("n_nodes", [0, 1, 3])
def test_modularity_without_edges_is_zero(n_nodes: int) -> None:
    assert modularity(Graph.from_edges([], n_nodes), [0] * n_nodes) == 0.0


def test_modularity_takes_any_integer_labels() -> None:
    labels = np.arange(34) % 3
    expected = modularity(KARATE, labels)
    for same in (labels * 100 - 7, labels.astype(np.uint8), labels.astype(np.int32), list(labels)):
        assert modularity(KARATE, same) == expected
    strided = np.repeat(labels, 2)[::2]
    strided.flags.writeable = False
    assert modularity(KARATE, strided) == expected


def test_modularity_refuses_what_it_cannot_judge() -> None:
    graph = Graph.from_edges([(0, 1), (1, 2)])
    with pytest.raises(ValueError, match=r"labels must have shape \(3,\), not \(2,\)"):
        modularity(graph, [0, 1])
    with pytest.raises(TypeError, match="labels must be integers, not float64"):
        modularity(graph, [0.0, 1.0, 2.0])
    with pytest.raises(ValueError, match="resolution must be at least 0, not -1"):
        modularity(graph, [0, 1, 1], resolution=-1)


# --- all algorithms -----------------------------------------------------------------------------


@each_method
@pytest.mark.parametrize("weights", [None, "float"])
def test_a_result_says_what_its_labels_are_worth(method, weights: str | None) -> None:
    for seed in range(5):
        graph = random_graph(30, 45, seed, weights=weights)
        for k in (None, 1, 3, 30):
            result = method(graph, k)
            assert result.labels.dtype == np.int32
            assert result.labels.shape == (30,)
            assert result.modularity == modularity(graph, result.labels)
            first_nodes = [
                np.flatnonzero(result.labels == g)[0] for g in range(result.n_communities)
            ]
            assert first_nodes == sorted(first_nodes)
            if k is not None:
                assert result.n_communities <= k


@each_method
def test_known_communities_are_found(method) -> None:
    graph = ring_of_cliques(6, 5)
    for k in (None, 6):
        assert np.array_equal(method(graph, k).labels, np.repeat(np.arange(6), 5))
    assert method(graph, 3).n_communities == 3


def test_the_karate_club() -> None:
    assert leiden(KARATE, random_state=0).modularity == pytest.approx(0.4198, abs=1e-4)
    assert cnm(KARATE).modularity == pytest.approx(0.3807, abs=1e-4)
    peer = nx.community.greedy_modularity_communities(KARATE.to_networkx())
    assert cnm(KARATE).modularity >= nx.community.modularity(KARATE.to_networkx(), peer) - 1e-9
    assert leiden(KARATE, 2, random_state=0).modularity > 0.35


@each_method
@pytest.mark.parametrize("n_nodes", [0, 1, 5])
def test_without_edges_every_node_is_alone(method, n_nodes: int) -> None:
    result = method(Graph.from_edges([], n_nodes))
    assert result.labels.tolist() == list(range(n_nodes))
    assert result.modularity == 0.0
    assert result.n_communities == n_nodes


def test_without_edges_and_with_k() -> None:
    graph = Graph.from_edges([], 5)
    assert cnm(graph, 3).labels.tolist() == [0, 0, 0, 1, 2]
    assert leiden(graph, 3).labels.tolist() == [0] * 5


@each_method
def test_k_is_checked(method) -> None:
    with pytest.raises(ValueError, match="k must be at most 34, not 35"):
        method(KARATE, 35)
    with pytest.raises(ValueError, match="k must be at least 1, not 0"):
        method(KARATE, 0)
    with pytest.raises(TypeError, match="k must be an integer, not float"):
        method(KARATE, 2.0)


@each_method
def test_graphs_that_have_no_modularity_are_refused(method) -> None:
    with pytest.raises(ValueError, match="graph must be undirected"):
        method(Graph.from_edges([(0, 1)], directed=True))
    with pytest.raises(ValueError, match="graph must not have negative weights"):
        method(Graph.from_edges([(0, 1)], weights=[-1.0]))


@each_method
def test_an_edge_of_weight_zero_is_none(method) -> None:
    graph = Graph.from_edges([(0, 1), (2, 3), (1, 2)], weights=[1.0, 1.0, 0.0])
    assert method(graph).labels.tolist() == [0, 0, 1, 1]


@each_method
def test_nodes_without_an_edge_join_the_largest_group(method) -> None:
    edges = [(0, 1), (1, 2), (0, 2), (2, 3), (0, 3), (4, 5), (5, 6), (4, 6)]
    graph = Graph.from_edges(edges, 10)
    assert method(graph, 2).labels.tolist() == [0, 0, 0, 0, 1, 1, 1, 0, 0, 0]
    assert method(graph).n_communities == 5
    assert method(graph, 1).labels.tolist() == [0] * 10


def test_leiden_gives_at_most_and_cnm_exactly_k_groups() -> None:
    graph = Graph.from_edges([(0, 1), (1, 2), (0, 2), (3, 4)], 7)
    assert leiden(graph, 3, random_state=0).labels.tolist() == [0, 0, 0, 1, 1, 0, 0]
    assert cnm(graph, 3).labels.tolist() == [0, 0, 0, 1, 1, 0, 2]
    for k in range(1, 8):
        assert cnm(graph, k).n_communities == k


# --- CNM ----------------------------------------------------------------------------------------


def test_cnm_equals_its_literal_twin() -> None:
    for seed in range(30):
        rng = np.random.default_rng(seed)
        n = int(rng.integers(1, 12))
        # Random weights: no ties, so that both take the same steps.
        graph = random_graph(n, int(rng.integers(0, 20)), seed, weights="float")
        k = int(rng.integers(1, n + 1))
        expected = twin.greedy_merging(dense(graph), np.arange(n), k)
        result = cnm(graph, k)
        assert result.n_communities == k == len(np.unique(expected))
        assert result.modularity == pytest.approx(modularity(graph, expected), abs=1e-12)


def test_cnm_goes_below_the_number_of_components() -> None:
    graph = Graph.from_edges([(0, 1), (1, 2), (0, 2), (3, 4), (5, 6), (7, 8), (8, 9)])
    assert graph.connected_components()[0] == 4
    # The two single edges cost least when merged.
    assert cnm(graph, 3).labels.tolist() == [0, 0, 0, 1, 1, 1, 1, 2, 2, 2]


# --- Leiden -------------------------------------------------------------------------------------


def test_groups_merge_as_the_twins_do() -> None:
    n_merged = 0
    for seed in range(15):
        graph = random_graph(14, 20, seed, weights="float")
        start = leiden(graph, random_state=seed).labels.astype(np.int64)
        occupied = len(np.unique(start[graph.strengths > 0]))
        for k in range(1, occupied):
            expected = twin.greedy_merging(dense(graph), start, k)
            merged = merge_groups(graph, start, k, 1.0)
            assert len(np.unique(merged)) == k
            merging = modularity(graph, expected)
            assert modularity(graph, merged) == pytest.approx(merging, abs=1e-12)
            assert leiden(graph, k, random_state=seed).modularity >= merging - 1e-12
            n_merged += 1
    assert n_merged >= 15


@pytest.mark.parametrize("resolution", [0.3, 2.0])
def test_leiden_takes_a_resolution(resolution: float) -> None:
    graph = ring_of_cliques(12, 4)
    result = leiden(graph, resolution=resolution, random_state=0)
    assert result.modularity == modularity(graph, result.labels, resolution=resolution)
    assert (result.n_communities < 12) == (resolution < 1)


def test_a_seed_decides_leiden() -> None:
    graph = random_graph(200, 400, 0)
    first = leiden(graph, random_state=7)
    assert np.array_equal(first.labels, leiden(graph, random_state=7).labels)
    generator = np.random.default_rng(7)
    assert np.array_equal(first.labels, leiden(graph, random_state=generator).labels)
    others = [leiden(graph, random_state=seed).labels for seed in range(5)]
    assert any(not np.array_equal(first.labels, other) for other in others)


def test_leiden_leaves_igraph_and_random_as_they_were() -> None:
    random.seed(3)
    expected = random.Random(3).random()
    leiden(KARATE, random_state=0)
    assert random.random() == expected
    # igraph draws from Python's generator again, its default.
    random.seed(5)
    first = igraph.Graph.Erdos_Renyi(n=30, m=40).get_edgelist()
    random.seed(5)
    assert igraph.Graph.Erdos_Renyi(n=30, m=40).get_edgelist() == first


def test_more_iterations_are_no_worse() -> None:
    graph = random_graph(300, 700, 1)
    once = leiden(graph, iterations=1, random_state=0).modularity
    assert leiden(graph, random_state=0).modularity >= once
    with pytest.raises(ValueError, match="iterations must be at least 1, not 0"):
        leiden(graph, iterations=0)


def test_leiden_from_several_threads_gives_the_same() -> None:
    from concurrent.futures import ThreadPoolExecutor

    graph = random_graph(100, 200, 2)
    expected = leiden(graph, random_state=1).labels
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _: leiden(graph, random_state=1).labels, range(12)))
    assert all(np.array_equal(expected, labels) for labels in results)


def test_a_result_is_frozen() -> None:
    result = CommunityResult(np.zeros(3, np.int32), 0.0)
    with pytest.raises(FrozenInstanceError):
        result.modularity = 1.0  # type: ignore[misc]


def test_ctrl_c_waits_for_igraph(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the middle of its Leiden, it would end the process."""
    whole, ended = igraph.Graph.community_leiden, []

    def interrupted(graph: igraph.Graph, **settings: Any) -> Any:
        signal.raise_signal(signal.SIGINT)
        found = whole(graph, **settings)
        ended.append(found)
        return found

    monkeypatch.setattr(igraph.Graph, "community_leiden", interrupted)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            leiden(random_graph(30, 60, 0), 4, random_state=0)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert len(ended) == 1
