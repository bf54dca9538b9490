"""Systems of the library's own that decide under missing edges, and :func:`graphopt.decide`."""

from __future__ import annotations

import math

from benchmarks.paper.jobs.decided import Decided, Settings
from benchmarks.paper.jobs.measurement import Values, timed
from benchmarks.paper.jobs.specs import DECIDE, HINDSIGHT
from benchmarks.paper.problems import Problem
from graphopt.decision import MethodDecision, decide, portfolio_decisions
from graphopt.errors import GraphoptError

_TIE = 1e-9  # modularity that differs by less is the same


def by_decide(problem: Problem, settings: Settings) -> list[Decided]:
    """Decide, then look who in the portfolio would have been best.

    Returns
    -------
    list of Decided
        First the decision. Where edges are missing, then one row for each method that was in the
        running to the end of the trials, named :data:`HINDSIGHT` and its name: decided from the
        same seen edges; the chosen one's is the decision itself. The full graph, which judges here,
        has no say in any.
    """
    found, seconds = timed(
        lambda: decide(
            problem.seen,
            problem.own_features,
            objective=problem.objective,
            k=problem.k,
            seen_fraction=problem.seen_fraction,
            time_budget=settings.time_budget,
            random_state=settings.seed,
        )
    )
    score = problem.objective.evaluate(found.decision, problem.full)
    low, high = found.interval
    values: Values = {
        "decision_seconds": seconds,
        "expected_value": _finite(found.expected_value),
        "interval_low": _finite(low),
        "interval_high": _finite(high),
        "n_trials": float(found.n_trials),
        "interval_holds": None,
        "best_score": None,
        "loss": None,
        "picked_best": None,
    }
    decision = Decided(DECIDE, found.decision, values)
    if problem.seen_fraction == 1.0:  # what is decided by is what is judged by
        return [decision]
    values["interval_holds"] = float(low <= score <= high)
    most = max(len(one.scores) for one in found.candidates)
    trial_scores = {one.name: one.score for one in found.candidates if len(one.scores) == most}
    others = [name for name in trial_scores if name != found.method]
    rows = [Decided(HINDSIGHT + found.method, found.decision, {"chosen": 1.0}, kept=False)]
    rows += _by_methods(problem, others, settings.seed)
    scores = [problem.objective.evaluate(row.decision, problem.full) for row in rows]
    choose = max if problem.objective.greater_is_better else min
    best = choose(scores)
    loss = 0.0 if score == best else problem.objective.regret(score, best)
    values["best_score"] = _finite(best)
    values["loss"] = _finite(loss)
    values["picked_best"] = float(loss <= _TIE)
    first = 0 if loss <= _TIE else scores.index(best)
    for i, row in enumerate(rows):
        row.values["best"] = float(i == first)
        row.values["trial_score"] = _finite(trial_scores.get(row.row.removeprefix(HINDSIGHT)))
    return [decision, *rows]


def _by_methods(problem: Problem, names: list[str], seed: int) -> list[Decided]:
    """Return what methods of the portfolio decide; those that cannot are left out."""
    return [
        Decided(HINDSIGHT + one.name, one.decision, {"chosen": 0.0}, kept=False)
        for one in _asked(problem, names, seed)
        if one.decision is not None
    ]


def _asked(problem: Problem, methods: list[str], seed: int) -> list[MethodDecision]:
    return portfolio_decisions(
        problem.seen,
        problem.own_features,
        objective=problem.objective,
        k=problem.k,
        seen_fraction=problem.seen_fraction,
        methods=methods,
        random_state=seed,
    )


def by_one_method(row: str, method: str, problem: Problem, settings: Settings) -> list[Decided]:
    """Decide by one method of the portfolio."""
    (found,) = _asked(problem, [method], settings.seed)
    if found.decision is None:
        raise GraphoptError(f"{method}: {found.error}")
    return [Decided(row, found.decision, {"decision_seconds": found.seconds})]


def by_completion(row: str, problem: Problem, settings: Settings) -> list[Decided]:
    """Group seen and expected edges: those between nodes with like features, or by bagging."""
    described = problem.own_features is not None
    method = "Leiden, feature neighbours" if described else "Leiden, bagging"
    return by_one_method(row, method, problem, settings)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
