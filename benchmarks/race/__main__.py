"""``python -m benchmarks.race``: speed beside other libraries on this machine."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

import graphopt
from benchmarks.race import exact, exact_table, race, table
from benchmarks.race.contests import CONTESTS, select
from benchmarks.race.machine import describe_machine
from benchmarks.race.report import Report, Result, notes
from graphopt.cli import run_app


def command(
    context: typer.Context,
    names: Annotated[
        list[str] | None, typer.Argument(help="Contests, or the start of their names; else all.")
    ] = None,
    list_them: Annotated[bool, typer.Option("--list", help="Name the contests and end.")] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="What is over in about a minute, without slow peers.")
    ] = False,
    rounds: Annotated[int, typer.Option(help="Turns of each contestant.", min=1)] = race.ROUNDS,
    threads: Annotated[
        int | None, typer.Option(help="Threads for all of them; else what may be used.", min=1)
    ] = None,
    memory: Annotated[
        bool | None,
        typer.Option("--memory/--no-memory", help="Measure peak memory; not with --quick."),
    ] = None,
    scale: Annotated[
        float, typer.Option(help="Size of the inputs beside the usual one.", min=0.01, max=10.0)
    ] = 1.0,
    save: Annotated[
        Path | None,
        typer.Option(
            help="Folder to write race.json and race.md (or exact.*) to.", file_okay=False
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    exactly: Annotated[
        bool,
        typer.Option("--exact", help="Instead: exact k-center beside spopt, on known instances."),
    ] = False,
    peer_seconds: Annotated[
        float, typer.Option(help="With --exact: seconds that spopt gets for each.", min=1.0)
    ] = exact.PEER_SECONDS,
) -> None:
    """Time graphopt beside other libraries on this machine: same work, same data, same process.

    Every answer is compared. The dependency groups race and race-exact of pyproject.toml name the
    other libraries; `make race` and `make race-exact` install them.
    """
    _check_that_they_go_together(context, exactly=exactly)
    num_threads = threads or graphopt.get_num_threads()
    try:
        contests = [] if exactly else select(names or [], quick=quick)
        instances = exact.instances(names or [], quick=quick) if exactly else ()
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    if list_them:
        width = max(map(len, CONTESTS))
        for contest in contests:
            brief = "  (--quick)" if contest.quick else ""
            typer.echo(f"{contest.name:{width}}  {contest.work}{brief}")
        for instance in instances:
            typer.echo(instance.name)
        return
    if save is not None:
        save.mkdir(parents=True, exist_ok=True)  # before hours of measuring
    if exactly:
        if not names and exact.orlib_folder() is None:
            notes.print("no OR-Library instances: GRAPHOPT_DATA names no folder with orlib in it")
        proofs = partial(
            exact.run,
            instances,
            threads=num_threads,
            peer_seconds=None if quick else peer_seconds,
        )
        _carry_out(exact_table.REPORT, proofs, len(instances), num_threads, save, as_json)
    else:
        races = partial(
            race.run,
            contests,
            scale=scale,
            rounds=rounds,
            threads=num_threads,
            slow=not quick,
            memory=not quick if memory is None else memory,
        )
        _carry_out(table.REPORT, races, len(contests), num_threads, save, as_json)


def _carry_out(
    report: Report[Result],
    run: Callable[..., Iterator[Result]],
    n_contests: int,
    threads: int,
    save: Path | None,
    as_json: bool,
) -> None:
    """Run contests, and print and save what they gave; after Ctrl-C what they gave until then."""
    results, interrupted = report.told(lambda progress: run(progress=progress), n_contests)
    machine = describe_machine()
    if save is not None:
        report.save(results, machine, threads, save)
    if as_json:
        typer.echo(json.dumps(report.as_dict(results, machine, threads), indent=2))
    else:
        report.show(results, machine, threads)
    if interrupted:
        raise typer.Exit(130)


def _check_that_they_go_together(context: typer.Context, *, exactly: bool) -> None:
    """Raise BadParameter for an option that the kind of contest does not have."""
    for name in ("rounds", "memory", "scale") if exactly else ("peer_seconds",):
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            does = "does not go with" if exactly else "goes only with"
            raise typer.BadParameter(f"--{name.replace('_', '-')} {does} --exact")


app = typer.Typer(add_completion=False, rich_markup_mode="markdown")
app.command()(command)

if __name__ == "__main__":
    run_app(app)
