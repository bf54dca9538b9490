from __future__ import annotations

import numpy as np
import torch
from helpers import random_graph
from hypothesis import given
from hypothesis import strategies as st

from graphopt.nn.losses import ModularityLoss


@given(st.integers(1, 25), st.integers(0, 60), st.integers(1, 5), st.integers(0, 1000))
def test_modularity_stays_within_its_bounds(n_nodes, n_edges, n_groups, seed):
    graph = random_graph(n_nodes, n_edges, seed)
    shares = np.random.default_rng(seed).dirichlet(np.ones(n_groups), n_nodes)
    objective = ModularityLoss()
    value = -objective.loss(torch.from_numpy(shares), objective.prepare(graph)).item()
    assert -0.5 - 1e-12 <= value <= 1.0 + 1e-12


@given(st.integers(1, 25), st.integers(0, 60), st.integers(0, 1000))
def test_one_group_of_all_has_none(n_nodes, n_edges, seed):
    objective = ModularityLoss()
    problem = objective.prepare(random_graph(n_nodes, n_edges, seed))
    assert abs(objective.loss(torch.ones(n_nodes, 1), problem).item()) < 1e-6
