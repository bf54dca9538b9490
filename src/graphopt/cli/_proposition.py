"""``graphopt proposition``: both sides of the paper's Proposition 1, measured and drawn."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from graphopt.cli._terminal import notes, output

if TYPE_CHECKING:
    from graphopt.experiments.proposition.rows import PropositionSummary


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
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Measure both sides of the paper's Proposition 1, which says when its gradient is safe.

    Along a training of ClusterNet for communities with the published settings; on rows around
    orthogonal directions; and on rows for which the printed bound does not hold.
    """
    from graphopt.experiments.proposition.measurement import measure_proposition
    from graphopt.experiments.proposition.picture import plot_proposition
    from graphopt.experiments.proposition.rows import as_plain, summarize_proposition, write_csv

    with notes.status("training and measuring ..."):
        rows = measure_proposition(dataset, quick=quick, random_state=seed)
    summaries = summarize_proposition(rows)
    folder.mkdir(parents=True, exist_ok=True)
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
        _print(summaries, quick)
    notes.print(f"written to {escape(str(folder))}", soft_wrap=True)


def _print(summaries: Sequence[PropositionSummary], quick: bool) -> None:
    table = Table(title="Proposition 1: the measured norm beside its bounds")
    table.add_column("measured on", no_wrap=True)
    for head in ("places", "promised", "/ printed", "above", "/ corrected", "above"):
        table.add_column(head, justify="right")
    for one in summaries:
        table.add_row(
            one.source,
            str(one.n_rows),
            str(one.n_holds),
            *_ratio(one.printed_ratio, one.n_above_printed),
            *_ratio(one.corrected_ratio, one.n_above_corrected),
        )
    output.print(table)
    output.print(
        "[dim]Promised: places where the proposition's hypothesis holds. There the norm is divided "
        "by the printed bound, everywhere by the corrected one: smallest and largest ratio, and at "
        f"how many places the bound fails.{' Quick: a short training.' if quick else ''}[/dim]",
        soft_wrap=True,
    )


def _ratio(ratio: tuple[float, float] | None, n_above: int) -> tuple[str, str]:
    return ("–", "–") if ratio is None else (f"{ratio[0]:.1g}-{ratio[1]:.1g}", str(n_above))
