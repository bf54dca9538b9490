"""``python -m benchmarks.race --exact``: k-center to proven optimality, beside spopt."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import typer

from benchmarks.race.telling import print_table, told_one_by_one
from graphopt.cli._terminal import notes


def bench_exact(
    names: Sequence[str],
    *,
    list_them: bool,
    quick: bool,
    threads: int | None,
    peer_seconds: float,
    save: Path | None,
    as_json: bool,
) -> None:
    """Solve the instances, tell each as it is over, then all."""
    from benchmarks.race import exact, exact_table
    from benchmarks.race.machine import describe_machine
    from benchmarks.race.table import headline
    from graphopt._threads import resolve_num_threads

    try:
        chosen = exact.instances(names, quick=quick)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    if list_them:
        for instance in chosen:
            typer.echo(instance.name)
        return
    if not names and exact.orlib_folder() is None:
        notes.print(
            "without the OR-Library's instances: no orlib in the folder GRAPHOPT_DATA names"
        )
    num_threads = resolve_num_threads(threads)
    rows, interrupted = told_one_by_one(
        lambda progress: exact.run(
            chosen,
            threads=num_threads,
            peer_seconds=None if quick else peer_seconds,
            progress=progress,
        ),
        exact_table.summary,
        len(chosen),
    )
    machine = describe_machine()
    if save is not None:
        exact.save(rows, machine, num_threads, save)
    if as_json:
        typer.echo(json.dumps(exact.as_dict(rows, machine, num_threads), indent=2))
    else:
        table = exact_table.as_table(rows, headline(machine, num_threads))
        print_table(table, exact_table.footnotes(rows))
    if interrupted:
        raise typer.Exit(130)
