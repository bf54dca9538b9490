"""A report in every form: on the terminal (rich), as Markdown, and as one HTML page (Jinja2).

A cell reads "0.656 ▲ 0.56": ours, the verdict and what the paper printed.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from itertools import groupby
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup
from rich import box
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from benchmarks.paper.jobs.store import Stored
from benchmarks.paper.report.layouts import SETTINGS
from benchmarks.paper.report.maps import group_map, site_map
from benchmarks.paper.report.plots import dumbbells
from benchmarks.paper.report.report import QUICK_NOTE, Report
from benchmarks.paper.report.sheets import Entry, Line, Sheet
from benchmarks.paper.report.tables import SCORE_UNITS, counts, number, sheet_of
from graphopt import datasets
from graphopt._escaping import for_html, for_markdown, for_markup, for_terminal
from graphopt.errors import GraphoptError

MARKS = {"better": "▲", "equal": "=", "worse": "▼", "met": "✓", "missed": "✗", "adds": "",
         "falls short": "", None: ""}  # fmt: skip
_STYLES = {"better": "green", "equal": "green", "worse": "yellow", "met": "green",
           "missed": "yellow", "adds": "green", "falls short": "yellow", None: ""}  # fmt: skip
_CLASSES = {"met": "better", "missed": "worse", None: "none"}
_MAPPED = "ClusterNet"


def _sheets(report: Report) -> list[Sheet]:
    return [*map(sheet_of, report.tables), *report.sheets]


# --- the terminal ---------------------------------------------------------------------------------


def print_report(report: Report, console: Console) -> None:
    """Print the tables as wide as the console is."""

    def say(text: str, style: str = "") -> None:
        console.print(Text(for_terminal(text), style=style), soft_wrap=True)

    if report.quick:
        console.print(Text(QUICK_NOTE, style="bold yellow"))
    for sheet in _sheets(report):
        say(f"Table {sheet.name}. {sheet.title}", "bold")
        for head, part in sheet.parts():
            console.print(on_terminal(part, head))
        say(sheet.note, "dim")
        console.print()
    say(report.headline)
    for line in report.ran_on:
        say(line, "dim")
    for line in report.failures:
        say(line, "bold red")


def on_terminal(sheet: Sheet, head: str = "") -> RichTable:
    """Return a table as rich draws it."""
    drawn = RichTable(box=box.SIMPLE_HEAD)
    drawn.add_column(head, min_width=max((len(line.label) for line in sheet.lines), default=0))
    for column in sheet.columns:
        drawn.add_column(for_markup(column), justify="right")
    kind = sheet.lines[0].kind if sheet.lines else ""
    for line in sheet.lines:
        if line.kind != kind:
            drawn.add_section()
            kind = line.kind
        style = "bold" if line.head else "italic" if line.extra else ""
        drawn.add_row(for_markup(line.label), *map(_on_terminal, line.entries), style=style)
    return drawn


def _on_terminal(entry: Entry) -> Text:
    style = _STYLES[entry.verdict]
    text = Text(for_terminal(f"{entry.text} {MARKS[entry.verdict]}".rstrip()), style=style)
    if entry.theirs:
        text.append(f" {entry.theirs}", style="dim")
    for note in entry.notes:
        text.append(f"\n{for_terminal(note)}", style="dim")
    return text


# --- Markdown -------------------------------------------------------------------------------------


def as_markdown(report: Report) -> str:
    """Return the tables as Markdown; "0.656 (0.641–0.662) ▲ 0.56" is ours, spread and theirs."""
    lines = ["# The paper's tables, run again", ""]
    if report.quick:
        lines += [f"**{QUICK_NOTE}**", ""]
    lines += [report.headline, ""]
    if report.worse:
        lines += ["The cells in which the paper's number is better:", ""]
        lines += [*(f"- {for_markdown(line)}" for line in report.worse), ""]
    for sheet in _sheets(report):
        lines += [f"## Table {for_markdown(f'{sheet.name}. {sheet.title}')}", ""]
        for head, part in sheet.parts():
            lines += [*in_markdown(part, head), ""]
        if sheet.note:
            lines += [for_markdown(sheet.note), ""]
    lines += ["## Where", "", *(f"- {for_markdown(line)}" for line in report.ran_on), ""]
    if report.failed:
        lines += ["## Failed", "", *(f"- {for_markdown(line)}" for line in report.failures), ""]
    return "\n".join(lines)


def in_markdown(sheet: Sheet, head: str = "") -> Iterator[str]:
    """Yield the lines of a table; with a `head` above its labels, each cell is one line of text."""
    cell = _short_cell if head else _tall_cell
    yield (
        f"| {head} | ".replace("|  |", "| |") + " | ".join(map(for_markdown, sheet.columns)) + " |"
    )
    yield "|---|" + "---:|" * len(sheet.columns)
    for line in sheet.lines:
        label = for_markdown(line.label)
        label = f"**{label}**" if line.head else f"*{label}*" if line.extra else label
        yield f"| {label} | " + " | ".join(cell(line, entry) for entry in line.entries) + " |"


def _short_cell(line: Line, entry: Entry) -> str:
    """Return ours, its spread and the paper's on one line."""
    text = f"**{entry.text}**" if entry.verdict in ("better", "equal") else entry.text
    text += "".join(f" ({note})" for note in entry.notes)
    return text + (f" {MARKS[entry.verdict]} {entry.theirs}" if entry.theirs else "")


def _tall_cell(line: Line, entry: Entry) -> str:
    """Return the words of a cell one below the other."""
    marked = for_markdown(f"{entry.text} {MARKS[entry.verdict]}".rstrip())
    text = f"**{marked}**" if entry.text and line.head else marked
    return "<br>".join([text, *map(for_markdown, entry.notes)])


# --- the page -------------------------------------------------------------------------------------


def as_html(report: Report) -> str:
    """Return one page with tables, plots and maps; it loads nothing and runs no script."""
    folder = resources.files(__package__)
    page = Environment(
        autoescape=True, finalize=_escaped, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    ).from_string(folder.joinpath("page.html.j2").read_text("utf-8"))  # fmt: skip
    return page.render(
        style=Markup(folder.joinpath("report.css").read_text("utf-8")),
        report=report,
        quick_note=QUICK_NOTE,
        counts=counts(report.tables),
        sheets=_sheets(report),
        plots={table.layout.name: _plots(table) for table in report.tables},
        logarithmic=[t.layout.name for t in report.tables if t.layout.unit == "seconds"],
        maps=_maps(report),
        marks=MARKS,
        css=lambda verdict: _CLASSES.get(verdict, verdict),
    )


def _escaped(value: Any) -> Any:
    return (
        Markup(for_html(value))
        if isinstance(value, str) and not isinstance(value, Markup)
        else value
    )


def _plots(table: Any) -> list[tuple[str, Markup]]:
    return [
        (SETTINGS[setting], Markup(dumbbells(table, columns)))
        for setting, columns in table.settings()
    ]


def _maps(report: Report) -> list[tuple[Markup, str]]:
    """Return drawings of decisions, each with its caption."""
    rows = [
        row
        for row in report.rows
        if row.job.system == _MAPPED and row.job.setting == "learning" and row.job.seed == 0
        and row.error is None
    ]  # fmt: skip
    rows.sort(key=lambda row: row.job.task)
    if report.quick:  # one of each task
        rows = [next(same) for _, same in groupby(rows, key=lambda row: row.job.task)]
    return [found for row in rows if (found := _map(row)) is not None]


def _map(row: Stored) -> tuple[Markup, str] | None:
    job = row.job
    try:
        data = datasets.load(job.data)
    except GraphoptError as error:
        return Markup(), f"{job.data} cannot be drawn: {error}"
    if not isinstance(data, datasets.Dataset):
        return None
    community = job.task == "community"
    draw = group_map if community else site_map
    score = row.outcomes[_MAPPED]["score"]
    said = "not every node is reached" if score is None else number(score, SCORE_UNITS[job.task])
    caption = f"{data.name}: {'modularity' if community else 'largest distance'} {said}"
    return Markup(draw(data.graph, row.decisions[_MAPPED])), caption
