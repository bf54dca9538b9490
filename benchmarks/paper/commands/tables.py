"""``python -m benchmarks.paper tables``: the paper's tables, from jobs to pages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchmarks.paper.commands.running import run_jobs, wide_output, words_of
from graphopt._escaping import for_markup
from graphopt._files import check_folder, make_folder, write_text
from graphopt.cli._terminal import notes

if TYPE_CHECKING:
    from benchmarks.paper.report.report import Report

_SEEDS = 5
_NARROWEST = 112  # columns that the tables take where no terminal says how wide it is


def reproduce(
    table: Annotated[
        list[str] | None,
        typer.Option(
            help="A table of the paper, 1 to 6; goals, what decide reaches; regret, every method "
            "on fresh splits; picks, where decide picked wrongly. May be repeated."
        ),
    ] = None,
    all_tables: Annotated[
        bool,
        typer.Option("--all", help="All tables; without it and --table the paper's six. Hours."),
    ] = False,
    datasets: Annotated[
        list[str] | None,
        typer.Option(
            help="cora, citeseer, prot, adol, fb, synthetic, pubmed, synthetic-r2v; with commas or "
            "repeated."
        ),
    ] = None,
    seeds: Annotated[
        int | None, typer.Option(help=f"Runs of every job; {_SEEDS}, or 1 with --quick.", min=1)
    ] = None,
    quick: Annotated[
        bool,
        typer.Option(
            "--quick", help="A few minutes: fewer steps, starts and graphs; no fresh splits."
        ),
    ] = False,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--output",
            help="Folder for tables.md, report.html and results.csv; "
            "reproduced, or reproduced-quick.",
            file_okay=False,
        ),
    ] = None,
    store: Annotated[
        Path | None,
        typer.Option(
            help="SQLite file of finished jobs; results.sqlite in that folder.", dir_okay=False
        ),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(help="Jobs at the same time, which disturb each other's times.", min=1),
    ] = None,
    threads: Annotated[
        int | None, typer.Option(help="Threads of each job; else what is there, shared.", min=1)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Run the experiments behind the paper's six tables and print them beside its numbers.

    Tables 1 and 2 are followed by the same systems on fresh splits, and their regret. Three more
    are the library's own: goals, regret and picks; they take hours, and run when asked for.

    Finished jobs are kept: a run that was stopped goes on where it stopped. A job that fails is
    recorded with its error, the others go on, and the next run tries it again.
    """
    if table and all_tables:
        raise typer.BadParameter("give --table or --all, not both")
    from benchmarks.paper.jobs import specs
    from benchmarks.paper.jobs.store import Store
    from benchmarks.paper.report.plan import plan
    from benchmarks.paper.report.render import print_report
    from benchmarks.paper.report.report import Report
    from benchmarks.paper.report.report import as_json as to_json

    effort = specs.QUICK if quick else specs.FULL
    n_seeds = seeds or (1 if quick else _SEEDS)
    try:
        chosen = plan(
            table or [],
            specs.check_datasets(words_of(datasets)),
            n_seeds=n_seeds,
            effort=effort,
            fresh_splits=not quick,
            everything=all_tables,
        )
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    folder = folder or Path("reproduced-quick" if quick else "reproduced")
    check_folder(folder)
    wanted = chosen.jobs()
    with Store(store or folder / "results.sqlite") as kept:
        if run_jobs(wanted, kept, n_jobs=jobs, threads=threads):
            raise typer.Exit(130)
        with notes.status("reckoning ..."):
            tables, sheets = chosen.fill(kept)
        rows, machines = list(kept.rows(chosen.shown())), kept.machines()
        report = Report(tables, rows, machines, n_seeds, quick, sheets)
    _write(report, folder)
    if as_json:
        typer.echo(to_json(report))
    else:
        print_report(report, wide_output(_NARROWEST))
    notes.print(f"written to {for_markup(folder)}", soft_wrap=True)
    if report.failed:
        raise typer.Exit(1)


def _write(report: Report, folder: Path) -> None:
    from benchmarks.paper.jobs.store import export_csv
    from benchmarks.paper.report.render import as_html, as_markdown

    make_folder(folder)
    export_csv(report.rows, folder / "results.csv")
    write_text(folder / "tables.md", as_markdown(report))
    with notes.status("drawing ..."):
        page = as_html(report)
    write_text(folder / "report.html", page)
