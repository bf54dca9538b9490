"""Judging again what a search chose: the best of many scores is too high by its luck."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from statistics import fmean
from typing import Any

from graphopt._text import counted
from graphopt._validation import check_integer
from graphopt.tuning import Findings, HiddenEdges, Params

_BEST = "best"


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A setting, judged on edges hidden anew.

    Attributes
    ----------
    name : str
        ``"best"``: what the search found best; else the landmark's.
    params : dict
    iterations : int
        Length of its training, as it was chosen before.
    scores : tuple of float
        One for each draw of hidden edges and of the start.
    """

    name: str
    params: Params
    iterations: int
    scores: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Of the scores."""
        return fmean(self.scores)

    def as_dict(self) -> dict[str, Any]:
        """Return everything as plain values."""
        return {**asdict(self), "mean": self.mean}


def confirm(
    evaluation: HiddenEdges,
    found: Findings,
    draws: int,
    progress: Callable[[str], None] = lambda step: None,
) -> list[Confirmed]:
    """Train the best setting and the landmarks again, on other hidden edges and from other starts.

    Parameters
    ----------
    evaluation : HiddenEdges
        What the search asked for scores.
    found : Findings
    draws : int
        Trainings of each setting. Draw i is the same for all, and none of the search's.
    progress : callable
        Told of every training that begins.

    Returns
    -------
    list of Confirmed
        The best first, and not once more as a landmark; empty before any setting was tried to the
        end.
    """
    check_integer("draws", draws, minimum=1)
    if not found.tried:
        return []
    best = found.tried[0]
    chosen = [(_BEST, best.params, best.iterations)]
    chosen += [
        (one.name, one.params, one.iterations)
        for one in found.landmarks
        if (one.params, one.iterations) != (best.params, best.iterations)
    ]
    confirmed = []
    for name, params, iterations in chosen:
        scores = []
        for draw in range(draws):
            progress(f"{name}, draw {draw + 1} of {draws}")
            seed = evaluation.random_state + 1000 * (evaluation.repeats + draw)
            anew = replace(evaluation, random_state=seed, repeats=1)
            by_length = anew(params, lambda step, score, last=iterations: step >= last)  # type: ignore[misc]
            scores.append(by_length[iterations])
        confirmed.append(Confirmed(name, dict(params), iterations, tuple(scores)))
    return confirmed


def summary(confirmed: Sequence[Confirmed], greater_is_better: bool) -> list[str]:
    """Return lines that say how the best setting and the others did.

    Examples
    --------
    >>> best = Confirmed("best", {}, 10, (0.5, 0.75))
    >>> for line in summary([best, Confirmed("published", {}, 10, (0.5, 0.25))], True):
    ...     print(line)
    best: 0.6250 (0.5000 to 0.7500)
    published: 0.3750 (0.2500 to 0.5000); best is ahead by 0.2500, in 1 of 2 draws
    """
    lines = []
    for one in confirmed:
        line = f"{one.name}: {one.mean:.4f} ({min(one.scores):.4f} to {max(one.scores):.4f})"
        if one is not confirmed[0]:
            sign = 1.0 if greater_is_better else -1.0
            pairs = zip(confirmed[0].scores, one.scores, strict=True)
            ahead = [sign * (mine - theirs) for mine, theirs in pairs]
            line += f"; best is ahead by {fmean(ahead):.4f}"
            line += f", in {sum(x > 0.0 for x in ahead)} of {counted(len(ahead), 'draw')}"
        lines.append(line)
    return lines
