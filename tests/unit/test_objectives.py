"""Objectives: values, checks, trials, references and words, without PyTorch."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from graphopt import Graph, exact_k_center, leiden, modularity
from graphopt.errors import InfeasibleError
from graphopt.objectives import (
    OBJECTIVES,
    KCenter,
    Modularity,
    Objective,
    Problem,
    as_objective,
)

PATH = Graph.from_edges([(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)])
TRIANGLES = Graph.from_edges([(0, 1), (1, 2), (0, 2), (3, 4), (4, 5), (3, 5), (2, 3)])


class Cut(Objective):
    """What a user has to write."""

    name = "cut"

    def evaluate(self, decision: NDArray[Any], graph: Graph) -> float:
        u, v = graph.edges.T
        return float((decision[u] != decision[v]).sum())


def test_objectives_have_names() -> None:
    assert list(OBJECTIVES) == ["modularity", "k-center"]
    for name, objective in OBJECTIVES.items():
        assert as_objective(name) is objective
        assert objective.name == name
    mine = Cut()
    assert as_objective(mine) is mine
    with pytest.raises(ValueError, match="objective must be one of k-center, modularity"):
        as_objective("colouring")
    with pytest.raises(ValueError, match="objective must be one of k-center, modularity, not 3"):
        as_objective(3)  # type: ignore[arg-type]


def test_values_and_directions() -> None:
    labels, centers = np.array([0, 0, 0, 1, 1, 1]), np.array([1, 4])
    assert Modularity().evaluate(labels, TRIANGLES) == modularity(TRIANGLES, labels)
    assert Modularity(2.0).evaluate(labels, TRIANGLES) == modularity(
        TRIANGLES, labels, resolution=2.0
    )
    assert KCenter().evaluate(centers, PATH) == 1.0
    assert Modularity().regret(0.5, 0.75) == 0.25
    assert KCenter().regret(9.0, 6.0) == 3.0
    assert Modularity().better(0.5, 0.4)
    assert KCenter().better(1.0, 2.0)
    assert not KCenter().better(math.nan, 2.0)


def test_trials_tell_choices_of_one_radius_apart() -> None:
    judge = KCenter().judge
    ends, inner = np.array([0, 5]), np.array([1, 5])
    assert KCenter().evaluate(ends, PATH) == KCenter().evaluate(inner, PATH) == 2.0
    assert judge(inner, PATH, 2) < judge(ends, PATH, 2)


@pytest.mark.parametrize("objective", [Modularity(), Cut()], ids=["modularity", "own"])
def test_hidden_edges_stand_for_all_that_are_missing(objective: Objective) -> None:
    problem = Problem.of(TRIANGLES, objective=objective, k=2, seen_fraction=0.5)
    trial = objective.hide(problem, np.random.default_rng(0))
    assert trial.problem.graph.n_edges == round(0.8 * 7)
    assert (trial.problem.k, trial.problem.objective) == (2, objective)
    decision = np.array([0, 0, 0, 1, 1, 1])
    found = trial.judge(decision[trial.order])
    np.testing.assert_array_equal(found.decision, decision)  # as nodes were numbered before


def test_trials_of_centers_hide_as_much_as_is_missing() -> None:
    pieces = Graph.from_edges([*PATH.edges.tolist(), (6, 7)], 9)
    problem = Problem.of(pieces, objective=KCenter(), k=2, seen_fraction=0.4)
    trial = KCenter().hide(problem, np.random.default_rng(0))
    assert trial.problem.graph.n_edges == 2
    assert sorted(trial.order.tolist()) == list(range(6))  # what two centers can serve
    found = trial.judge(np.array([0, 3]))
    assert sorted(found.decision.tolist()) == sorted(trial.order[[0, 3]].tolist())
    assert found.value == KCenter().judge(found.decision, pieces, 2)


def test_references() -> None:
    best = Modularity().reference(TRIANGLES, 2, 0)
    assert best.value == pytest.approx(leiden(TRIANGLES, 2, random_state=0).modularity)
    assert not best.proven
    exact = KCenter().reference(PATH, 2)
    assert (exact.value, exact.proven) == (exact_k_center(PATH, 2).radius, True)
    with pytest.raises(ValueError, match="reference must be given: objective 'cut' knows none"):
        Cut().reference(PATH, 2)


def test_proofs() -> None:
    problem = Problem.of(PATH, objective=KCenter(), k=1)
    bound, better = KCenter().prove(problem, np.array([0]), 10.0)
    assert (bound, KCenter().evaluate(better, PATH)) == (3.0, 3.0)
    part = Problem.of(PATH, objective=KCenter(), k=1, seen_fraction=0.5)
    assert KCenter().prove(part, np.array([0]), 10.0)[1].tolist() == [0]
    assert Modularity().prove(problem, np.zeros(6, int), 10.0)[0] is None


def test_problems_that_make_no_sense() -> None:
    with pytest.raises(InfeasibleError, match="graph has 3 components, so k = 2 centers cannot"):
        KCenter().check_feasible(Graph.from_edges([(0, 1), (2, 3), (4, 5)]), 2)
    lengths = Graph.from_edges([(0, 1)], weights=[2.0])
    assert Problem.of(lengths, objective=KCenter(), k=1).graph.weights is None
    assert Problem.of(lengths, objective=Modularity(), k=1).graph is lengths
    nothing = Graph.from_edges([], 3)
    assert Problem.of(nothing, objective=Modularity(), k=1, seen_fraction=0.4).seen_fraction == 1.0


def test_values_as_text() -> None:
    assert Modularity().describe(0.12345) == "0.123"
    assert [KCenter().describe(x) for x in (1.0, 2.0, 2.3456)] == ["1 hop", "2 hops", "2.35 hops"]
    assert KCenter().describe(math.inf) == "∞ (a node cannot reach any center)"
