"""Graph convolution and the adjacency it averages over."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from helpers import random_graph

from graphopt import Graph
from graphopt.nn import GCN, Adjacency, SparseMatrix
from tests.reference import clusternet as plain


def literal(graph: Graph, loop: float = 1.0) -> torch.Tensor:
    dense = graph.to_scipy().toarray() + loop * np.eye(graph.n_nodes)
    return torch.from_numpy(dense / dense.sum(axis=1, keepdims=True)).float()


@pytest.mark.parametrize("weights", [None, "float"])
def test_whole_adjacency_is_the_formula(weights: str | None) -> None:
    graph = random_graph(30, 40, seed=1, weights=weights)
    loop = 1.0 if graph.edge_weights is None else float(graph.edge_weights.mean())
    whole = Adjacency(graph).whole
    assert torch.allclose(whole.to_dense(), literal(graph, loop))
    assert torch.allclose(whole.T.to_dense(), literal(graph, loop).T)


def test_missing_edges_add_up() -> None:
    graph = random_graph(20, 20, seed=1)
    missing = random_graph(20, 30, seed=2, weights="float")
    assert torch.allclose(Adjacency(graph, missing).whole.to_dense(), literal(graph.plus(missing)))


def test_masking_hides_seen_edges_only() -> None:
    graph = Graph.from_edges(np.column_stack([np.zeros(400, int), np.arange(1, 401)]))
    missing = Graph.from_edges([(1, 2)], graph.n_nodes, [1.0])
    adjacency = Adjacency(graph, missing)
    torch.manual_seed(0)
    masked = adjacency.masked(0.4).to_dense()
    hub_degree = int((masked[0] > 0).sum()) - 1
    assert 200 < hub_degree < 280
    assert masked[1, 2] > 0
    assert masked[2, 1] > 0
    assert torch.allclose(masked.sum(dim=1), torch.ones(graph.n_nodes))
    assert torch.equal(adjacency.masked(0.0).to_dense(), adjacency.whole.to_dense())
    everything_hidden = adjacency.masked(1.0).to_dense()
    assert everything_hidden[0, 0] == 1.0


def test_edges_of_weight_zero_are_none() -> None:
    graph = Graph.from_edges([(0, 1), (1, 2)], weights=[0.0, 0.0])
    assert torch.equal(Adjacency(graph).whole.to_dense(), torch.eye(3))


def test_isolated_nodes_see_themselves() -> None:
    whole = Adjacency(Graph.from_edges([], 3)).whole.to_dense()
    assert torch.equal(whole, torch.eye(3))


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (Graph.from_edges([(0, 1)], directed=True), "graph must be undirected"),
        (Graph.from_edges([(0, 1)], weights=[-1.0]), "graph must not have negative weights"),
    ],
)
def test_unfit_graphs_are_refused(graph: Graph, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Adjacency(graph)


def test_missing_must_match() -> None:
    with pytest.raises(ValueError, match="missing must have 2 nodes"):
        Adjacency(Graph.from_edges([(0, 1)]), Graph.from_edges([], 3))


@pytest.mark.parametrize("sparse_features", [False, True])
def test_forward_equals_plain_torch(sparse_features: bool) -> None:
    graph = random_graph(25, 40, seed=3)
    features = torch.randn(25, 12) * (torch.rand(25, 12) < 0.4)
    gcn = GCN(12, 8, 5).eval()
    operand: torch.Tensor | SparseMatrix = features
    if sparse_features:
        import scipy.sparse

        operand = SparseMatrix.from_scipy(scipy.sparse.csr_array(features.numpy()))
    weights = (gcn.hidden_weight, gcn.hidden_bias, gcn.out_weight, gcn.out_bias)
    edges = torch.from_numpy(graph.edges.astype(np.int64))
    adjacency = plain.normalised_adjacency(25, edges, torch.float32)
    expected = plain.embed(features, adjacency, weights)
    found = gcn(operand, Adjacency(graph).whole)
    assert torch.allclose(found, expected, atol=1e-5)
    for ours, theirs in zip(
        torch.autograd.grad(found.square().sum(), weights),
        torch.autograd.grad(expected.square().sum(), weights),
        strict=True,
    ):
        assert torch.allclose(ours, theirs, rtol=1e-3, atol=1e-4)


def test_calibration_standardises_every_layer() -> None:
    graph = random_graph(200, 600, seed=4)
    features = torch.rand(200, 30)
    adjacency = Adjacency(graph).whole
    gcn = GCN(30, 16, 10)
    gcn.calibrate(features, adjacency)
    hidden = adjacency @ (features @ gcn.hidden_weight) + gcn.hidden_bias
    for layer in (hidden, gcn.eval()(features, adjacency)):
        assert torch.allclose(layer.mean(dim=0), torch.zeros(layer.shape[1]), atol=1e-4)
        assert torch.allclose(layer.std(dim=0, correction=0), torch.ones(layer.shape[1]), atol=1e-3)


def test_calibration_survives_constant_features() -> None:
    gcn = GCN(3, 4, 2)
    gcn.calibrate(torch.ones(5, 3), Adjacency(Graph.from_edges([(0, 1)], 5)).whole)
    assert all(torch.isfinite(p).all() for p in gcn.parameters())


def test_dropout_is_for_training_only() -> None:
    graph = random_graph(20, 30, seed=5)
    gcn, features, adjacency = GCN(6, 8, 4), torch.rand(20, 6), Adjacency(graph).whole
    gcn.eval()
    assert torch.equal(gcn(features, adjacency), gcn(features, adjacency))
    gcn.train()
    assert not torch.equal(gcn(features, adjacency), gcn(features, adjacency))
    other = copy.deepcopy(gcn).eval()
    assert torch.equal(other(features, adjacency), gcn.eval()(features, adjacency))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"in_features": 0}, "in_features must be at least 1"),
        ({"out_features": 0}, "out_features"),
        ({"dropout": 1.0}, "dropout must be less than 1"),
        ({"dropout": -0.1}, "dropout must be at least 0"),
    ],
)
def test_settings_are_checked(arguments: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        GCN(**{"in_features": 2, "hidden_features": 2, "out_features": 2, **arguments})
