"""One partly seen graph, several ways to decide on it, one table."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from numpy.typing import NDArray

from graphopt._loading import load_whole
from graphopt.centers import gonzalez, greedy_k_center
from graphopt.communities import cnm, leiden, newman, spectral
from graphopt.errors import InfeasibleError
from graphopt.evaluation import TASKS, quality
from graphopt.graph import Graph
from graphopt.learning import ClusterNet

SETTINGS = ("learning", "optimization")


@dataclass(frozen=True, slots=True)
class Problem:
    """A graph to decide on: what is seen of it, and all of it to judge by.

    Attributes
    ----------
    name : str
    task : {"community", "facility"}
    k : int
        Groups or facilities.
    full, seen : Graph
        On the same nodes; the same graph where everything is seen.
    features : array, sparse array or None
        Node features that belong to what is seen.
    features_from_edges : bool
        Whether they were computed from the seen edges. A method that hides some of these to test
        itself must not look at them: they know what is hidden.
    """

    name: str
    task: str
    k: int
    full: Graph
    seen: Graph
    features: Any = None
    features_from_edges: bool = False

    @property
    def seen_fraction(self) -> float:
        """Share of all edges that is seen, in (0, 1] unless nothing is; 1 without edges."""
        return self.seen.n_edges / self.full.n_edges if self.full.n_edges else 1.0

    @property
    def own_features(self) -> Any:
        """The features, unless they were computed from the seen edges; None then."""
        return None if self.features_from_edges else self.features

    def check(self) -> None:
        """Raise ValueError or InfeasibleError if no method could answer."""
        if self.task not in TASKS:
            raise ValueError(f"task must be one of {', '.join(TASKS)}, not {self.task!r}")
        if self.full.n_edges > 0 and self.seen.n_edges == 0:
            raise ValueError(f"{self.name}: no edge is seen of {self.full.n_edges}")
        if not 1 <= self.k <= self.full.n_nodes:
            raise ValueError(f"k must be in 1..{self.full.n_nodes}, not {self.k}")
        if self.task == "facility":
            n_components, _ = self.full.connected_components()
            if n_components > self.k:
                raise InfeasibleError(
                    f"{self.name} has {n_components} components, so {self.k} facilities cannot "
                    "reach every node; decide on its largest component or raise k"
                )

    def describe(self) -> dict[str, Any]:
        """Return what was seen, in numbers."""
        return {
            "name": self.name,
            "task": self.task,
            "k": self.k,
            "n_nodes": self.full.n_nodes,
            "n_edges": self.full.n_edges,
            "n_seen_edges": self.seen.n_edges,
            "n_nodes_without_seen_edge": int((self.seen.degrees == 0).sum()),
        }


@dataclass(frozen=True, slots=True)
class MethodResult:
    """One row of the table.

    Attributes
    ----------
    method : str
    full, seen : float
        Quality of the decision on the full graph and on the seen one: modularity, or the largest
        hop distance to a facility (inf where a node cannot reach any).
    seconds : float
        Wall time of the decision.
    """

    method: str
    full: float
    seen: float
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """Return the row as plain values; infinite distances are None, as JSON has none."""
        row = asdict(self)
        return {key: None if value == float("inf") else value for key, value in row.items()}


Decide = Callable[[], NDArray[Any]]


def compare(
    problem: Problem, model: ClusterNet, *, random_state: int = 0
) -> Iterator[tuple[str, Callable[[], MethodResult]]]:
    """Yield each method's name and a function that runs it.

    Parameters
    ----------
    problem : Problem
    model : ClusterNet
        Set up for the problem's task; it is fitted.
    random_state : int
        Seed of the baselines that draw.

    Raises
    ------
    ValueError, InfeasibleError
        See :meth:`Problem.check`.
    """
    problem.check()
    for name, decide in _methods(problem, model, random_state):
        yield name, lambda name=name, decide=decide: _judged(problem, name, decide)  # type: ignore[misc]


def _methods(
    problem: Problem, model: ClusterNet, random_state: int
) -> Iterator[tuple[str, Decide]]:
    seen, k = problem.seen, problem.k
    if problem.task == "community":
        yield "ClusterNet", lambda: model.fit(seen, problem.features).labels_
        yield "Leiden", lambda: leiden(seen, k, random_state=random_state).labels
        yield "CNM", lambda: cnm(seen, k).labels
        yield "Newman", lambda: newman(seen, k).labels
        load_whole("sklearn.cluster")  # takes longer than the clustering that is timed
        yield "SC", lambda: spectral(seen, k, random_state=random_state).labels
    else:
        yield "ClusterNet", lambda: model.fit(seen, problem.features).centers_
        yield "greedy", lambda: greedy_k_center(seen, k).centers
        yield "Gonzalez", lambda: gonzalez(seen, k, random_state=random_state).centers
    yield "decide", lambda: _decided(problem, random_state)


def _decided(problem: Problem, random_state: int) -> NDArray[Any]:
    from graphopt.decision import decide

    return decide(
        problem.seen,
        problem.own_features,
        task=problem.task,
        k=problem.k,
        seen_fraction=problem.seen_fraction,
        random_state=random_state,
    ).decision


def _judged(problem: Problem, name: str, decide: Decide) -> MethodResult:
    start = time.perf_counter()
    decision = decide()
    seconds = time.perf_counter() - start
    full, seen = (quality(problem.task, graph, decision) for graph in (problem.full, problem.seen))
    return MethodResult(name, full, seen, seconds)
