"""Many races, one after another, and what is kept of them."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.race import table, workloads
from benchmarks.race.contest import Contest
from benchmarks.race.memory import peak_memory
from benchmarks.race.peers import threads_for_all
from benchmarks.race.race import ROUNDS, Outcome, Progress, race


def run(
    contests: Sequence[Contest],
    *,
    scale: float = 1.0,
    rounds: int = ROUNDS,
    threads: int,
    slow: bool = True,
    memory: bool = True,
    progress: Progress = lambda step: None,
) -> Iterator[Outcome]:
    """Run contests and yield what each gave.

    Parameters
    ----------
    contests : sequence of Contest
    scale : float
        Size of the inputs beside the usual one.
    rounds : int
    threads : int
        For every library that can be told.
    slow : bool
        Whether slow contestants take part.
    memory : bool
        Measure the peak memory of ours, in a process of its own.
    progress : callable
        Told what happens next.

    Raises
    ------
    AssertionError
        If an answer differs from ours.
    """
    for contest in contests:

        def step(what: str, name: str = contest.name) -> None:
            progress(f"{name}: {what}")

        with threads_for_all(threads):
            outcome = race(
                contest,
                scale=scale,
                rounds=rounds,
                threads=threads,
                without=lambda contestant: contestant.slow and not slow,
                progress=step,
            )
        workloads.forget()
        gc.collect()
        if memory:
            step("memory")
            found = peak_memory(contest.name, outcome.ours.name, scale=scale, threads=threads)
            outcome = replace(outcome, memory=None if found is None else found.extra)
        yield outcome


def save(outcomes: Sequence[Outcome], machine: dict[str, Any], threads: int, folder: Path) -> None:
    """Write ``race.json`` and ``race.md`` to a folder, which is made if need be."""
    content = table.as_dict(outcomes, machine, threads)
    table.write(folder, "race", content, table.as_markdown(outcomes, machine, threads))
