"""Synthetic graphs and structural features."""

from __future__ import annotations

import math

import networkx as nx
import numpy as np
import pytest
from helpers import random_graph

from graphopt import Graph
from graphopt.communities import modularity
from graphopt.datasets import split_edges, structural_features, synthetic
from graphopt.datasets.structural_features import LOCAL_FEATURES
from graphopt.datasets.synthetic import _grow, _Growth


def to_networkx(graph):
    twin = nx.Graph()
    twin.add_nodes_from(range(graph.n_nodes))
    twin.add_edges_from(graph.edges.tolist())
    return twin


# --- the graphs ---------------------------------------------------------------------------------


def test_looks_like_the_published_graphs():
    # Over the 60 published ones: 837 to 909 edges, clustering 0.35, largest degree 17.
    sets = synthetic(n_graphs=3)
    assert [data.name for data in sets] == [f"synthetic/{i}" for i in range(3)]
    for data in sets:
        assert data.n_nodes == 500
        assert 790 < data.graph.n_edges < 960
        assert data.graph.connected_components()[0] == 1
        assert 0.2 < nx.average_clustering(to_networkx(data.graph)) < 0.45
        assert 10 < data.graph.degrees.max() < 40


def test_the_parts_fit_together():
    data = synthetic(300, seen_fraction=0.3, n_groups=4, random_state=5)
    assert data.observed.n_nodes == data.n_nodes == 300
    assert data.observed.n_edges == len(data.splits.train) == round(0.3 * data.graph.n_edges)
    assert np.array_equal(data.observed.edges, data.splits.train)
    assert data.labels is not None
    assert data.label_names is not None
    assert set(data.labels.tolist()) <= set(range(4))
    assert len(data.label_names) == 4
    assert sorted(data.node_ids.tolist()) == list(range(300))
    for x in (data.features, data.observed_features):
        assert x.shape == (300, 64)
        assert x.dtype == np.float32
    assert not np.array_equal(data.features, data.observed_features)


def test_groups_are_communities():
    data = synthetic(1000, n_groups=5, random_state=0)
    assert modularity(data.graph, data.labels) > 0.3


def test_observed_features_know_the_observed_graph_only():
    # Recomputed from the observed graph: the columns that draw nothing must agree.
    data = synthetic(200, random_state=3)
    n_local = len(LOCAL_FEATURES)
    again = structural_features(data.observed)
    assert np.array_equal(again[:, :n_local], data.observed_features[:, :n_local])


def test_node_numbers_do_not_tell_who_joined_first():
    data = synthetic(2000, random_state=0)
    assert abs(np.corrcoef(np.arange(2000), data.graph.degrees)[0, 1]) < 0.1
    assert np.corrcoef(data.node_ids, data.graph.degrees)[0, 1] < -0.2


def test_attributes_as_features():
    data = synthetic(400, features="attributes", n_attributes=3, random_state=0)
    assert data.features.shape == (400, 3)
    assert data.observed_features is data.features
    u, v = data.graph.edges.T
    apart = np.linalg.norm(data.features[u] - data.features[v], axis=1)
    anyone = np.linalg.norm(
        data.features[u] - data.features[np.random.default_rng(0).permutation(v)], axis=1
    )
    assert np.median(apart) < 0.3 * np.median(anyone)


def test_same_seed_same_graph():
    one, same, other = (synthetic(100, random_state=s) for s in (7, 7, 8))
    assert one.graph == same.graph
    assert np.array_equal(one.splits.train, same.splits.train)
    assert np.array_equal(one.features, same.features)
    assert one.graph != other.graph
    assert synthetic(100, n_graphs=2, random_state=7)[0].graph == one.graph
    assert synthetic(100, n_graphs=0) == []


@pytest.mark.parametrize("rho", [1e-12, 1e-6, 0.025, 50.0, 1e100])
@pytest.mark.parametrize("n_attributes", [1, 2, 4])
@pytest.mark.parametrize("edges_per_node", [1.0, 6.0])
def test_any_setting_ends_and_connects(rho, n_attributes, edges_per_node):
    data = synthetic(
        80, rho=rho, n_attributes=n_attributes, edges_per_node=edges_per_node, random_state=1
    )
    assert data.graph.connected_components()[0] == 1
    if edges_per_node == 1.0:
        assert data.graph.n_edges == 79


@pytest.mark.parametrize("n_nodes", [1, 2, 3])
def test_smallest_graphs(n_nodes):
    data = synthetic(n_nodes, edges_per_node=3.0)
    assert data.graph.n_edges == n_nodes * (n_nodes - 1) // 2 if n_nodes < 3 else True
    assert data.graph.connected_components()[0] == 1
    assert np.isfinite(data.features).all()


def test_large_graphs_take_time_in_proportion():
    data = synthetic(4000, random_state=0)
    assert data.graph.connected_components()[0] == 1
    assert 6_800 < data.graph.n_edges < 7_200


@pytest.mark.parametrize(
    "places",
    [
        [0.0, 0.5, 1.0, 1.0, 2.5, 4.0],  # all in reach
        [0.0, 11.0, 15.5, 17.0, 30.0, 90.0],  # some beyond the radius that is looked at first
        [0.0, 100.0, 100.5, 101.0, 102.0, 103.0],  # all beyond it
    ],
    ids=["near", "mixed", "far"],
)
def test_partners_have_the_stated_probability(places):
    y = np.array(places)[:, None]
    growth = _Growth(y, 1.0, np.random.default_rng(0))
    for i, j in [(1, 2), (2, 3), (3, 4), (4, 5), (2, 5), (2, 4)]:
        growth.connect(i, j)
    log_weight = np.log(growth.degree[1:]) - y[1:, 0]
    expected = np.exp(log_weight - log_weight.max())
    expected /= expected.sum()
    draws = 4000
    pairs = np.array([growth.partners(0, 2) for _ in range(draws)]) - 1
    assert (pairs[:, 0] != pairs[:, 1]).all()
    first = np.bincount(pairs[:, 0], minlength=5) / draws
    assert np.allclose(first, expected, atol=4 * math.sqrt(0.25 / draws))
    second = [
        sum(expected[i] * expected[j] / (1 - expected[i]) for i in range(5) if i != j)
        for j in range(5)
    ]
    found = np.bincount(pairs[:, 1], minlength=5) / draws
    assert np.allclose(found, second, atol=4 * math.sqrt(0.25 / draws))


def test_nodes_make_as_many_edges_as_wanted():
    wanted = np.array([1, 1, 5, 2, 3, 1, 4])
    edges = _grow(np.zeros((7, 2)), 0.1, wanted, np.random.default_rng(0))
    assert np.bincount(edges[:, 1], minlength=7).tolist() == [0, 1, 2, 2, 3, 1, 4]
    assert (edges[:, 0] < edges[:, 1]).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_nodes": 0}, "n_nodes must be at least 1"),
        ({"n_graphs": -1}, "n_graphs must be at least 0"),
        ({"rho": 0.0}, "rho must be at least 1e-12"),
        ({"rho": 1e-17}, "rho must be at least 1e-12"),
        ({"rho": 1e300}, r"rho must be at most 1e\+100"),
        ({"edges_per_node": 0.5}, "edges_per_node must be at least 1"),
        ({"n_attributes": 0}, "n_attributes must be at least 1"),
        ({"n_groups": 0}, "n_groups must be at least 1"),
        ({"features": "role2vec"}, "features must be one of attributes, structural"),
        ({"n_features": 6}, "n_features must be at least 7"),
        ({"seen_fraction": 2}, "seen_fraction must be at most 1"),
        ({"random_state": -3}, "random_state must be at least 0"),
    ],
)
def test_bad_requests_to_synthetic_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        synthetic(**arguments)


# --- the features -------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_local_features_agree_with_networkx(seed):
    graph = random_graph(40, 90, seed)
    twin = to_networkx(graph)
    x = structural_features(graph, 7)
    nodes = range(40)
    degree = np.array([twin.degree[i] for i in nodes])
    around = np.array([sum(twin.degree[j] for j in twin[i]) for i in nodes])
    rank = nx.pagerank(twin, tol=1e-12)
    expected = np.column_stack(
        [
            np.log1p(degree),
            [nx.clustering(twin, i) for i in nodes],
            np.log1p([nx.core_number(twin)[i] for i in nodes]),
            np.log1p(around / np.maximum(degree, 1)),
            np.log1p(around - degree),
            np.log1p([nx.triangles(twin, i) for i in nodes]),
            np.log([40 * rank[i] for i in nodes]),
        ]
    )
    assert np.allclose(x, expected, atol=1e-4)


def test_local_features_do_not_depend_on_the_rest_of_the_graph():
    one = Graph.from_edges([(0, 1), (1, 2), (0, 2), (2, 3)])
    two = Graph.from_edges([(0, 1), (1, 2), (0, 2), (2, 3), (4, 5), (5, 6), (4, 6), (6, 7)])
    assert np.allclose(structural_features(one, 7), structural_features(two, 7)[:4], atol=1e-5)
    assert np.allclose(structural_features(two, 7)[:4], structural_features(two, 7)[4:], atol=1e-5)


def test_positional_features_tell_communities():
    blocks = [(i, j) for b in range(4) for i in range(b * 10, b * 10 + 10) for j in range(i)]
    graph = Graph.from_edges([(i, j) for i, j in blocks if j >= i // 10 * 10] + [(0, 10), (20, 30)])
    position = structural_features(graph, 64)[:, len(LOCAL_FEATURES) :]
    assert np.allclose(np.linalg.norm(position, axis=1), 1, atol=1e-5)
    cosine = position @ position.T
    same = np.arange(40)[:, None] // 10 == np.arange(40) // 10
    assert cosine[same].min() > 0.8
    assert cosine[~same].max() < 0.7


def test_features_of_odd_graphs_are_finite():
    for graph in (
        Graph.from_edges([], n_nodes=0),
        Graph.from_edges([], n_nodes=1),
        Graph.from_edges([], n_nodes=5),
        Graph.from_edges([(0, 1)], n_nodes=4),
    ):
        x = structural_features(graph, 10)
        assert x.shape == (graph.n_nodes, 10)
        assert x.dtype == np.float32
        assert np.isfinite(x).all()


def test_features_of_a_seen_graph_differ_from_those_of_the_whole():
    graph = random_graph(50, 200, 0)
    seen = Graph.from_edges(split_edges(graph, 0.4, random_state=0).train, 50)
    assert not np.array_equal(structural_features(graph), structural_features(seen))
    assert np.array_equal(structural_features(graph), structural_features(graph))


def test_bad_requests_to_structural_features_are_named():
    with pytest.raises(ValueError, match="n_features must be at least 7, not 3"):
        structural_features(random_graph(5, 8, 0), 3)
    with pytest.raises(ValueError, match="graph must be undirected"):
        structural_features(random_graph(5, 8, 0, directed=True))
