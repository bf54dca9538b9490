"""Running jobs from a command: what was done before, how it goes on, and Ctrl-C."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console

from graphopt._escaping import for_markup
from graphopt._text import counted
from graphopt.cli._terminal import notes, output

if TYPE_CHECKING:
    from benchmarks.paper.jobs.specs import Job
    from benchmarks.paper.jobs.store import Store


def run_jobs(
    wanted: Sequence[Job], kept: Store, *, n_jobs: int | None = None, threads: int | None = None
) -> bool:
    """Run the jobs that are not done yet; return whether Ctrl-C ended that."""
    from benchmarks.paper.jobs.progress import Display
    from benchmarks.paper.jobs.runner import run

    pending = kept.pending(wanted)
    done = len(wanted) - len(pending)
    notes.print(f"{counted(len(wanted), 'job')}, {done} of them done before")
    try:
        with Display(notes, len(pending)) as display:
            run(wanted, kept, n_jobs=n_jobs, threads=threads, watcher=display)
    except KeyboardInterrupt:
        left, jobs_wanted = len(kept.pending(wanted)), counted(len(wanted), "job")
        notes.print(
            f"stopped with {left} of {jobs_wanted} left; the same command goes on "
            f"from here, as {for_markup(kept.path)} keeps the others",
            soft_wrap=True,
        )
        return True
    return False


def words_of(texts: list[str] | None) -> list[str]:
    """Return the names in options that may be repeated and may hold commas."""
    return [word for text in texts or [] for word in text.replace(",", " ").split()]


def wide_output(narrowest: int) -> Console:
    """Return standard output, wide enough for tables where no terminal says how wide it is."""
    return output if output.is_terminal else Console(width=max(output.width, narrowest))
