"""nn.ClusterNet: encoder and clustering in one module, against plain PyTorch."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import scipy.sparse
import torch
from helpers import random_graph
from torch.nn import functional

from graphopt import Graph
from graphopt.nn import Adjacency, ClusterNet, SparseMatrix
from graphopt.nn.losses import KCenterLoss, ModularityLoss
from tests.reference import clusternet as plain

DTYPES = [torch.float32, torch.float64]


def rows(n: int, p: int, dtype: torch.dtype = torch.float32, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, p, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def network(n_features: int = 8, n_clusters: int = 3, **settings: object) -> ClusterNet:
    chosen = {"hidden_features": 7, "embedding_features": 5, "temperature": 10.0, **settings}
    return ClusterNet(n_features, n_clusters, **chosen)


def start(net: ClusterNet, features: object, graph: Graph, seed: int = 0) -> ClusterNet:
    dtype = net.initial_centers.dtype
    net.initialize(features, Adjacency(graph, dtype=dtype).whole, np.random.default_rng(seed))
    return net


def encoder_parameters(net: ClusterNet) -> tuple[torch.Tensor, ...]:
    """In the order of the twin."""
    gcn = net.encoder
    return gcn.hidden_weight, gcn.hidden_bias, gcn.out_weight, gcn.out_bias


@pytest.mark.parametrize("dtype", DTYPES)
def test_shapes_and_types(dtype: torch.dtype) -> None:
    graph, features = random_graph(30, 60, 0), rows(30, 8, dtype)
    net = start(network().to(dtype), features, graph)
    output = net(features, Adjacency(graph, dtype=dtype).whole)
    assert output.assignment.shape == (30, 3)
    assert output.centers.shape == (3, 5)
    assert output.embedding.shape == (30, 5)
    assert {value.dtype for value in output} == {dtype}
    torch.testing.assert_close(output.assignment.sum(dim=1), torch.ones(30, dtype=dtype))
    torch.testing.assert_close(output.embedding.norm(dim=1), torch.ones(30, dtype=dtype))


def test_sparse_features_are_the_same_as_dense() -> None:
    graph = random_graph(30, 60, 0)
    values = np.random.default_rng(0).random((30, 8), np.float32)
    matrix = scipy.sparse.csr_array(values * (values > 0.7))
    net = start(network(), SparseMatrix.from_scipy(matrix), graph)
    adjacency = Adjacency(graph).whole
    net.eval()
    sparse = net(SparseMatrix.from_scipy(matrix), adjacency)
    for ours, dense in zip(sparse, net(torch.from_numpy(matrix.toarray()), adjacency), strict=True):
        torch.testing.assert_close(ours, dense)


def test_initialisation_depends_on_the_seed_only() -> None:
    graph, features = random_graph(40, 80, 0), rows(40, 8)
    one, other = start(network(), features, graph), start(network(), features, graph)
    for name, value in one.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name
    different = start(network(), features, graph, seed=1)
    assert not torch.equal(one.initial_centers, different.initial_centers)
    assert not torch.equal(one.encoder.out_weight, different.encoder.out_weight)


def test_initialisation_leaves_the_global_generator_and_the_mode_alone() -> None:
    graph, features = random_graph(40, 80, 0), rows(40, 8)
    net = network()
    before = torch.get_rng_state()
    start(net, features, graph)
    assert torch.equal(torch.get_rng_state(), before)
    assert net.training
    assert net.encoder.training
    start(net.eval(), features, graph)
    assert not net.encoder.training


def test_initialisation_calibrates_and_starts_at_embedded_nodes() -> None:
    graph, features = random_graph(40, 120, 0), rows(40, 8)
    net = start(network(dropout=0.5), features, graph).eval()
    adjacency = Adjacency(graph).whole
    with torch.no_grad():
        embedding = net.encoder(features, adjacency)
    torch.testing.assert_close(embedding.mean(dim=0), torch.zeros(5), atol=1e-5, rtol=0.0)
    torch.testing.assert_close(embedding.std(dim=0, correction=0), torch.ones(5))
    unit = functional.normalize(embedding, dim=1)
    nearest = (net.initial_centers @ unit.T).max(dim=1)
    torch.testing.assert_close(nearest.values, torch.ones(3))
    assert len(nearest.indices.unique()) == 3


def test_more_clusters_than_nodes_and_no_edges_stay_finite() -> None:
    graph, features = Graph.from_edges([], 2), rows(2, 8)
    net = start(network(n_clusters=5), features, graph)
    output = net(features, Adjacency(graph).whole)
    (output.assignment.square().sum() + output.centers.sum()).backward()
    assert all(torch.isfinite(value).all() for value in output)
    for parameter in net.parameters():
        assert torch.isfinite(parameter.grad).all()


@pytest.mark.parametrize("own_centers", [False, True], ids=["buffer", "given"])
def test_a_batch_is_each_graph_alone(own_centers: bool) -> None:
    graphs = [random_graph(n, 2 * n, seed) for seed, n in enumerate((12, 1, 30))]
    sizes = [graph.n_nodes for graph in graphs]
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    edges = np.concatenate([g.edges + o for g, o in zip(graphs, offsets, strict=False)])
    together = Adjacency(Graph.from_edges(edges, int(offsets[-1]))).whole
    features = rows(int(offsets[-1]), 8)
    net = network(iterations=4)
    net.initialize(features, together, np.random.default_rng(0))
    net.eval()
    centers = rows(9, 5, seed=3).reshape(3, 3, 5) if own_centers else None
    batch = net(features, together, centers, offsets=torch.from_numpy(offsets))
    assert batch.centers.shape == (3, 3, 5)
    for g, graph in enumerate(graphs):
        here = slice(offsets[g], offsets[g + 1])
        alone = net(features[here], Adjacency(graph).whole, None if centers is None else centers[g])
        torch.testing.assert_close(alone.centers, batch.centers[g], atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(alone.assignment, batch.assignment[here], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("iterations", [1, 2, 5])
@pytest.mark.parametrize("dtype", DTYPES)
def test_one_step_is_plain_pytorch(dtype: torch.dtype, iterations: int) -> None:
    graph = random_graph(50, 150, 1)
    features = rows(50, 8, dtype)
    net = start(network(dropout=0.0, iterations=iterations).to(dtype), features, graph)
    objective = ModularityLoss()
    problem = objective.prepare(graph)
    ours = objective.loss(net(features, Adjacency(graph, dtype=dtype).whole).assignment, problem)
    ours.backward()

    parameters = encoder_parameters(net)
    weights = tuple(p.detach().clone().requires_grad_() for p in parameters)
    edges = torch.from_numpy(graph.edges.astype(np.int64))
    both = torch.cat([edges.T, edges.T.flip(0)], dim=1)
    adjacency = torch.sparse_coo_tensor(
        both, torch.ones(both.shape[1], dtype=dtype), (50, 50), check_invariants=True
    )
    averaging = plain.normalised_adjacency(50, edges, dtype)
    x = functional.normalize(plain.embed(features, averaging, weights), dim=1)
    found = plain.soft_kmeans(x, net.initial_centers, 10.0, iterations)
    theirs = plain.modularity_loss(plain.assign(x, found, 10.0), edges, adjacency)
    theirs.backward()

    exact = (
        {"atol": 1e-10, "rtol": 1e-8} if dtype == torch.float64 else {"atol": 1e-6, "rtol": 1e-3}
    )
    torch.testing.assert_close(ours, theirs, **exact)
    for parameter, weight in zip(parameters, weights, strict=True):
        assert weight.grad.abs().max() > 0.0
        torch.testing.assert_close(parameter.grad, weight.grad, **exact)


@pytest.mark.parametrize("dtype", DTYPES)
def test_facilities_are_plain_pytorch(dtype: torch.dtype) -> None:
    graph = random_graph(50, 70, 1)
    features = rows(50, 8, dtype)
    net = start(network(dropout=0.0).to(dtype), features, graph)
    objective = KCenterLoss(3, site_temperature=20.0)
    problem = objective.prepare(graph)
    clusters = net(features, Adjacency(graph, dtype=dtype).whole)
    ours = objective.loss(objective.relax(clusters), problem)
    x, found = clusters.embedding.detach(), clusters.centers.detach()
    opening = plain.relaxed_sites(x, found, 3, 20.0)
    growth, charge = problem.growth, problem.charge
    distances = problem.distances.to(dtype).clamp_max(charge)
    costs = plain.SortedCosts(torch.expm1(growth * distances) * np.exp(-growth * charge))
    theirs = plain.facility_loss(opening, costs, growth, charge)
    torch.testing.assert_close(ours, theirs, rtol=1e-4 if dtype == torch.float32 else 1e-9, atol=0)


def test_plain_training_of_facilities_learns() -> None:
    graph = random_graph(60, 120, 2)
    features = rows(60, 8)
    net = start(network(), features, graph)
    problem = KCenterLoss(3).prepare(graph)
    losses = plain.train_facilities(
        features, torch.from_numpy(graph.edges.astype(np.int64)), problem.distances.float(),
        tuple(parameter.detach() for parameter in encoder_parameters(net)), net.initial_centers,
        temperature=10.0, site_temperature=100.0, growth=problem.growth, charge=problem.charge,
        kmeans_updates=[2] * 30, learning_rate=0.03, dropout=0.0,
    )  # fmt: skip
    assert min(losses[-5:]) < losses[0] - 0.05


def test_plain_training_learns() -> None:
    """The twin whose time the benchmark compares with must do the same work."""
    torch.manual_seed(0)  # of the masks
    graph = random_graph(60, 150, 2)
    features = rows(60, 8)
    net = start(network(), features, graph)
    initial = tuple(parameter.detach() for parameter in encoder_parameters(net))
    losses = plain.train_communities(
        features, torch.from_numpy(graph.edges.astype(np.int64)), initial, net.initial_centers,
        temperature=10.0, kmeans_updates=[2] * 30, learning_rate=0.03, dropout=0.0,
        masking=0.2,
    )  # fmt: skip
    assert len(losses) == 30
    assert min(losses[-5:]) < losses[0] - 0.05


def test_state_makes_a_round_trip() -> None:
    graph, features = random_graph(40, 80, 0), rows(40, 8)
    adjacency = Adjacency(graph).whole
    net = start(network(iterations=3), features, graph).eval()
    other = network(iterations=3).eval()
    assert "initial_centers" in net.state_dict()
    other.load_state_dict(net.state_dict())
    for ours, theirs in zip(net(features, adjacency), other(features, adjacency), strict=True):
        assert torch.equal(ours, theirs)


def test_a_copy_is_independent() -> None:
    graph, features = random_graph(40, 80, 0), rows(40, 8)
    adjacency = Adjacency(graph).whole
    net = start(network(), features, graph).eval()
    wanted = net(features, adjacency).assignment.detach().clone()
    twin = copy.deepcopy(net)
    assert torch.equal(twin(features, adjacency).assignment, wanted)
    twin.cluster.iterations = 9
    with torch.no_grad():
        twin.encoder.out_weight.zero_()
        twin.initial_centers.zero_()
    assert torch.equal(net(features, adjacency).assignment, wanted)


def test_dropout_acts_in_training_only() -> None:
    graph, features = random_graph(40, 80, 0), rows(40, 8)
    adjacency = Adjacency(graph).whole
    net = start(network(), features, graph)
    assert not torch.equal(net(features, adjacency)[1], net(features, adjacency)[1])
    net.eval()
    assert torch.equal(net(features, adjacency)[1], net(features, adjacency)[1])
