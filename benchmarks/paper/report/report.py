"""What a run found, before it is printed: tables, what they are made of, and where it ran."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.paper.jobs.specs import QUICK, SLOW
from benchmarks.paper.jobs.store import Stored
from benchmarks.paper.report.layouts import SETTINGS
from benchmarks.paper.report.published import published_on
from benchmarks.paper.report.sheets import Sheet
from benchmarks.paper.report.tables import Table, counts, ours, theirs
from graphopt._text import counted

QUICK_NOTE = (
    "Quick run: few training steps, one start, one seed, few graphs. What cannot be made short "
    f"({', '.join(SLOW)}) runs on {' and '.join(QUICK.slow_on or ())} alone, – elsewhere. It shows "
    "that cells can be filled, not how good the systems are."
)


@dataclass(frozen=True, slots=True)
class Report:
    """What is printed and written.

    Attributes
    ----------
    tables : sequence of Table
    rows : sequence of Stored
        The jobs behind them, failed ones included.
    machines : dict
        By id, what the jobs ran on.
    n_seeds : int
    quick : bool
    sheets : sequence of Sheet
    """

    tables: Sequence[Table]
    rows: Sequence[Stored]
    machines: dict[str, dict[str, Any]]
    n_seeds: int
    quick: bool
    sheets: Sequence[Sheet] = ()

    @property
    def failed(self) -> list[Stored]:
        """The jobs that failed."""
        return [row for row in self.rows if row.error is not None]

    @property
    def failures(self) -> list[str]:
        """The jobs that failed and the last line of each error."""
        lines = [(row.job.label, (row.error or "").strip().splitlines()[-1]) for row in self.failed]
        return [f"failed: {label}: {last}" for label, last in lines]

    @property
    def headline(self) -> str:
        """What the numbers are."""
        seeds = counted(self.n_seeds, "seed")
        found = counts(self.tables)
        medians = f"Medians over {seeds}, with the smallest and the largest"
        if not self.tables:
            return f"{medians}."
        return (
            f"{medians}; beside them what the paper printed. Of {sum(found.values())} published "
            f"numbers {found['better']} are better here (▲), {found['equal']} equal (=), "
            f"{found['worse']} worse (▼)."
        )

    @property
    def worse(self) -> list[str]:
        """The cells in which the paper's number is better, a line each."""
        return [
            f"Table {table.layout.name}, {SETTINGS[column.setting].lower()}, {row.label}, "
            f"{column.dataset}: {ours(table.cell(row, column), table.layout.unit)} against "
            f"{theirs(table.cell(row, column), table.layout.unit)}"
            for table in self.tables
            for column in table.layout.columns
            for row in table.layout.rows
            if table.verdict(row, column) == "worse"
        ]

    @property
    def ran_on(self) -> list[str]:
        """Where our times come from, and the paper's, a line each."""
        used = {(row.machine, row.threads, row.version) for row in self.rows}
        lines = []
        for machine, threads, version in sorted(used):
            known = self.machines[machine]
            libraries = known.get("libraries", {})
            lines.append(
                f"Here: {known.get('processor')}, "
                f"{counted(threads, 'thread')}, {known.get('isa')}, "
                f"graphopt {version}, PyTorch {libraries.get('torch')}, "
                f"Python {known.get('python')}."
            )
        # Machines that differ in what is not said here only, such as memory, are one line.
        return [*dict.fromkeys(lines), f"The paper: {published_on()}."]


def as_json(report: Report) -> str:
    """Return the tables as JSON: of every cell all values, their median and the paper's."""
    tables = [
        {
            "table": table.layout.name,
            "title": table.layout.title,
            "unit": table.layout.unit,
            "cells": [
                {
                    "row": row.label,
                    "setting": column.setting,
                    "dataset": column.dataset,
                    "applies": cell.applies,
                    "median": _plain(cell.median),
                    "values": [_plain(value) for value in cell.values],
                    "published": cell.published,
                    "verdict": table.verdict(row, column),
                }
                for row in table.layout.rows
                for column in table.layout.columns
                for cell in [table.cell(row, column)]
            ],
        }
        for table in report.tables
    ]
    content = {
        "quick": report.quick,
        "seeds": report.n_seeds,
        "machines": report.machines,
        "failed": [{"job": row.job.label, "error": row.error} for row in report.failed],
        "tables": tables,
        "sheets": [_plain_sheet(sheet) for sheet in report.sheets],
    }
    return json.dumps(content, indent=2)


def _plain(value: float | None) -> float | None:
    """Return an infinite distance as None: JSON has no number for it."""
    return value if value is not None and math.isfinite(value) else None


def _plain_sheet(sheet: Sheet) -> dict[str, Any]:
    return {
        "table": sheet.name,
        "title": sheet.title,
        "columns": list(sheet.columns),
        "note": sheet.note,
        "lines": [
            {
                "label": line.label,
                "head": line.head,
                "cells": [
                    {
                        "text": entry.text,
                        "notes": list(entry.notes),
                        "verdict": entry.verdict,
                        "value": _plain(entry.value),
                    }
                    for entry in line.entries
                ],
            }
            for line in sheet.lines
        ],
    }
