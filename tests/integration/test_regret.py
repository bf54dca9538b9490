"""The regret protocol with learned methods, on a synthetic graph."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from graphopt import ClusterNet, Graph, LinkPredictor, TwoStage, datasets, decision
from graphopt.datasets import structural_features

DATA = datasets.synthetic(120, features="attributes", random_state=0)


def shuffled(graph: Graph, features: Any, k: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).permutation(np.arange(graph.n_nodes) % k)


@pytest.mark.parametrize("objective", ["modularity", "k-center"])
def test_learned_beside_classical(objective: str) -> None:
    algorithm = {"modularity": "cnm", "k-center": "greedy"}[objective]
    methods: dict[str, Any] = {
        "ClusterNet": ClusterNet(4, objective, seen_fraction=0.5, iterations=40, n_restarts=1),
        "two stages": TwoStage(4, algorithm, predictor=LinkPredictor(iterations=20)),
        algorithm: algorithm,
    }
    found = decision.compare(
        methods, DATA.graph, DATA.features, k=4, objective=objective, seen=0.5, splits=3
    )
    assert list(found.results) == list(methods)
    for name, result in found.results.items():
        assert result.n_splits == 3
        assert (result.per_split("regret") >= 0).all(), name
    again = decision.regret(
        methods["ClusterNet"],
        DATA.graph,
        DATA.features,
        k=4,
        objective=objective,
        seen=0.5,
        splits=3,
    )
    np.testing.assert_array_equal(again.per_split(), found["ClusterNet"].per_split())


def test_deciding_beats_guessing() -> None:
    found = decision.compare(
        {"leiden": "leiden", "guess": shuffled},
        DATA.graph,
        structural_features,
        k=4,
        seen=0.7,
        splits=7,
    )
    difference = found.difference("leiden", "guess")
    assert found.best == "leiden"
    assert difference.wins == 7
    assert difference.difference.high < 0
    assert difference.p_value == pytest.approx(2 / 2**7)
