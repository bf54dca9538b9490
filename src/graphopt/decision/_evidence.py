"""What speaks for a decision: its value on graphs as they might be, and how stable it is."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.stats import t as students_t

from graphopt.centers import local_search_k_center
from graphopt.communities import leiden
from graphopt.completion import Bagging, LinkModel
from graphopt.decision._case import Case
from graphopt.decision._trials import Entrant, Trial, renumbered_back
from graphopt.evaluation import quality
from graphopt.graph import Graph

_CONFIDENCE = 0.9
_VALUED_ON = 20  # sampled graphs
_DECIDED_ON = 8  # of them, for stability


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """Value and stability of a decision; see :class:`graphopt.Decision`."""

    expected_value: float
    interval: tuple[float, float]
    stability: NDArray[np.float64]


def gather(
    task: str,
    case: Case,
    decision: NDArray[np.int32],
    winner: Entrant,
    trials: list[Trial],
    k: int,
    rng: np.random.Generator,
) -> Evidence:
    """Value a decision on sampled whole graphs and decide on these again.

    What samples of a trial's graph said of the winner's decision there, and what it was worth, tell
    how far the samples can be believed: their mean error is taken off, and its spread widens the
    interval.
    """
    if case.seen_fraction == 1.0:
        value = quality(task, case.graph, decision)
        again = [
            winner.method.run(case, k, np.random.default_rng(seed))
            for seed in rng.integers(2**63, size=_DECIDED_ON)
        ]
        stable = _stability(task, decision, again, [case.graph] * len(again))
        return Evidence(value, (value, value), stable)
    graphs = _samples(case, _VALUED_ON, rng)
    values = _finite([quality(task, graph, decision) for graph in graphs])
    errors = np.array(
        [
            quality(task, case.graph, found) - _predicted(task, trial, found, rng)
            for trial, found in zip(trials, winner.decisions, strict=False)
        ]
    )
    errors = errors[np.isfinite(errors)]
    expected = float(values.mean()) + (float(errors.mean()) if len(errors) else 0.0)
    interval = _interval(expected, values, errors)
    if task == "community":
        interval = max(interval[0], -0.5), min(interval[1], 1.0)
    else:
        interval = max(interval[0], 0.0), interval[1]
    again = [_decided_on(task, graph, k, rng) for graph in graphs[:_DECIDED_ON]]
    return Evidence(expected, interval, _stability(task, decision, again, graphs[:_DECIDED_ON]))


def _samples(case: Case, count: int, rng: np.random.Generator) -> list[Graph]:
    """Return whole graphs as they might be: by a learned model where there are edges to learn."""
    completion: LinkModel | Bagging = LinkModel(case.missing_weight)
    if case.rows is None:
        completion = Bagging(case.missing_weight)
    return completion.sample(case.graph, case.rows, count, join=True, random_state=rng)


def _predicted(
    task: str, trial: Trial, decision: NDArray[np.int32], rng: np.random.Generator
) -> float:
    """Return what samples of a trial's hidden graph say of a decision."""
    graphs = _samples(trial.case, _DECIDED_ON, rng)
    there = _renumbered(task, decision, trial.order)
    return float(_finite([quality(task, graph, there) for graph in graphs]).mean())


def _renumbered(
    task: str, decision: NDArray[np.int32], order: NDArray[np.int64]
) -> NDArray[np.int32]:
    """Undo :func:`renumbered_back`."""
    if task == "community":
        labels: NDArray[np.int32] = decision[order]
        return labels
    return renumbered_back(task, decision, np.argsort(order))


def _interval(
    expected: float, values: NDArray[np.float64], errors: NDArray[np.float64]
) -> tuple[float, float]:
    """Return the middle 90 %: of the samples' spread, and of the errors' for a further graph."""
    spread = float(values.var())
    if len(errors) > 1:
        spread += float(errors.var(ddof=1)) * (1.0 + 1.0 / len(errors))
        freedom = len(errors) - 1
    else:
        freedom = len(values) - 1
    reach = float(students_t.ppf(0.5 + _CONFIDENCE / 2, freedom)) * math.sqrt(spread)
    return expected - reach, expected + reach


def _finite(values: list[float]) -> NDArray[np.float64]:
    """Return the values that are finite, or one infinity."""
    array = np.array(values, np.float64)
    kept = array[np.isfinite(array)]
    return kept if len(kept) else np.array([np.inf])


def _decided_on(task: str, graph: Graph, k: int, rng: np.random.Generator) -> NDArray[np.int32]:
    """Return the decision for a sampled graph as though it were the whole one."""
    if task == "community":
        return leiden(graph, k, starts=1, random_state=rng).labels
    return local_search_k_center(graph, k, n_starts=3, n_rounds=3, random_state=rng).centers


def _stability(
    task: str,
    decision: NDArray[np.int32],
    others: list[NDArray[np.int32]],
    graphs: list[Graph],
) -> NDArray[np.float64]:
    if task == "community":
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
