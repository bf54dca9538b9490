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
from graphopt.decision._case import Case
from graphopt.decision._portfolio import Method, main_part
from graphopt.decision._trials import Entrant, Trial
from graphopt.evaluation import quality
from graphopt.graph import Graph
from graphopt.paths import distances_to_nearest

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
    """Say what a decision is worth on the whole graph, and decide on sampled whole graphs again."""
    if case.seen_fraction == 1.0:
        value = quality(task, case.graph, decision)
        again = [
            winner.method.run(case, k, np.random.default_rng(seed))
            for seed in rng.integers(2**63, size=_DECIDED_ON)
        ]
        stable = _stability(task, decision, again, [case.graph] * len(again))
        return Evidence(value, (value, value), stable)
    method = winner.method
    graphs = method.samples(case, _VALUED_ON, rng)
    if task == "community":
        value, interval = _expected_modularity(case, decision, winner, trials)
    else:
        value, interval = _expected_radius(case, graphs, decision, winner, trials, method, rng)
    again = [_decided_on(task, graph, k, rng) for graph in graphs[:_DECIDED_ON]]
    return Evidence(value, interval, _stability(task, decision, again, graphs[:_DECIDED_ON]))


def _expected_modularity(
    case: Case, decision: NDArray[np.int32], winner: Entrant, trials: list[Trial]
) -> tuple[float, tuple[float, float]]:
    """Take the trials for what is to come: what was worth how much on edges that were hidden.

    They decided from fewer edges and were judged on fewer. Another way to extrapolate is to take
    off the seen value what the trials lost of theirs; how far the two differ widens the interval,
    beside the trials' own spread. Without a trial nothing better than the seen value is known.
    """
    seen = quality("community", case.graph, decision)
    if not winner.scores:
        return seen, (-0.5, seen)
    scores = np.array(winner.scores)
    kept = np.array(
        [
            quality("community", trial.case.graph, found[trial.order])
            for trial, found in zip(trials, winner.decisions, strict=False)
        ]
    )
    positive = kept > 0.0
    other = seen * float((scores[positive] / kept[positive]).mean()) if positive.any() else seen
    value = float(scores.mean())
    reach = _reach(scores) + abs(value - other)
    return value, (max(value - reach, -0.5), min(value + reach, max(seen, value)))


def _expected_radius(
    case: Case,
    graphs: list[Graph],
    decision: NDArray[np.int32],
    winner: Entrant,
    trials: list[Trial],
    method: Method,
    rng: np.random.Generator,
) -> tuple[float, tuple[float, float]]:
    """Average over sampled whole graphs, and correct by what such samples got wrong in the trials.

    There, the radius is that of the nodes in the main part of the seen graph: no more is known.
    """
    radii = _finite([quality("facility", graph, decision) for graph in graphs])
    errors = []
    for trial, found in zip(trials, winner.decisions, strict=False):
        number = np.zeros(case.graph.n_nodes, np.int32)
        number[trial.order] = np.arange(len(trial.order), dtype=np.int32)
        there = number[found]
        samples = method.samples(trial.case, _DECIDED_ON, rng)
        predicted = _finite([quality("facility", graph, there) for graph in samples]).mean()
        hops, _ = distances_to_nearest(case.graph, found)
        actual = hops[main_part(case.graph, len(found))].max(initial=0.0)
        if math.isfinite(actual) and math.isfinite(predicted):
            errors.append(float(actual - predicted))
    value = float(radii.mean()) + (math.fsum(errors) / len(errors) if errors else 0.0)
    if not math.isfinite(value):
        return math.inf, (0.0, math.inf)
    value = max(value, 0.0)
    reach = math.hypot(_reach(radii), _reach(np.array(errors)))
    return value, (max(value - reach, 0.0), value + reach)


def _reach(values: NDArray[np.float64]) -> float:
    """Return how far one more value is from the mean of these, with a confidence of 90 %."""
    if len(values) < 2:
        return 0.0
    quantile = float(students_t.ppf(0.5 + _CONFIDENCE / 2, len(values) - 1))
    return quantile * float(values.std(ddof=1)) * math.sqrt(1.0 + 1.0 / len(values))


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
