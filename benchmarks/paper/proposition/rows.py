"""Both sides of Proposition 1 at one place, and what many places say together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from graphopt._escaping import csv_table
from graphopt._files import write_text
from graphopt._text import counted


@dataclass(frozen=True, slots=True)
class PropositionRow:
    """Both sides of Proposition 1 at one place.

    With f(mu) = mu - F(mu), ``|df/dmu - I| = |J|`` is the norm of the Jacobian of one update
    (operator 1-norm, as everywhere here), delta the margin and alpha the mass. The proof bounds
    that norm by ``b = 2 K^2 beta e^(-beta delta) / alpha`` and turns it by Lemma 2 into
    ``b / (1 - b)``, which bounds ``|(df/dmu)^-1 - I|`` and is what the proposition prints. See
    :func:`graphopt.nn.gradient_certificate` for the constant that holds in place of ``2 K^2``.

    Attributes
    ----------
    source : str
        What was measured: a training, separated rows, the counter-example.
    step : int or None
        Training steps made before; None for constructed rows.
    temperature, n_clusters, width, margin, mass
        beta, K, p, delta (in similarity) and alpha.
    residual : float
        How far one more update would move the centres: 0 at a fixed point.
    threshold : float
        ``log(2 beta K^2 / alpha)``.
    holds : bool
        ``beta delta > threshold``: the proposition's hypothesis.
    left : float
        ``|df/dmu - I|``, the proposition's left side.
    left_of_inverse : float
        ``|(df/dmu)^-1 - I|``, what the one-step gradient leaves out.
    printed_step, printed_bound : float
        b, and ``b / (1 - b)``; the latter is inf unless b < 1.
    corrected_step, corrected_bound : float
        The same with the constant that holds.
    assignment_bound : float
        The bound on `left` from the whole assignment instead of delta and alpha.
    """

    source: str
    step: int | None
    temperature: float
    n_clusters: int
    width: int
    margin: float
    mass: float
    residual: float
    threshold: float
    holds: bool
    left: float
    left_of_inverse: float
    printed_step: float
    printed_bound: float
    corrected_step: float
    corrected_bound: float
    assignment_bound: float


@dataclass(frozen=True, slots=True)
class PropositionSummary:
    """What the rows of one source say.

    Attributes
    ----------
    source : str
    n_rows, n_holds : int
        Places measured, and those where the hypothesis holds.
    n_above_printed : int
        Of the latter, those with `left` above `printed_bound`: the proposition fails there.
    n_above_corrected : int
        Of all, those with `left` above `corrected_step` or `left_of_inverse` above
        `corrected_bound`: never.
    printed_ratio : tuple of float, or None
        Smallest and largest `left` / `printed_bound` where the hypothesis holds; None if nowhere.
    corrected_ratio : tuple of float
        Smallest and largest `left` / `corrected_step` over all rows.
    """

    source: str
    n_rows: int
    n_holds: int
    n_above_printed: int
    n_above_corrected: int
    printed_ratio: tuple[float, float] | None
    corrected_ratio: tuple[float, float]

    def __str__(self) -> str:
        places = counted(self.n_rows, "place")
        text = f"{self.source}: the hypothesis holds at {self.n_holds} of {places}"
        if self.printed_ratio is not None:
            low, high = self.printed_ratio
            text += (
                f"; there the left side is {low:.2g} to {high:.2g} times the printed bound, "
                f"and above it at {counted(self.n_above_printed, 'place')}"
            )
        low, high = self.corrected_ratio
        return (
            f"{text}; everywhere it is {low:.2g} to {high:.2g} times the corrected bound, "
            f"and above it at {counted(self.n_above_corrected, 'place')}"
        )


def summarize_proposition(rows: Sequence[PropositionRow]) -> list[PropositionSummary]:
    """Return what the rows say, source by source.

    Parameters
    ----------
    rows : sequence of PropositionRow

    Returns
    -------
    list of PropositionSummary
        In the order in which the sources appear.
    """
    return [summary_of(source, list(group)) for source, group in by_source(rows).items()]


def by_source(rows: Sequence[PropositionRow]) -> dict[str, list[PropositionRow]]:
    """Return the rows of each source, in the order in which the sources appear."""
    groups: dict[str, list[PropositionRow]] = {}
    for row in rows:
        groups.setdefault(row.source, []).append(row)
    return groups


def summary_of(source: str, rows: Sequence[PropositionRow]) -> PropositionSummary:
    """Return what the rows of one source say."""
    promised = [row for row in rows if row.holds]
    printed = [row.left / row.printed_bound for row in promised]
    corrected = [row.left / row.corrected_step for row in rows]
    above = [
        row.left > row.corrected_step or row.left_of_inverse > row.corrected_bound for row in rows
    ]
    return PropositionSummary(
        source=source,
        n_rows=len(rows),
        n_holds=len(promised),
        n_above_printed=sum(ratio > 1.0 for ratio in printed),
        n_above_corrected=sum(above),
        printed_ratio=(min(printed), max(printed)) if printed else None,
        corrected_ratio=(min(corrected), max(corrected)),
    )


def write_csv(rows: Sequence[PropositionRow], path: Path) -> None:
    """Write the rows as a table: a line for each, a column for each attribute."""
    names = [field.name for field in fields(PropositionRow)]
    write_text(path, csv_table(names, map(asdict, rows)))


def as_plain(row: PropositionRow) -> dict[str, Any]:
    """Return a row for JSON, which has no number for infinity: None."""
    values = asdict(row).items()
    return {
        name: None if isinstance(value, float) and math.isinf(value) else value
        for name, value in values
    }
