"""``graphopt run``: learn and decide on one graph, beside baselines."""

from __future__ import annotations

import json
import math
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.table import Table

from graphopt._escaping import for_markup
from graphopt._text import counted
from graphopt.cli._choices import FeaturesFile, Setting, Task, check_source
from graphopt.cli._terminal import notes, output

if TYPE_CHECKING:
    from graphopt.cli._comparison import MethodResult, Problem

_HIDDEN = 0.6


def run(
    dataset: Annotated[
        str | None, typer.Option(help="A published data set; `graphopt data list` names them.")
    ] = None,
    edges: Annotated[
        Path | None,
        typer.Option(
            help="Your graph: a text file with two nodes a line.", exists=True, dir_okay=False
        ),
    ] = None,
    features: FeaturesFile = None,
    task: Annotated[Task, typer.Option(help="Groups, or facilities.")] = Task.community,
    setting: Annotated[
        Setting, typer.Option(help="Decide from the seen edges, or from all of them.")
    ] = Setting.learning,
    k: Annotated[int, typer.Option(help="Number of groups or facilities.", min=1)] = 10,
    hide: Annotated[
        float | None,
        typer.Option(
            help="Share of the edges to hide, drawn at random; methods decide from the rest and "
            f"are judged on all. {_HIDDEN} if nothing is said. For your own and synthetic graphs: "
            "published ones have their split."
        ),
    ] = None,
    iterations: Annotated[
        int | None, typer.Option(help="Training steps of ClusterNet.", min=1)
    ] = None,
    restarts: Annotated[int | None, typer.Option(help="Trainings to choose from.", min=1)] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything random.", min=0)] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Train ClusterNet on what is seen, decide, and judge on the full graph beside baselines.

    Without `--dataset` or `--edges` the graph is a synthetic one, with attributes of its nodes that
    edges prefer to be alike.
    """
    check_source(dataset, edges, features)
    if hide is not None:
        if not 0.0 <= hide < 1.0:
            raise typer.BadParameter(f"--hide must be at least 0 and below 1, not {hide:g}")
        if dataset is not None or setting is Setting.optimization:
            other = "--dataset" if dataset is not None else "--setting optimization"
            raise typer.BadParameter(f"--hide cannot be used with {other}")
    seen = 1.0 - (_HIDDEN if hide is None else hide)
    from graphopt.cli._comparison import compare
    from graphopt.cli._problems import dataset_problem, file_problem, synthetic_problem
    from graphopt.learning import ClusterNet

    if dataset is not None:
        problem = dataset_problem(dataset, task.value, setting.value, k, seed)
    elif edges is not None:
        problem = file_problem(edges, features, task.value, setting.value, k, seen, seed)
    else:
        problem = synthetic_problem(task.value, setting.value, k, seen, seed)

    chosen: dict[str, Any] = {}
    if iterations is not None:
        chosen["iterations"] = iterations
    if restarts is not None:
        chosen["n_restarts"] = restarts
    objective: Literal["modularity", "k-center"]
    objective = "modularity" if task is Task.community else "k-center"
    model = ClusterNet(
        k,
        objective,
        seen_fraction=problem.seen_fraction,
        features_from_edges=problem.features_from_edges,
        random_state=seed,
        verbose=notes.is_terminal,
        **chosen,
    )
    rows: list[MethodResult] = []
    for name, decide in compare(problem, model, random_state=seed):
        # Training shows its own progress, and two live displays overwrite each other.
        with nullcontext() if name == "ClusterNet" else notes.status(f"{for_markup(name)} ..."):
            rows.append(decide())
    if model.interrupted_:
        notes.print("training was interrupted; its best decision so far is judged")
    if as_json:
        _print_json(problem, setting, seed, rows)
    else:
        _print_table(problem, rows)


def _print_json(problem: Problem, setting: Setting, seed: int, rows: list[MethodResult]) -> None:
    result = {
        **problem.describe(),
        "setting": setting.value,
        "seed": seed,
        "results": [row.as_dict() for row in rows],
    }
    typer.echo(json.dumps(result, indent=2))


def _print_table(problem: Problem, rows: list[MethodResult]) -> None:
    community = problem.task == "community"
    measure = "modularity" if community else "largest distance"
    facts = problem.describe()
    share = facts["n_seen_edges"] / max(facts["n_edges"], 1)
    output.print(
        f"[bold]{for_markup(problem.name)}[/bold]: "
        f"{counted(facts['n_nodes'], 'node')}, {counted(facts['n_edges'], 'edge')}; "
        f"{facts['n_seen_edges']:,} seen ({share:.0%}), "
        f"{counted(facts['n_nodes_without_seen_edge'], 'node')} without a seen edge",
        soft_wrap=True,
    )
    kinds = ("group", "groups") if community else ("facility", "facilities")
    table = Table(title=counted(problem.k, *kinds))
    table.add_column("method")
    table.add_column(f"{measure}, full graph", justify="right")
    table.add_column("seen graph", justify="right")
    table.add_column("seconds", justify="right")
    best = (max if community else min)(row.full for row in rows)
    for row in rows:
        style = "bold green" if row.full == best else ""
        cells = [_number(value, community) for value in (row.full, row.seen)]
        table.add_row(for_markup(row.method), *cells, f"{row.seconds:.2f}", style=style)
    output.print(table)
    meaning = (
        "Modularity: higher is better."
        if community
        else "Largest distance in hops: lower is better; ∞: a node cannot reach any facility."
    )
    output.print(f"[dim]{meaning}[/dim]")


def _number(value: float, community: bool) -> str:
    if math.isinf(value):
        return "∞"
    return f"{value:.3f}" if community else f"{value:g}"
