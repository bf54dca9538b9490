"""Newman's leading eigenvector method against its twins, brute force and igraph."""

from __future__ import annotations

from itertools import combinations

import networkx as nx
import numpy as np
import pytest
from helpers import random_graph
from sized_graphs import sized_graphs

from graphopt import Graph, modularity, newman
from graphopt.communities import _newman
from tests.reference import communities as twin

KARATE = Graph.from_networkx(nx.karate_club_graph(), weight=None)


def dense(graph: Graph) -> np.ndarray:
    return graph.to_scipy().toarray()


def connected(n_nodes: int, n_edges: int, seed: int, weights: str | None = "float") -> Graph:
    return random_graph(n_nodes, n_edges, seed, weights=weights).largest_component()[0]


def group_of(graph: Graph, members: np.ndarray, form: str) -> _newman.Group:
    matrix = graph.to_scipy()[members][:, members]
    return _newman.Group(
        matrix if form == "sparse" else matrix.toarray(),
        graph.strengths[members],
        float(graph.strengths.sum()),
    )


# --- one split ----------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["sparse", "dense"])
def test_splits_are_the_twins(form: str) -> None:
    compared = 0
    for seed in range(20):
        graph = connected(16, 30, seed)
        members = np.flatnonzero(np.random.default_rng(seed).random(graph.n_nodes) < 0.7)
        gain, side = _newman.bisect(group_of(graph, members, form), refine=False)
        expected, eigenvalue = twin.sign_split(dense(graph), members)

        def quality(side: np.ndarray, members=members, graph=graph) -> float:
            labels = np.arange(graph.n_nodes) + 2
            labels[members] = side
            return modularity(graph, labels)

        before = quality(np.zeros(len(members), bool))

        assert gain == pytest.approx(quality(side) - before, abs=1e-12)
        if quality(expected) - before > 1e-9:
            assert eigenvalue > 0
            assert np.array_equal(side, expected) or np.array_equal(side, ~expected)
            compared += 1
        else:
            assert gain >= quality(expected) - before - 1e-12
    assert compared >= 10


@pytest.mark.parametrize("form", ["sparse", "dense"])
def test_fine_tuning_is_the_twins(form: str) -> None:
    for seed in range(8):
        graph = connected(12, 20, seed)
        members = np.arange(graph.n_nodes)[: 9 + seed % 4]
        start = np.random.default_rng(seed).random(len(members)) < 0.5
        start[:2] = False, True
        group = group_of(graph, members, form)
        found = _newman.fine_tune(group, start)
        expected = twin.kernighan_lin(dense(graph), members, start)
        assert group.gain(found) == pytest.approx(group.gain(expected), abs=1e-12)
        assert np.array_equal(found, expected)
        assert group.gain(found) >= group.gain(start) - 1e-12


def test_the_cut_along_a_vector_and_the_single_node_are_the_best_ones() -> None:
    for seed in range(10):
        graph = connected(12, 25, seed)
        n = graph.n_nodes
        vector = np.random.default_rng(seed).standard_normal(n)
        order = np.argsort(-vector)
        for form in ("sparse", "dense"):
            group = group_of(graph, np.arange(n), form)
            cuts = [group.gain(np.isin(np.arange(n), order[:size])) for size in range(1, n)]
            assert group.gain(_newman._cut_along(group, vector)) == pytest.approx(max(cuts))
            singles = [group.gain(np.arange(n) == node) for node in range(n)]
            assert group.gain(_newman._single_node(group)) == pytest.approx(max(singles))


def test_a_forced_split_of_a_small_group_costs_least() -> None:
    # No split of these gains; all are tried by brute force.
    for graph in (Graph.from_networkx(nx.complete_graph(6)), Graph.from_networkx(nx.star_graph(6))):
        assert newman(graph).n_communities == 1
        nodes = range(graph.n_nodes)
        best = max(
            modularity(graph, np.isin(nodes, side).astype(int))
            for size in range(1, graph.n_nodes)
            for side in combinations(nodes, size)
        )
        assert newman(graph, 2).modularity == pytest.approx(best, abs=1e-12)
        assert newman(graph, 2, refine=False).modularity == pytest.approx(best, abs=1e-12)


def test_one_split_is_igraphs() -> None:
    for seed in range(10):
        graph = connected(60, 150, seed, weights=None)
        peer = graph.to_igraph().community_leading_eigenvector(clusters=2)
        found = newman(graph, 2, refine=False)
        assert found.modularity == pytest.approx(peer.modularity, abs=1e-9)
        assert newman(graph, 2).modularity >= found.modularity - 1e-12


# --- whole partitions ---------------------------------------------------------------------------


def test_the_karate_club() -> None:
    # Newman's paper: 0.419 in four groups, with fine-tuning; igraph, without: 0.393.
    found = newman(KARATE)
    assert found.modularity == pytest.approx(0.4188, abs=1e-4)
    assert found.n_communities == 4
    peer = KARATE.to_igraph().community_leading_eigenvector()
    assert newman(KARATE, refine=False).modularity >= peer.modularity - 1e-9


@pytest.mark.parametrize("refine", [True, False])
@pytest.mark.parametrize("weights", [None, "float"])
def test_exactly_k_groups(refine: bool, weights: str | None) -> None:
    for seed, n_edges in enumerate((15, 30, 60)):
        # Some with components, some with isolated nodes.
        graph = random_graph(24, n_edges, seed, weights=weights)
        free = newman(graph, refine=refine)
        for k in (1, 2, 3, 5, 8, 13, 20, 23, 24):
            found = newman(graph, k, refine=refine)
            assert found.n_communities == k
            assert np.bincount(found.labels).min() >= 1
            assert found.modularity == modularity(graph, found.labels)
            assert found.modularity <= free.modularity + 1e-9
            at_most = newman(graph, k, exact=False, refine=refine)
            assert at_most.n_communities <= k
            assert at_most.modularity >= found.modularity - 1e-9
            matrix = newman(dense(graph), k, refine=refine)
            assert matrix.modularity == pytest.approx(found.modularity, abs=1e-9)


def test_more_groups_gain_until_none_does() -> None:
    graph = connected(40, 80, 0)
    found = [newman(graph, k).modularity for k in range(1, 20)]
    peak = newman(graph).n_communities
    rising, falling = np.diff(found[:peak]), np.diff(found[peak - 1 :])
    assert (rising > 0).all()
    assert (falling <= 1e-12).all()


def test_components_come_apart() -> None:
    cliques = nx.disjoint_union_all([nx.complete_graph(size) for size in (5, 4, 3, 2, 2)])
    graph = Graph.from_networkx(cliques)
    expected = np.repeat(np.arange(5), (5, 4, 3, 2, 2))
    for refine in (True, False):
        assert np.array_equal(newman(graph, refine=refine).labels, expected)
        assert np.array_equal(newman(graph, 5, refine=refine).labels, expected)
        halves = newman(graph, 2, refine=refine).labels
        assert all(len(np.unique(halves[expected == clique])) == 1 for clique in range(5))


def test_exactly_or_at_most() -> None:
    complete = Graph.from_networkx(nx.complete_graph(7))
    assert newman(complete, 4).n_communities == 4
    assert newman(complete, 4, exact=False).labels.tolist() == [0] * 7
    with_isolated = Graph.from_edges([(0, 1), (1, 2), (0, 2)], 6)
    assert newman(with_isolated, 3).labels.tolist() == [0, 0, 0, 0, 1, 2]
    assert newman(with_isolated, 5).n_communities == 5
    assert newman(with_isolated, 3, exact=False).labels.tolist() == [0] * 6
    assert newman(with_isolated).labels.tolist() == [0, 0, 0, 1, 2, 3]


def test_nothing_is_drawn() -> None:
    graph = random_graph(400, 900, 0)
    assert np.array_equal(newman(graph, 8).labels, newman(graph, 8).labels)


def test_without_edges() -> None:
    assert newman(Graph.from_edges([], 5), 3).labels.tolist() == [0, 0, 0, 1, 2]
    assert newman(Graph.from_edges([], 5), 3, exact=False).labels.tolist() == [0] * 5
    zero = Graph.from_edges([(0, 1), (1, 2)], weights=[0.0, 0.0])
    assert newman(zero, 3).labels.tolist() == [0, 1, 2]
    assert newman(np.zeros((3, 3)), 2).labels.tolist() == [0, 0, 1]
    assert newman(np.zeros((0, 0))).labels.shape == (0,)


@pytest.mark.parametrize("name", ["cora", "citeseer", "protein_vidal", "moreno", "fb_small"])
def test_ten_groups_on_graphs_of_the_published_sizes(name: str) -> None:
    for graph in sized_graphs(name):  # igraph's own stops with an error on some
        assert newman(graph, 10, refine=False).n_communities == 10
