"""The facility objective on graphs: distances, training value and judgement agree."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from helpers import random_graph

from graphopt import Graph
from graphopt.nn.losses import KCenterLoss


def grid(width, height):
    cell = np.arange(width * height).reshape(height, width)
    along = np.stack([cell[:, :-1].ravel(), cell[:, 1:].ravel()], axis=1)
    down = np.stack([cell[:-1].ravel(), cell[1:].ravel()], axis=1)
    return Graph.from_edges(np.concatenate([along, down]))


def test_training_value_tends_to_the_radius_of_a_connected_graph():
    graph = grid(7, 5)
    objective = KCenterLoss(3, charge=11)  # ten steps from corner to corner, plus one
    problem = objective.prepare(graph)
    sites = objective.decode(torch.full((35,), 3 / 35), problem, random_state=0)
    radius = objective.evaluate(sites, graph)
    assert problem.paid(sites).max() == radius
    assert problem.paid(sites).mean() < objective.training_value(sites, problem) < radius
    sharp = KCenterLoss(3, charge=11, growth=50.0)
    value = sharp.training_value(sites, sharp.prepare(graph))
    assert radius - np.log(35) / 50 <= value <= radius
    assert objective.evaluate(np.array([17]), graph) == 5.0
    assert not objective.greater_is_better
    assert objective.better(1.0, than=2.0)
    assert objective.decides == "centers"
    assert not objective.uses_expected_edges


@pytest.mark.parametrize(
    ("settings", "charge"),
    [
        ({}, 5),  # half of ten steps from corner to corner
        ({"reach": 1.0}, 10),
        ({"reach": 0.51}, 6),
        ({"reach": 0.01}, 2),
        ({"reach": 0.01, "charge": 1}, 1),
        ({"charge": 40}, 40),
    ],
    ids=str,
)
def test_the_charge_follows_the_reach_unless_given(settings, charge):
    assert KCenterLoss(**settings).prepare(grid(7, 5)).charge == charge


def test_the_reach_goes_by_the_largest_finite_distance():
    two_paths = Graph.from_edges([(i, i + 1) for i in (*range(8), 9, 10)])
    assert KCenterLoss().prepare(two_paths).charge == 4
    largest = KCenterLoss(customers="largest-component").prepare(two_paths)
    assert (largest.charge, largest.n_customers) == (4, 9)
    nothing = Graph.from_edges([], 5)
    assert KCenterLoss().prepare(nothing).charge == 2
    lengths = Graph.from_edges([(0, 1), (1, 2), (3, 4)], weights=[0.5, 2.0, 2.2])
    assert KCenterLoss(reach=0.7).prepare(lengths).charge == 0.7 * 2.5
    without_length = Graph.from_edges([(0, 1)], weights=[0.0])
    assert KCenterLoss().prepare(without_length).charge == 1.0


def test_unreachable_nodes_make_the_radius_infinite():
    graph = random_graph(40, 30, seed=0)
    objective = KCenterLoss(2, customers="largest-component")
    problem = objective.prepare(graph)
    component, nodes = graph.largest_component()
    assert problem.n_customers == component.n_nodes
    assert problem.n_sites == 40
    assert objective.evaluate(nodes[:2], graph) == np.inf
    assert np.isfinite(objective.training_value(nodes[:2], problem))
    # Who is cut off pays the charge, and what is served still counts.
    everybody = KCenterLoss(2, growth=0.0)
    seen = everybody.prepare(graph)
    opening = torch.zeros(40, dtype=torch.float64)
    opening[nodes[0]] = 1.0
    outside = np.setdiff1d(np.arange(40), nodes)
    np.testing.assert_array_equal(seen.expected_costs(opening)[outside], seen.charge)
    paid = seen.paid(nodes[:1])
    assert everybody.loss(opening, seen).item() == pytest.approx(paid.mean())
    assert paid.min() == 0
    assert paid.max() == seen.charge


def test_weighted_graphs_use_lengths():
    graph = Graph.from_edges([(0, 1), (1, 2)], weights=[0.5, 2.0])
    assert KCenterLoss(1).prepare(graph).charge == 1.25
    objective = KCenterLoss(1, charge=3.5, growth=0.0)
    problem = objective.prepare(graph)
    np.testing.assert_array_equal(problem.paid(np.array([1])), [0.5, 0.0, 2.0])
    assert objective.training_value(np.array([1]), problem) == pytest.approx(2.5 / 3)
    assert objective.evaluate(np.array([1]), graph) == 2.0
    opening = torch.tensor([0.0, 0.5, 0.0], dtype=torch.float64)
    assert objective.loss(opening, problem).item() == pytest.approx((2.0 + 1.75 + 2.75) / 3)


def test_a_long_path_in_single_precision():
    path = Graph.from_edges([(i, i + 1) for i in range(299)])
    for charge in (None, 300, 1200):
        objective = KCenterLoss(10, charge=charge)
        problem = objective.prepare(path)
        assert problem.charge == (charge or 150)
        spread = torch.zeros(300)
        spread[15::30] = 1.0
        for opening in (torch.full((300,), 1 / 30), spread, torch.zeros(300), torch.ones(300)):
            opening.requires_grad_()
            exact = opening.detach().double().requires_grad_()
            loss, exact_loss = objective.loss(opening, problem), objective.loss(exact, problem)
            assert loss.dtype == torch.float32
            assert loss.item() == pytest.approx(exact_loss.item(), rel=1e-5)
            loss.backward()
            exact_loss.backward()
            assert opening.grad.dtype == torch.float32
            assert opening.grad.isfinite().all()
            torch.testing.assert_close(opening.grad.double(), exact.grad, rtol=1e-4, atol=1e-6)
        assert objective.loss(torch.ones(300), problem).item() == 0.0
        assert objective.loss(torch.zeros(300), problem).item() == pytest.approx(problem.charge)
        sites = np.arange(15, 300, 30)
        value = objective.training_value(sites, problem)
        assert value == pytest.approx(objective.loss(spread, problem).item(), rel=1e-5)
        assert 15 - np.log(300) / objective.growth <= value <= 15


def test_directed_graphs_are_refused():
    with pytest.raises(ValueError, match="graph must be undirected"):
        KCenterLoss(1).prepare(Graph.from_edges([(0, 1)], directed=True))
