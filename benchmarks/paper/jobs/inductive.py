"""The compared systems on many graphs: learn on some, decide on others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.paper.jobs.decided import Settings
from benchmarks.paper.jobs.measurement import Values, forward_seconds, judged, timed
from benchmarks.paper.jobs.specs import DRAWN, TRAINED, TWO_STAGE, Job
from benchmarks.paper.jobs.systems import (
    raise_if_interrupted,
    second_stage,
    solve,
    unseen_edges,
)
from benchmarks.paper.problems import Problem, objective_of, problem_of
from graphopt import datasets
from graphopt.graph import Graph
from graphopt.learning import ClusterNet, DirectGCN, LinkPredictor

_ESTIMATORS: dict[str, type[ClusterNet] | type[DirectGCN]] = {
    "ClusterNet": ClusterNet,
    "GCN-e2e": DirectGCN,
}


@dataclass(frozen=True, slots=True)
class Roles:
    """The graphs of a distribution as problems: to train on, to choose on, to be judged on."""

    train: tuple[Problem, ...]
    validation: tuple[Problem, ...]
    test: tuple[Problem, ...]

    @property
    def seen_fraction(self) -> float:
        """Share of the training graphs' edges that is seen."""
        return sum(p.seen.n_edges for p in self.train) / sum(p.full.n_edges for p in self.train)


def run(job: Job) -> dict[str, Values]:
    """Run an inductive job: train once, decide on every test graph.

    Returns
    -------
    dict
        By row of the tables, the means over the test graphs of what
        :func:`benchmarks.paper.jobs.measurement.judged` tells, and, named ``tuned_...``, the
        same after fine-tuning on each graph's seen edges; seconds of the training, and of a
        decision, a forward pass and a fine-tuning on one graph, on average.
    """
    return decide(job.system, _load(job), job)


@cache
def warm_up(system: str, task: str) -> None:
    """Run a system on three tiny graphs, once in a process."""
    tiny = datasets.synthetic(40, n_graphs=3, random_state=0)
    problems = [problem_of("tiny", data, task, "learning", 3) for data in tiny]
    roles = Roles(*((problem,) for problem in problems))
    job = Job(system, "tiny", task, "inductive", 0, k=3, iterations=2, restarts=1)
    decide(system, roles, job)


def decide(system: str, roles: Roles, job: Job) -> dict[str, Values]:
    """Run a system on a distribution; see :func:`run`."""
    if system == TWO_STAGE:
        return _two_stage(roles, job)
    if system in TRAINED:
        return _network(system, roles, job)
    return _classical(system, roles, job)


@cache
def _drawn() -> datasets.InductiveDataset:
    """Return the graphs of :data:`DRAWN`: 30, 10 and 20, the same in every process and run.

    About ten seconds, once in a process.
    """
    return datasets.synthetic_distribution(random_state=0)


def _load(job: Job) -> Roles:
    data = _drawn() if job.dataset == DRAWN else datasets.load(job.data)
    if not isinstance(data, datasets.InductiveDataset):
        raise ValueError(f"{job.data} is a single graph")
    rng = np.random.default_rng(job.seed)

    def problems(members: Sequence[datasets.Dataset]) -> tuple[Problem, ...]:
        return tuple(
            problem_of(member.name, member.permuted(rng), job.task, "learning", job.k)
            for member in members[: job.graphs]
        )

    return Roles(problems(data.train), problems(data.validation), problems(data.test))


# --- one function for each kind of system ---------------------------------------------------------


def _network(row: str, roles: Roles, job: Job) -> dict[str, Values]:
    model = _ESTIMATORS[row](
        job.k,
        objective_of(job.task),
        seen_fraction=roles.seen_fraction,
        features_from_edges=any(problem.features_from_edges for problem in roles.train),
        iterations=job.iterations,
        n_restarts=job.restarts,
        random_state=job.seed,
    )
    training = _trained(model, roles)
    each = []
    for problem in roles.test:
        seen, features = problem.seen, problem.features
        decision, deciding = timed(lambda: model.predict(seen, features))  # noqa: B023
        forward = forward_seconds(model.network_, lambda: model.predict(seen, features))  # noqa: B023
        tuned, tuning = timed(lambda: model.fine_tune(seen, features))  # noqa: B023
        raise_if_interrupted(tuned)
        values = _judged(problem, decision) | _tuned(_judged(problem, tuned.decision_))
        each.append(
            values
            | {
                "decision_seconds": deciding,
                "forward_seconds": forward,
                "fine_tuning_seconds": tuning,
            }
        )
    return {row: _means(each) | {"training_seconds": training}}


def _two_stage(roles: Roles, job: Job) -> dict[str, Values]:
    """Train one link predictor for all algorithms."""
    options: dict[str, Any] = {} if job.iterations is None else {"iterations": job.iterations}
    predictor = LinkPredictor(random_state=job.seed, **options)
    training = _trained(predictor, roles)
    each: dict[str, list[Values]] = {}
    for problem in roles.test:
        seen, features, share = problem.seen, problem.features, roles.seen_fraction
        here, transfer = timed(lambda: predictor.transfer(seen, features))  # noqa: B023
        tuned, tuning = timed(lambda: predictor.fine_tune(seen, features))  # noqa: B023
        raise_if_interrupted(tuned)
        for plain, better in zip(
            second_stage(here, problem, share, job.seed),
            second_stage(tuned, problem, share, job.seed),
            strict=True,
        ):
            values = _judged(problem, plain.decision) | plain.values
            values |= _tuned(_judged(problem, better.decision) | better.values)
            values |= {"transfer_seconds": transfer, "fine_tuning_seconds": tuning}
            each.setdefault(plain.row, []).append(values)
    return {row: _means(v) | {"training_seconds": training} for row, v in each.items()}


def _classical(system: str, roles: Roles, job: Job) -> dict[str, Values]:
    settings = Settings(job.seed, time_limit=job.time_limit, time_budget=job.time_budget)
    each: dict[str, list[Values]] = {}
    for problem in roles.test:
        for found in solve(system, problem, settings):
            each.setdefault(found.row, []).append(_judged(problem, found.decision) | found.values)
    return {row: _means(values) for row, values in each.items()}


def _trained(model: ClusterNet | DirectGCN | LinkPredictor, roles: Roles) -> float:
    """Train and return the seconds that took."""
    _, seconds = timed(
        lambda: model.fit_inductive(
            [p.seen for p in roles.train],
            [p.features for p in roles.train],
            validation_graphs=[p.seen for p in roles.validation],
            validation_features=[p.features for p in roles.validation],
        )
    )
    raise_if_interrupted(model)
    return seconds


def _tuned(values: Values) -> Values:
    return {f"tuned_{name}": value for name, value in values.items()}


def _judged(problem: Problem, decision: NDArray[Any]) -> Values:
    unseen = Graph.from_edges(unseen_edges(problem.full, problem.seen), problem.full.n_nodes)
    return judged(problem.task, decision, problem.full, problem.seen, unseen)


def _means(each: Iterable[Values]) -> Values:
    """Return the mean of every value; None where a graph has none."""
    rows = list(each)
    means: Values = {"n_graphs": float(len(rows))}
    for name in rows[0]:
        values = [row[name] for row in rows]
        known = [value for value in values if value is not None]
        means[name] = fmean(known) if len(known) == len(values) else None
    return means
