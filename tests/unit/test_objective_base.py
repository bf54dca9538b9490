from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from graphopt import Graph
from graphopt.nn.losses import Loss


class Cut(Loss):
    """The largest cut: what a user has to write."""

    def loss(self, decision, problem):
        u, v = torch.tensor(problem.edges, dtype=torch.long).T
        return (decision[u] * decision[v]).sum()

    def decode(self, decision, problem, *, random_state=None):
        return decision.argmax(dim=1).numpy()

    def evaluate(self, decision, graph):
        u, v = graph.edges.T
        return float((decision[u] != decision[v]).sum())


def test_three_methods_are_enough():
    square = Graph.from_edges([(0, 1), (1, 2), (2, 3), (3, 0)])
    cut = Cut()
    problem = cut.prepare(square)
    assert problem is square
    assert cut.greater_is_better
    logits = torch.randn(4, 2, generator=torch.Generator().manual_seed(0), requires_grad=True)
    optimizer = torch.optim.Adam([logits], lr=0.1)
    for _ in range(100):
        optimizer.zero_grad()
        clusters = SimpleNamespace(assignment=logits.softmax(dim=1))
        loss = cut.loss(cut.relax(clusters), problem)
        loss.backward()
        optimizer.step()
    sides = cut.decode(logits.detach(), problem)
    assert cut.training_value(sides, problem) == 4.0


def test_better_is_strict_and_knows_the_direction():
    class Uncut(Cut):
        greater_is_better = False

    for objective, better, worse in ((Cut(), 2.0, 1.0), (Uncut(), 1.0, 2.0)):
        assert objective.better(better, worse)
        assert not objective.better(worse, better)
        assert not objective.better(better, better)
        assert not objective.better(np.nan, better)
    assert Uncut().better(1e9, np.inf)
    assert Cut().better(-1e9, -np.inf)
    assert (Cut.decides, Cut.uses_expected_edges) == ("labels", False)


def test_what_is_missing_is_named():
    with pytest.raises(TypeError, match="abstract"):
        Loss()

    class Prepared(Cut):
        def prepare(self, graph):
            return {}

    with pytest.raises(TypeError, match=r"Prepared\.training_value must be defined"):
        Prepared().training_value(np.zeros(3, int), {})


def test_importing_the_package_leaves_torch_alone():
    code = "import sys, graphopt; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
