from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch
from helpers import random_graph

from graphopt import Graph
from graphopt._native import _core
from graphopt.communities import modularity
from graphopt.nn.losses import ModularityLoss
from tests.reference import modularity as twin


def soft_assignment(n_nodes, n_groups, seed, dtype=np.float64):
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.full(n_groups, 0.5), n_nodes).astype(dtype).reshape(n_nodes, n_groups)


def kernel(graph, assignment, resolution=1.0, threads=2):
    return _core.modularity_gradient(
        graph.indptr, graph.indices, graph.weights, assignment, resolution, threads
    )


@pytest.mark.parametrize("weights", [None, "float"], ids=["unweighted", "weighted"])
@pytest.mark.parametrize("n_groups", [1, 2, 7, 8, 9, 16, 17, 33])
def test_equals_the_twin(weights, n_groups):
    for n_nodes, n_edges in ((1, 1), (2, 1), (30, 40), (300, 900)):
        graph = random_graph(n_nodes, n_edges, seed=n_nodes, weights=weights)
        assignment = soft_assignment(n_nodes, n_groups, seed=n_groups)
        value, gradient = kernel(graph, assignment, resolution=1.3)
        expected_value, expected_gradient = twin.modularity(graph, assignment, 1.3)
        assert value == pytest.approx(expected_value, abs=1e-12)
        np.testing.assert_allclose(gradient, expected_gradient, atol=1e-12)
        single = assignment.astype(np.float32)
        value, gradient = kernel(graph, single, resolution=1.3)
        assert gradient.dtype == np.float32
        assert value == pytest.approx(expected_value, abs=2e-6)
        np.testing.assert_allclose(gradient, expected_gradient, atol=1e-5)


@pytest.mark.parametrize("weights", [None, "int"], ids=["unweighted", "weighted"])
def test_whole_assignments_have_the_exact_modularity(weights):
    graph = random_graph(200, 500, seed=1, weights=weights)
    labels = np.random.default_rng(2).integers(0, 6, 200)
    for resolution in (0.5, 1.0, 2.0):
        objective = ModularityLoss(resolution)
        problem = objective.prepare(graph)
        assignment = torch.eye(6, dtype=torch.float64)[torch.from_numpy(labels)]
        exact = modularity(graph, labels, resolution=resolution)
        assert -objective.loss(assignment, problem).item() == pytest.approx(exact, abs=1e-12)
        decoded = objective.decode(assignment, problem)
        np.testing.assert_array_equal(decoded, labels)
        assert objective.evaluate(decoded, graph) == exact
        assert objective.training_value(decoded, problem) == exact


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=lambda d: d.__name__)
@pytest.mark.parametrize("weights", [None, "float"], ids=["unweighted", "weighted"])
def test_same_bits_at_any_number_of_threads(dtype, weights):
    graph = random_graph(2000, 6000, seed=3, weights=weights)
    assignment = soft_assignment(2000, 11, seed=4, dtype=dtype)
    value, gradient = kernel(graph, assignment, threads=1)
    for threads in (2, 3, 8):
        again = kernel(graph, assignment, threads=threads)
        assert again[0] == value
        assert again[1].tobytes() == gradient.tobytes()


def test_without_edges_everything_is_zero():
    for n_nodes in (0, 1, 5):
        objective = ModularityLoss()
        problem = objective.prepare(Graph.from_edges([], n_nodes))
        assignment = torch.rand(n_nodes, 3, requires_grad=True)
        loss = objective.loss(assignment, problem)
        loss.backward()
        assert loss.item() == 0.0
        assert not assignment.grad.any()
        assert objective.decode(assignment, problem).shape == (n_nodes,)


def test_strided_assignments_are_taken():
    graph = random_graph(50, 100, seed=5)
    objective = ModularityLoss()
    problem = objective.prepare(graph)
    wide = torch.from_numpy(soft_assignment(50, 8, seed=6))
    contiguous = objective.loss(wide[:, ::2].contiguous(), problem)
    assert objective.loss(wide[:, ::2], problem) == contiguous


def test_it_can_be_copied_and_stored():
    objective = ModularityLoss(1.5)
    assert copy.deepcopy(objective) == pickle.loads(pickle.dumps(objective)) == objective
    graph = random_graph(20, 30, seed=7, weights="int")
    assignment = torch.from_numpy(soft_assignment(20, 3, seed=8))
    problem = objective.prepare(graph)
    again = copy.deepcopy(problem)
    assert objective.loss(assignment, again) == objective.loss(assignment, problem)


def test_bad_input_is_named():
    objective = ModularityLoss()
    with pytest.raises(ValueError, match="resolution must be at least 0"):
        ModularityLoss(-1.0)
    with pytest.raises(ValueError, match="graph must be undirected"):
        objective.prepare(Graph.from_edges([(0, 1)], directed=True))
    with pytest.raises(ValueError, match="graph must not have negative weights"):
        objective.prepare(Graph.from_edges([(0, 1)], weights=[-1.0]))
    problem = objective.prepare(Graph.from_edges([(0, 1)]))
    with pytest.raises(ValueError, match=r"decision must have shape \(2, n_clusters\), not \(3,"):
        objective.loss(torch.rand(3, 2), problem)
    with pytest.raises(TypeError, match=r"assignment must be float32 or float64, not torch\.int64"):
        objective.loss(torch.ones(2, 2, dtype=torch.long), problem)
