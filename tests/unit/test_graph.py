"""Graph: how it is built from arrays, what it holds, its parts, and that it cannot change."""

from __future__ import annotations

import copy
import pickle

import networkx as nx
import numpy as np
import pytest
from helpers import random_graph

from graphopt import Graph, _interop
from graphopt.errors import MemoryLimitError
from tests.reference import csr

DUPLICATES = ["first", "last", "sum", "min", "max"]


def arrays_equal(graph: Graph, expected: tuple[np.ndarray, ...]) -> bool:
    got = (graph.indptr, graph.indices, graph.weights)
    return all(
        (a is None and b is None) or (a.dtype == b.dtype and np.array_equal(a, b))
        for a, b in zip(got, expected, strict=True)
    )


# --- building -----------------------------------------------------------------------------------


@pytest.mark.parametrize("directed", [False, True], ids=["undirected", "directed"])
@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("duplicates", DUPLICATES)
def test_rows_equal_the_twin(directed: bool, weighted: bool, duplicates: str) -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        n = int(rng.integers(1, 12))
        edges = rng.integers(0, n, (int(rng.integers(0, 40)), 2))
        # Halves add up to the same sum in any order.
        weights = rng.integers(-4, 9, len(edges)) / 2 if weighted else None
        graph = Graph.from_edges(edges, n, weights, directed, duplicates=duplicates)
        assert arrays_equal(graph, csr.build_csr(n, edges, weights, directed, duplicates))
        checked = Graph(graph.indptr, graph.indices, graph.weights, directed=directed)
        assert checked == graph


def test_the_rule_for_parallel_edges() -> None:
    edges, weights = [(0, 1), (1, 0), (0, 1)], [2.0, 1.0, 4.0]
    expected = {"first": 2, "last": 4, "sum": 7, "min": 1, "max": 4}
    for rule, weight in expected.items():
        graph = Graph.from_edges(edges, weights=weights, duplicates=rule)
        assert graph.n_edges == 1
        assert graph.edge_weights.tolist() == [weight]
    with pytest.raises(ValueError, match=r"edges\[1\] = \(1, 0\) repeats edges\[0\]"):
        Graph.from_edges(edges, duplicates="error")
    with pytest.raises(ValueError, match=r"duplicates must be one of .*not 'mean'"):
        Graph.from_edges(edges, duplicates="mean")


def test_a_sum_of_weights_that_is_not_finite_is_refused() -> None:
    message = r"weights of edge \(2, 1\) must have a finite sum, not inf"
    with pytest.raises(ValueError, match=message):
        Graph.from_edges([(0, 1), (1, 2), (2, 1)], weights=[1, 1e308, 1e308], duplicates="sum")
    half = Graph.from_edges([(1, 2)], weights=[1e308])
    with pytest.raises(ValueError, match=r"weights of edge \(1, 2\) must have a finite sum"):
        half.plus(half)
    assert half.plus(Graph.from_edges([(0, 1)], 3)).edge_weights.tolist() == [1.0, 1e308]
    star = Graph.from_edges([(0, 1), (0, 2)], weights=[1e308, 1e308])
    with pytest.raises(ValueError, match="weights of node 0 must have a finite sum, not inf"):
        _ = star.strengths


def test_opposite_edges_are_two_where_direction_counts() -> None:
    graph = Graph.from_edges([(0, 1), (1, 0)], weights=[1, 2], directed=True, duplicates="error")
    assert graph.n_edges == 2
    assert graph.edge_weights.tolist() == [1, 2]


def test_self_loops_are_dropped_or_refused() -> None:
    assert Graph.from_edges([(0, 0), (0, 1)]).edges.tolist() == [[0, 1]]
    with pytest.raises(ValueError, match=r"edges\[1\] = \(2, 2\) is a self loop"):
        Graph.from_edges([(0, 1), (2, 2)], self_loops="error")
    with pytest.raises(ValueError, match="self_loops must be one of drop, error, not 'keep'"):
        Graph.from_edges([(0, 1)], self_loops="keep")


@pytest.mark.parametrize(
    "edges",
    [[], np.empty((0, 2), int), np.empty((0, 2)), np.array([]), (), iter([])],
    ids=["list", "array", "float array", "flat array", "tuple", "iterator"],
)
def test_no_edges(edges: object) -> None:
    graph = Graph.from_edges(edges)
    assert (graph.n_nodes, graph.n_edges) == (0, 0)
    assert graph.edges.shape == (0, 2)


def test_no_edges_but_nodes() -> None:
    graph = Graph.from_edges([], 3, weights=[])
    assert graph.degrees.tolist() == [0, 0, 0]
    assert graph.strengths.tolist() == [0, 0, 0]
    assert graph.n_nodes == 3


@pytest.mark.parametrize(
    ("edges", "n_nodes", "message"),
    [
        (np.array([[0, 5]]), 5, r"edges\[0\] = \(0, 5\) names a node outside 0\.\.4"),
        (np.array([[0, 1], [-1, 0]]), None, r"edges\[1\] = \(-1, 0\) names a node outside 0\.\.1"),
        (np.array([[-3, -2]]), None, r"edges\[0\] = \(-3, -2\) names a node outside a graph of no"),
        (np.array([[0, 2**63]], np.uint64), None, "edges names node 9223372036854775808, which"),
        (np.array([[0, 2**40]]), None, "node numbers must be below 2147483647, not 1099511627776"),
        (np.array([[0, 1]]), 2**31, "n_nodes must be at most 2147483647"),
        (np.array([[0, 1]]), -1, "n_nodes must be at least 0, not -1"),
        (np.array([0, 1, 2]), None, r"edges must have shape \(n_edges, 2\), not \(3,\)"),
        (np.zeros((2, 3), int), None, r"edges must have shape \(n_edges, 2\), not \(2, 3\)"),
    ],
)
def test_bad_edges_are_named(edges: np.ndarray, n_nodes: int | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Graph.from_edges(edges, n_nodes)


@pytest.mark.parametrize("dtype", [float, bool, complex])
def test_edges_must_be_integers(dtype: type) -> None:
    with pytest.raises(TypeError, match="edges must hold integer node numbers, not"):
        Graph.from_edges(np.array([[0, 1]], dtype))
    with pytest.raises(TypeError, match="n_nodes must be an integer, not float"):
        Graph.from_edges([(0, 1)], 2.0)


@pytest.mark.parametrize("dtype", ["int64", "int32", "uint64"])
def test_columns_are_copied_in_pieces(monkeypatch: pytest.MonkeyPatch, dtype: str) -> None:
    monkeypatch.setattr(_interop, "_AT_ONCE", 3)
    edges = np.array([(i, (i + 1) % 7) for i in range(7)], dtype)
    assert Graph.from_edges(edges).edges.tolist() == sorted(map(sorted, edges.tolist()))


@pytest.mark.parametrize("dtype", [np.int8, np.int32, np.int64, np.uint8, np.uint64, ">i4"])
def test_every_integer_type(dtype: str) -> None:
    edges = np.array([[0, 1], [1, 2]], dtype)
    assert Graph.from_edges(edges) == Graph.from_edges([(0, 1), (1, 2)])


def test_layout_does_not_matter_and_nothing_is_changed() -> None:
    rng = np.random.default_rng(0)
    edges = rng.integers(0, 30, (80, 2))
    weights = rng.uniform(1, 2, 80)
    expected = Graph.from_edges(edges, 30, weights)
    wide = np.zeros((160, 4), int)
    wide[::2, 1::2] = edges
    strided_weights = np.repeat(weights, 3)[::3]
    frozen, kept = edges.copy(), edges.copy()
    frozen.flags.writeable = False
    for layout in (wide[::2, 1::2], np.asfortranarray(edges), frozen, edges[::-1][::-1]):
        assert Graph.from_edges(layout, 30, strided_weights) == expected
    assert np.array_equal(edges, kept)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_weights_must_be_finite(bad: float) -> None:
    with pytest.raises(ValueError, match=r"weights\[1\] must be finite, not"):
        Graph.from_edges([(0, 1), (1, 2)], weights=[1.0, bad])


def test_weights_must_be_one_number_per_edge() -> None:
    with pytest.raises(ValueError, match=r"weights must have shape \(1,\), one per edge, not \(2"):
        Graph.from_edges([(0, 1)], weights=[1.0, 2.0])
    with pytest.raises(TypeError, match="weights must hold numbers, not"):
        Graph.from_edges([(0, 1)], weights=["1"])


def test_a_graph_that_does_not_fit_is_refused_before_it_is_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("graphopt._validation.available_memory", lambda: 10**6)
    with pytest.raises(MemoryLimitError, match=r"2,000,000,000 nodes .* 1,000,000 are available"):
        Graph.from_edges([(0, 1)], 2_000_000_000)


# --- the constructor ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("indptr", "indices", "message"),
    [
        ([0, 1, 2], [1, 5], "row 1 names node 5, outside 0..1"),
        ([0, 2, 1], [1, 0], "indptr must end with the length of indices"),
        ([0, 5, 2], [1, 0], "indptr must not decrease"),
        ([1, 2], [0], "indptr must start with 0"),
        ([], [], "indptr must start with 0"),
        ([0, 1, 1], [1], "indices must be symmetric for an undirected graph"),
        ([0, 1, 2], [0, 0], "row 0 holds a self loop"),
        ([0, 1, 2], [2**40, 0], "indices must fit int32"),
        ([[0, 1, 2]], [1, 0], "indptr must be 1D, not 2D"),
    ],
)
def test_broken_arrays_are_refused(indptr: list, indices: list, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Graph(indptr, indices)


def test_arrays_of_the_wrong_kind_are_refused() -> None:
    with pytest.raises(TypeError, match="indices must hold integers, not float64"):
        Graph([0, 1, 2], [1.5, 0.0])
    with pytest.raises(ValueError, match=r"weights must have 2 elements|weights must be as long"):
        Graph([0, 1, 2], [1, 0], [1.0])
    with pytest.raises(ValueError, match=r"weights.*must be finite"):
        Graph([0, 1, 2], [1, 0], [np.nan, np.nan])
    with pytest.raises(ValueError, match="symmetric"):
        Graph([0, 1, 2], [1, 0], [1.0, 2.0])
    assert Graph([0, 1, 2], [1, 0], [1.0, 2.0], directed=True).weighted


def test_the_constructor_copies() -> None:
    indices = np.array([1, 0], np.int32)
    graph = Graph([0, 1, 2], indices)
    indices[0] = 77
    assert graph.indices.tolist() == [1, 0]


def test_names_are_checked() -> None:
    with pytest.raises(ValueError, match="names must have one label per node, 2, not 1"):
        Graph([0, 1, 2], [1, 0], names=["a"])
    with pytest.raises(ValueError, match="names must be distinct"):
        Graph([0, 1, 2], [1, 0], names=["a", "a"])
    with pytest.raises(TypeError, match="names must be hashable"):
        Graph([0, 1, 2], [1, 0], names=[["a"], ["b"]])


# --- what it holds ------------------------------------------------------------------------------


def test_what_a_graph_holds() -> None:
    graph = Graph.from_edges([(2, 0), (0, 1)], 4, [2.0, 3.0])
    assert (graph.n_nodes, graph.n_edges, graph.directed, graph.weighted) == (4, 2, False, True)
    assert graph.degrees.tolist() == [2, 1, 1, 0]
    assert graph.strengths.tolist() == [5, 3, 2, 0]
    assert graph.edges.tolist() == [[0, 1], [0, 2]]
    assert graph.edge_weights.tolist() == [3, 2]
    assert graph.neighbors(0).tolist() == [1, 2]
    assert repr(graph) == "Graph(n_nodes=4, n_edges=2, weighted)"
    assert (graph.indptr.dtype, graph.indices.dtype) == (np.int64, np.int32)
    with pytest.raises(ValueError, match=r"node must be a node number in 0\.\.3, not 4"):
        graph.neighbors(4)


def test_what_a_directed_graph_holds() -> None:
    graph = Graph.from_edges([(2, 0), (0, 1)], directed=True)
    assert graph.degrees.tolist() == [1, 0, 1]
    assert graph.edges.tolist() == [[0, 1], [2, 0]]
    assert graph.edge_weights is None
    assert repr(graph) == "Graph(n_nodes=3, n_edges=2, directed)"


def test_degrees_equal_networkx() -> None:
    graph = random_graph(40, 90, 3, weights="float")
    peer = graph.to_networkx()
    assert graph.degrees.tolist() == [peer.degree(v) for v in range(40)]
    assert np.allclose(graph.strengths, [peer.degree(v, weight="weight") for v in range(40)])


# --- immutability and protocol ------------------------------------------------------------------


@pytest.mark.parametrize("how", ["from_edges", "constructor", "pickle", "subgraph"])
def test_arrays_cannot_be_written(how: str) -> None:
    graph = Graph.from_edges([(0, 1), (1, 2)], weights=[1.0, 2.0])
    if how == "constructor":
        graph = Graph(graph.indptr, graph.indices, graph.weights)
    elif how == "pickle":
        graph = pickle.loads(pickle.dumps(graph))
    elif how == "subgraph":
        graph = graph.subgraph([0, 1])
    for array in (graph.indptr, graph.indices, graph.weights):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
        with pytest.raises(ValueError, match="WRITEABLE"):
            array.flags.writeable = True


@pytest.mark.parametrize("attribute", ["indices", "_indices", "names", "anything"])
def test_attributes_cannot_be_set(attribute: str) -> None:
    graph = Graph.from_edges([(0, 1)])
    with pytest.raises(AttributeError, match=f"a Graph is immutable; {attribute} cannot be set"):
        setattr(graph, attribute, None)


def test_equality_looks_at_everything() -> None:
    base = Graph.from_edges([(0, 1), (1, 2)])
    assert base == Graph.from_edges([(2, 1), (1, 0), (0, 1)])
    different = [
        Graph.from_edges([(0, 1), (1, 2)], 4),
        Graph.from_edges([(0, 1), (0, 2)]),
        Graph.from_edges([(0, 1), (1, 2)], weights=[1, 1]),
        Graph.from_edges([(0, 1), (1, 2)], names="abc"),
        Graph([0, 1, 3, 4], [1, 0, 2, 1], directed=True),
        "Graph",
    ]
    assert all(base != other for other in different)
    weighted = different[2]
    assert weighted != Graph.from_edges([(0, 1), (1, 2)], weights=[1, 2])
    with pytest.raises(TypeError, match="unhashable"):
        hash(base)


def test_copies_and_pickles() -> None:
    graph = Graph.from_edges([("a", "b"), ("b", "c")], weights=[1, 2], directed=True)
    assert copy.copy(graph) is graph
    assert copy.deepcopy([graph])[0] is graph
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(graph, protocol)) == graph


# --- parts --------------------------------------------------------------------------------------


def test_components_are_numbered_by_their_smallest_node() -> None:
    graph = Graph.from_edges([(5, 1), (4, 2), (2, 6)], 7)
    count, labels = graph.connected_components()
    assert count == 4
    assert labels.tolist() == [0, 1, 2, 3, 2, 1, 2]
    assert labels.dtype == np.int32


@pytest.mark.parametrize("directed", [False, True], ids=["undirected", "directed"])
def test_components_equal_networkx(directed: bool) -> None:
    for seed in range(20):
        graph = random_graph(25, 18, seed, directed=directed)
        count, labels = graph.connected_components()
        peer = graph.to_networkx()
        components = nx.weakly_connected_components if directed else nx.connected_components
        expected = sorted(components(peer), key=min)
        assert count == len(expected)
        assert [set(np.flatnonzero(labels == c)) for c in range(count)] == expected


@pytest.mark.parametrize("n_nodes", [0, 1])
def test_components_of_next_to_nothing(n_nodes: int) -> None:
    graph = Graph.from_edges([], n_nodes)
    count, labels = graph.connected_components()
    assert (count, labels.tolist()) == (n_nodes, [0] * n_nodes)
    part, nodes = graph.largest_component()
    assert part == graph
    assert nodes.tolist() == list(range(n_nodes))


def test_the_largest_component_keeps_names_and_breaks_ties_by_smallest_node() -> None:
    graph = Graph.from_edges([("e", "d"), ("b", "a"), ("x", "y")], weights=[1, 2, 3])
    part, nodes = graph.largest_component()
    assert nodes.tolist() == [0, 1]
    assert part == Graph.from_edges([("e", "d")], weights=[1])
    isolated, nodes = Graph.from_edges([], 3).largest_component()
    assert (isolated.n_nodes, nodes.tolist()) == (1, [0])


@pytest.mark.parametrize("directed", [False, True], ids=["undirected", "directed"])
@pytest.mark.parametrize("weights", [None, "float"])
def test_a_subgraph_is_the_matrix_of_its_nodes(directed: bool, weights: str | None) -> None:
    rng = np.random.default_rng(1)
    for seed in range(10):
        graph = random_graph(20, 60, seed, directed=directed, weights=weights)
        nodes = rng.permutation(20)[: int(rng.integers(0, 21))]
        part = graph.subgraph(nodes)
        assert np.array_equal(
            part.to_scipy().toarray(), graph.to_scipy().toarray()[np.ix_(nodes, nodes)]
        )
        assert part.directed == directed
        assert part.weighted == graph.weighted


def test_a_subgraph_of_all_nodes_permutes_them() -> None:
    graph = random_graph(30, 60, 5, weights="float")
    order = np.random.default_rng(0).permutation(30)
    permuted = graph.subgraph(order)
    back = np.empty(30, int)
    back[order] = np.arange(30)
    assert permuted.subgraph(back) == graph
    assert sorted(permuted.degrees) == sorted(graph.degrees)


def test_subgraph_refuses_bad_nodes() -> None:
    graph = Graph.from_edges([(0, 1), (1, 2)])
    with pytest.raises(ValueError, match="nodes must not repeat"):
        graph.subgraph([0, 0])
    with pytest.raises(ValueError, match=r"nodes must hold node numbers .*; nodes\[1\] is 3"):
        graph.subgraph([0, 3])
    with pytest.raises(TypeError, match="nodes must hold integers, not bool"):
        graph.subgraph([True, False, True])
    assert graph.subgraph([]).n_nodes == 0
