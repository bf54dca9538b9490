"""``python -m benchmarks.paper ablation``: what each part of ClusterNet brings."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.paper.commands.running import run_jobs, wide_output, words_of
from graphopt._escaping import for_markup
from graphopt._files import write_text
from graphopt.cli._terminal import notes

_NARROWEST = 130  # columns that the tables take where no terminal says how wide it is


class Split(str, Enum):
    """What is seen while deciding, and what decisions are judged on."""

    published = "published"
    clean = "clean"
    inner = "inner"


def ablate(
    datasets: Annotated[
        list[str] | None,
        typer.Option(help="cora, citeseer, prot, adol, fb; with commas or repeated."),
    ] = None,
    variants: Annotated[
        list[str] | None,
        typer.Option(
            "--variant",
            help="A variant, may be repeated; Leiden and the full recipe are always there. "
            "Else all.",
        ),
    ] = None,
    list_them: Annotated[bool, typer.Option("--list", help="Name the variants and end.")] = False,
    seeds: Annotated[int, typer.Option(help="Runs of every variant, in pairs.", min=1)] = 10,
    k: Annotated[int, typer.Option(help="Number of groups.", min=1)] = 10,
    split: Annotated[
        Split,
        typer.Option(
            help="The published seen edges; a fresh 40 %; or a part of the published seen edges, "
            "judged on all of these, by which settings may be chosen."
        ),
    ] = Split.published,
    iterations: Annotated[
        int | None, typer.Option(help="Training steps; else the recipe's.", min=1)
    ] = None,
    folder: Annotated[
        Path,
        typer.Option(
            "--output", help="Folder for ablation.sqlite and ablation.md.", file_okay=False
        ),
    ] = Path("ablation"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Remove and add the parts of ClusterNet one at a time, beside Leiden on the same information.

    Communities. Finished jobs are kept: a run that was stopped goes on where it stopped. A job that
    fails is recorded with its error, the others go on, and the next run tries it again.
    """
    from benchmarks.paper import ablation, ablation_report
    from benchmarks.paper.jobs.store import Store

    if list_them:
        for variant in ablation.VARIANTS:
            typer.echo(variant.name)
        return
    try:
        wanted = ablation.jobs(
            words_of(datasets),
            variants,
            n_seeds=seeds,
            k=k,
            split=split.value,
            iterations=iterations,
        )
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    with Store(folder / "ablation.sqlite") as kept:
        interrupted = run_jobs(wanted, kept)
        rows = list(kept.rows(wanted))
    lines = ablation.summary_lines(rows)
    write_text(folder / "ablation.md", ablation_report.as_markdown(lines, split.value, k))
    if as_json:
        typer.echo(ablation_report.as_json(lines, split.value, k))
    else:
        ablation_report.print_lines(lines, split.value, k, wide_output(_NARROWEST))
    notes.print(f"written to {for_markup(folder)}", soft_wrap=True)
    if interrupted:
        raise typer.Exit(130)
    if any(row.error is not None for row in rows):
        raise typer.Exit(1)
