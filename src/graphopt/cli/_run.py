"""``graphopt run``: learn and decide on one graph, beside baselines."""

from __future__ import annotations

import json
import math
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from graphopt._escaping import for_markup
from graphopt._text import counted
from graphopt.cli._choices import FeaturesFile, Goal, Setting, check_source
from graphopt.cli._terminal import notes, output

if TYPE_CHECKING:
    from graphopt.cli._comparison import Case
    from graphopt.contest import Result

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
    objective: Annotated[
        Goal,
        typer.Option(help="Groups by modularity, or centers near the farthest node."),
    ] = Goal.modularity,
    setting: Annotated[
        Setting, typer.Option(help="Decide from the seen edges, or from all of them.")
    ] = Setting.learning,
    k: Annotated[int, typer.Option(help="Number of groups or centers.", min=1)] = 10,
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
    from graphopt.cli._problems import dataset_case, file_case, synthetic_case
    from graphopt.learning import ClusterNet

    goal = objective.value
    if dataset is not None:
        case = dataset_case(dataset, goal, setting.value, k, seed)
    elif edges is not None:
        case = file_case(edges, features, goal, setting.value, k, seen, seed)
    else:
        case = synthetic_case(goal, setting.value, k, seen, seed)

    chosen: dict[str, Any] = {}
    if iterations is not None:
        chosen["iterations"] = iterations
    if restarts is not None:
        chosen["n_restarts"] = restarts
    model = ClusterNet(
        k,
        case.problem.objective,
        seen_fraction=case.problem.seen_fraction,
        features_from_edges=case.problem.features_from_edges,
        random_state=seed,
        verbose=notes.is_terminal,
        **chosen,
    )

    def status(name: str) -> AbstractContextManager[Any]:
        # Training shows its own progress, and two live displays overwrite each other.
        return nullcontext() if name == "ClusterNet" else notes.status(f"{for_markup(name)} ...")

    rows = compare(case, model, random_state=seed, status=status)
    if model.interrupted_:
        notes.print("training was interrupted; its best decision so far is judged")
    if as_json:
        _print_json(case, setting, seed, rows)
    else:
        _print_table(case, rows)


def _print_json(case: Case, setting: Setting, seed: int, rows: list[Result]) -> None:
    result = {
        **case.describe(),
        "setting": setting.value,
        "seed": seed,
        "results": [_as_dict(row) for row in rows],
    }
    typer.echo(json.dumps(result, indent=2))


def _as_dict(row: Result) -> dict[str, Any]:
    """Return a row as plain values; infinite distances are None, as JSON has none."""
    plain = {
        "method": row.method,
        "full": row.value,
        "seen": row.measures["seen"],
        "seconds": row.seconds,
    }
    return {key: None if value == math.inf else value for key, value in plain.items()}


def _print_table(case: Case, rows: list[Result]) -> None:
    objective = case.problem.objective
    facts = case.describe()
    share = facts["n_seen_edges"] / max(facts["n_edges"], 1)
    output.print(
        f"[bold]{for_markup(case.name)}[/bold]: "
        f"{counted(facts['n_nodes'], 'node')}, {counted(facts['n_edges'], 'edge')}; "
        f"{facts['n_seen_edges']:,} seen ({share:.0%}), "
        f"{counted(facts['n_nodes_without_seen_edge'], 'node')} without a seen edge",
        soft_wrap=True,
    )
    table = Table(title=counted(case.problem.k, *objective.parts))
    table.add_column("method")
    table.add_column(f"{objective.value_name}, full graph", justify="right")
    table.add_column("seen graph", justify="right")
    table.add_column("seconds", justify="right")
    best = (max if objective.greater_is_better else min)(row.value for row in rows)
    for row in rows:
        style = "bold green" if row.value == best else ""
        cells = [objective.number(value) for value in (row.value, row.measures["seen"])]
        table.add_row(for_markup(row.method), *cells, f"{row.seconds:.2f}", style=style)
    output.print(table)
    output.print(f"[dim]{objective.meaning}[/dim]")
