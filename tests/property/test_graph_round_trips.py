"""Any graph survives the way through another library."""

from __future__ import annotations

import networkx as nx
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from graphopt import Graph

labels = st.one_of(
    st.text(max_size=3), st.integers(-5, 5), st.tuples(st.integers(0, 2), st.text(max_size=1))
)
weights = st.floats(-1e6, 1e6)


@st.composite
def networkx_graphs(draw: st.DrawFn) -> nx.Graph:
    kind = draw(st.sampled_from([nx.Graph, nx.DiGraph]))
    graph = kind()
    graph.add_nodes_from(draw(st.lists(labels, max_size=8, unique=True)))
    nodes = list(graph)
    weighted = draw(st.booleans())
    if nodes:
        ends = st.tuples(st.sampled_from(nodes), st.sampled_from(nodes))
        for u, v in draw(st.lists(ends, max_size=20)):
            if u != v:
                graph.add_edge(u, v, **({"weight": draw(weights)} if weighted else {}))
    return graph


@given(networkx_graphs())
def test_networkx_survives(graph: nx.Graph) -> None:
    back = Graph.from_networkx(graph).to_networkx()
    assert list(back) == list(graph)
    assert back.is_directed() == graph.is_directed()
    assert nx.utils.graphs_equal(back, graph)


@given(networkx_graphs())
def test_every_way_leads_to_the_same_graph(peer: nx.Graph) -> None:
    graph = Graph.from_networkx(peer)
    assert Graph.from_igraph(graph.to_igraph()) == graph
    assert Graph.from_networkx(graph.to_networkx()) == graph
    matrix = graph.to_scipy().toarray()
    if len(peer):
        assert np.array_equal(matrix, nx.to_numpy_array(peer))
    same = Graph.from_edges(
        graph.edges, graph.n_nodes, graph.edge_weights, graph.directed, names=graph.names
    )
    assert same == graph


@given(st.lists(st.tuples(labels, labels), max_size=20))
def test_labelled_pairs_equal_networkx(edges: list) -> None:
    if all(isinstance(end, int) for edge in edges for end in edge):
        edges.append(("a", "b"))  # integers alone would be node numbers
    peer = nx.Graph(edges)
    graph = Graph.from_edges(edges)
    assert set(graph.names) == set(peer)
    names = graph.names
    got = {frozenset((names[u], names[v])) for u, v in graph.edges}
    assert got == {frozenset(edge) for edge in peer.edges if edge[0] != edge[1]}


@given(st.integers(1, 10), st.data())
def test_components_partition_the_nodes(n_nodes: int, data: st.DataObject) -> None:
    ends = st.integers(0, n_nodes - 1)
    graph = Graph.from_edges(data.draw(st.lists(st.tuples(ends, ends), max_size=15)), n_nodes)
    count, component = graph.connected_components()
    assert sorted(set(component.tolist())) == list(range(count))
    assert all(component[u] == component[v] for u, v in graph.edges)
    parts = [graph.subgraph(np.flatnonzero(component == c)) for c in range(count)]
    assert sum(part.n_edges for part in parts) == graph.n_edges
    assert all(part.connected_components()[0] == 1 for part in parts)
    largest, nodes = graph.largest_component()
    assert largest.n_nodes == max(part.n_nodes for part in parts) == len(nodes)
