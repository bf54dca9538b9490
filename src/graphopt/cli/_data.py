"""``graphopt data``: the published data sets."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(help="Published data sets.", no_args_is_help=True)


@app.command("list")
def data_list() -> None:
    """Name the published data sets."""
    import graphopt.datasets as datasets

    for name in datasets.names():
        typer.echo(name)


@app.command("show")
def data_show(name: Annotated[str, typer.Argument(help="A data set.")]) -> None:
    """Load a data set, fetching it where it is not on this machine, and describe it."""
    import graphopt.datasets as datasets

    typer.echo(repr(datasets.load(name)))
