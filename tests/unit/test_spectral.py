"""Spectral clustering: exactly k groups, the same ones for a seed, as good as scikit-learn's."""

from __future__ import annotations

import os

import networkx as nx
import numpy as np
import pytest
from helpers import random_graph
from sklearn.cluster import KMeans, SpectralClustering
from threadpoolctl import threadpool_info, threadpool_limits

from graphopt import Graph, modularity, spectral
from graphopt.communities import _spectral
from tests.reference import communities as twin


def planted(n_groups: int, size: int, seed: int) -> tuple[Graph, np.ndarray]:
    peer = nx.planted_partition_graph(n_groups, size, 0.4, 0.02, seed=seed)
    return Graph.from_networkx(peer), np.repeat(np.arange(n_groups), size)


@pytest.mark.parametrize("normalized", [True, False])
def test_planted_groups_are_found(normalized: bool) -> None:
    for seed in range(3):
        graph, expected = planted(5, 40, seed)
        found = spectral(graph, 5, normalized=normalized, random_state=0)
        assert np.array_equal(found.labels, expected)


@pytest.mark.parametrize("normalized", [True, False])
def test_the_points_are_those_of_the_full_matrix(normalized: bool) -> None:
    graph, _ = planted(4, 60, 0)  # large enough for Lanczos
    dense = graph.to_scipy().toarray()
    if normalized:
        matrix = twin.normalized_modularity_matrix(dense, 0.3)
    else:
        matrix = twin.group_modularity_matrix(dense, np.arange(graph.n_nodes))
    vectors = np.linalg.eigh(matrix)[1][:, -3:]
    expected = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    for form in (graph.to_scipy(), dense):
        points = _spectral._embedding(form, 3, 0.3 if normalized else None)
        # Signs and order of the vectors leave the angles between points as they are.
        np.testing.assert_allclose(points @ points.T, expected @ expected.T, atol=1e-6)


def test_groups_are_scikit_learns_for_the_same_points() -> None:
    graph, _ = planted(4, 30, 1)
    points = _spectral._embedding(graph.to_scipy(), 3, 0.3)
    peer = KMeans(4, n_init=10, random_state=5).fit(points)
    mine = _spectral._k_means(points, 4, 10, 5)
    assert np.array_equal(mine[:, None] == mine, peer.labels_[:, None] == peer.labels_)


def test_no_worse_than_scikit_learns_spectral_clustering() -> None:
    graph = Graph.from_networkx(nx.karate_club_graph(), weight=None)
    peer = SpectralClustering(4, affinity="precomputed", random_state=0)
    labels = peer.fit_predict(graph.to_scipy().toarray())
    assert spectral(graph, 4, random_state=0).modularity >= modularity(graph, labels) - 1e-9


@pytest.mark.parametrize("normalized", [True, False])
@pytest.mark.parametrize("weights", [None, "float"])
def test_exactly_k_groups(normalized: bool, weights: str | None) -> None:
    for seed in range(6):
        graph = random_graph(24, (10, 30, 60)[seed % 3], seed, weights=weights)
        for k in (1, 2, 3, 7, 12, 20, 23, 24):
            found = spectral(graph, k, normalized=normalized, n_init=2, random_state=0)
            assert found.labels.dtype == np.int32
            assert found.n_communities == k
            assert np.bincount(found.labels).min() >= 1
            assert found.modularity == modularity(graph, found.labels)


def test_nodes_that_cannot_be_told_apart_still_make_k_groups() -> None:
    for peer in (nx.star_graph(9), nx.complete_bipartite_graph(5, 5), nx.complete_graph(10)):
        graph = Graph.from_networkx(peer)
        for k in range(1, graph.n_nodes + 1):
            assert spectral(graph, k, random_state=0).n_communities == k


def test_a_graph_and_its_matrix_give_the_same() -> None:
    graph = random_graph(300, 1500, 0, weights="float")
    by_graph = spectral(graph, 6, random_state=1)
    by_matrix = spectral(graph.to_scipy().toarray(), 6, random_state=1)
    assert np.array_equal(by_graph.labels, by_matrix.labels)
    assert by_matrix.modularity == pytest.approx(by_graph.modularity, abs=1e-12)


def test_a_seed_decides() -> None:
    graph = random_graph(300, 700, 0)
    first = spectral(graph, 6, random_state=7)
    assert np.array_equal(first.labels, spectral(graph, 6, random_state=7).labels)
    generator = np.random.default_rng(7)
    assert np.array_equal(first.labels, spectral(graph, 6, random_state=generator).labels)


def test_libraries_run_on_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    counts: list[int] = []
    k_means = _spectral._k_means

    def watched(*arguments: object) -> np.ndarray:
        counts.extend(pool["num_threads"] for pool in threadpool_info())
        return k_means(*arguments)

    monkeypatch.setattr(_spectral, "_k_means", watched)
    graph = random_graph(300, 1500, 0, weights="float")
    with threadpool_limits(3):
        first = spectral(graph.to_scipy().toarray(), 6, random_state=1)
    assert set(counts) == {1}
    second = spectral(graph.to_scipy().toarray(), 6, random_state=1)
    assert np.array_equal(first.labels, second.labels)


def test_isolated_nodes_join_the_largest_group() -> None:
    edges = [(0, 1), (1, 2), (0, 2), (2, 3), (0, 3), (4, 5), (5, 6), (4, 6)]
    graph = Graph.from_edges(edges, 10)
    assert spectral(graph, 2, random_state=0).labels.tolist() == [0, 0, 0, 0, 1, 1, 1, 0, 0, 0]
    assert spectral(graph, 9, random_state=0).n_communities == 9
    assert spectral(Graph.from_edges([], 5), 3).labels.tolist() == [0, 0, 0, 1, 2]
    assert spectral(np.zeros((5, 5)), 3).labels.tolist() == [0, 0, 0, 1, 2]


def test_arguments_are_checked() -> None:
    graph = random_graph(10, 20, 0)
    with pytest.raises(ValueError, match="k must be at most 10, not 11"):
        spectral(graph, 11)
    with pytest.raises(ValueError, match="k must be at least 1, not 0"):
        spectral(graph, 0)
    with pytest.raises(TypeError, match="k must be an integer, not NoneType"):
        spectral(graph, None)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="regularization must be at least 0, not -1"):
        spectral(graph, 2, regularization=-1.0)
    with pytest.raises(ValueError, match="n_init must be at least 1, not 0"):
        spectral(graph, 2, n_init=0)
    with pytest.raises(ValueError, match="graph must be undirected"):
        spectral(Graph.from_edges([(0, 1)], directed=True), 1)


@pytest.mark.skipif(not os.environ.get("GRAPHOPT_DATA"), reason="needs the published data sets")
@pytest.mark.parametrize(
    ("name", "published"),
    [("cora", 0.15), ("citeseer", 0.08), ("protein_vidal", 0.07), ("moreno", 0.46), ("fb", 0.79)],
)
def test_published_quality_is_reached(name: str, published: float) -> None:
    from graphopt import datasets

    found = spectral(datasets.load(name, download=False).graph, 10, random_state=0)
    assert found.n_communities == 10
    assert found.modularity >= published
