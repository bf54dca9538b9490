"""What :func:`compare` and :func:`regret` return."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from graphopt._escaping import for_terminal
from graphopt._text import counted
from graphopt._validation import check_choice, check_float_array
from graphopt.contest import Result
from graphopt.decision._statistics import Summary, signed_rank_p_value, summarize
from graphopt.objectives import Objective, Reference

_TIE = 1e-12


_HEADS = {
    "unseen_score": "on unseen edges",
    "mean_distance": "mean distance",
    "p95_distance": "95th percentile",
    "p99_distance": "99th percentile",
    "nmi": "NMI",
    "ari": "ARI",
}
"""Measures that not every run has, as a table names them."""


@dataclass(frozen=True, slots=True, eq=False)
class RegretResult:
    """The results of a method on splits of one graph.

    The splits are the sample: runs on the same split are averaged first. The splits hide different
    edges of one graph, so intervals show how the draw of seen edges affects a method on this graph.
    They say nothing about other graphs.

    Attributes
    ----------
    method : str
    objective : Objective
    k : int
    seen : float
        Share of the edges that was seen.
    reference : Reference
    runs : tuple of Result
        In the order of the splits: `trial` is the number of the split and `run` that of the seed.
        `decision` uses the node numbers of the graph that was passed. The `measures` are ``score``
        and ``seen_score``, the values on the full graph and on the seen one (a largest distance is
        ``inf`` if a node is not reached), and ``regret``, how far `score` falls short of the
        reference. For communities, they also include ``unseen_score``, the modularity on the edges
        never seen if there are any, and ``nmi`` and ``ari`` if classes were given, see
        :class:`Agreement`. For k-center, they also include ``mean_distance``, ``p95_distance``,
        ``p99_distance`` and ``n_unreached``, see :class:`graphopt.objectives.DistanceTail`.
    """

    method: str
    objective: Objective
    k: int
    seen: float
    reference: Reference
    runs: tuple[Result, ...]

    @property
    def n_splits(self) -> int:
        """Number of splits."""
        return self.runs[-1].trial + 1

    def per_split(self, measure: str = "regret") -> NDArray[np.float64]:
        """Return a measure for each split, the mean over its runs.

        Parameters
        ----------
        measure : str
            One of the measures of the runs, or ``"seconds"``.

        Returns
        -------
        array of float64, shape (n_splits,)

        Raises
        ------
        ValueError
            For a measure that these runs do not have.
        """
        check_choice("measure", measure, (*self.runs[0].measures, "seconds"))
        values = [
            run.seconds if measure == "seconds" else run.measures[measure] for run in self.runs
        ]
        means: NDArray[np.float64] = (
            np.array(values, np.float64).reshape(self.n_splits, -1).mean(axis=1)
        )
        return means

    def summary(self, measure: str = "regret", *, confidence: float = 0.95) -> Summary:
        """Return the mean and median over the splits, with a confidence interval of the mean.

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
        return [
            known | {"split": run.trial, "seed": run.run, **run.measures, "seconds": run.seconds}
            for run in self.runs
        ]

    def __str__(self) -> str:
        return _table([self])


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """How much larger the regret of one method is than that of another, on the same splits.

    Attributes
    ----------
    first, second : str
    difference : Summary
        Of the regret of `first` minus that of `second`, split by split; below 0: `first` is better.
    p_value : float
        Of Wilcoxon's signed-rank test. The splits share edges, so it only says whether the order
        would be the same on further splits of this graph.
    wins, ties, losses : int
        Number of splits on which the regret of `first` is smaller, equal and larger.
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
    """Compare the regret of two methods on the same splits.

    Parameters
    ----------
    first, second : str
        Names of the methods.
    one, other : array of float, shape (n_splits,)
        Regret of each method; at least two values, no NaN; infinite if a node is not reached. Two
        infinite values are equal.
    confidence : float
        Of the interval.

    Returns
    -------
    PairedDifference

    Raises
    ------
    ValueError
        For arrays of different length, and for the same reasons as :func:`summarize`.

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
    """The results of several methods on the same splits.

    Attributes
    ----------
    results : mapping of str to RegretResult
        In the order in which the methods were passed.
    """

    results: Mapping[str, RegretResult]

    def __getitem__(self, method: str) -> RegretResult:
        return self.results[check_choice("method", method, self.results)]

    @property
    def reference(self) -> Reference:
        """The reference that all methods are compared with."""
        return next(iter(self.results.values())).reference

    @property
    def best(self) -> str:
        """The method with the smallest mean regret; if several are equal, the first of them."""
        return min(self.results, key=lambda name: float(self.results[name].per_split().mean()))

    def difference(self, first: str, second: str, *, confidence: float = 0.95) -> PairedDifference:
        """Compare two methods split by split.

        Two decisions are equal if both leave a node unreached.

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
    extra = [name for name in _HEADS if name in first.runs[0].measures]
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
        + (f"; {score} in {first.objective.unit}" if first.objective.unit else "")
    )
    body = [
        "  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])])
        for line in lines
    ]
    return "\n".join([head, *(line.rstrip() for line in body)])
