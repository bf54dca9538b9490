"""What :func:`compare` and :func:`regret` return."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from graphopt._escaping import for_terminal
from graphopt._text import counted
from graphopt._validation import check_choice, check_float_array
from graphopt.decision._statistics import Summary, signed_rank_p_value, summarize
from graphopt.objectives import Objective, Reference

_TIE = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """One decision of one method.

    Attributes
    ----------
    split, seed : int
        Which split, and which run of the method on it, from 0.
    score, seen_score : float
        Value on the full graph and on the seen one: modularity, or the largest distance (``inf``
        where a node is not reached).
    regret : float
        How far `score` falls short of the reference; negative: it is better.
    seconds : float
        Wall time of the decision.
    decision : array of int64
        Labels or nodes in the numbering of the graph that was given.
    unseen_score : float or None
        For communities, the modularity on the edges never seen; None if there are none.
    mean_distance, p95_distance, p99_distance, n_unreached : float or None
        For k-center, see :class:`graphopt.objectives.DistanceTail`.
    nmi, ari : float or None
        For communities, where classes were given, see :class:`Agreement`.
    """

    split: int
    seed: int
    score: float
    seen_score: float
    regret: float
    seconds: float
    decision: NDArray[np.int64]
    unseen_score: float | None = None
    mean_distance: float | None = None
    p95_distance: float | None = None
    p99_distance: float | None = None
    n_unreached: float | None = None
    nmi: float | None = None
    ari: float | None = None


_HEADS = {
    "unseen_score": "on unseen edges",
    "mean_distance": "mean distance",
    "p95_distance": "95th percentile",
    "p99_distance": "99th percentile",
    "nmi": "NMI",
    "ari": "ARI",
}
"""Measures that not every run has, as a table names them."""

MEASURES = tuple(
    field.name for field in fields(Run) if field.name not in ("split", "seed", "decision")
)


@dataclass(frozen=True, slots=True, eq=False)
class RegretResult:
    """A method on splits of one graph.

    Splits are what a sample consists of: runs on the same split are averaged first. They hide other
    edges of one graph, so intervals tell what the draw of seen edges does to a method on this
    graph, and nothing of other graphs.

    Attributes
    ----------
    method : str
    objective : Objective
    k : int
    seen : float
        Share of the edges that was seen.
    reference : Reference
    runs : tuple of Run
        Split after split.
    """

    method: str
    objective: Objective
    k: int
    seen: float
    reference: Reference
    runs: tuple[Run, ...]

    @property
    def n_splits(self) -> int:
        """Number of splits."""
        return self.runs[-1].split + 1

    def per_split(self, measure: str = "regret") -> NDArray[np.float64]:
        """Return a measure for each split, the mean over its runs.

        Parameters
        ----------
        measure : str
            A number that :class:`Run` has.

        Returns
        -------
        array of float64, shape (n_splits,)

        Raises
        ------
        ValueError
            For a measure that is not known or that these runs do not have.
        """
        check_choice("measure", measure, MEASURES)
        values = [getattr(run, measure) for run in self.runs]
        if any(value is None for value in values):
            raise ValueError(f"measure {measure} was not taken of these runs")
        means: NDArray[np.float64] = (
            np.array(values, np.float64).reshape(self.n_splits, -1).mean(axis=1)
        )
        return means

    def summary(self, measure: str = "regret", *, confidence: float = 0.95) -> Summary:
        """Return mean and median over the splits, with an interval of the mean.

        Parameters
        ----------
        measure : str
            As for :meth:`per_split`.
        confidence : float
            In (0, 1).

        Returns
        -------
        Summary
            See :func:`summarize`.
        """
        return summarize(self.per_split(measure), confidence=confidence)

    @property
    def score(self) -> Summary:
        """Of the value on the full graph."""
        return self.summary("score")

    @property
    def regret(self) -> Summary:
        """Of the distance to the reference."""
        return self.summary("regret")

    def to_rows(self) -> list[dict[str, Any]]:
        """Return a row of plain values for each run, for a data frame or a CSV file."""
        known = {
            "method": self.method,
            "objective": self.objective.name,
            "k": self.k,
            "seen": self.seen,
            "reference": self.reference.value,
        }
        names = [name for name in MEASURES if getattr(self.runs[0], name) is not None]
        return [
            known
            | {"split": run.split, "seed": run.seed}
            | {name: getattr(run, name) for name in names}
            for run in self.runs
        ]

    def __str__(self) -> str:
        return _table([self])


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """Two methods on the same splits: what the first has more regret than the second.

    Attributes
    ----------
    first, second : str
    difference : Summary
        Of the regret of `first` less that of `second`, split by split; below 0: `first` is better.
    p_value : float
        Of Wilcoxon's signed-rank test. Splits share edges, so it says whether the order would hold
        on further splits of this graph.
    wins, ties, losses : int
        Splits on which `first` has less, equal and more regret.
    """

    first: str
    second: str
    difference: Summary
    p_value: float
    wins: int
    ties: int
    losses: int

    def __str__(self) -> str:
        return (
            f"{for_terminal(self.first)} - {for_terminal(self.second)}: "
            f"regret {self.difference}, p = {self.p_value:.3g}; "
            f"better on {counted(self.wins, 'split')}, equal on {self.ties}, worse on {self.losses}"
        )


def paired_difference(
    first: str, second: str, one: ArrayLike, other: ArrayLike, *, confidence: float = 0.95
) -> PairedDifference:
    """Compare what two methods lose on the same splits.

    Parameters
    ----------
    first, second : str
        What they are called.
    one, other : array of float, shape (n_splits,)
        Regret of each, at least two, not NaN; infinite where a node is left unreached. Two that
        are infinite are equal.
    confidence : float
        Of the interval.

    Returns
    -------
    PairedDifference

    Raises
    ------
    ValueError
        For arrays of different length, and as :func:`summarize`.

    Examples
    --------
    >>> found = paired_difference("a", "b", [1.0, 2.0, 3.0], [1.0, 1.0, 5.0])
    >>> found.wins, found.ties, found.losses
    (1, 1, 1)
    """
    x = check_float_array("one", one, ndim=1, finite=False).astype(np.float64)
    y = check_float_array("other", other, ndim=1, finite=False).astype(np.float64)
    if len(x) != len(y):
        raise ValueError(f"other must have the length of one, {len(x)}, not {len(y)}")
    with np.errstate(invalid="ignore"):
        d = x - y
    size = np.maximum(np.abs(x), np.abs(y))
    equal = (x == y) | (np.abs(d) <= _TIE * np.where(np.isinf(size), 0.0, size))
    d = np.where(equal, 0.0, d)
    return PairedDifference(
        first,
        second,
        summarize(d, confidence=confidence),
        signed_rank_p_value(d),
        int((d < 0).sum()),
        int((d == 0).sum()),
        int((d > 0).sum()),
    )


@dataclass(frozen=True, slots=True, eq=False)
class ComparisonResult:
    """Several methods on the same splits.

    Attributes
    ----------
    results : mapping of str to RegretResult
        In the order the methods were given.
    """

    results: Mapping[str, RegretResult]

    def __getitem__(self, method: str) -> RegretResult:
        return self.results[check_choice("method", method, self.results)]

    @property
    def reference(self) -> Reference:
        """What all are measured by."""
        return next(iter(self.results.values())).reference

    @property
    def best(self) -> str:
        """The method with the smallest mean regret; of equal ones the first."""
        return min(self.results, key=lambda name: float(self.results[name].per_split().mean()))

    def difference(self, first: str, second: str, *, confidence: float = 0.95) -> PairedDifference:
        """Compare two methods split by split.

        Two decisions that both leave a node unreached are equal.

        Parameters
        ----------
        first, second : str
        confidence : float
            Of the interval.

        Returns
        -------
        PairedDifference

        Raises
        ------
        ValueError
            For a method that was not compared.
        """
        one, other = self[first].per_split(), self[second].per_split()
        return paired_difference(first, second, one, other, confidence=confidence)

    def to_rows(self) -> list[dict[str, Any]]:
        """Return the rows of all methods, see :meth:`RegretResult.to_rows`."""
        return [row for result in self.results.values() for row in result.to_rows()]

    def __str__(self) -> str:
        best = self.best
        pairs = [str(self.difference(name, best)) for name in self.results if name != best]
        return "\n".join([_table(list(self.results.values())), *([""] if pairs else []), *pairs])


def _table(results: Sequence[RegretResult]) -> str:
    first = results[0]
    reference = first.reference
    proven = ", proven" if reference.proven else ""
    if reference.bound is not None and not reference.proven:
        proven = f", bound {reference.bound:.4g}"
    score = first.objective.value_name
    extra = [name for name in _HEADS if getattr(first.runs[0], name) is not None]
    heads = [_HEADS[name] for name in extra]
    lines = [["", score, "mean regret [95 %]", "median regret", *heads, "seconds"]]
    for result in results:
        regret = result.regret
        cells = [f"{result.per_split(name).mean():.4g}" for name in extra]
        lines.append(
            [
                for_terminal(result.method),
                f"{result.score.mean:.4g}",
                str(regret),
                f"{regret.median:.4g}",
                *cells,
                f"{result.per_split('seconds').mean():.3g}",
            ]
        )
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    head = (
        f"{counted(first.n_splits, 'split')}, {100 * first.seen:g} % of the edges seen, "
        f"k = {first.k}; reference {reference.value:.4g} ({for_terminal(reference.name)}{proven})"
        + first.objective.note
    )
    body = [
        "  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])])
        for line in lines
    ]
    return "\n".join([head, *(line.rstrip() for line in body)])
