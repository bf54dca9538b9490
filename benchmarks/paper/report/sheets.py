"""Tables of what the paper does not ask: cells are words with a number or two, in every form."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.table import Table as RichTable
from rich.text import Text

from benchmarks.paper.jobs.specs import Effort, Job, has_job, make_job
from benchmarks.paper.jobs.store import Stored
from graphopt._escaping import for_html, for_markdown, for_markup, for_terminal

MARKS = {"met": "✓", "missed": "✗", None: ""}
_STYLES = {"met": "green", "missed": "yellow", None: ""}
_CLASSES = {"met": "better", "missed": "worse", None: "none"}

LookUp = Callable[[Job], "Stored | None"]
"""From a job to its row in the store; None where it was not run."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A cell.

    Attributes
    ----------
    text : str
    notes : tuple of str
        Smaller, below it.
    verdict : {"met", "missed"} or None
    value : float or None
        The number behind the text, where it is one.
    """

    text: str
    notes: tuple[str, ...] = ()
    verdict: str | None = None
    value: float | None = None

    @property
    def marked(self) -> str:
        """The text and the mark of its verdict."""
        return f"{self.text} {MARKS[self.verdict]}".rstrip()


@dataclass(frozen=True, slots=True)
class Line:
    """A line of cells; `head`: what follows belongs to it."""

    label: str
    entries: tuple[Entry, ...]
    head: bool = False


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table of words.

    Attributes
    ----------
    name : str
        As ``python -m benchmarks.paper tables --table`` knows it.
    title : str
    columns : tuple of str
    lines : tuple of Line
        Each with as many entries as there are columns.
    note : str
    """

    name: str
    title: str
    columns: tuple[str, ...]
    lines: tuple[Line, ...]
    note: str


@dataclass(frozen=True, slots=True)
class Scope:
    """What a run is about.

    Attributes
    ----------
    datasets : tuple of str
    n_seeds : int
    effort : Effort
    fresh_splits : bool
    """

    datasets: tuple[str, ...]
    n_seeds: int
    effort: Effort
    fresh_splits: bool = True

    def jobs(self, system: str, dataset: str, task: str, setting: str) -> list[Job]:
        """Return a job for each seed; none where there is nothing to run."""
        if setting == "clean" and not self.fresh_splits:
            return []
        if not has_job(system, dataset, setting, self.effort):
            return []
        return [
            make_job(system, dataset, task, setting, seed, self.effort)
            for seed in range(self.n_seeds)
        ]


def found(jobs: list[Job], look_up: LookUp) -> list[Stored]:
    """Return the rows of the jobs that are done."""
    rows = (look_up(job) for job in jobs)
    return [row for row in rows if row is not None and row.error is None]


def why_empty(jobs: list[Job], look_up: LookUp) -> Entry:
    """Return what stands where no job has a value."""
    if not jobs:
        return Entry("–")
    failed = any((row := look_up(job)) is not None and row.error is not None for job in jobs)
    return Entry("failed" if failed else "not run")


# --- forms ----------------------------------------------------------------------------------------


def on_terminal(sheet: Sheet) -> RichTable:
    """Return the sheet as rich draws it."""
    drawn = RichTable(box=box.SIMPLE_HEAD)
    drawn.add_column("", min_width=max((len(line.label) for line in sheet.lines), default=0))
    for column in sheet.columns:
        drawn.add_column(for_markup(column), justify="right")
    for line in sheet.lines:
        texts = []
        for entry in line.entries:
            text = Text(for_terminal(entry.marked), style=_STYLES[entry.verdict])
            for note in entry.notes:
                text.append(f"\n{for_terminal(note)}", style="dim")
            texts.append(text)
        drawn.add_row(for_markup(line.label), *texts, style="bold" if line.head else "")
    return drawn


def in_markdown(sheet: Sheet) -> Iterator[str]:
    """Yield the lines of the sheet as Markdown."""
    yield "| | " + " | ".join(map(for_markdown, sheet.columns)) + " |"
    yield "|---|" + "---:|" * len(sheet.columns)
    for line in sheet.lines:
        cells = []
        for entry in line.entries:
            marked = for_markdown(entry.marked)
            text = f"**{marked}**" if entry.text and line.head else marked
            cells.append("<br>".join([text, *map(for_markdown, entry.notes)]))
        label = for_markdown(line.label)
        label = f"**{label}**" if line.head else label
        yield f"| {label} | " + " | ".join(cells) + " |"


def for_page(sheet: Sheet) -> str:
    """Return the sheet as a section of the page."""
    names = "".join(f"<th>{for_html(column)}</th>" for column in sheet.columns)
    lines = []
    for line in sheet.lines:
        cells = []
        for entry in line.entries:
            notes = "".join(f"<small>{for_html(note)}</small>" for note in entry.notes)
            cells.append(
                f'<td class="{_CLASSES[entry.verdict]}"><b>{for_html(entry.marked)}</b>{notes}</td>'
            )
        kind = ' class="head"' if line.head else ""
        lines.append(f"<tr{kind}><td>{for_html(line.label)}</td>{''.join(cells)}</tr>")
    return (
        f'<section id="table-{for_html(sheet.name)}">'
        f"<h2>Table {for_html(sheet.name)}. {for_html(sheet.title)}</h2>"
        f'<p class="soft">{for_html(sheet.note)}</p>'
        f'<div class="scroll"><table class="sheet"><thead>'
        f"<tr><th></th>{names}</tr></thead><tbody>{''.join(lines)}</tbody></table></div></section>"
    )


def for_json(sheet: Sheet) -> dict[str, Any]:
    """Return the sheet as plain values; an infinite number is None, as JSON has none."""
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
                        "value": entry.value
                        if entry.value is not None and math.isfinite(entry.value)
                        else None,
                    }
                    for entry in line.entries
                ],
            }
            for line in sheet.lines
        ],
    }
