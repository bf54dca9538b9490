"""Graphs: how they are built, what they hold, how they leave."""

from __future__ import annotations

from typing import Any

import numpy as np

import graphopt
from graphopt import Graph

from ..draw import Draw
from ..registry import Call, require, target

_DUPLICATES = ("first", "last", "sum", "min", "max", "error")
_WORDS = ("node", "edge", "edges", "weights", "weight", "names", "indices", "indptr", "nodes")


def check_graph(graph: Graph) -> None:
    """Look at everything a graph says of itself."""
    n = graph.n_nodes
    rows = np.repeat(np.arange(n), graph.degrees)
    require(len(graph.indices) == graph.indptr[-1], "indptr does not end at the entries")
    inside = (graph.indices >= 0) & (graph.indices < n)
    require(inside.all(), "indices out of range")
    require((rows != graph.indices).all(), "a self loop")
    codes = rows * max(n, 1) + graph.indices
    require((np.diff(codes) > 0).all(), "rows not sorted, or repeated")
    if not graph.directed:
        mirrored = np.sort(graph.indices.astype(np.int64) * max(n, 1) + rows)
        require(np.array_equal(mirrored, codes), "not symmetric")
    if graph.weights is not None:
        require(np.isfinite(graph.weights).all(), "weights not finite")
    require(len(graph.edges) == graph.n_edges, "edges are not n_edges")
    require(graph.names is None or len(set(graph.names)) == n, "names not distinct")
    with np.errstate(over="ignore"):
        sums = np.bincount(rows, graph.weights, n)
    if np.isfinite(sums).all():  # or `strengths` raises, as it says
        require(graph.strengths.shape == (n,), "strengths of the wrong shape")
    repr(graph)


@target("graphopt.Graph", words=_WORDS)
def constructor(draw: Draw) -> Call:
    graph = draw.plain_graph(directed=None)
    args = [draw.array(graph.indptr), draw.array(graph.indices)]
    if graph.weights is not None:
        args.append(draw.array(graph.weights))
    kwargs: dict[str, Any] = {"directed": graph.directed}
    if draw.odd(0.1):
        kwargs["names"] = draw.pick(["a"], 3, [[1]] * graph.n_nodes, "abc", [0] * graph.n_nodes)
    return Call(Graph, tuple(args), kwargs, check_graph)


@target("graphopt.Graph.from_edges", words=_WORDS)
def from_edges(draw: Draw) -> Call:
    n = draw.size(0, 12)
    pairs = draw.edges(n)
    kwargs: dict[str, Any] = draw.some(directed=draw.flag)
    if not draw.valid or draw.chance(0.5):
        kwargs |= draw.some(duplicates=lambda: draw.choice(*_DUPLICATES[:-1]))
    if draw.odd(0.2):
        kwargs |= {"duplicates": "error", "self_loops": draw.pick("error", "keep")}
    weights = draw.edge_weights(len(pairs), "none int float zero negative")
    if draw.odd(0.1):
        weights = draw.edge_weights(len(pairs), "extreme")
    if weights is not None:
        kwargs["weights"] = draw.array(weights)
    style = draw.size(0, 5)
    if style == 1:
        label = draw.pick(str, lambda i: ("n", i), lambda i: f"{i}\u202e")
        edges: Any = [(label(int(u)), label(int(v))) for u, v in pairs]
        if draw.odd():
            edges = [
                *edges,
                draw.pick((1.5, "a"), ("a",), ("a", "b", "c"), 3, (None, "a"), ([], 1)),
            ]
        if draw.chance(0.3):
            kwargs["names"] = [label(i) for i in range(n)]
    else:
        dtype = draw.pick(np.int64, np.int32, np.uint8, np.uint64)
        edges = draw.array(pairs.astype(dtype))
        if draw.chance(0.7) or not len(pairs):
            kwargs["n_nodes"] = n if draw.valid else draw.integer(n, n)
        if draw.odd(0.1):
            kwargs["names"] = draw.pick(["a"] * n, range(n + 1), 3, [[]] * n, ["a", None])
        if draw.odd(0.1):
            edges = iter(draw.pick([(0, 1), (1, 2.0)], [(0, 2**31)], [(0, 10**400)], [(-1, 0)]))
        if draw.odd(0.05):
            edges = np.array([(0, draw.pick(2**31 - 2, 2**31 - 1, 2**31, 2**63 - 1))])
    return Call(Graph.from_edges, (edges,), kwargs, check_graph, changes=True)


@target("graphopt.Graph.from_edge_index", words=_WORDS)
def from_edge_index(draw: Draw) -> Call:
    import torch

    n = draw.size(0, 12)
    pairs = draw.edges(n).T
    kwargs: dict[str, Any] = draw.some(
        directed=draw.flag, duplicates=lambda: draw.choice(*_DUPLICATES[:-1])
    )
    index: Any = torch.from_numpy(np.ascontiguousarray(pairs))
    if draw.chance(0.5):
        index = draw.array(pairs.astype(draw.pick(np.int64, np.int32)), lists=False)
    weights = draw.edge_weights(pairs.shape[1])
    if weights is not None:
        kwargs["edge_weight"] = draw.array(weights)
    if draw.chance(0.5):
        kwargs["n_nodes"] = draw.integer(n, n)
    return Call(Graph.from_edge_index, (index,), kwargs, check_graph)


def _foreign_attributes(draw: Draw, weights: Any) -> Any:
    if draw.odd():
        return draw.pick("x", None, float("nan"), float("inf"), 1j, [1], "2", 10**400, True)
    return weights


@target("graphopt.Graph.from_networkx", words=(*_WORDS, "attribute"))
def from_networkx(draw: Draw) -> Call:
    import networkx

    kind = draw.pick(networkx.Graph, networkx.DiGraph, networkx.MultiGraph, networkx.MultiDiGraph)
    graph: Any = kind()
    n = draw.size(0, 10)
    label = draw.pick(int, int, str, lambda i: (i, i), lambda i: i * 1.5)
    graph.add_nodes_from(label(i) for i in range(n))
    weighted = draw.chance(0.5)
    for u, v in draw.edges(n).tolist():
        if weighted:
            value = _foreign_attributes(draw, draw.pick(1, 2.5, 0, np.float32(3)))
            graph.add_edge(label(u), label(v), weight=value)
        else:
            graph.add_edge(label(u), label(v))
    kwargs = draw.some(duplicates=lambda: draw.choice(*_DUPLICATES[:-1]))
    if draw.odd(0.1):
        return Call(Graph.from_networkx, (draw.pick(None, 3, [], {}, "x", draw.graph()),), kwargs)
    return Call(Graph.from_networkx, (graph,), kwargs, check_graph)


@target("graphopt.Graph.from_igraph", words=(*_WORDS, "attribute"))
def from_igraph(draw: Draw) -> Call:
    import igraph

    n = draw.size(0, 10)
    pairs = draw.edges(n)
    graph: Any = igraph.Graph(n, pairs.tolist(), directed=draw.chance(0.4))
    if draw.chance(0.5) and len(pairs):
        values: list[Any] = draw.generator.integers(0, 4, len(pairs)).tolist()
        values[0] = _foreign_attributes(draw, draw.pick(None, 1.5, 2))
        graph.es["weight"] = values
    if draw.chance(0.3):
        graph.vs["name"] = ["a"] * n if draw.odd() else [str(i) for i in range(n)]
    kwargs = draw.some(duplicates=lambda: draw.choice(*_DUPLICATES[:-1]))
    if draw.odd(0.1):
        return Call(Graph.from_igraph, (draw.pick(None, 3, [], {}, "x", draw.graph()),), kwargs)
    return Call(Graph.from_igraph, (graph,), kwargs, check_graph)


@target("graphopt.Graph.from_scipy", words=(*_WORDS, "matrix"))
def from_scipy(draw: Draw) -> Call:
    n = draw.size(0, 8)
    dense = draw.numbers(n, n)
    directed = draw.pick(None, True, False)
    if directed is False:
        dense = dense + dense.T
    matrix: Any = draw.sparse(dense) if draw.chance(0.6) else draw.array(dense)
    if draw.odd(0.3):
        matrix = draw.broken_sparse(dense)
    elif draw.odd(0.1):
        matrix = draw.sparse(draw.numbers(n, n + 1))
    kwargs = draw.some(weighted=lambda: draw.pick(None, True, False))
    return Call(Graph.from_scipy, (matrix, directed), kwargs, check_graph)


@target("graphopt.Graph.neighbors")
def neighbors(draw: Draw) -> Call:
    graph = draw.plain_graph(1, 10, directed=None)
    return Call(graph.neighbors, (draw.integer(0, graph.n_nodes - 1),))


@target("graphopt.Graph.connected_components")
def connected_components(draw: Draw) -> Call:
    graph = draw.plain_graph(directed=None)

    def check(answer: Any) -> None:
        count, labels = answer
        require(labels.dtype == np.int32 and labels.shape == (graph.n_nodes,), "labels' form")
        require(len(np.unique(labels)) == count, "the count")
        ends = labels[graph.edges]
        require((ends[:, 0] == ends[:, 1]).all(), "an edge joins two components")

    return Call(graph.connected_components, check=check)


@target("graphopt.Graph.largest_component")
def largest_component(draw: Draw) -> Call:
    graph = draw.plain_graph(directed=None)
    return Call(graph.largest_component, check=lambda found: check_graph(found[0]))


@target("graphopt.Graph.subgraph")
def subgraph(draw: Draw) -> Call:
    graph = draw.plain_graph(directed=None)
    nodes = draw.nodes(graph.n_nodes, draw.size(0, graph.n_nodes))
    return Call(graph.subgraph, (nodes,), check=check_graph)


@target("graphopt.Graph.plus")
def plus(draw: Draw) -> Call:
    graph = draw.plain_graph(directed=None, kinds="none int float negative")
    n = graph.n_nodes
    other: Any = Graph.from_edges(draw.edges(n), n, None, graph.directed)
    if draw.odd():
        other = draw.graph()
    return Call(graph.plus, (other,), check=check_graph)


def _same(graph: Graph, other: Graph) -> None:
    check_graph(other)
    require(np.array_equal(graph.indices, other.indices), "another graph came back")


@target("graphopt.Graph.to_networkx")
def to_networkx(draw: Draw) -> Call:
    graph = draw.plain_graph(directed=None)
    return Call(graph.to_networkx, check=lambda found: _same(graph, Graph.from_networkx(found)))


@target("graphopt.Graph.to_igraph", weight=0.5)
def to_igraph(draw: Draw) -> Call:
    graph = draw.plain_graph(directed=None)
    return Call(graph.to_igraph, check=lambda found: _same(graph, Graph.from_igraph(found)))


@target("graphopt.Graph.to_scipy")
def to_scipy(draw: Draw) -> Call:
    graph = draw.plain_graph(directed=None)
    return Call(
        graph.to_scipy, check=lambda found: require(found.shape == (graph.n_nodes,) * 2, "shape")
    )


@target("graphopt.Graph.to_edge_index")
def to_edge_index(draw: Draw) -> Call:
    graph = draw.plain_graph(directed=None)

    def check(found: Any) -> None:
        _same(graph, Graph.from_edge_index(found[0], graph.n_nodes, found[1], graph.directed))

    return Call(graph.to_edge_index, check=check)


@target("graphopt.set_num_threads")
def set_num_threads(draw: Draw) -> Call:
    draw.repeatable = False  # on three threads another number comes back
    number = draw.num_threads()

    def set_and_reset(num_threads: Any) -> int:
        try:
            graphopt.set_num_threads(num_threads)
            return graphopt.get_num_threads()
        finally:
            graphopt.set_num_threads(None)

    return Call(set_and_reset, (number,))
