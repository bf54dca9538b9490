"""Graphs and edge lists of Python objects into a Graph."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import networkx as nx
import numpy as np
from scipy.sparse import csr_array

from benchmarks.race.contest import Contest, Contestant, Faster, LineUp, Size
from graphopt import Graph

N_NODES, N_EDGES = 20_000, 100_000


def same_matrix(ours: Graph, theirs: Graph | csr_array) -> None:
    """Compare a graph with another, or with the peer's matrix."""
    matrix = theirs.to_scipy() if isinstance(theirs, Graph) else theirs
    if abs(ours.to_scipy() - matrix).max() != 0:
        raise AssertionError("the matrices differ")


def _drawn(scale: float) -> nx.Graph[Any]:
    n_nodes, n_edges = (max(60, round(scale * count)) for count in (N_NODES, N_EDGES))
    graph: nx.Graph[Any] = nx.gnm_random_graph(n_nodes, n_edges, seed=1)
    return graph


def _beside(
    graph: nx.Graph[Any], ours: Callable[[], Graph], peer: str, theirs: Callable[[], csr_array]
) -> LineUp:
    def size() -> Size:
        return Size(graph.number_of_nodes(), graph.number_of_edges())

    contestants = (
        Contestant("graphopt", lambda: ours, peer=False),
        Contestant(peer, lambda: theirs),
    )
    return LineUp(size, contestants, same_matrix)


def from_networkx(
    scale: float, *, multi: bool = False, weighted: bool = True, strings: bool = False
) -> LineUp:
    """Race on a graph of networkx."""
    graph = nx.MultiGraph(_drawn(scale)) if multi else _drawn(scale)
    if weighted:
        rng = np.random.default_rng(0)
        nx.set_edge_attributes(graph, {edge: rng.random() for edge in graph.edges}, "weight")
    if strings:
        graph = nx.relabel_nodes(graph, lambda node: f"node {node}")
    return _beside(
        graph,
        partial(Graph.from_networkx, graph),
        "networkx",
        partial(nx.to_scipy_sparse_array, graph),
    )


def from_numbers(scale: float) -> LineUp:
    """Race on a list of pairs of numbers."""
    graph = _drawn(scale)
    edges, n_nodes = list(graph.edges), graph.number_of_nodes()

    def matrix() -> Any:
        ends = np.asarray(edges)
        both = np.concatenate([ends, ends[:, ::-1]])
        return csr_array((np.ones(len(both)), (both[:, 0], both[:, 1])), shape=(n_nodes, n_nodes))

    return _beside(graph, partial(Graph.from_edges, edges, n_nodes), "numpy, scipy.sparse", matrix)


def from_labels(scale: float) -> LineUp:
    """Race on a list of pairs of strings."""
    graph = nx.Graph([(f"node {u}", f"node {v}") for u, v in _drawn(scale).edges])
    edges = list(graph.edges)
    return _beside(
        graph,
        partial(Graph.from_edges, edges),
        "networkx",
        lambda: nx.to_scipy_sparse_array(nx.Graph(edges)),
    )


CONTESTS = tuple(
    Contest(f"convert-{name}", work, line_up, (Faster(3.0),), quick=True)
    for name, work, line_up in (
        ("networkx", "a graph of networkx, unweighted", partial(from_networkx, weighted=False)),
        ("networkx-weighted", "a graph of networkx, weighted", from_networkx),
        ("networkx-strings", "the same, nodes named", partial(from_networkx, strings=True)),
        (
            "networkx-multi",
            "a multigraph of networkx, weighted",
            partial(from_networkx, multi=True),
        ),
        ("numbers", "a list of pairs of numbers", from_numbers),
        ("labels", "a list of pairs of strings", from_labels),
    )
)
