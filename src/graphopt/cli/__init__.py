"""The command line: ``graphopt run``, ``graphopt tune`` and ``graphopt data``."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from graphopt._escaping import for_markup, shortened
from graphopt.cli import _data
from graphopt.cli._run import run
from graphopt.cli._terminal import notes
from graphopt.cli._tune import tune
from graphopt.errors import GraphoptError

# Imports of the library wait until a command runs: `graphopt --help` must not load PyTorch.

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib import metadata

        typer.echo(f"graphopt {metadata.version('graphopt')}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", is_eager=True, callback=_print_version
        ),
    ] = False,
) -> None:
    """Learn on a partly seen graph and decide on it."""


app.command()(run)
app.command()(tune)
app.add_typer(_data.app, name="data")


# Some tens of microseconds.
_SPINS = "3000"
_LONGEST = 2_000  # characters of a message: a foreign file may be quoted in it


def main() -> None:
    """Run the command line."""
    run_app(app)


def run_app(app: typer.Typer) -> None:
    """Run a command line; a request that cannot be met ends with one line and exit code 1."""
    _let_idle_threads_sleep_soon()
    try:
        try:
            app()
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except (GraphoptError, ValueError, OSError, MemoryError) as error:
        message = for_markup(shortened(" ".join(_sentence(error).split()), _LONGEST))
        notes.print(f"[bold red]error:[/bold red] {message}", soft_wrap=True, highlight=False)
        _drop_output()
        raise SystemExit(1) from None


def _let_idle_threads_sleep_soon() -> None:
    """Let OpenMP's threads spin for microseconds between two pieces of work, not for milliseconds.

    Where other processes want the same processors, threads that spin take the time that these need:
    on two busy cores training took 5 to 20 times as long. The runtime reads the setting when it is
    loaded, with PyTorch. The process is the command line's own; the library sets nothing.
    """
    if not {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"} & os.environ.keys():
        os.environ["GOMP_SPINCOUNT"] = _SPINS


def _sentence(error: Exception) -> str:
    """Return what went wrong; the system's errors without their numbers."""
    if isinstance(error, OSError) and error.strerror:
        files = [os.fsdecode(name) for name in (error.filename, error.filename2) if name]
        return ": ".join([", ".join(files), error.strerror] if files else [error.strerror])
    return str(error) or f"not enough memory ({type(error).__name__})"


def _drop_output() -> None:
    """Let Python not try again, at exit, to write what standard output did not take."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
