"""Graphs from and to networkx, igraph, SciPy and PyTorch Geometric's edge_index."""

from __future__ import annotations

import igraph
import networkx as nx
import numpy as np
import pytest
import scipy.sparse
import torch
from helpers import random_graph

from graphopt import Graph

NAMED = Graph.from_edges([("b", "a"), ("a", "c")], names=["b", "a", "c", "alone"])
NAMED_WEIGHTED = Graph.from_edges(
    [("b", "a"), ("a", "c")], weights=[0.5, -2.0], names=["b", "a", "c", "alone"], directed=True
)
GRAPHS = {
    "plain": random_graph(20, 30, 0),
    "weighted": random_graph(20, 30, 1, weights="float"),
    "directed": random_graph(20, 60, 2, directed=True),
    "directed weighted": random_graph(20, 60, 3, directed=True, weights="int"),
    "named": NAMED,
    "named directed weighted": NAMED_WEIGHTED,
    "empty": Graph.from_edges([]),
    "one node": Graph.from_edges([], 1),
    "isolated": Graph.from_edges([], 4),
}
each_graph = pytest.mark.parametrize("graph", GRAPHS.values(), ids=GRAPHS.keys())


# --- round trips --------------------------------------------------------------------------------


@each_graph
def test_networkx_and_back(graph: Graph) -> None:
    peer = graph.to_networkx()
    assert type(peer) is (nx.DiGraph if graph.directed else nx.Graph)
    assert peer.number_of_nodes() == graph.n_nodes
    assert peer.number_of_edges() == graph.n_edges
    assert Graph.from_networkx(peer) == graph


@each_graph
def test_igraph_and_back(graph: Graph) -> None:
    peer = graph.to_igraph()
    assert (peer.vcount(), peer.ecount()) == (graph.n_nodes, graph.n_edges)
    assert peer.is_directed() == graph.directed
    assert Graph.from_igraph(peer) == graph


@each_graph
def test_scipy_and_back(graph: Graph) -> None:
    matrix = graph.to_scipy()
    assert (matrix.dtype, matrix.indices.dtype) == (np.float64, np.int32)
    assert matrix.nnz == len(graph.indices)
    back = Graph.from_scipy(matrix, graph.directed)
    assert Graph(back.indptr, back.indices, back.weights, directed=back.directed) == back
    assert back == Graph(graph.indptr, graph.indices, graph.weights, directed=graph.directed)


@each_graph
def test_edge_index_and_back(graph: Graph) -> None:
    index, weight = graph.to_edge_index()
    assert (index.dtype, tuple(index.shape)) == (torch.int64, (2, len(graph.indices)))
    assert (weight is None) == (graph.weights is None)
    back = Graph.from_edge_index(index, graph.n_nodes, weight, graph.directed)
    assert back == Graph(graph.indptr, graph.indices, graph.weights, directed=graph.directed)


# --- networkx -----------------------------------------------------------------------------------


def test_numbers_in_order_are_no_names() -> None:
    assert Graph.from_networkx(nx.path_graph(4)).names is None
    assert Graph.from_networkx(nx.Graph([(np.int64(0), np.int64(1))])).names is None
    assert Graph.from_networkx(nx.Graph([(1, 0)])).names == (1, 0)
    assert Graph.from_networkx(nx.Graph([(1, 2)])).names == (1, 2)
    assert Graph.from_networkx(nx.Graph([(False, True)])).names == (False, True)
    assert Graph.from_networkx(nx.Graph([(0.0, 1.0)])).names == (0.0, 1.0)


def test_the_weight_attribute() -> None:
    peer = nx.Graph()
    peer.add_edge(0, 1, weight=3, length=7)
    peer.add_edge(1, 2)
    assert Graph.from_networkx(peer).edge_weights.tolist() == [3, 1]
    assert Graph.from_networkx(peer, "length").edge_weights.tolist() == [7, 1]
    assert Graph.from_networkx(peer, weight=None).weights is None
    assert Graph.from_networkx(peer, "absent").weights is None


@pytest.mark.parametrize(
    ("duplicates", "weight"), [("first", 2), ("last", 3), ("sum", 6), ("min", 1), ("max", 3)]
)
@pytest.mark.parametrize("kind", [nx.MultiGraph, nx.MultiDiGraph])
def test_parallel_edges_follow_the_rule(kind: type, duplicates: str, weight: float) -> None:
    peer = kind()
    for w in (2, 1, 3):
        peer.add_edge("a", "b", weight=w)
    graph = Graph.from_networkx(peer, duplicates=duplicates)
    assert graph.n_edges == 1
    assert graph.edge_weights.tolist() == [weight]
    assert graph.directed == peer.is_directed()
    with pytest.raises(ValueError, match="repeats edges"):
        Graph.from_networkx(peer, duplicates="error")


def test_self_loops_of_networkx_are_dropped() -> None:
    peer = nx.Graph([(0, 0), (0, 1)])
    assert Graph.from_networkx(peer).edges.tolist() == [[0, 1]]


def test_filtered_views_and_frozen_graphs() -> None:
    peer = nx.karate_club_graph()
    view = peer.subgraph(range(10))
    assert Graph.from_networkx(view) == Graph.from_networkx(peer).subgraph(range(10))
    multi = nx.MultiGraph([(0, 1, {"weight": 2}), (0, 1, {"weight": 3}), (1, 2)])
    assert Graph.from_networkx(multi.subgraph([0, 1])).edge_weights.tolist() == [3]
    directed = nx.DiGraph([(0, 1), (1, 2)])
    assert Graph.from_networkx(directed.reverse(copy=False)).edges.tolist() == [[1, 0], [2, 1]]
    assert Graph.from_networkx(nx.freeze(peer)) == Graph.from_networkx(peer)


@pytest.mark.parametrize("directed", [False, True], ids=["undirected", "directed"])
def test_adjacency_equals_networkx(directed: bool) -> None:
    peer = nx.gnp_random_graph(60, 0.1, seed=1, directed=directed)
    rng = np.random.default_rng(0)
    for _, _, attributes in peer.edges(data=True):
        if rng.random() < 0.7:
            attributes["weight"] = rng.uniform(1, 2)
    expected = nx.to_scipy_sparse_array(peer).toarray()
    assert np.array_equal(Graph.from_networkx(peer).to_scipy().toarray(), expected)


def test_what_is_no_graph_is_refused() -> None:
    with pytest.raises(TypeError, match="graph must be a networkx graph, not dict"):
        Graph.from_networkx({0: [1]})
    with pytest.raises(TypeError, match="graph must be an igraph graph, not Graph"):
        Graph.from_igraph(nx.Graph())
    with pytest.raises(ValueError, match="duplicates must be one of"):
        Graph.from_networkx(nx.Graph(), duplicates="keep")


# --- igraph -------------------------------------------------------------------------------------


def test_igraph_names_and_weights() -> None:
    peer = igraph.Graph(n=3, edges=[(0, 1), (1, 2), (2, 2), (1, 0)])
    peer.vs["name"] = ["x", "y", "z"]
    peer.es["weight"] = [2, None, 5, 4]
    graph = Graph.from_igraph(peer)
    assert graph.names == ("x", "y", "z")
    assert graph.edge_weights.tolist() == [4, 1]
    assert Graph.from_igraph(peer, duplicates="sum").edge_weights.tolist() == [6, 1]
    assert Graph.from_igraph(peer, weight=None).weights is None
    peer.es["weight"] = [None] * 4
    assert Graph.from_igraph(peer).weights is None
    peer.es["weight"] = ["2"] * 4
    with pytest.raises(TypeError, match="edge attribute 'weight' must hold numbers"):
        Graph.from_igraph(peer)
    peer.vs["name"] = ["x", "x", "z"]
    with pytest.raises(ValueError, match="names must be distinct"):
        Graph.from_igraph(peer, weight=None)


def test_igraph_knows_the_names() -> None:
    peer = NAMED.to_igraph()
    assert peer.vs.find(name="a").degree() == 2


# --- scipy --------------------------------------------------------------------------------------

FORMATS = ["csr", "csc", "coo", "lil", "dok", "bsr", "dia"]


@pytest.mark.parametrize("fmt", FORMATS)
@pytest.mark.parametrize("dtype", [bool, np.int8, np.int64, np.float32, np.float64])
def test_every_format_and_type(fmt: str, dtype: type) -> None:
    dense = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], dtype)
    expected = Graph.from_edges([(0, 1), (1, 2)])
    assert Graph.from_scipy(scipy.sparse.csr_array(dense).asformat(fmt)) == expected
    assert Graph.from_scipy(scipy.sparse.csr_matrix(dense).asformat(fmt)) == expected
    assert Graph.from_scipy(dense) == expected
    assert Graph.from_scipy(dense.tolist()) == expected


def test_when_a_matrix_has_weights_and_directions() -> None:
    ones = np.array([[0, 1], [1, 0]])
    assert not Graph.from_scipy(ones).weighted
    assert Graph.from_scipy(ones, weighted=True).weights.tolist() == [1, 1]
    assert Graph.from_scipy(2 * ones).weights.tolist() == [2, 2]
    assert not Graph.from_scipy(2 * ones, weighted=False).weighted
    assert Graph.from_scipy(ones, directed=True).directed
    one_way = np.array([[0, 1], [0, 0]])
    assert Graph.from_scipy(one_way).directed
    assert Graph.from_scipy(np.array([[0, 1], [2, 0]])).directed
    with pytest.raises(ValueError, match="matrix must be symmetric for an undirected graph"):
        Graph.from_scipy(one_way, directed=False)


def test_zeros_diagonals_and_entries_listed_twice() -> None:
    rows, columns, values = [0, 1, 2, 2, 0, 0], [1, 0, 2, 0, 2, 1], [1.0, 3, 5, 0, 0, 2]
    matrix = scipy.sparse.coo_array((values, (rows, columns)), shape=(3, 3))
    graph = Graph.from_scipy(matrix)
    assert not graph.directed
    assert graph.n_nodes == 3
    assert graph.edges.tolist() == [[0, 1]]
    assert graph.edge_weights.tolist() == [3]
    diagonal = np.array([[4, 1], [1, 9]])
    assert Graph.from_scipy(diagonal) == Graph.from_edges([(0, 1)])


def test_the_matrix_is_left_as_it_was() -> None:
    matrix = scipy.sparse.csr_array(
        (np.array([1.0, 2.0, 0.0]), np.array([1, 1, 0]), np.array([0, 2, 3])), shape=(2, 2)
    )
    before = [array.copy() for array in (matrix.data, matrix.indices, matrix.indptr)]
    assert Graph.from_scipy(matrix, directed=True).weights.tolist() == [3]
    for array, kept in zip((matrix.data, matrix.indices, matrix.indptr), before, strict=True):
        assert np.array_equal(array, kept)


@pytest.mark.parametrize(
    ("matrix", "error", "message"),
    [
        (np.zeros((2, 3)), ValueError, r"matrix must be square, not of shape \(2, 3\)"),
        (np.zeros(4), ValueError, r"matrix must be square, not of shape \(4,\)"),
        (np.zeros((2, 2), complex), TypeError, "matrix must hold numbers, not complex128"),
        (np.array([["a"]]), TypeError, "matrix must hold numbers, not <U1"),
        (np.array([[0, np.nan], [1, 0]]), ValueError, r"finite; matrix\[0, 1\] is nan"),
        (np.array([[0, 1], [-np.inf, 0]]), ValueError, r"finite; matrix\[1, 0\] is -inf"),
    ],
)
def test_bad_matrices_are_refused(matrix: np.ndarray, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        Graph.from_scipy(matrix)


def test_the_matrix_is_the_users_own() -> None:
    graph = random_graph(10, 20, 0, weights="float")
    kept = graph.weights.copy()
    matrix = graph.to_scipy()
    matrix.data[:] = 0
    matrix.eliminate_zeros()
    assert np.array_equal(graph.weights, kept)


# --- edge_index ---------------------------------------------------------------------------------


def test_both_directions_collapse() -> None:
    index = torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]])
    assert Graph.from_edge_index(index) == Graph.from_edges([(0, 1), (1, 2)])
    assert Graph.from_edge_index(index.numpy()) == Graph.from_edges([(0, 1), (1, 2)])
    assert Graph.from_edge_index(index[:, ::2]) == Graph.from_edges([(0, 1), (1, 2)])
    assert Graph.from_edge_index(index, directed=True).n_edges == 4
    assert Graph.from_edge_index(index.int(), 5).n_nodes == 5
    weight = torch.tensor([1.0, 1.0, 3.0, 3.0], requires_grad=True)
    assert Graph.from_edge_index(index, edge_weight=weight).edge_weights.tolist() == [1, 3]
    doubled = Graph.from_edge_index(index, edge_weight=weight, duplicates="sum")
    assert doubled.edge_weights.tolist() == [2, 6]


def test_edge_index_shares_nothing_that_can_be_written() -> None:
    graph = random_graph(10, 20, 0, weights="float")
    index, weight = graph.to_edge_index()
    kept = graph.indices.copy()
    index.zero_()
    weight.zero_()
    assert np.array_equal(graph.indices, kept)
    assert graph.weights.all()


@pytest.mark.parametrize(
    ("index", "error", "message"),
    [
        (torch.zeros(3, 2).long(), ValueError, r"edge_index must have shape \(2, n_entries\), not"),
        (torch.zeros(2, 3), TypeError, "edge_index must hold integer node numbers, not float32"),
        (torch.tensor([[0], [-1]]), ValueError, r"edges\[0\] = \(0, -1\) names a node"),
    ],
)
def test_a_bad_edge_index_is_refused(index: torch.Tensor, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        Graph.from_edge_index(index)
    with pytest.raises(ValueError, match=r"edge_weight must have shape \(1,\)"):
        Graph.from_edge_index(torch.tensor([[0], [1]]), edge_weight=torch.ones(2))
