"""The facility objective on graphs: distances, training value and judgement agree."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from helpers import random_graph

from graphopt import Graph
from graphopt.objectives import FacilityLocation


def grid(width, height):
    cell = np.arange(width * height).reshape(height, width)
    along = np.stack([cell[:, :-1].ravel(), cell[:, 1:].ravel()], axis=1)
    down = np.stack([cell[:-1].ravel(), cell[1:].ravel()], axis=1)
    return Graph.from_edges(np.concatenate([along, down]))


def test_training_value_is_the_radius_of_a_connected_graph():
    graph = grid(7, 5)
    objective = FacilityLocation(3)
    problem = objective.prepare(graph)
    assert problem.charge == 11.0  # ten steps from corner to corner, plus one
    sites = objective.decode(torch.full((35,), 3 / 35), problem, random_state=0)
    assert objective.training_value(sites, problem)[0] == objective.evaluate(sites, graph)
    assert objective.evaluate(np.array([17]), graph) == 5.0
    assert not objective.greater_is_better


def test_unreachable_nodes_make_the_radius_infinite():
    graph = random_graph(40, 30, seed=0)
    objective = FacilityLocation(2, customers="largest-component")
    problem = objective.prepare(graph)
    component, nodes = graph.largest_component()
    assert problem.n_customers == component.n_nodes
    assert problem.n_sites == 40
    assert objective.evaluate(nodes[:2], graph) == np.inf
    assert np.isfinite(objective.training_value(nodes[:2], problem)).all()


def test_weighted_graphs_use_lengths():
    graph = Graph.from_edges([(0, 1), (1, 2)], weights=[0.5, 2.0])
    objective = FacilityLocation(1)
    problem = objective.prepare(graph)
    assert problem.charge == 3.5
    assert objective.training_value(np.array([1]), problem) == (2.0, 1.0, pytest.approx(2.5 / 3))
    assert objective.evaluate(np.array([1]), graph) == 2.0
    opening = torch.tensor([0.0, 0.5, 0.0], dtype=torch.float64)
    assert objective.loss(opening, problem).item() == pytest.approx((2.0 + 1.75 + 2.75) / 3)


def test_directed_graphs_are_refused():
    with pytest.raises(ValueError, match="graph must be undirected"):
        FacilityLocation(1).prepare(Graph.from_edges([(0, 1)], directed=True))
