"""CNM on a matrix of weights: the kernel against its twin, igraph and the route over lists."""

from __future__ import annotations

import igraph
import networkx as nx
import numpy as np
import pytest
from helpers import random_graph
from sized_graphs import sized_graphs

from graphopt import Graph, _validation, cnm, modularity, newman, spectral
from graphopt._native import _core
from graphopt.communities import _cnm
from graphopt.errors import MemoryLimitError
from tests.reference import communities as twin


def random_weights(n: int, seed: int, kind: str = "float", density: float = 1.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    upper = rng.random((n, n)) if kind == "float" else rng.integers(0, 4, (n, n)).astype(float)
    upper = np.triu(upper * (rng.random((n, n)) < density), 1)
    return upper + upper.T


# --- the kernel ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["int", "float"])
def test_merges_are_the_twins_to_the_bit(kind: str) -> None:
    for seed in range(40):
        n = int(np.random.default_rng(seed).integers(2, 40))
        weights = random_weights(n, seed, kind, density=0.6)
        weights[0, -1] = weights[-1, 0] = 1.0
        pairs, gains = _core.cnm(weights, 1)
        expected_pairs, expected_gains = twin.agglomeration(weights)
        assert np.array_equal(pairs, expected_pairs)
        assert np.array_equal(gains, expected_gains)
        some, _ = _core.cnm(weights, min(n, 3))
        assert np.array_equal(some, pairs[: max(0, n - 3)])


def test_equal_gains_go_to_the_smallest_pair() -> None:
    pairs, _ = _core.cnm(np.ones((20, 20)), 1)
    assert np.array_equal(pairs, twin.agglomeration(np.ones((20, 20)))[0])
    assert pairs[0].tolist() == [0, 1]


def test_modularity_follows_igraph_along_the_dendrogram() -> None:
    followed = 0
    for seed in range(12):
        n = 25 + 3 * seed
        weights = random_weights(n, seed, density=(1.0, 0.4)[seed % 2])
        _, gains = _core.cnm(weights, 1)
        graph = Graph.from_scipy(weights, directed=False)
        peer = igraph.Graph(n=n, edges=graph.edges.astype(int))
        merging = peer.community_fastgreedy(weights=graph.edge_weights)
        counts = range(n, merging.optimal_count - 1, -1)
        labels = [merging.as_clustering(count).membership for count in counts]
        peer_gains = np.diff([modularity(graph, of_nodes) for of_nodes in labels])
        ours = gains[: len(peer_gains)]
        differing = np.flatnonzero(np.abs(ours - peer_gains) > 1e-12)
        if differing.size:  # igraph leaves the greedy path now and then: by a step that gains less
            assert ours[differing[0]] > peer_gains[differing[0]]
        else:
            assert merging.optimal_count == n - int((gains > 0).sum())
            followed += 1
    assert followed >= 6


def test_groups_are_those_of_networkx() -> None:
    for seed in range(5):
        weights = random_weights(20, seed, density=0.7)
        for k in (3, 5, 9):
            found = cnm(weights, k).labels
            peer = nx.community.greedy_modularity_communities(
                nx.from_numpy_array(weights), weight="weight", cutoff=k, best_n=k
            )
            assert {frozenset(np.flatnonzero(found == g).tolist()) for g in range(k)} == set(peer)


def test_the_kernel_refuses_what_is_no_square_matrix() -> None:
    with pytest.raises(ValueError, match="weights must be 2D, not 1D"):
        _core.cnm(np.ones(4), 1)
    with pytest.raises(ValueError, match="weights must be square, not 2 x 3"):
        _core.cnm(np.ones((2, 3)), 1)
    with pytest.raises(ValueError, match=r"n_groups must be in 1\.\.2, not 3"):
        _core.cnm(np.ones((2, 2)), 3)
    with pytest.raises(TypeError):
        _core.cnm(np.ones((2, 2), np.float32), 1)


# --- both routes --------------------------------------------------------------------------------


@pytest.mark.parametrize("n_edges", [0, 1, 8, 25, 60])
def test_matrix_and_lists_merge_alike(n_edges: int) -> None:
    for seed in range(20):
        # Random weights, so no ties; few edges leave components and isolated nodes.
        graph = random_graph(16, n_edges, seed, weights="float")
        dense = graph.to_scipy().toarray()
        for k in (None, *range(1, 17)):
            lists, matrix = _cnm._merge_lists(graph, k), _cnm._merge_matrix(dense, k)
            assert modularity(graph, matrix) == pytest.approx(modularity(graph, lists), abs=1e-12)
            assert len(np.unique(matrix)) == len(np.unique(lists))
            same = lists[:, None] == lists
            assert np.array_equal(matrix[:, None] == matrix, same)
            assert k is None or len(np.unique(matrix)) == k


def test_a_graph_and_its_matrix_give_the_same() -> None:
    for n_nodes, n_edges in ((40, 300), (400, 500)):
        graph = random_graph(n_nodes, n_edges, 3, weights="float")
        dense = graph.to_scipy().toarray()
        for k in (None, 1, 5):
            by_graph, by_matrix = cnm(graph, k), cnm(dense, k)
            assert np.array_equal(by_graph.labels, by_matrix.labels)
            assert by_matrix.modularity == pytest.approx(by_graph.modularity, abs=1e-12)


def test_every_k_down_to_one() -> None:
    weights = random_weights(12, 0)
    for k in range(1, 13):
        found = cnm(weights, k)
        assert found.n_communities == k
        assert found.modularity == pytest.approx(
            twin.modularity(weights, found.labels.astype(np.int64)), abs=1e-12
        )


# --- the matrix as an argument ------------------------------------------------------------------


@pytest.mark.parametrize(
    "function",
    [cnm, newman, lambda weights: spectral(weights, 1), lambda w: modularity(w, [0] * 5)],
    ids=["cnm", "newman", "spectral", "modularity"],
)
def test_a_bad_matrix_is_refused(function) -> None:
    good = random_weights(5, 1)

    def with_entry(i: int, j: int, value: float) -> np.ndarray:
        bad = good.copy()
        bad[i, j] = value
        return bad

    with pytest.raises(ValueError, match=r"graph must be square, not 2 x 3"):
        function(np.ones((2, 3)))
    with pytest.raises(ValueError, match="graph must be 2D, not 1D"):
        function(np.ones(3))
    with pytest.raises(ValueError, match=r"graph must be finite; graph\[1, 2\] is nan"):
        function(with_entry(1, 2, np.nan))
    with pytest.raises(ValueError, match="graph must not have negative weights"):
        function(with_entry(1, 2, -0.5))
    with pytest.raises(ValueError, match=r"graph must be symmetric; graph\[1, 2\] is 9"):
        function(with_entry(1, 2, 9.0))
    with pytest.raises(TypeError, match="graph must be a numeric array, not object"):
        function([[object()]])
    with pytest.raises(TypeError, match="graph must be a Graph or a matrix of weights, not Graph"):
        function(igraph.Graph(2))


def test_k_is_checked_for_a_matrix() -> None:
    with pytest.raises(ValueError, match="k must be at most 5, not 6"):
        cnm(random_weights(5, 1), 6)
    assert cnm(np.empty((0, 0))).labels.shape == (0,)
    assert cnm(np.ones((1, 1)), 1).labels.tolist() == [0]


def test_any_form_of_matrix_is_taken_and_left_as_it_is() -> None:
    weights = random_weights(30, 2)
    expected = cnm(weights, 4)
    spread = np.zeros((60, 60))
    spread[::2, ::2] = weights
    with_diagonal = weights + np.diag(np.arange(30.0))
    before = with_diagonal.copy()
    with_diagonal.flags.writeable = False
    for same in (spread[::2, ::2], np.asfortranarray(weights), with_diagonal, weights.tolist()):
        found = cnm(same, 4)
        assert np.array_equal(found.labels, expected.labels)
        assert found.modularity == expected.modularity
    assert np.array_equal(with_diagonal, before)
    assert np.array_equal(cnm(weights * 1e200, 4).labels, expected.labels)
    assert np.array_equal(cnm(weights * 1e-250, 4).labels, expected.labels)
    single = weights.astype(np.float32)
    slightly_off = single * (1 + 1e-6 * np.random.default_rng(0).random((30, 30), np.float32))
    for near in (single, slightly_off):
        assert cnm(near, 4).modularity == pytest.approx(expected.modularity, abs=1e-4)


def test_too_little_memory_is_said_before_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_validation, "available_memory", lambda: 1_000)
    with pytest.raises(MemoryLimitError, match="a matrix of gains of 30 nodes needs 7,200 bytes"):
        cnm(np.ones((30, 30)))
    with pytest.raises(MemoryLimitError, match="a copy of graph needs 7,200 bytes"):
        cnm(random_weights(30, 2))


def test_without_any_weight() -> None:
    assert cnm(np.zeros((5, 5)), 3).labels.tolist() == [0, 0, 0, 1, 2]
    assert cnm(np.zeros((5, 5))).labels.tolist() == [0, 1, 2, 3, 4]
    assert modularity(np.zeros((5, 5)), [0, 1, 1, 0, 0]) == 0.0


def test_large_graphs_take_either_route() -> None:
    graph, _ = sized_graphs("cora")
    lists = modularity(graph, _cnm._merge_lists(graph, 10))
    matrix = modularity(graph, _cnm._merge_matrix(graph.to_scipy().toarray(), 10))
    assert lists == pytest.approx(matrix, abs=0.01)  # unweighted: ties
