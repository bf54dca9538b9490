"""Edge splits."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import random_graph
from hypothesis import given
from hypothesis import strategies as st

from graphopt import Graph
from graphopt.datasets import EdgeSplit, observed_graph, split_edges


def as_set(edges):
    return {(int(u), int(v)) for u, v in edges}


@given(
    n_nodes=st.integers(0, 30),
    n_edges=st.integers(0, 80),
    fraction=st.floats(0, 1),
    seed=st.integers(0, 1000),
)
def test_a_split_is_a_partition(n_nodes, n_edges, fraction, seed):
    graph = random_graph(n_nodes, n_edges, seed)
    split = split_edges(graph, fraction, random_state=seed)
    assert as_set(split.train) | as_set(split.unseen) == as_set(graph.edges)
    assert not as_set(split.train) & as_set(split.unseen)
    assert len(split.train) == round(fraction * graph.n_edges)
    for part in (split.train, split.unseen):
        assert part.dtype == np.int32
        assert (part[:, 0] < part[:, 1]).all()
        assert np.array_equal(part, np.unique(part, axis=0).reshape(-1, 2))
    seen = observed_graph(graph, split)
    assert seen.n_nodes == graph.n_nodes
    assert np.array_equal(seen.edges, split.train)


def test_the_seed_decides():
    graph = random_graph(100, 300, 0)
    one, same, other = (split_edges(graph, 0.4, random_state=s) for s in (1, 1, 2))
    assert np.array_equal(one.train, same.train)
    assert not np.array_equal(one.train, other.train)


def test_every_edge_is_seen_equally_often():
    graph = random_graph(10, 40, 0)
    rng = np.random.default_rng(0)
    times = dict.fromkeys(as_set(graph.edges), 0)
    for _ in range(2000):
        for edge in as_set(split_edges(graph, 0.5, random_state=rng).train):
            times[edge] += 1
    assert np.allclose(np.array(list(times.values())) / 2000, 0.5, atol=0.05)


@pytest.mark.parametrize("seed", range(5))
def test_keep_connected_keeps_the_components(seed):
    graph = random_graph(60, 120, seed)
    count, label = graph.connected_components()
    least = (graph.n_nodes - count) / graph.n_edges
    for fraction in (least, 0.9, 1.0):
        split = split_edges(graph, fraction, random_state=seed, keep="connected")
        seen_count, seen_label = observed_graph(graph, split).connected_components()
        assert seen_count == count
        assert np.array_equal(seen_label, label)
        assert len(split.train) == round(fraction * graph.n_edges)
    with pytest.raises(ValueError, match="fraction must leave room for a spanning forest"):
        split_edges(graph, least * 0.9, random_state=seed, keep="connected")


def test_the_spanning_forest_is_random():
    graph = Graph.from_edges([(i, (i + 1) % 12) for i in range(12)])
    left_out = {
        next(iter(as_set(split_edges(graph, 11 / 12, random_state=s, keep="connected").unseen)))
        for s in range(60)
    }
    assert len(left_out) > 8


def test_weights_and_names_stay():
    graph = Graph.from_edges(
        [(0, 1), (1, 2), (0, 2)], weights=[1.0, 2.0, 3.0], names=["a", "b", "c"]
    )
    split = EdgeSplit(train=np.array([[0, 2], [1, 2]], np.int32), unseen=np.array([[0, 1]]))
    seen = observed_graph(graph, split)
    assert seen.names == graph.names
    assert seen.edge_weights is not None
    assert seen.edge_weights.tolist() == [3.0, 2.0]


def test_repr_tells_sizes():
    edges = np.zeros((2, 2), np.int32)
    assert repr(EdgeSplit(edges, edges[:1])) == "EdgeSplit(train=2, unseen=1)"
    assert repr(EdgeSplit(edges, edges, edges, edges)).endswith("valid=2, test=2)")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"fraction": 1.5}, "fraction must be at most 1"),
        ({"fraction": -0.1}, "fraction must be at least 0"),
        ({"fraction": float("nan")}, "fraction must be finite"),
        ({"keep": "all"}, "keep must be one of connected, none"),
        ({"random_state": -1}, "random_state must be at least 0"),
    ],
)
def test_bad_requests_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        split_edges(random_graph(5, 8, 0), **arguments)


def test_directed_graphs_are_refused():
    graph = random_graph(5, 8, 0, directed=True)
    with pytest.raises(ValueError, match="graph must be undirected"):
        split_edges(graph)
    with pytest.raises(ValueError, match="graph must be undirected"):
        observed_graph(graph, EdgeSplit(graph.edges, graph.edges[:0]))


def test_a_split_of_another_graph_is_refused():
    graph = Graph.from_edges([(0, 1), (1, 2)])
    strange = EdgeSplit(train=np.array([[0, 2]], np.int32), unseen=graph.edges)
    with pytest.raises(ValueError, match=r"edges of the graph; \(0, 2\) is not one"):
        observed_graph(graph, strange)
    with pytest.raises(ValueError, match=r"\(0, 2\) is not one"):
        observed_graph(Graph.from_edges([], n_nodes=3), strange)
