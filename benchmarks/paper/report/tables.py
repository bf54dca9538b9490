"""The tables with their numbers: medians and spread over seeds, beside the paper's."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from benchmarks.paper.jobs.specs import FULL, Effort, Job
from benchmarks.paper.jobs.store import Stored
from benchmarks.paper.problems import objective_of
from benchmarks.paper.report.layouts import SETTINGS, Column, Layout, Row
from benchmarks.paper.report.sheets import Entry, Line, Sheet

NOTHING_TO_RUN = "–"


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in a cell.

    Attributes
    ----------
    values : tuple of float
        One per seed; infinite where a node cannot reach any facility.
    published : float or None
        The paper's.
    applies : bool
        False: there is nothing to run.
    failed, missing : int
        Seeds whose job failed or was not run.
    """

    values: tuple[float, ...]
    published: float | None
    applies: bool = True
    failed: int = 0
    missing: int = 0

    @property
    def median(self) -> float | None:
        """Over the seeds; None without any."""
        return statistics.median(self.values) if self.values else None

    @property
    def spread(self) -> tuple[float, float] | None:
        """Smallest and largest; None with fewer than two seeds."""
        return (min(self.values), max(self.values)) if len(self.values) > 1 else None


@dataclass(frozen=True, slots=True)
class Table:
    """A layout and its cells."""

    layout: Layout
    cells: dict[tuple[str, Column], Cell]

    def cell(self, row: Row, column: Column) -> Cell:
        """Return the cell of a row and a column."""
        return self.cells[row.label, column]

    def settings(self) -> list[tuple[str, list[Column]]]:
        """Return the settings, in the order of the columns, and the columns of each."""
        grouped = groupby(self.layout.columns, key=lambda column: column.setting)
        return [(setting, list(columns)) for setting, columns in grouped]

    def verdict(self, row: Row, column: Column) -> str | None:
        """Return ``"better"``, ``"equal"`` or ``"worse"`` than the paper; None without either.

        Compared as precisely as the paper prints.
        """
        cell = self.cell(row, column)
        ours, theirs = cell.median, cell.published
        if ours is None or theirs is None:
            return None
        if self.layout.unit == "modularity":
            ours = round(ours, 2)
        if ours == theirs:
            return "equal"
        return "better" if (ours > theirs) == self.layout.higher_is_better else "worse"


def fill(
    layouts: Iterable[Layout],
    look_up: Callable[[Job], Stored | None],
    n_seeds: int,
    effort: Effort = FULL,
) -> list[Table]:
    """Return the tables with the numbers that a store has, see :meth:`Store.look_up`.

    A row that is not the paper's is left out where nothing of it was run.
    """
    tables = []
    for layout in layouts:
        cells = {}
        best = references(layout, n_seeds, effort, look_up) if layout.regret else {}
        for row in layout.rows:
            for column in layout.columns:
                jobs = [layout.job(row, column, seed, effort) for seed in range(n_seeds)]
                rows = [look_up(job) for job in jobs if job is not None]
                cells[row.label, column] = _cell(layout, row, column, rows, best.get(column))
        rows_run = tuple(
            row
            for row in layout.rows
            if not row.extra
            or any(
                (cell := cells[row.label, column]).values or cell.failed
                for column in layout.columns
            )
        )
        tables.append(Table(replace(layout, rows=rows_run), cells))
    return tables


def references(
    layout: Layout, n_seeds: int, effort: Effort, look_up: Callable[[Job], Stored | None]
) -> dict[Column, float]:
    """Return for each column the best value that a reference found; none where none is done."""
    best: dict[Column, float] = {}
    choose = max if layout.task == "community" else min
    for column in layout.columns:
        jobs = [layout.reference_job(column, seed, effort) for seed in range(n_seeds)]
        found = [look_up(job) for job in jobs if job is not None]
        done = [row for row in found if row is not None and row.error is None]
        values = [row.outcomes[row.job.system].get("score") for row in done]
        known = [value for value in values if value is not None]
        if known:
            best[column] = choose(known)
    return best


def _cell(
    layout: Layout,
    row: Row,
    column: Column,
    stored: Sequence[Stored | None],
    reference: float | None,
) -> Cell:
    done = [found for found in stored if found is not None and found.error is None]
    values = [found.outcomes[row.outcome].get(row.value) for found in done]
    if layout.unit == "hops":
        values = [math.inf if value is None else value for value in values]
    known = [value for value in values if value is not None]
    missing = sum(found is None for found in stored)
    if layout.regret:
        if reference is None:  # without it there is nothing to say of any
            known, missing = [], len(stored)
        else:
            known = [objective_of(layout.task).regret(value, reference) for value in known]
    return Cell(
        tuple(known),
        layout.published(row, column),
        applies=bool(stored),
        failed=sum(found is not None and found.error is not None for found in stored),
        missing=missing,
    )


def counts(tables: Iterable[Table]) -> dict[str, int]:
    """Return how many cells of the paper's tables are better, equal and worse here."""
    found = {"better": 0, "equal": 0, "worse": 0}
    for table in tables:
        for row in table.layout.rows:
            for column in table.layout.columns:
                verdict = table.verdict(row, column)
                if verdict is not None:
                    found[verdict] += 1
    return found


# --- numbers as text ------------------------------------------------------------------------------

SCORE_UNITS = {"community": "modularity", "facility": "hops"}
"""By task, what decisions are judged in."""


def number(value: float, unit: str) -> str:
    """Return a value as it is printed.

    Examples
    --------
    >>> number(0.6562, "modularity"), number(8.0, "hops"), number(6.7, "hops")
    ('0.656', '8', '6.7')
    >>> [number(x, "seconds") for x in (0.00213, 0.0456, 1.234, 59.48, 1029.18)]
    ['0.0021', '0.046', '1.2', '59', '1,029']
    """
    if math.isinf(value):
        return "∞"
    if unit in ("modularity", "share"):
        return f"{value:.3f}"
    if unit == "hops":
        return f"{value:.2f}".rstrip("0").rstrip(".")
    if value >= 100:
        return f"{value:,.0f}"
    digits = 0 if value >= 10 else 1 if value >= 1 else 2 if value >= 0.1 else 3
    return f"{value:.{digits}f}" if value >= 0.01 else f"{value:.2g}"


def ours(cell: Cell, unit: str) -> str:
    """Return our number of a cell, or why there is none."""
    if not cell.applies:
        return NOTHING_TO_RUN
    if cell.median is not None:
        return number(cell.median, unit)
    return "failed" if cell.failed else "not run" if cell.missing else NOTHING_TO_RUN


def spread(cell: Cell, unit: str) -> str:
    """Return the range of a cell; empty where it is a point."""
    if cell.spread is None:
        return ""
    low, high = (number(value, unit) for value in cell.spread)
    if low == high:
        return ""
    # Beside a minus sign a dash would look like one more.
    return f"{low} to {high}" if low.startswith("-") else f"{low}–{high}"


def theirs(cell: Cell, unit: str) -> str:
    """Return the paper's number of a cell, as precisely as it is printed there."""
    if cell.published is None:
        return ""
    return f"{cell.published:.2f}" if unit == "modularity" else f"{cell.published:,g}"


def sheet_of(table: Table) -> Sheet:
    """Return a table as it is printed: ours with its spread, and the paper's."""
    layout = table.layout
    lines = []
    for row in layout.rows:
        entries = []
        for column in layout.columns:
            cell = table.cell(row, column)
            text, range_ = ours(cell, layout.unit), spread(cell, layout.unit)
            entries.append(
                Entry(
                    text,
                    (range_,) if range_ else (),
                    table.verdict(row, column),
                    cell.median,
                    theirs(cell, layout.unit),
                )
            )
        lines.append(Line(row.label, tuple(entries), extra=row.extra))
    return Sheet(
        layout.name,
        layout.title,
        tuple(column.dataset for column in layout.columns),
        tuple(lines),
        layout.note,
        tuple((SETTINGS[setting], len(columns)) for setting, columns in table.settings()),
    )
