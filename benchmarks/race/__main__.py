"""``python -m benchmarks.race``: speed beside other libraries on this machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.race.exact_command import bench_exact
from benchmarks.race.telling import print_table, told_one_by_one
from graphopt._files import check_folder
from graphopt.cli import run_app


def bench(
    context: typer.Context,
    names: Annotated[
        list[str] | None, typer.Argument(help="Contests, or the start of their names; else all.")
    ] = None,
    list_them: Annotated[bool, typer.Option("--list", help="Name the contests and end.")] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="What is over in about a minute, without slow peers.")
    ] = False,
    rounds: Annotated[int, typer.Option(help="Turns of each contestant.", min=1)] = 5,
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
    exact: Annotated[
        bool,
        typer.Option("--exact", help="Instead: exact k-center beside spopt, on known instances."),
    ] = False,
    peer_seconds: Annotated[
        float, typer.Option(help="With --exact: seconds that spopt gets for each.", min=1.0)
    ] = 30.0,
) -> None:
    """Time graphopt beside other libraries on this machine: same work, same data, same process.

    Every answer is compared. The dependency groups race and race-exact of pyproject.toml name the
    other libraries; `make race` and `make race-exact` install them.
    """
    _check_that_they_go_together(context, exact=exact)
    if save is not None and not list_them:
        check_folder(save)  # before hours of measuring
    if exact:
        bench_exact(
            names or [],
            list_them=list_them,
            quick=quick,
            threads=threads,
            peer_seconds=peer_seconds,
            save=save,
            as_json=as_json,
        )
        return
    from benchmarks.race.contests import select

    if list_them:
        _list_contests()
        return
    try:
        contests = select(names or [], quick=quick)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    from benchmarks.race import session, table
    from benchmarks.race.machine import describe_machine
    from graphopt._threads import resolve_num_threads

    num_threads = resolve_num_threads(threads)
    measure = not quick if memory is None else memory
    outcomes, interrupted = told_one_by_one(
        lambda progress: session.run(
            contests,
            scale=scale,
            rounds=rounds,
            threads=num_threads,
            slow=not quick,
            memory=measure,
            progress=progress,
        ),
        table.summary,
        len(contests),
    )
    machine = describe_machine()
    if save is not None:
        session.save(outcomes, machine, num_threads, save)
    if as_json:
        typer.echo(json.dumps(table.as_dict(outcomes, machine, num_threads), indent=2))
    else:
        headline = table.headline(machine, num_threads)
        print_table(table.as_table(outcomes, headline), table.footnotes(outcomes))
    if interrupted:
        raise typer.Exit(130)


def _check_that_they_go_together(context: typer.Context, *, exact: bool) -> None:
    """Raise BadParameter for an option that the kind of contest does not have."""
    for name in ("rounds", "memory", "scale") if exact else ("peer_seconds",):
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            does = "does not go with" if exact else "goes only with"
            raise typer.BadParameter(f"--{name.replace('_', '-')} {does} --exact")


def _list_contests() -> None:
    from benchmarks.race.contests import CONTESTS

    width = max(map(len, CONTESTS))
    for contest in CONTESTS.values():
        quick = "  (--quick)" if contest.quick else ""
        typer.echo(f"{contest.name:{width}}  {contest.work}{quick}")


app = typer.Typer(add_completion=False, rich_markup_mode="markdown")
app.command()(bench)

if __name__ == "__main__":
    run_app(app)
