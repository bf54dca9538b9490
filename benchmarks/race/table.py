"""What races gave, as a table, as Markdown and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.race.peers import ONE_THREAD
from benchmarks.race.race import Outcome, Timing
from graphopt._escaping import for_markdown, for_markup, for_terminal
from graphopt._files import make_folder, write_text
from graphopt._text import counted

if TYPE_CHECKING:
    from rich.table import Table

COLUMNS = ("work", "contestant", "median", "ratio", "to reach")


def seconds_text(seconds: float) -> str:
    """Return seconds in a unit that suits them.

    Examples
    --------
    >>> seconds_text(0.00234), seconds_text(12.345)
    ('2.34 ms', '12.3 s')
    """
    for factor, unit in ((1.0, "s"), (1e3, "ms"), (1e6, "µs")):
        if seconds * factor >= 1.0 or unit == "µs":
            return f"{three_digits(seconds * factor)} {unit}"
    raise AssertionError("the last unit always suits")  # pragma: no cover


def contestant_text(outcome: Outcome, timing: Timing) -> str:
    """Return a contestant's name and, in brackets, what part of the work it did how often."""
    said = [] if timing.share >= 1.0 else [f"{three_digits(100.0 * timing.share)} %"]
    if 0 < len(timing.seconds) < len(outcome.ours.seconds):
        said.append(counted(len(timing.seconds), "turn"))
    return f"{timing.name} ({', '.join(said)})" if said else timing.name


def summary(outcome: Outcome) -> str:
    """Return a race in a line: ours, and the fastest peer."""
    fastest = outcome.fastest_peer
    ours = f"{outcome.contest.name}: {seconds_text(outcome.ours.median)}"
    if fastest is None:
        return ours
    return f"{ours}, {three_digits(outcome.ratio(fastest))}x {fastest.name}"


def cells(outcome: Outcome) -> tuple[str, ...]:
    """Return a race's cells, in the order of :data:`COLUMNS`; lines are parted by newlines."""
    contest, size, timings = outcome.contest, outcome.size, outcome.timings
    work = [contest.name, contest.work]
    graph = "" if size.m is None else f", m = {size.m:,} ({size.data})"
    work.append(f"n = {size.n:,}{graph}")
    if outcome.memory is not None:
        work.append(f"memory: {outcome.memory / 1e6:,.1f} MB")
    goals = [
        f"{'✓' if verdict.met else '✗'} {verdict.goal}: {verdict.measured}"
        for verdict in outcome.reached()
    ]
    if contest.quoted:
        goals.append(f"published: {contest.quoted}")
    took_part = [bool(timing.seconds) for timing in timings]
    ratios = [
        f"{three_digits(outcome.ratio(timing))}x" if there else "-"
        for timing, there in zip(timings, took_part, strict=True)
    ]
    ratios[0] = ""
    return (
        "\n".join(work),
        "\n".join(contestant_text(outcome, timing) for timing in timings),
        "\n".join(
            seconds_text(timing.median) if there else "absent"
            for timing, there in zip(timings, took_part, strict=True)
        ),
        "\n".join(ratios),
        "\n".join(goals),
    )


def headline(machine: dict[str, Any], threads: int) -> str:
    """Return what the races ran on, in a line."""
    return f"{machine['processor']}, {counted(threads, 'thread')}, {machine['isa']}"


def footnotes(outcomes: Sequence[Outcome]) -> list[str]:
    """Return what a reader must know about the columns."""
    timings = [timing for outcome in outcomes for timing in outcome.others]
    notes = [
        "Medians of one run; ratio: how many times faster graphopt is. Every answer was compared.",
        "Memory: at the peak of graphopt's call, beside its input and its answer.",
    ]
    if any(timing.share < 1.0 for timing in timings):
        notes.append("(5 %): did this part of the work; its time is divided by it.")
    notes += sorted({f"{timing.name}: {timing.note}." for timing in timings if timing.note})
    alone = sorted({timing.name for timing in timings if timing.name.startswith(ONE_THREAD)})
    if alone:
        notes.append(f"On one thread, whatever graphopt runs on: {'; '.join(alone)}.")
    if any(timing.name == "rustworkx" and timing.seconds for timing in timings):
        notes.append("rustworkx takes its threads from RAYON_NUM_THREADS when it is first used.")
    missing = sorted({timing.name for timing in timings if "not installed" in timing.absent})
    if missing:
        notes.append(f"Not installed: {', '.join(missing)}; get it: pip install --group race")
    absent = {
        f"{timing.name}: {timing.absent}."
        for timing in timings
        if timing.absent and timing.name not in missing
    }
    return notes + sorted(absent)


def as_table(outcomes: Iterable[Outcome], title: str = "") -> Table:
    """Return a table for the terminal."""
    from rich.table import Table

    table = Table(title=for_markup(title) if title else None, show_lines=True)
    for column in COLUMNS:
        number = column in ("median", "ratio")
        aligned = number or column == "contestant"  # these are read line by line
        table.add_column(column, justify="right" if number else "left", no_wrap=aligned)
    for outcome in outcomes:
        met = all(verdict.met for verdict in outcome.reached())
        row = [in_lines(cell) for cell in cells(outcome)]
        row[0] = f"[bold]{row[0].replace(chr(10), '[/bold]' + chr(10), 1)}"
        row[-1] = f"[{'green' if met else 'yellow'}]{row[-1]}[/]"
        table.add_row(*row)
    return table


def in_lines(cell: str) -> str:
    """Return a cell of several lines as rich shows it unchanged."""
    return "\n".join(map(for_markup, cell.split("\n")))


def as_markdown(outcomes: Sequence[Outcome], machine: dict[str, Any], threads: int) -> str:
    """Return a page: the machine, the table and its footnotes."""
    rows = [cells(outcome) for outcome in outcomes]
    return page("The race", COLUMNS, rows, footnotes(outcomes), machine, threads)


def page(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    notes: Sequence[str],
    machine: dict[str, Any],
    threads: int,
) -> str:
    """Return a table as a page of Markdown, with what it ran on; cells may have several lines."""
    lines = [f"# {title}\n\n{headline(machine, threads)}\n", f"| {' | '.join(columns)} |"]
    lines.append("|---" * len(columns) + "|")
    for row in rows:
        lines.append(f"| {' | '.join(map(for_markdown, row))} |")
    versions = machine["libraries"].items()
    installed = ", ".join(f"{name} {version}" for name, version in versions if version)
    notes = [*notes, f"Versions: {installed}.", f"System: {machine['system']}."]
    return "\n".join([*lines, "", *(f"- {for_terminal(note)}" for note in notes), ""])


def write(folder: Path, name: str, content: dict[str, Any], markdown: str) -> None:
    """Write ``name.json`` and ``name.md`` to a folder, which is made if need be."""
    make_folder(folder)
    write_text(folder / f"{name}.json", json.dumps(content, indent=1) + "\n")
    write_text(folder / f"{name}.md", markdown)


def as_dict(outcomes: Sequence[Outcome], machine: dict[str, Any], threads: int) -> dict[str, Any]:
    """Return everything as plain values, for JSON."""
    races = [outcome.as_dict() for outcome in outcomes]
    return {"machine": machine, "threads": threads, "races": races}


def three_digits(value: float) -> str:
    """Return a number with three digits, without an exponent."""
    return f"{value:,.0f}" if value >= 100.0 else f"{value:.3g}"
