"""``python -m benchmarks.paper``: the paper's tables, ablation, proposition and search."""

from __future__ import annotations

import typer

from benchmarks.paper.commands.ablation import ablate
from benchmarks.paper.commands.proposition import proposition
from benchmarks.paper.commands.search import tune
from benchmarks.paper.commands.tables import reproduce
from graphopt.cli import run_app

app = typer.Typer(
    help="Reproduce the experiments of Wilder et al., NeurIPS 2019.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
)
app.command("tables")(reproduce)
app.command("ablation")(ablate)
app.command("proposition")(proposition)
app.command("search")(tune)

if __name__ == "__main__":
    run_app(app)
