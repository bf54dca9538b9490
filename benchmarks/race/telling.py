"""Contests on the way and at their end, alike for all kinds of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

from graphopt._escaping import for_markup, for_terminal
from graphopt.cli._terminal import notes, output
from graphopt.errors import GraphoptError

if TYPE_CHECKING:
    from rich.table import Table

Result = TypeVar("Result")


def told_one_by_one(
    run: Callable[[Callable[[str], None]], Iterator[Result]],
    summary: Callable[[Result], str],
    n_contests: int,
) -> tuple[list[Result], bool]:
    """Run contests, tell each as it is over, and return the results, and whether Ctrl-C came.

    Parameters
    ----------
    run : callable
        Takes whom to tell what happens next, and yields the results.
    summary : callable
        Makes a line of a result.
    n_contests : int

    Raises
    ------
    GraphoptError
        If two answers differ.
    """
    results: list[Result] = []
    interrupted = False
    with notes.status("...") as status:
        found = run(lambda step: status.update(for_markup(step)))
        try:
            for result in found:
                results.append(result)
                line = f"{len(results)}/{n_contests} {for_terminal(summary(result))}"
                notes.print(line, markup=False, highlight=False, soft_wrap=True)
        except KeyboardInterrupt:
            interrupted = True
        except AssertionError as error:
            raise GraphoptError(str(error)) from error
    return results, interrupted


def print_table(table: Table, footnotes: Sequence[str]) -> None:
    """Print a table and what a reader must know about it."""
    output.print(table)
    for note in footnotes:
        output.print(f"[dim]{for_markup(note)}[/dim]", highlight=False, soft_wrap=True)
