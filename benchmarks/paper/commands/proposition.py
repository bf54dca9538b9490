"""``proposition``: both sides of the paper's Proposition 1, measured and drawn."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from graphopt._escaping import for_markup, for_terminal
from graphopt._files import check_folder, make_folder
from graphopt._optional import require
from graphopt.cli._terminal import notes


def proposition(
    dataset: Annotated[
        str, typer.Option(help="A published data set of one graph, for the training.")
    ] = "cora",
    folder: Annotated[
        Path,
        typer.Option(
            "--output", help="Folder for proposition.png and proposition.csv.", file_okay=False
        ),
    ] = Path("proposition"),
    quick: Annotated[
        bool,
        typer.Option("--quick", help="A short training of a small network, few temperatures."),
    ] = False,
    seed: Annotated[int, typer.Option(help="Seed of everything random.", min=0)] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of lines.")] = False,
) -> None:
    """Measure both sides of the paper's Proposition 1, which says when its gradient is safe.

    Along a training of ClusterNet for communities with the published settings; on rows around
    orthogonal directions; and on rows for which the printed bound does not hold.
    """
    require(
        "matplotlib", "python -m benchmarks.paper proposition"
    )  # before minutes are spent on measuring
    from benchmarks.paper.proposition.measurement import measure_proposition
    from benchmarks.paper.proposition.picture import plot_proposition
    from benchmarks.paper.proposition.rows import as_plain, summarize_proposition, write_csv

    check_folder(folder)
    with notes.status("training and measuring ..."):
        rows = measure_proposition(dataset, quick=quick, random_state=seed)
    summaries = summarize_proposition(rows)
    make_folder(folder)
    write_csv(rows, folder / "proposition.csv")
    with notes.status("drawing ..."):
        plot_proposition(rows, folder / "proposition.png")
    if as_json:
        found = {
            "dataset": dataset,
            "quick": quick,
            "seed": seed,
            "summaries": [asdict(summary) for summary in summaries],
            "rows": [as_plain(row) for row in rows],
        }
        typer.echo(json.dumps(found, indent=2))
    else:
        for summary in summaries:
            typer.echo(for_terminal(summary))
        if quick:
            typer.echo("quick: a short training")
    notes.print(f"written to {for_markup(folder)}", soft_wrap=True)
