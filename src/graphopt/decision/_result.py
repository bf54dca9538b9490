"""What :func:`graphopt.decide` returns."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphopt._text import counted


@dataclass(frozen=True, slots=True)
class Candidate:
    """A method of the portfolio and how it did in the trials.

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
    task : {"community", "facility"}
    method : str
        The candidate that won.
    labels : array of int32, shape (n_nodes,)
        Group of each node; for facilities, the position in `centers` of the nearest on the seen
        graph, -1 where none is reached.
    centers : array of int32, shape (k,), or None
        Chosen nodes, for facilities.
    seen_value : float
        Modularity on the seen graph, or its radius (``inf``: a node reaches no centre).
    expected_value : float
        The same on the whole graph, as the trials let expect it; on a graph that is all seen,
        `seen_value`. Communities: rather too low, as trials had fewer edges to learn from.
    interval : tuple of float
        Where the value on the whole graph lies, most likely: the spread of the trials, and how far
        two ways to extrapolate differ (communities), or of sampled whole graphs and their errors in
        the trials (facilities).
    bound : float or None
        No choice of k centres has a smaller radius on the seen graph (on its largest component,
        where it has more than k). None for communities, of which nothing is proven.
    stability : array of float64
        Communities: how often each node stays in its group, one entry per node. Facilities: how
        often each centre, or a node next to it, is chosen again. Over decisions on sampled whole
        graphs, or, where all is seen, over decisions from other seeds.
    candidates : tuple of Candidate
        The whole portfolio, in the order it was tried.
    n_trials : int
        Trials in which all candidates that count took part.
    seconds : float
    """

    task: str
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
        """`labels` or `centers`, whichever was asked for."""
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
        community = self.task == "community"
        what = "modularity" if community else "largest distance"
        made = (
            counted(len(np.unique(self.labels)), "community", "communities")
            if self.centers is None
            else counted(len(self.centers), "facility", "facilities")
        )
        value = self._with_unit(self.seen_value)
        lines = [f"{made} by {self.method}"]
        # Without trials the value is known only where nothing is missing.
        all_seen = self.n_trials == 0 and self.interval == (self.seen_value, self.seen_value)
        if all_seen:
            lines.append(f"{what}: {value}; all edges are seen")
        else:
            low, high = (self._number(end) for end in self.interval)
            lines += [
                f"{what} on the seen graph: {value}",
                f"{what} expected on the whole graph: {self._with_unit(self.expected_value)} "
                f"(90 % interval: {low} to {high})",
            ]
        if self.bound is not None:
            lines.append(
                f"no choice of {made} has a largest distance below {self._with_unit(self.bound)} "
                "on the seen graph" + (", so this one is optimal there" if self.gap == 0.0 else "")
            )
        again = "decisions from other seeds" if all_seen else "decisions on sampled whole graphs"
        stays = (
            "a node stays in its group"
            if community
            else "a facility or its neighbour is chosen again"
        )
        lines.append(f"stability: {stays} in {_mean(self.stability):.0%} of {again}, on average")
        judged = what if community else f"smoothed {what}"
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
        if candidate.error:
            return f"{candidate.name}: failed: {candidate.error}"
        if not candidate.scores:
            return f"{candidate.name}: not tried"
        n_tried = len(candidate.scores)
        left = f", left after {counted(n_tried, 'trial')}" if 0 < n_tried < self.n_trials else ""
        score = self._with_unit(candidate.score)
        return f"{candidate.name}: {score}, {candidate.seconds:.2g} s{left}"

    def _number(self, value: float) -> str:
        if math.isinf(value):
            return "∞"
        return f"{value:.3f}" if self.task == "community" else f"{value:.3g}"

    def _with_unit(self, value: float) -> str:
        if self.task == "community":
            return self._number(value)
        if math.isinf(value):
            return "∞ (a node cannot reach any facility)"
        return f"{self._number(value)} {'hop' if value == 1.0 else 'hops'}"


def _mean(values: NDArray[Any]) -> float:
    return float(values.mean()) if len(values) else 1.0
