"""What a table is before it is printed: lines of cells, each words with a number or two."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from benchmarks.paper.jobs.specs import Effort, Job, has_job, make_job
from benchmarks.paper.jobs.store import Stored

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
    verdict : {"better", "equal", "worse", "met", "missed", "adds", "falls short"} or None
    value : float or None
        The number behind the text, where it is one.
    theirs : str
        What the paper printed; the verdict is about the two.
    """

    text: str
    notes: tuple[str, ...] = ()
    verdict: str | None = None
    value: float | None = None
    theirs: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of cells.

    Attributes
    ----------
    label : str
    entries : tuple of Entry
    head : bool
        Whether what follows belongs to it.
    extra : bool
        Whether the paper has no such line.
    kind : str
        On the terminal, a rule stands between lines of two kinds.
    """

    label: str
    entries: tuple[Entry, ...]
    head: bool = False
    extra: bool = False
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table of words, ready to be printed in any form.

    Attributes
    ----------
    name : str
        As ``python -m benchmarks.paper tables --table`` knows it.
    title : str
    columns : tuple of str
    lines : tuple of Line
        Each with as many entries as there are columns.
    note : str
    settings : tuple of (str, int)
        What stands above the columns, and above how many; a table of the library's own has nothing
        there.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    lines: tuple[Line, ...]
    note: str
    settings: tuple[tuple[str, int], ...] = ()

    @property
    def edges(self) -> list[int]:
        """The columns at which something new stands above."""
        widths = [width for _, width in self.settings]
        return [sum(widths[:i]) for i in range(len(widths))]

    def parts(self) -> Iterator[tuple[str, Sheet]]:
        """Yield what stands above the columns, and the part of the table below it."""
        first = 0
        for words, width in self.settings or (("", len(self.columns)),):
            chosen = slice(first, first + width)
            lines = tuple(replace(line, entries=line.entries[chosen]) for line in self.lines)
            yield words, replace(self, columns=self.columns[chosen], lines=lines, settings=())
            first += width


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
