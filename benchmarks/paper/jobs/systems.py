"""The compared systems on one graph: each takes a problem and decides, its times taken apart."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.paper.jobs.decided import Decided, Settings
from benchmarks.paper.jobs.deciding import by_completion, by_decide, by_one_method
from benchmarks.paper.jobs.measurement import Values, forward_seconds, timed
from benchmarks.paper.jobs.specs import (
    COMPLETED,
    DECIDE,
    EXACT,
    LOCAL_SEARCH,
    ROBUST,
    TWO_STAGE,
)
from benchmarks.paper.problems import Problem, objective_of, problem_of
from graphopt import datasets
from graphopt._loading import load_whole
from graphopt.centers import gonzalez, greedy_k_center
from graphopt.communities import cnm, leiden, newman, spectral
from graphopt.datasets.splits import without
from graphopt.graph import Graph
from graphopt.learning import ClusterNet, DirectGCN, LinkPredictor
from graphopt.learning.predicted_links import expected_distances, expected_weights
from graphopt.objectives import exact_within_reach

Algorithm = Callable[[Any, int, int], NDArray[Any]]
"""Decides on a graph or a full matrix, for k, from a seed."""

COMMUNITY_ALGORITHMS: dict[str, Algorithm] = {
    "CNM": lambda graph, k, seed: cnm(graph, k).labels,
    "Newman": lambda graph, k, seed: newman(graph, k).labels,
    "SC": lambda graph, k, seed: spectral(graph, k, random_state=seed).labels,
}
FACILITY_ALGORITHMS: dict[str, Algorithm] = {
    "greedy": lambda graph, k, seed: greedy_k_center(graph, k).centers,
    "gonzalez": lambda graph, k, seed: gonzalez(graph, k, random_state=seed).centers,
}


def _leiden(graph: Any, k: int, seed: int) -> NDArray[Any]:
    return leiden(graph, k, random_state=seed).labels


def solve(system: str, problem: Problem, settings: Settings) -> list[Decided]:
    """Run a system on a problem.

    Returns
    -------
    list of Decided
        One for each row of the tables that the system fills.
    """
    return _SYSTEMS[problem.task][system](problem, settings)


@cache
def warm_up(system: str, task: str) -> None:
    """Run a system on a tiny graph, once in a process: libraries load and threads start."""
    load_whole("sklearn.cluster")
    load_whole("sklearn.metrics")
    tiny = datasets.synthetic(60, random_state=0)
    problem = problem_of("tiny", tiny, task, "learning", 3)
    solve(system, problem, Settings(0, iterations=2, restarts=1, time_budget=0.0))


# --- one function for each kind of system ---------------------------------------------------------


def _network(
    row: str, estimator: type[ClusterNet] | type[DirectGCN], problem: Problem, settings: Settings
) -> list[Decided]:
    model = estimator(
        problem.k,
        objective_of(problem.task),
        seen_fraction=problem.seen_fraction,
        completion=settings.completion,
        features_from_edges=problem.features_from_edges,
        iterations=settings.iterations,
        n_restarts=settings.restarts,
        random_state=settings.seed,
    )
    _, training = timed(lambda: model.fit(problem.seen, problem.features))
    raise_if_interrupted(model)
    forward = forward_seconds(model.network_, lambda: model.predict(problem.seen, problem.features))
    return [
        Decided(
            row,
            model.decision_,
            {
                "training_seconds": training,
                "forward_seconds": forward,
                "training_value": model.training_value_,
            },
        )
    ]


def _classical(
    row: str, algorithm: Algorithm, problem: Problem, settings: Settings
) -> list[Decided]:
    decision, seconds = timed(lambda: algorithm(problem.seen, problem.k, settings.seed))
    return [Decided(row, decision, {"decision_seconds": seconds})]


def _exact(row: str, problem: Problem, settings: Settings) -> list[Decided]:
    """Decide to proven optimality on what is seen.

    Where that has more components than there are facilities, for its largest component.
    """
    found, seconds = timed(
        lambda: exact_within_reach(problem.seen, problem.k, time_limit=settings.time_limit)
    )
    values: Values = {
        "decision_seconds": seconds,
        "proven_radius": found.radius,
        "lower_bound": found.lower_bound,
    }
    return [Decided(row, found.centers, values)]


def _two_stage(problem: Problem, settings: Settings) -> list[Decided]:
    """Train one link predictor for all algorithms.

    As :class:`graphopt.TwoStage` does for one algorithm at a time.
    """
    options: dict[str, Any] = (
        {} if settings.iterations is None else {"iterations": settings.iterations}
    )
    predictor = LinkPredictor(random_state=settings.seed, **options)
    _, training = timed(lambda: predictor.fit(problem.seen, problem.features))
    raise_if_interrupted(predictor)
    decided = second_stage(predictor, problem, problem.seen_fraction, settings.seed)
    for found in decided:
        found.values["training_seconds"] = training
    return decided


def second_stage(
    predictor: LinkPredictor, problem: Problem, seen_fraction: float, seed: int
) -> list[Decided]:
    """Complete a graph by a trained link predictor, once, and decide by every algorithm."""
    community = problem.task == "community"
    expected = expected_weights if community else expected_distances
    algorithms = COMMUNITY_ALGORITHMS if community else FACILITY_ALGORITHMS
    completed, completion = timed(lambda: expected(predictor, seen_fraction))
    shared: Values = {"completion_seconds": completion}
    shared |= _prediction_scores(predictor, problem.full)
    decided = []
    for name, algorithm in algorithms.items():
        start = time.perf_counter()
        decision = algorithm(completed, problem.k, seed)
        values = shared | {"decision_seconds": time.perf_counter() - start}
        decided.append(Decided(f"{TWO_STAGE}-{name}", decision, values))
    return decided


def _prediction_scores(predictor: LinkPredictor, full: Graph) -> Values:
    unseen = unseen_edges(full, predictor.graph_)
    if len(unseen) == 0:
        return {}
    scores = predictor.evaluate(unseen)
    hits = {f"hits_at_{k}": share for k, share in scores.hits.items()}
    return {"auc": scores.auc, "average_precision": scores.average_precision, **hits}


def unseen_edges(full: Graph, seen: Graph) -> NDArray[np.int32]:
    """Return the edges of `full` that `seen` does not have."""
    return without(full.edges, seen.edges, full.n_nodes)


def raise_if_interrupted(model: Any) -> None:
    """Go on with Ctrl-C, which a training takes for its own end."""
    if model.interrupted_:
        raise KeyboardInterrupt


_SYSTEMS: dict[str, dict[str, Callable[[Problem, Settings], list[Decided]]]] = {
    "community": {
        "ClusterNet": partial(_network, "ClusterNet", ClusterNet),
        "GCN-e2e": partial(_network, "GCN-e2e", DirectGCN),
        **{
            f"Train-{name}": partial(_classical, f"Train-{name}", algorithm)
            for name, algorithm in COMMUNITY_ALGORITHMS.items()
        },
        TWO_STAGE: _two_stage,
        "Leiden": partial(_classical, "Leiden", _leiden),
        COMPLETED: partial(by_completion, COMPLETED),
        DECIDE: by_decide,
    },
    "facility": {
        "ClusterNet": partial(_network, "ClusterNet", ClusterNet),
        "GCN-e2e": partial(_network, "GCN-e2e", DirectGCN),
        **{
            f"Train-{name}": partial(_classical, f"Train-{name}", algorithm)
            for name, algorithm in FACILITY_ALGORITHMS.items()
        },
        TWO_STAGE: _two_stage,
        EXACT: partial(_exact, EXACT),
        LOCAL_SEARCH: partial(by_one_method, LOCAL_SEARCH, "local search"),
        ROBUST: partial(by_one_method, ROBUST, "graphs sampled by link model"),
        DECIDE: by_decide,
    },
}
