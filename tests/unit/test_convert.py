"""Lists of pairs and networkx dictionaries through the Cython module, well-formed and not."""

from __future__ import annotations

from enum import IntEnum

import networkx as nx
import numpy as np
import pytest

from graphopt import Graph
from graphopt._native import _convert


class Colour(IntEnum):
    RED = 0
    BLUE = 1


@pytest.mark.parametrize(
    "edges",
    [
        [(0, 1), (1, 2)],
        ((0, 1), (1, 2)),
        [[0, 1], [1, 2]],
        [np.array([0, 1]), np.array([1, 2])],
        [(np.int32(0), np.int64(1)), (np.uint8(1), 2)],
        iter([(0, 1), (1, 2)]),
        ((i, i + 1) for i in range(2)),
        {(0, 1): "x", (1, 2): "y"},
        zip([0, 1], [1, 2], strict=True),
        [(Colour.RED, Colour.BLUE), (1, 2)],
        [range(2), range(1, 3)],
    ],
    ids=[
        "tuples", "tuple", "lists", "arrays", "numpy integers", "iterator", "generator", "dict",
        "zip", "enum", "ranges",
    ],
)  # fmt: skip
def test_integers_are_node_numbers(edges: object) -> None:
    graph = Graph.from_edges(edges)
    assert graph.edges.tolist() == [[0, 1], [1, 2]]
    assert graph.names is None


@pytest.mark.parametrize(
    ("edges", "names"),
    [
        ([("b", "a"), ("a", "c")], ("b", "a", "c")),
        ([(0, "a"), ("a", 2)], (0, "a", 2)),
        ([((0, 0), (0, 1)), ((0, 1), (1, 1))], ((0, 0), (0, 1), (1, 1))),
        ([(5, 7), (7, "x")], (5, 7, "x")),
        ([("ü", b"u"), (b"u", frozenset({1}))], ("ü", b"u", frozenset({1}))),
        (np.array([["b", "a"], ["a", "c"]]), ("b", "a", "c")),
        (np.array([["b", "a"], ["a", 7]], object), ("b", "a", 7)),
        ([["b", "a"], ("a", "c")], ("b", "a", "c")),
    ],
    ids=["strings", "mixed", "tuples", "late", "bytes", "array", "object array", "lists"],
)
def test_labels_are_numbered_as_they_appear(edges: object, names: tuple) -> None:
    graph = Graph.from_edges(edges)
    assert graph.names == names
    assert graph.edges.tolist() == [[0, 1], [1, 2]]


def test_labels_with_names_are_looked_up() -> None:
    graph = Graph.from_edges([("c", "a")], names=["a", "b", "c", "d"])
    assert graph.edges.tolist() == [[0, 2]]
    assert graph.n_nodes == 4
    with pytest.raises(ValueError, match=r"edges\[1\] holds 'z', which is not one of names"):
        Graph.from_edges([("a", "b"), ("a", "z")], names=["a", "b"])
    with pytest.raises(ValueError, match="names must have one label per node, 3, not 2"):
        Graph.from_edges([("a", "b")], 3, names=["a", "b"])
    with pytest.raises(ValueError, match="names must be distinct"):
        Graph.from_edges([("a", "b")], names=["a", "b", "a"])


def test_numbers_with_names_stay_numbers() -> None:
    graph = Graph.from_edges([(0, 2)], names=["a", "b", "c", "d"])
    assert graph.n_nodes == 4
    assert graph.edges.tolist() == [[0, 2]]
    with pytest.raises(ValueError, match=r"edges\[0\] = \(0, 2\) names a node outside 0\.\.1"):
        Graph.from_edges([(0, 2)], names=["a", "b"])


def test_labels_decide_the_number_of_nodes() -> None:
    assert Graph.from_edges([("a", "b")], 2).n_nodes == 2
    with pytest.raises(ValueError, match="n_nodes must be the number of labels in edges, 2, not 5"):
        Graph.from_edges([("a", "b")], 5)


@pytest.mark.parametrize(
    ("edges", "error", "message"),
    [
        ([(0, 1), (1,)], ValueError, r"edges\[1\] must be a pair .*not 1 values: \(1,\)"),
        ([(0, 1, 2.5)], ValueError, r"edges\[0\] must be a pair .*not 3 values"),
        ([()], ValueError, r"edges\[0\] must be a pair .*not 0 values"),
        (["ab"], TypeError, r"edges\[0\] must be a pair \(source, target\), not 'ab'"),
        ([(0, 1), 3], TypeError, r"edges\[1\] must be a pair \(source, target\), not 3"),
        ([None], TypeError, r"edges\[0\] must be a pair \(source, target\), not None"),
        ([(0, 1.0)], TypeError, r"edges\[0\] holds 1.0: .*label, not float"),
        ([(0, np.float32(1))], TypeError, r"edges\[0\] holds .*label, not float32"),
        ([(True, 0)], TypeError, r"edges\[0\] holds True: .*label, not bool"),
        ([(0, np.True_)], TypeError, r"edges\[0\] holds .*label, not bool"),
        ([("a", True)], TypeError, r"edges\[0\] holds True: .*label, not bool"),
        ([("a", None)], TypeError, r"edges\[0\] holds None: .*label, not NoneType"),
        ([("a", "b"), ("a", ["b"])], TypeError, r"edges\[1\] holds \['b'\]: .*hashable, not list"),
        ([(0, 2**63)], ValueError, r"edges\[0\] names node 9223372036854775808, which does not"),
        ([(0, 1), (-(2**63) - 1, 1)], ValueError, r"edges\[1\] names node -9223372036854775809"),
        ([(0, -1)], ValueError, r"edges\[0\] = \(0, -1\) names a node outside"),
        ("ab", TypeError, "edges must be an array or an iterable of pairs, not 'ab'"),
        (7, TypeError, "edges must be an array or an iterable of pairs, not 7"),
        (None, TypeError, "edges must be an array or an iterable of pairs, not None"),
    ],
)
def test_malformed_lists_name_the_edge(edges: object, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        Graph.from_edges(edges)


def test_an_error_in_a_generator_comes_through() -> None:
    def broken():
        yield (0, 1)
        raise KeyError("from the caller")

    with pytest.raises(KeyError, match="from the caller"):
        Graph.from_edges(broken())


def test_a_label_that_changes_the_list_does_no_harm() -> None:
    edges: list = []

    class Meddler:
        def __hash__(self) -> int:
            edges.clear()
            return 1

    edges += [(Meddler(), "a"), ("b", "c")] + [("d", "e")] * 100
    assert Graph.from_edges(edges).n_nodes == 6


# --- networkx dictionaries ----------------------------------------------------------------------


def test_a_dictionary_that_changes_is_noticed() -> None:
    adjacency = {"a": {"b": {}, "c": {}}, "b": {}, "c": {}}

    class Growing(float):
        def __float__(self) -> float:
            adjacency["a"][object()] = {}
            return 1.0

    adjacency["a"]["b"]["weight"] = Growing()
    with pytest.raises(RuntimeError, match="changed size"):
        _convert.adjacency_edges(
            adjacency.items(), {"a": 0, "b": 1, "c": 2}, False, "weight", False, False
        )


def test_a_neighbour_that_is_no_node_is_named() -> None:
    graph = nx.Graph([("a", "b")])
    graph._adj["a"]["ghost"] = {}
    with pytest.raises(ValueError, match="graph lists a neighbour 'ghost' that is not one of its"):
        Graph.from_networkx(graph)


@pytest.mark.parametrize(
    ("weight", "error", "message"),
    [
        ("3", TypeError, r"'weight' of edge \('a', 'b'\) must be a number, not '3'"),
        (None, TypeError, r"'weight' of edge \('a', 'b'\) must be a number, not None"),
        ([1], TypeError, r"must be a number, not \[1\]"),
        (1j, TypeError, r"must be a number, not 1j"),
        (float("nan"), ValueError, r"'weight' of edge \('a', 'b'\) must be finite, not nan"),
        (10**400, ValueError, r"'weight' of edge \('a', 'b'\) must be finite, not inf"),
    ],
)
def test_a_bad_weight_names_its_edge(weight: object, error: type, message: str) -> None:
    graph = nx.Graph()
    graph.add_edge("a", "b", weight=weight)
    with pytest.raises(error, match=message):
        Graph.from_networkx(graph)


@pytest.mark.parametrize("weight", [2, 2.0, np.float32(2), np.int8(2), np.array(2.0)])
def test_any_number_is_a_weight(weight: object) -> None:
    graph = nx.Graph()
    graph.add_edge(0, 1, weight=weight)
    assert Graph.from_networkx(graph).weights.tolist() == [2.0, 2.0]


def test_nothing_is_leaked_by_a_failed_conversion() -> None:
    import sys

    label = "a label that nothing else holds"
    before = sys.getrefcount(label)
    for edges in ([(label, None)], [(label, [])], [(label, "x", "y")]):
        with pytest.raises((TypeError, ValueError)):
            Graph.from_edges(edges)
    del edges
    assert sys.getrefcount(label) <= before + 1
