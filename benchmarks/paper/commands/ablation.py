"""``python -m benchmarks.paper ablation``: what each part of ClusterNet brings."""

from __future__ import annotations

import json
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from graphopt._escaping import for_markup, for_terminal, quoted
from graphopt._files import make_folder, write_text
from graphopt._text import counted
from graphopt.cli._terminal import notes, output

if TYPE_CHECKING:
    from benchmarks.paper.ablation import Outcome

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
            "--output", help="Folder for ablation.jsonl and ablation.md.", file_okay=False
        ),
    ] = Path("ablation"),
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """Remove and add the parts of ClusterNet one at a time, beside Leiden on the same information.

    Communities. Finished runs are kept: a command that was stopped goes on where it stopped.
    """
    from benchmarks.paper import ablation, ablation_report

    if list_them:
        for variant in ablation.VARIANTS:
            typer.echo(variant.name)
        return
    names = [word for text in datasets or [] for word in text.replace(",", " ").split()]
    try:
        wanted = ablation.tasks(
            names, variants, n_seeds=seeds, k=k, split=split.value, iterations=iterations
        )
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    make_folder(folder)
    kept = folder / "ablation.jsonl"
    before = {outcome.task: outcome for outcome in _read(kept)}
    outcomes = [before[task] for task in wanted if task in before]
    pending = [task for task in wanted if task not in before]
    notes.print(f"{counted(len(wanted), 'run')}, {len(outcomes)} of them done before")
    interrupted = False
    try:
        with kept.open("a", encoding="utf-8") as file:
            for task, decide in ablation.run(pending):
                label = f"{task.dataset}, {task.variant}, seed {task.seed}"
                with notes.status(f"{for_markup(label)} ..."):
                    outcome = decide()
                outcomes.append(outcome)
                file.write(json.dumps(outcome.as_dict()) + "\n")
                file.flush()
                notes.print(
                    f"{len(outcomes)}/{len(wanted)} {for_terminal(label)}: {outcome.score:.3f} "
                    f"({outcome.seconds:.1f} s)",
                    markup=False,
                    highlight=False,
                    soft_wrap=True,
                )
    except KeyboardInterrupt:
        interrupted = True
        left = len(wanted) - len(outcomes)
        runs = counted(len(wanted), "run")
        notes.print(f"stopped with {left} of {runs} left; the same command goes on")
    lines = ablation.summary_lines(outcomes)
    page = ablation_report.as_markdown(lines, split.value, k)
    write_text(folder / "ablation.md", page)
    if as_json:
        typer.echo(ablation_report.as_json(lines, split.value, k))
    else:
        console = output
        if not output.is_terminal:
            console = Console(width=max(output.width, _NARROWEST))
        headline = ablation_report.headline(lines, split.value, k)
        console.print(headline, highlight=False, soft_wrap=True)
        ablation_report.print_lines(lines, console)
    notes.print(f"written to {for_markup(folder)}", soft_wrap=True)
    if interrupted:
        raise typer.Exit(130)


def _read(kept: Path) -> list[Outcome]:
    """Return the runs of a file; a last line that was cut off is forgotten."""
    from benchmarks.paper.ablation import Outcome
    from graphopt._files import regular_size
    from graphopt._validation import check_memory
    from graphopt.errors import DamagedFileError

    if not kept.exists():
        return []
    check_memory(f"{kept}", 4 * regular_size(kept), "move it away, or give another --output")
    try:
        lines = kept.read_text(encoding="utf-8").split("\n")
        found = [Outcome.from_dict(json.loads(line)) for line in lines[:-1]]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        reason = quoted(f"{type(error).__name__}: {error}")
        raise DamagedFileError(f"{kept} does not hold runs of an ablation: {reason}") from error
    if lines[-1]:  # not ended: the process was killed while it wrote
        write_text(kept, "".join(line + "\n" for line in lines[:-1]))
    return found
