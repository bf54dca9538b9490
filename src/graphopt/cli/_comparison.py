"""One partly seen graph, several ways to decide on it, one table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from graphopt._loading import load_whole
from graphopt.contest import Method, Result, Seed, contest
from graphopt.decision import METHODS, decide
from graphopt.errors import InfeasibleError
from graphopt.graph import Graph
from graphopt.objectives import Judgement, Problem, Trial

if TYPE_CHECKING:
    from graphopt.learning import ClusterNet

_BASELINES = {
    "modularity": {"Leiden": "leiden", "CNM": "cnm", "Newman": "newman", "SC": "spectral"},
    "k-center": {"greedy": "greedy", "Gonzalez": "gonzalez"},
}
"""By the name of the objective, what methods are called here, and in :data:`METHODS`."""


@dataclass(frozen=True, slots=True)
class Case:
    """A problem with a name, and all of its graph to judge by.

    Attributes
    ----------
    name : str
    problem : Problem
    full : Graph
        On the same nodes as the problem's graph; the same graph where everything is seen.
    """

    name: str
    problem: Problem
    full: Graph

    def check(self) -> None:
        """Raise ValueError or InfeasibleError if no method could answer."""
        problem = self.problem
        if self.full.n_edges > 0 and problem.graph.n_edges == 0:
            raise ValueError(f"{self.name}: no edge is seen of {self.full.n_edges}")
        if not 1 <= problem.k <= self.full.n_nodes:
            raise ValueError(f"k must be in 1..{self.full.n_nodes}, not {problem.k}")
        try:
            problem.objective.check_feasible(self.full, problem.k)
        except InfeasibleError as error:
            raise InfeasibleError(f"{self.name}: {error}") from None

    def trial(self) -> Trial:
        """Return the problem with the full graph as its judge."""
        judge = partial(_judged, self.problem, self.full)
        return Trial(self.problem, judge, np.arange(self.full.n_nodes))

    def describe(self) -> dict[str, Any]:
        """Return what was seen, in numbers."""
        seen = self.problem.graph
        return {
            "name": self.name,
            "objective": self.problem.objective.name,
            "k": self.problem.k,
            "n_nodes": self.full.n_nodes,
            "n_edges": self.full.n_edges,
            "n_seen_edges": seen.n_edges,
            "n_nodes_without_seen_edge": int((seen.degrees == 0).sum()),
        }


def compare(
    case: Case,
    model: ClusterNet,
    *,
    random_state: int = 0,
    status: Callable[[str], AbstractContextManager[Any]],
) -> list[Result]:
    """Let ClusterNet, the baselines and `decide` decide on a case, one after the other.

    Parameters
    ----------
    case : Case
    model : ClusterNet
        Set up for the problem's objective; it is fitted.
    random_state : int
        Seed of the methods that draw.
    status : callable
        Takes a method's name; returns a context in which the method decides.

    Returns
    -------
    list of Result
        The value is that on the full graph; the measure ``seen`` is that on the seen one.

    Raises
    ------
    ValueError, InfeasibleError
        See :meth:`Case.check`.
    """
    case.check()
    methods = [_Shown(method, status) for method in _methods(case.problem, model)]
    return contest(methods, [case.trial()], [[[random_state]] * len(methods)]).results


def _methods(problem: Problem, model: ClusterNet) -> Iterator[Method]:
    yield _Network(model)
    if problem.objective.name == "modularity":
        load_whole("sklearn.cluster")  # takes longer than the clustering that is timed
    for name, known_as in _BASELINES[problem.objective.name].items():
        yield _Baseline(name, known_as)
    yield _Decide()


@dataclass(frozen=True, slots=True)
class _Shown:
    """A method that is shown while it decides."""

    method: Method
    status: Callable[[str], AbstractContextManager[Any]]

    @property
    def name(self) -> str:
        return self.method.name

    def decide(self, problem: Problem, random_state: Seed) -> NDArray[Any]:
        with self.status(self.name):
            return self.method.decide(problem, random_state)


@dataclass(frozen=True, slots=True)
class _Network:
    """A network that may be interrupted: its best decision so far is judged."""

    model: ClusterNet
    name: str = "ClusterNet"

    def decide(self, problem: Problem, random_state: Seed) -> NDArray[Any]:
        decision: NDArray[Any] = self.model.fit(problem.graph, problem.features).decision_
        return decision


@dataclass(frozen=True, slots=True)
class _Baseline:
    name: str
    known_as: str

    def decide(self, problem: Problem, random_state: Any) -> NDArray[Any]:
        objective = problem.objective
        answer = METHODS[objective.name][self.known_as](problem, random_state)
        decision: NDArray[Any] = getattr(answer, objective.decides)
        return decision


@dataclass(frozen=True, slots=True)
class _Decide:
    name: str = "decide"

    def decide(self, problem: Problem, random_state: Seed) -> NDArray[Any]:
        return decide(
            problem.graph,
            None if problem.features_from_edges else problem.features,
            objective=problem.objective,
            k=problem.k,
            seen_fraction=problem.seen_fraction,
            random_state=random_state,
        ).decision


def _judged(problem: Problem, full: Graph, decision: NDArray[Any]) -> Judgement:
    measures = problem.objective.measures(decision, full, problem.graph)
    return Judgement(measures["score"], decision, {"seen": measures["seen_score"]})
