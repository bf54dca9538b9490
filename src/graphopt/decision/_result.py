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
    """A method and its results in the trials.

    Attributes
    ----------
    name : str
    scores : tuple of float
        Its value in each trial in which it took part. Part of the seen edges was hidden from it,
        and all seen edges judged its decision. The value is the modularity (higher is better), or
        the smoothed largest distance in hops of the nodes in the seen graph's largest component
        (lower is better).
    seconds : float
        Mean time of a decision over the trials; 0 without trials.
    error : str
        Why it took no further part; empty if nothing went wrong.
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
    """A decision and the evidence for it.

    Attributes
    ----------
    objective : Objective
    method : str
        The candidate that won.
    labels : array of int32, shape (n_nodes,)
        Group of each node; for k-center, the position in `centers` of the nearest center on the
        seen graph, -1 if the node reaches no center.
    centers : array of int32, shape (k,), or None
        Chosen nodes, for k-center.
    seen_value : float
        Modularity on the seen graph, or its radius (``inf``: a node reaches no center).
    expected_value : float
        The same on the whole graph, estimated from the trials; `seen_value` if all edges are seen.
        For communities, the estimate tends to be too low, because trials had fewer edges to learn
        from.
    interval : tuple of float
        A range that most likely contains the value on the whole graph. For communities, its width
        comes from the spread of the trials and from the difference between two ways to extrapolate;
        for k-center, from the spread of sampled whole graphs and from their errors in the trials.
    bound : float or None
        No choice of k centers has a smaller radius on the seen graph (or on its largest component,
        if the graph has more than k components). None for communities, for which nothing is proven.
    stability : array of float64
        For communities, the share of repeated decisions in which each node stays in its group, one
        entry per node; for k-center, the share in which each center, or a node next to it, is
        chosen again. Decisions are repeated on sampled whole graphs or, if all edges are seen, with
        other seeds.
    candidates : tuple of Candidate
        All methods, by preference.
    n_trials : int
        Number of trials in which all candidates that were not left out took part.
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
        """`labels` or `centers`, depending on the objective."""
        return self.labels if self.centers is None else self.centers

    @property
    def gap(self) -> float | None:
        """The share of the seen radius that may be too much; 0: proven optimal. None: unknown."""
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
        """Describe a candidate's results in a line."""
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
