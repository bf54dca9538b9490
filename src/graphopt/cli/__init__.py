"""The command line: ``graphopt run``, ``tune``, ``reproduce`` and the other commands."""

from __future__ import annotations

import os

import typer
from rich.markup import escape

from graphopt.cli import _data
from graphopt.cli._ablate import ablate
from graphopt.cli._bench import bench
from graphopt.cli._proposition import proposition
from graphopt.cli._reproduce import reproduce
from graphopt.cli._run import run
from graphopt.cli._terminal import notes
from graphopt.cli._tune import tune
from graphopt.errors import GraphoptError

# Imports of the library wait until a command runs: `graphopt --help` must not load PyTorch.

app = typer.Typer(
    help="Learn on a partly seen graph and decide on it.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
)
for command in (run, tune, reproduce, ablate, proposition, bench):
    app.command()(command)
app.add_typer(_data.app, name="data")


# Some tens of microseconds.
_SPINS = "3000"


def main() -> None:
    """Run the command line; a request that cannot be met ends with one line and exit code 1."""
    _let_idle_threads_sleep_soon()
    try:
        app()
    except (GraphoptError, ValueError) as error:
        message = escape(" ".join(str(error).split()))
        notes.print(f"[bold red]error:[/bold red] {message}", soft_wrap=True, highlight=False)
        raise SystemExit(1) from None


def _let_idle_threads_sleep_soon() -> None:
    """Let OpenMP's threads spin for microseconds between two pieces of work, not for milliseconds.

    Where other processes want the same processors, threads that spin take the time that these need:
    on two busy cores training took 5 to 20 times as long. The runtime reads the setting when it is
    loaded, with PyTorch. The process is the command line's own; the library sets nothing.
    """
    if not {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"} & os.environ.keys():
        os.environ["GOMP_SPINCOUNT"] = _SPINS
