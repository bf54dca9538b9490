"""How a run goes on: a live display for people, a line a job for files."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from benchmarks.paper.jobs.execution import Finished
from benchmarks.paper.jobs.specs import HINDSIGHT, Job
from graphopt._escaping import for_markup

_NAMED_AT_ONCE = 4
_LONGEST = 160


class Display:
    """Says what runs, what is done and how long is left; a context manager and a watcher.

    Parameters
    ----------
    console : Console
        On a terminal a bar that moves; else one plain line for each finished job.
    total : int
        Jobs to run.
    """

    def __init__(self, console: Console, total: int) -> None:
        self._console, self._total = console, total
        self._done = self._failed = 0
        self._running: dict[Job, float] = {}
        self._lock = threading.Lock()
        self._bar: Progress | None = None
        self._task: Any = None
        self._left = ""

    def __enter__(self) -> Display:
        if self._console.is_terminal:
            self._bar = Progress(
                TextColumn("[bold]reproduce[/bold]"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TextColumn("[cyan]{task.fields[left]}[/cyan]"),
                TextColumn("{task.fields[running]}", style="dim"),
                console=self._console,
                transient=True,
            )
            self._task = self._bar.add_task("", total=self._total, left="", running="")
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def started(self, job: Job) -> None:
        """Show the job among those that run."""
        with self._lock:
            self._running[job] = time.monotonic()
            self._refresh()

    def finished(self, result: Finished, seconds_left: float | None) -> None:
        """Count the job and print what came out."""
        with self._lock:
            self._running.pop(result.job, None)
            self._done += 1
            self._failed += result.error is not None
            if seconds_left is not None:
                self._left = f"{in_words(seconds_left)} left"
            width = len(str(self._total))
            line = f"{self._done:{width}}/{self._total} {summary(result)}"
            if self._bar is None and self._left and self._done < self._total:
                line += f"; about {self._left}"
            style = "bold red" if result.error is not None else None
            self._refresh()
            self._console.print(for_markup(line), style=style, highlight=False, soft_wrap=True)

    def _refresh(self) -> None:
        if self._bar is not None:
            names = [f"{j.system} {j.dataset} {j.task} {j.setting}" for j in self._running]
            more = len(names) - _NAMED_AT_ONCE
            shown = ", ".join(names[:_NAMED_AT_ONCE]) + (f" and {more} more" if more > 0 else "")
            self._bar.update(
                self._task, completed=self._done, left=self._left, running=for_markup(shown)
            )


def summary(result: Finished) -> str:
    """Return a finished job as a line."""
    label = result.job.label
    if result.error is not None:
        last = result.error.strip().splitlines()[-1]
        return f"{label}: FAILED, {last if len(last) <= _LONGEST else last[:_LONGEST] + '...'}"
    digits = ".3f" if result.job.task == "community" else ".3g"
    scores = [
        values.get("score")
        for name, values in result.outcomes.items()
        if not name.startswith(HINDSIGHT)
    ]
    found = ", ".join("unreachable" if x is None else format(x, digits) for x in scores)
    return f"{label}: {found} ({in_words(result.seconds)})"


def in_words(seconds: float) -> str:
    """Return a time as people say it.

    Examples
    --------
    >>> in_words(0.25), in_words(42.0), in_words(300.0), in_words(9000.0)
    ('0.2 s', '42 s', '5 min', '2.5 h')
    """
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 100 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
