"""Evidence for a decision: its expected value on the whole graph, and how stable it is."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.stats import t as students_t

from graphopt.contest import Method, Table
from graphopt.decision._methods import decide_again, sampled_graphs
from graphopt.graph import Graph
from graphopt.objectives import Problem, Trial

_CONFIDENCE = 0.9
_VALUED_ON = 20  # sampled graphs
_DECIDED_ON = 8  # of them, for stability


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """Value and stability of a decision; see :class:`graphopt.decision.Decision`."""

    expected_value: float
    interval: tuple[float, float]
    stability: NDArray[np.float64]


def gather(
    problem: Problem,
    decision: NDArray[np.int32],
    winner: Method,
    trials: list[Trial],
    table: Table,
    rng: np.random.Generator,
) -> Evidence:
    """Estimate a decision's value on the whole graph, and decide again on sampled whole graphs."""
    if problem.seen_fraction == 1.0:
        value = problem.objective.evaluate(decision, problem.graph)
        again = [
            winner.decide(problem, np.random.default_rng(seed))
            for seed in rng.integers(2**63, size=_DECIDED_ON)
        ]
        stable = _stability(problem, decision, again, [problem.graph] * len(again))
        return Evidence(value, (value, value), stable)
    graphs = sampled_graphs(winner, problem, _VALUED_ON, rng)
    if problem.objective.sums_over_edges:
        value, interval = _expected_from_trials(problem, decision, winner, trials, table)
    else:
        value, interval = _expected_on_samples(
            problem, graphs, decision, winner, trials, table, rng
        )
    sampled = graphs[:_DECIDED_ON]
    again = [decide_again(winner, problem, graph, rng) for graph in sampled]
    return Evidence(value, interval, _stability(problem, decision, again, sampled))


def _expected_from_trials(
    problem: Problem,
    decision: NDArray[np.int32],
    winner: Method,
    trials: list[Trial],
    table: Table,
) -> tuple[float, tuple[float, float]]:
    """Estimate the value from the trials: the value of decisions on edges that were hidden.

    In trials, methods decided from fewer edges and were judged on fewer. Another way to extrapolate
    is to subtract from the seen value what decisions lost in the trials. The difference between the
    two widens the interval, as does the spread of the trials. Without a trial, nothing better than
    the seen value is known.
    """
    objective = problem.objective
    seen = objective.evaluate(decision, problem.graph)
    results = table.of(winner.name)
    if not results:
        ends = (objective.least, seen) if objective.greater_is_better else (seen, math.inf)
        return seen, ends
    scores = np.array([result.value for result in results])
    kept = np.array(
        [
            objective.evaluate(result.decision[trial.order], trial.problem.graph)
            for trial, result in zip(trials, results, strict=False)
        ]
    )
    positive = kept > 0.0
    other = seen * float((scores[positive] / kept[positive]).mean()) if positive.any() else seen
    value = float(scores.mean())
    reach = _reach(scores) + abs(value - other)
    if objective.greater_is_better:
        return value, (max(value - reach, objective.least), min(value + reach, max(seen, value)))
    return value, (max(value - reach, min(seen, value)), value + reach)


def _expected_on_samples(
    problem: Problem,
    graphs: list[Graph],
    decision: NDArray[np.int32],
    winner: Method,
    trials: list[Trial],
    table: Table,
    rng: np.random.Generator,
) -> tuple[float, tuple[float, float]]:
    """Average over sampled whole graphs, corrected by the error of such samples in the trials.

    In the trials, the value is that on the main part of the seen graph; no more is known.
    """
    objective = problem.objective
    values = _finite([objective.evaluate(decision, graph) for graph in graphs])
    errors = []
    for trial, result in zip(trials, table.of(winner.name), strict=False):
        number = np.zeros(problem.graph.n_nodes, np.int32)
        number[trial.order] = np.arange(len(trial.order), dtype=np.int32)
        there = number[result.decision]
        samples = sampled_graphs(winner, trial.problem, _DECIDED_ON, rng)
        predicted = _finite([objective.evaluate(there, graph) for graph in samples]).mean()
        actual = objective.evaluate_main_part(result.decision, problem.graph)
        if math.isfinite(actual) and math.isfinite(predicted):
            errors.append(float(actual - predicted))
    value = float(values.mean()) + (math.fsum(errors) / len(errors) if errors else 0.0)
    if not math.isfinite(value):
        return math.inf, (max(objective.least, 0.0), math.inf)
    value = max(value, objective.least)
    reach = math.hypot(_reach(values), _reach(np.array(errors)))
    return value, (max(value - reach, objective.least), value + reach)


def _reach(values: NDArray[np.float64]) -> float:
    """Return how far one more value may be from the mean of these, with a confidence of 90 %."""
    if len(values) < 2:
        return 0.0
    quantile = float(students_t.ppf(0.5 + _CONFIDENCE / 2, len(values) - 1))
    return quantile * float(values.std(ddof=1)) * math.sqrt(1.0 + 1.0 / len(values))


def _finite(values: list[float]) -> NDArray[np.float64]:
    """Return the values that are finite, or one infinity."""
    array = np.array(values, np.float64)
    kept = array[np.isfinite(array)]
    return kept if len(kept) else np.array([np.inf])


def _stability(
    problem: Problem,
    decision: NDArray[np.int32],
    others: list[NDArray[np.int32]],
    graphs: list[Graph],
) -> NDArray[np.float64]:
    if problem.objective.decides == "labels":
        return _same_group([_matched(decision, other) for other in others], decision)
    near = np.zeros(len(decision))
    for other, graph in zip(others, graphs, strict=True):
        around = np.concatenate([other, *(graph.neighbors(int(center)) for center in other)])
        near += np.isin(decision, around)
    return near / max(len(others), 1)


def _same_group(
    others: list[NDArray[np.int32]], decision: NDArray[np.int32]
) -> NDArray[np.float64]:
    same = np.zeros(len(decision))
    for other in others:
        same += other == decision
    return same / max(len(others), 1)


def _matched(labels: NDArray[np.int32], other: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return other groups, renamed so that as many nodes as possible keep their label."""
    size = int(max(labels.max(initial=0), other.max(initial=0))) + 1
    common = np.zeros((size, size), np.int64)
    np.add.at(common, (other, labels), 1)
    _, renamed = linear_sum_assignment(common, maximize=True)
    names: NDArray[np.int32] = renamed[other].astype(np.int32)
    return names
