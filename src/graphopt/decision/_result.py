"""What :func:`graphopt.decide` returns."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphopt._escaping import for_terminal
from graphopt._text import counted
from graphopt.objectives import Objective


@dataclass(frozen=True, slots=True)
class Candidate:
    """A method and how it did in the trials.

    Attributes
    ----------
    name : str
    scores : tuple of float
        Its value in each trial it took part in: part of the seen edges was hidden from it, all of
        them judged. Modularity (higher is better), or the smoothed largest distance in hops, of the
        nodes in the seen graph's largest component (lower is better).
    seconds : float
        Of a decision, on average over the trials; 0 without any.
    error : str
        Why it takes no further part; empty where nothing went wrong.
    """

    name: str
    scores: tuple[float, ...] = ()
    seconds: float = 0.0
    error: str = ""

    @property
    def score(self) -> float:
        """The mean over its trials; NaN without any."""
        return math.fsum(self.scores) / len(self.scores) if self.scores else math.nan


@dataclass(frozen=True, slots=True, eq=False)
class Decision:
    """A decision and what speaks for it.

    Attributes
    ----------
    objective : Objective
    method : str
        The candidate that won.
    labels : array of int32, shape (n_nodes,)
        Group of each node; for k-center, the position in `centers` of the nearest on the seen
        graph, -1 where none is reached.
    centers : array of int32, shape (k,), or None
        Chosen nodes, for k-center.
    seen_value : float
        Modularity on the seen graph, or its radius (``inf``: a node reaches no center).
    expected_value : float
        The same on the whole graph, as estimated from the trials; on a graph that is all seen,
        `seen_value`. For communities the estimate is rather too low, as trials had fewer edges to
        learn from.
    interval : tuple of float
        Where the value on the whole graph lies, most likely. For communities, it is made of the
        spread of the trials and how far two ways to extrapolate differ; for k-center, of the spread
        of sampled whole graphs and of their errors in the trials.
    bound : float or None
        No choice of k centers has a smaller radius on the seen graph (on its largest component,
        where it has more than k). None for communities, for which nothing is proven.
    stability : array of float64
        For communities, how often each node stays in its group, one entry per node; for k-center,
        how often each center, or a node next to it, is chosen again. Over decisions on sampled
        whole graphs, or, where all is seen, over decisions from other seeds.
    candidates : tuple of Candidate
        All methods, by preference.
    n_trials : int
        Trials in which all candidates that count took part.
    seconds : float
    """

    objective: Objective
    method: str
    labels: NDArray[np.int32]
    centers: NDArray[np.int32] | None
    seen_value: float
    expected_value: float
    interval: tuple[float, float]
    bound: float | None
    stability: NDArray[np.float64]
    candidates: tuple[Candidate, ...]
    n_trials: int
    seconds: float

    @property
    def decision(self) -> NDArray[np.int32]:
        """`labels` or `centers`, whichever the objective decides."""
        return self.labels if self.centers is None else self.centers

    @property
    def gap(self) -> float | None:
        """The part of the seen radius that may be too much, 0 where it is proven; None: unknown."""
        if self.bound is None or not math.isfinite(self.seen_value):
            return None
        if self.seen_value <= self.bound:
            return 0.0
        return 1.0 - self.bound / self.seen_value

    def __str__(self) -> str:
        what = self.objective.value_name
        n_parts = len(np.unique(self.labels) if self.centers is None else self.centers)
        made = counted(n_parts, *self.objective.parts)
        number, described = self.objective.number, self.objective.describe
        value = described(self.seen_value)
        lines = [f"{made} by {for_terminal(self.method)}"]
        # Without trials the value is known only where nothing is missing.
        all_seen = self.n_trials == 0 and self.interval == (self.seen_value, self.seen_value)
        if all_seen:
            lines.append(f"{what}: {value}; all edges are seen")
        else:
            low, high = (number(end) for end in self.interval)
            lines += [
                f"{what} on the seen graph: {value}",
                f"{what} expected on the whole graph: {described(self.expected_value)} "
                f"(90 % interval: {low} to {high})",
            ]
        if self.bound is not None:
            lines.append(
                f"no choice of {made} has a largest distance below {described(self.bound)} "
                "on the seen graph" + (", so this one is optimal there" if self.gap == 0.0 else "")
            )
        again = "decisions from other seeds" if all_seen else "decisions on sampled whole graphs"
        stays = (
            "a node stays in its group"
            if self.centers is None
            else f"a {self.objective.parts[0]} or its neighbour is chosen again"
        )
        lines.append(f"stability: {stays} in {_mean(self.stability):.0%} of {again}, on average")
        judged = self.objective.judged_name
        if all_seen:
            lines.append(f"methods tried, with the {judged} and the seconds of a decision:")
        else:
            lines.append(
                f"methods tried in {counted(self.n_trials, 'trial')} with some seen edges hidden, "
                f"with the mean {judged} and the seconds of a decision:"
            )
        return "\n".join([*lines, *(f"  {self._told(one)}" for one in self.candidates)])

    def _told(self, candidate: Candidate) -> str:
        """Return how a candidate did, in a line."""
        name = for_terminal(candidate.name)
        if candidate.error:
            return f"{name}: failed: {for_terminal(candidate.error)}"
        if not candidate.scores:
            return f"{name}: not tried"
        n_tried = len(candidate.scores)
        left = f", left after {counted(n_tried, 'trial')}" if 0 < n_tried < self.n_trials else ""
        score = self.objective.describe(candidate.score)
        return f"{name}: {score}, {candidate.seconds:.2g} s{left}"


def _mean(values: NDArray[Any]) -> float:
    return float(values.mean()) if len(values) else 1.0
