"""What contests gave, in one printing for all kinds of them: told, as a table, as files."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from rich.console import Console, JustifyMethod
from rich.markup import escape
from rich.table import Table

from graphopt.errors import GraphoptError

Result = TypeVar("Result")

output = Console()  # tables and JSON
notes = Console(stderr=True)  # progress


@dataclass(frozen=True, slots=True)
class Report(Generic[Result]):
    """How one kind of contest is told.

    Attributes
    ----------
    title : str
        Of the page.
    stem : str
        Name of the files: ``stem.json`` and ``stem.md``.
    key : str
        Name of the list of results in the JSON file.
    columns : tuple of str
    right : tuple of str
        Columns that are aligned to the right.
    cells : callable
        Returns a result's cells, in the order of `columns`; a cell may have several lines.
    summary : callable
        Returns a result in a line.
    footnotes : callable
        Returns what a reader of the results must know about the columns.
    plain : callable
        Returns a result as plain values, for JSON.
    met : callable
        Whether a result reached its goals.
    unbroken : tuple of str
        Columns whose lines belong together and are not wrapped.
    """

    title: str
    stem: str
    key: str
    columns: tuple[str, ...]
    right: tuple[str, ...]
    cells: Callable[[Result], tuple[str, ...]]
    summary: Callable[[Result], str]
    footnotes: Callable[[Sequence[Result]], list[str]]
    plain: Callable[[Result], dict[str, Any]]
    met: Callable[[Result], bool] = lambda result: True
    unbroken: tuple[str, ...] = ()

    def told(
        self, run: Callable[[Callable[[str], None]], Iterator[Result]], n_contests: int
    ) -> tuple[list[Result], bool]:
        """Run contests, tell each when it is over, and return the results, and whether Ctrl-C came.

        Parameters
        ----------
        run : callable
            Takes a function that is told what happens next, and yields the results.
        n_contests : int

        Raises
        ------
        GraphoptError
            If two answers differ.
        """
        results: list[Result] = []
        with notes.status("...") as status:
            try:
                for result in run(lambda step: status.update(escape(step))):
                    results.append(result)
                    line = f"{len(results)}/{n_contests} {self.summary(result)}"
                    notes.print(line, markup=False, highlight=False, soft_wrap=True)
            except KeyboardInterrupt:
                return results, True
            except AssertionError as error:
                raise GraphoptError(str(error)) from error
        return results, False

    def show(self, results: Sequence[Result], machine: dict[str, Any], threads: int) -> None:
        """Print the table and its footnotes."""
        output.print(self.as_table(results, headline(machine, threads)))
        for note in self.footnotes(results):
            output.print(f"[dim]{escape(note)}[/dim]", highlight=False, soft_wrap=True)

    def as_table(self, results: Sequence[Result], title: str) -> Table:
        """Return a table for the terminal."""
        table = Table(title=escape(title), show_lines=True)
        for column in self.columns:
            justify: JustifyMethod = "right" if column in self.right else "left"
            table.add_column(column, justify=justify, no_wrap=column in self.unbroken)
        for result in results:
            first, *middle, last = map(escape, self.cells(result))
            name, *more = first.split("\n")
            verdict = f"[{'green' if self.met(result) else 'yellow'}]{last}[/]"
            table.add_row("\n".join([f"[bold]{name}[/bold]", *more]), *middle, verdict)
        return table

    def as_markdown(self, results: Sequence[Result], machine: dict[str, Any], threads: int) -> str:
        """Return a page: what the contests ran on, the table and its footnotes."""
        installed = [f"{name} {number}" for name, number in machine["libraries"].items() if number]
        footnotes = [
            *self.footnotes(results),
            f"Versions: {', '.join(installed)}.",
            f"System: {machine['system']}.",
        ]
        lines = [
            f"# {self.title}",
            "",
            headline(machine, threads),
            "",
            f"| {' | '.join(self.columns)} |",
            "|---" * len(self.columns) + "|",
            *(f"| {' | '.join(map(_markdown, self.cells(result)))} |" for result in results),
            "",
            *(f"- {note}" for note in footnotes),
        ]
        return "\n".join([*lines, ""])

    def as_dict(
        self, results: Sequence[Result], machine: dict[str, Any], threads: int
    ) -> dict[str, Any]:
        """Return everything as plain values, for JSON."""
        plain = [self.plain(result) for result in results]
        return {"machine": machine, "threads": threads, self.key: plain}

    def save(
        self, results: Sequence[Result], machine: dict[str, Any], threads: int, folder: Path
    ) -> None:
        """Write ``stem.json`` and ``stem.md`` to a folder, which is made if need be."""
        folder.mkdir(parents=True, exist_ok=True)
        content = json.dumps(self.as_dict(results, machine, threads), indent=1) + "\n"
        (folder / f"{self.stem}.json").write_text(content, encoding="utf-8")
        page = self.as_markdown(results, machine, threads)
        (folder / f"{self.stem}.md").write_text(page, encoding="utf-8")


def headline(machine: dict[str, Any], threads: int) -> str:
    """Return what the contests ran on, in a line."""
    plural = "" if threads == 1 else "s"
    return f"{machine['processor']}, {threads} thread{plural}, {machine['isa']}"


def seconds_text(seconds: float) -> str:
    """Return seconds in a unit that suits them.

    Examples
    --------
    >>> seconds_text(0.00234), seconds_text(12.345)
    ('2.34 ms', '12.3 s')
    """
    for factor, unit in ((1.0, "s"), (1e3, "ms")):
        if seconds * factor >= 1.0:
            return f"{three_digits(seconds * factor)} {unit}"
    return f"{three_digits(seconds * 1e6)} µs"


def three_digits(value: float) -> str:
    """Return a number with three digits, without an exponent."""
    return f"{value:,.0f}" if value >= 100.0 else f"{value:.3g}"


def _markdown(cell: str) -> str:
    return cell.replace("|", r"\|").replace("\n", "<br>")
