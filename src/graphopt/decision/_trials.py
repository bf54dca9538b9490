"""Trials: part of what is seen is hidden, the methods decide, and it judges them."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from graphopt._selection import first_of_the_best
from graphopt.communities import modularity
from graphopt.datasets.hiding import renumbered_back
from graphopt.decision._case import Case, Features, hidden_case
from graphopt.decision._portfolio import Method, main_part
from graphopt.decision._result import Candidate
from graphopt.errors import GraphoptError
from graphopt.graph import Graph
from graphopt.paths import distances_to_nearest

_GROWTH = 0.6  # per hop, of the smoothed largest distance; what robust_k_center lowers
_KEPT = 0.8  # of the seen edges, where hidden ones can stand for all that are missing
_HOPELESS = 0.1  # behind the best by this part of its mean score


@dataclass(slots=True)
class Entrant:
    """A method on its way through the trials."""

    method: Method
    scores: list[float] = field(default_factory=list)
    decisions: list[NDArray[np.int32]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    error: str = ""
    dropped: bool = False

    @property
    def mean_score(self) -> float:
        """Over its trials, at least one."""
        return math.fsum(self.scores) / len(self.scores)

    @property
    def mean_seconds(self) -> float:
        """Of a decision; 0 without any."""
        return math.fsum(self.seconds) / len(self.seconds) if self.seconds else 0.0

    def record(self) -> Candidate:
        """Return what the result tells of it."""
        return Candidate(self.method.name, tuple(self.scores), self.mean_seconds, self.error)


class Clock:
    """What is left of a time budget; None: there is no end."""

    def __init__(self, budget: float | None) -> None:
        self.begin = time.monotonic()
        self._end = math.inf if budget is None else self.begin + budget

    @property
    def left(self) -> float:
        """Seconds."""
        return self._end - time.monotonic()

    @property
    def spent(self) -> float:
        """Seconds."""
        return time.monotonic() - self.begin


@dataclass(slots=True, eq=False)
class Trial:
    """One hiding of edges: the case to decide on, how to read the answer, and the judge.

    Communities are decided from most of the seen edges, and the hidden ones stand for all that are
    missing: they weigh more. Distances do not add up like that: for facilities as large a share is
    hidden as is missing, all that is seen is the judge, and only the nodes take part that can be
    served, as nothing tells whether a choice serves the others.
    """

    case: Case
    order: NDArray[np.int64]
    judge: Graph


def _kept_share(task: str, seen_fraction: float) -> float:
    """Return the share of the seen edges that a trial leaves; see :class:`Trial`."""
    return seen_fraction if task == "facility" else _KEPT


def _hide(case: Case, features: Features, task: str, k: int, rng: np.random.Generator) -> Trial:
    kept = _kept_share(task, case.seen_fraction)
    if task == "facility":
        served = np.flatnonzero(main_part(case.graph, k))
        part, hiding = hidden_case(case, features, rng, kept=kept, among=served)
        return Trial(part, hiding.order, case.graph)
    part, hiding = hidden_case(case, features, rng, kept=kept)
    return Trial(part, hiding.order, hiding.as_whole(case.seen_fraction))


def run_trials(
    entrants: list[Entrant],
    case: Case,
    features: Features,
    task: str,
    k: int,
    n_trials: int,
    clock: Clock,
    rng: np.random.Generator,
) -> list[Trial]:
    """Let every method decide in every trial, as long as time allows.

    A method that fails takes no further part, nor one that there was no time for, nor one that
    makes communities far behind the best.

    Returns
    -------
    list of Trial
        Those that were finished; the entrants hold a score for each they took part in.
    """
    trials: list[Trial] = []
    for _ in range(n_trials):
        trial = _hide(case, features, task, k, rng)
        seeds = rng.integers(2**63, size=len(entrants))
        turns = sorted(zip(entrants, seeds, strict=True), key=lambda turn: not turn[0].method.plain)
        for entrant, seed in turns:
            if entrant.error or entrant.dropped or len(entrant.scores) < len(trials):
                continue
            if not _affordable(entrant, entrants, clock):
                continue
            _try(entrant, trial, task, k, np.random.default_rng(seed))
        trials.append(trial)
        _drop_hopeless(entrants, task)
        if clock.left < _reserve(entrants):
            break
    return trials


def best_of(entrants: list[Entrant], task: str, seen_fraction: float) -> Entrant:
    """Return the first of those that the trials cannot tell from the best.

    Entrants come by preference. Only those count that took part in as many trials as any.
    """
    running = [entrant for entrant in entrants if not entrant.error]
    if not running:
        causes = "; ".join(f"{e.method.name}: {e.error}" for e in entrants)
        raise GraphoptError(f"no method could decide: {causes}")
    most = max(len(entrant.scores) for entrant in running)
    full = [entrant for entrant in running if len(entrant.scores) == most]
    if most == 0:
        return next(entrant for entrant in full if entrant.method.plain)
    scores = np.array([entrant.scores for entrant in full])
    if task == "facility":
        scores = -scores
    ratio = 1.0 / _kept_share(task, seen_fraction) - 1.0
    return full[first_of_the_best(scores, hidden_per_kept=ratio)]


def smoothed_radius(graph: Graph, centers: NDArray[np.int32], k: int) -> float:
    """Return the largest hop distance of a node that can be served, smoothed.

    ``log(mean(exp(growth d))) / growth``: it tells choices of the same radius apart. A node that
    could be served and is not counts as far as any path could be.
    """
    served = main_part(graph, k)
    hops, _ = distances_to_nearest(graph, centers)
    far = np.where(np.isfinite(hops), hops, float(served.sum()))[served]
    top = far.max(initial=0.0)
    return (
        float(top + math.log(np.exp(_GROWTH * (far - top)).mean()) / _GROWTH) if len(far) else 0.0
    )


def value_of(task: str, graph: Graph, decision: NDArray[np.int32], k: int) -> float:
    """Return what a trial judges by."""
    if task == "community":
        return modularity(graph, decision)
    return smoothed_radius(graph, decision, k)


def _try(entrant: Entrant, trial: Trial, task: str, k: int, rng: np.random.Generator) -> None:
    found, seconds, entrant.error = entrant.method.attempt(trial.case, k, rng)
    if found is None:
        return
    entrant.seconds.append(seconds)
    decision = renumbered_back(task, found, trial.order)
    entrant.decisions.append(decision)
    entrant.scores.append(value_of(task, trial.judge, decision, k))


def _drop_hopeless(entrants: list[Entrant], task: str) -> None:
    """Let those go on only that are near the best of those that took part in all trials so far.

    Largest distances hang on single nodes: one trial says little about them, and all go on.
    """
    if task == "facility":
        return
    running = [e for e in entrants if e.scores and not (e.error or e.dropped)]
    if not running:
        return
    most = max(len(e.scores) for e in running)
    means = {id(e): e.mean_score for e in running if len(e.scores) == most}
    sign = 1.0 if task == "community" else -1.0
    best = max(means.values(), key=lambda mean: sign * mean)
    for e in running:
        behind = sign * (best - means.get(id(e), best))
        e.dropped = behind > _HOPELESS * abs(best)


def _reserve(entrants: list[Entrant]) -> float:
    """Return the seconds that the last decision will take: it sees more edges than a trial."""
    return 3.0 * max((e.mean_seconds for e in entrants if not e.error), default=0.0)


def _affordable(entrant: Entrant, entrants: list[Entrant], clock: Clock) -> bool:
    known = [e.mean_seconds for e in entrants if e.seconds]
    expected = entrant.mean_seconds if entrant.seconds else max(known, default=0.0)
    return expected + _reserve(entrants) <= clock.left
