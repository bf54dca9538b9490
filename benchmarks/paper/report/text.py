"""The tables as text: for the terminal, and as Markdown."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from benchmarks.paper.jobs.specs import QUICK, SLOW
from benchmarks.paper.jobs.store import Stored
from benchmarks.paper.report.layouts import SETTINGS, Column
from benchmarks.paper.report.published import published_on
from benchmarks.paper.report.sheets import Sheet, for_json, in_markdown, on_terminal
from benchmarks.paper.report.tables import Table, counts, ours, spread, theirs
from graphopt._escaping import for_markdown, for_markup, for_terminal
from graphopt._text import counted

MARKS = {"better": "▲", "equal": "=", "worse": "▼", None: ""}
_STYLES = {"better": "green", "equal": "green", "worse": "yellow", None: ""}
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


def print_report(report: Report, console: Console) -> None:
    """Print the tables as wide as the console is."""
    if report.quick:
        console.print(Text(QUICK_NOTE, style="bold yellow"))
    for table in report.tables:
        title = f"Table {table.layout.name}. {table.layout.title}"
        console.print(Text(for_terminal(title), style="bold"), soft_wrap=True)
        for setting, columns in _parts(table):
            console.print(_rich(table, setting, columns))
        console.print(Text(for_terminal(table.layout.note), style="dim"), soft_wrap=True)
        console.print()
    for sheet in report.sheets:
        title = f"Table {sheet.name}. {sheet.title}"
        console.print(Text(for_terminal(title), style="bold"), soft_wrap=True)
        console.print(on_terminal(sheet))
        console.print(Text(for_terminal(sheet.note), style="dim"), soft_wrap=True)
        console.print()
    console.print(Text(for_terminal(report.headline)), soft_wrap=True)
    for line in report.ran_on:
        console.print(Text(for_terminal(line), style="dim"), soft_wrap=True)
    for row in report.failed:
        console.print(Text(for_terminal(_failure(row)), style="bold red"), soft_wrap=True)


def _rich(table: Table, setting: str, columns: Sequence[Column]) -> RichTable:
    unit = table.layout.unit
    drawn = RichTable(box=box.SIMPLE_HEAD)
    drawn.add_column(SETTINGS[setting])
    for column in columns:
        drawn.add_column(for_markup(column.dataset), justify="right")
    for row in table.layout.rows:
        texts = []
        for column in columns:
            cell, verdict = table.cell(row, column), table.verdict(row, column)
            text = Text(ours(cell, unit), style=_STYLES[verdict])
            if cell.published is not None:
                text.append(f" {MARKS[verdict]} ", style=_STYLES[verdict])
                text.append(theirs(cell, unit), style="dim")
            if spread(cell, unit):
                text.append(f"\n{spread(cell, unit)}", style="dim")
            texts.append(text)
        drawn.add_row(for_markup(row.label), *texts, style="italic" if row.extra else "")
    return drawn


def as_markdown(report: Report) -> str:
    """Return the tables as Markdown; "0.656 (0.641–0.662) ▲ 0.56" is ours, spread and theirs."""
    lines = ["# The paper's tables, run again", ""]
    if report.quick:
        lines += [f"**{QUICK_NOTE}**", ""]
    lines += [report.headline, ""]
    if report.worse:
        lines += ["The cells in which the paper's number is better:", ""]
        lines += [*(f"- {for_markdown(line)}" for line in report.worse), ""]
    for table in report.tables:
        lines += [f"## Table {for_markdown(f'{table.layout.name}. {table.layout.title}')}", ""]
        for setting, columns in _parts(table):
            lines += [
                f"| {SETTINGS[setting]} | "
                + " | ".join(for_markdown(c.dataset) for c in columns)
                + " |",
                "|---|" + "---:|" * len(columns),
            ]
            for row in table.layout.rows:
                cells = [_in_markdown(table, table.cell(row, c), table.verdict(row, c))
                         for c in columns]  # fmt: skip
                label = for_markdown(row.label)
                label = f"*{label}*" if row.extra else label
                lines.append(f"| {label} | " + " | ".join(cells) + " |")
            lines.append("")
        if table.layout.note:
            lines += [for_markdown(table.layout.note), ""]
    for sheet in report.sheets:
        title = for_markdown(f"{sheet.name}. {sheet.title}")
        lines += [f"## Table {title}", "", *in_markdown(sheet), ""]
        lines += [for_markdown(sheet.note), ""]
    lines += ["## Where", "", *(f"- {for_markdown(line)}" for line in report.ran_on), ""]
    if report.failed:
        lines += [
            "## Failed",
            "",
            *(f"- {for_markdown(_failure(row))}" for row in report.failed),
            "",
        ]
    return "\n".join(lines)


def _in_markdown(table: Table, cell: Any, verdict: str | None) -> str:
    unit = table.layout.unit
    text = ours(cell, unit)
    if verdict in ("better", "equal"):
        text = f"**{text}**"
    if spread(cell, unit):
        text += f" ({spread(cell, unit)})"
    if cell.published is not None:
        text += f" {MARKS[verdict]} {theirs(cell, unit)}"
    return text


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
        "sheets": [for_json(sheet) for sheet in report.sheets],
    }
    return json.dumps(content, indent=2)


def _plain(value: float | None) -> float | None:
    """Return an infinite distance as None: JSON has no number for it."""
    return None if value is None or value == float("inf") else value


def _failure(row: Stored) -> str:
    last = (row.error or "").strip().splitlines()[-1]
    return f"failed: {row.job.label}: {last}"


def _parts(table: Table) -> Iterator[tuple[str, list[Column]]]:
    """Yield the columns of each setting."""
    for setting in SETTINGS:
        columns = [column for column in table.layout.columns if column.setting == setting]
        if columns:
            yield setting, columns
