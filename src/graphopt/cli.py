"""The command line: ``graphopt run``, ``reproduce``, ``tune``, ``bench`` and ``data``."""

from __future__ import annotations

import json
import math
from contextlib import nullcontext
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from graphopt._cli_reproduce import reproduce
from graphopt._cli_tune import tune
from graphopt._terminal import notes, output
from graphopt.errors import GraphoptError

if TYPE_CHECKING:
    from graphopt.bench.race import Outcome
    from graphopt.experiments.comparison import MethodResult, Problem

# Imports of the library wait until a command runs: `graphopt --help` must not load PyTorch.

app = typer.Typer(
    help="Learn on a partly seen graph and decide on it.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
)
data_app = typer.Typer(help="Published data sets.", no_args_is_help=True)
app.add_typer(data_app, name="data")
app.command()(reproduce)
app.command()(tune)


class Task(str, Enum):
    """What is decided."""

    community = "community"
    facility = "facility"


class Setting(str, Enum):
    """What is seen of the graph while deciding."""

    learning = "learning"
    optimization = "optimization"


@app.command()
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
    features: Annotated[
        Path | None,
        typer.Option(
            help="Its node features: .npy, .npz (SciPy sparse) or CSV.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    task: Annotated[Task, typer.Option(help="Groups, or facilities.")] = Task.community,
    setting: Annotated[
        Setting, typer.Option(help="Decide from the seen edges, or from all of them.")
    ] = Setting.learning,
    k: Annotated[int, typer.Option(help="Number of groups or facilities.", min=1)] = 10,
    seen: Annotated[
        float,
        typer.Option(help="Share of the edges seen, for graphs without a split.", max=1.0),
    ] = 0.4,
    iterations: Annotated[
        int | None, typer.Option(help="Training steps of ClusterNet.", min=1)
    ] = None,
    restarts: Annotated[int | None, typer.Option(help="Trainings to choose from.", min=1)] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything random.", min=0)] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Train ClusterNet on what is seen, decide, and judge on the full graph beside baselines.

    Without `--dataset` or `--edges` the graph is a synthetic one.
    """
    if dataset is not None and edges is not None:
        raise typer.BadParameter("give --dataset or --edges, not both")
    if features is not None and edges is None:
        raise typer.BadParameter("--features belongs to --edges")
    if not seen > 0.0:
        raise typer.BadParameter("--seen must be greater than 0")
    from graphopt.experiments.comparison import compare
    from graphopt.experiments.problems import dataset_problem, file_problem, synthetic_problem
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
    objective = "modularity" if task is Task.community else "k-center"
    model = ClusterNet(
        k,
        objective,
        seen_fraction=problem.seen_fraction,
        random_state=seed,
        verbose=notes.is_terminal,
        **chosen,
    )
    rows: list[MethodResult] = []
    for name, decide in compare(problem, model, random_state=seed):
        # Training shows its own progress, and two live displays overwrite each other.
        with nullcontext() if name == "ClusterNet" else notes.status(f"{name} ..."):
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
        f"[bold]{escape(problem.name)}[/bold]: "
        f"{facts['n_nodes']:,} nodes, {facts['n_edges']:,} edges; "
        f"seen {facts['n_seen_edges']:,} ({share:.0%}), "
        f"{facts['n_nodes_without_seen_edge']:,} nodes without a seen edge",
        soft_wrap=True,
    )
    table = Table(title=f"{problem.k} {'groups' if community else 'facilities'}")
    table.add_column("method")
    table.add_column(f"{measure}, full graph", justify="right")
    table.add_column("seen graph", justify="right")
    table.add_column("seconds", justify="right")
    best = (max if community else min)(row.full for row in rows)
    for row in rows:
        style = "bold green" if row.full == best else ""
        cells = [_number(value, community) for value in (row.full, row.seen)]
        table.add_row(row.method, *cells, f"{row.seconds:.2f}", style=style)
    output.print(table)
    better = "higher" if community else "lower, in hops; ∞: a node cannot reach any facility"
    output.print(
        f"[dim]{measure}: {better} is better.[/dim]"
        if community
        else f"[dim]{measure}: {better}.[/dim]"
    )


def _number(value: float, community: bool) -> str:
    if math.isinf(value):
        return "∞"
    return f"{value:.3f}" if community else f"{value:g}"


@app.command()
def bench(
    names: Annotated[
        list[str] | None, typer.Argument(help="Contests, or the start of their names; else all.")
    ] = None,
    list_them: Annotated[bool, typer.Option("--list", help="Name the contests and end.")] = False,
    quick: Annotated[
        bool, typer.Option("--quick", help="What is over in about a minute, without slow peers.")
    ] = False,
    rounds: Annotated[int, typer.Option(help="Turns of each contestant.", min=1)] = 5,
    threads: Annotated[
        int | None, typer.Option(help="Threads for all of them; else what may be used.", min=1)
    ] = None,
    memory: Annotated[
        bool | None,
        typer.Option("--memory/--no-memory", help="Measure peak memory; not with --quick."),
    ] = None,
    scale: Annotated[
        float, typer.Option(help="Size of the inputs beside the usual one.", min=0.01, max=10.0)
    ] = 1.0,
    save: Annotated[
        Path | None, typer.Option(help="Folder to write race.json and race.md to.", file_okay=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Time graphopt beside other libraries on this machine: same work, same data, same process.

    Every answer is compared. The other libraries come with `pip install 'graphopt[bench]'`.
    """
    from graphopt.bench.contests import select

    if list_them:
        _list_contests()
        return
    try:
        contests = select(names or [], quick=quick)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    from graphopt._threads import resolve_num_threads
    from graphopt.bench import session, table
    from graphopt.bench.machine import describe_machine

    num_threads = resolve_num_threads(threads)
    measure = not quick if memory is None else memory
    outcomes: list[Outcome] = []
    interrupted = False
    with notes.status("...") as status:
        races = session.run(
            contests,
            scale=scale,
            rounds=rounds,
            threads=num_threads,
            slow=not quick,
            memory=measure,
            progress=lambda step: status.update(escape(step)),
        )
        try:
            for outcome in races:
                outcomes.append(outcome)
                line = f"{len(outcomes)}/{len(contests)} {table.summary(outcome)}"
                notes.print(line, markup=False, highlight=False, soft_wrap=True)
        except KeyboardInterrupt:
            interrupted = True
        except AssertionError as error:
            raise GraphoptError(str(error)) from error
    machine = describe_machine()
    if save is not None:
        session.save(outcomes, machine, num_threads, save)
    if as_json:
        typer.echo(json.dumps(table.as_dict(outcomes, machine, num_threads), indent=2))
    else:
        output.print(table.as_table(outcomes, table.headline(machine, num_threads)))
        for note in table.footnotes(outcomes):
            output.print(f"[dim]{escape(note)}[/dim]", highlight=False, soft_wrap=True)
    if interrupted:
        raise typer.Exit(130)


def _list_contests() -> None:
    from graphopt.bench.contests import CONTESTS

    width = max(map(len, CONTESTS))
    for contest in CONTESTS.values():
        quick = "  (--quick)" if contest.quick else ""
        typer.echo(f"{contest.name:{width}}  {contest.work}{quick}")


@data_app.command("list")
def data_list() -> None:
    """Name the published data sets."""
    from graphopt import datasets

    for name in datasets.names():
        typer.echo(name)


@data_app.command("show")
def data_show(name: Annotated[str, typer.Argument(help="A data set.")]) -> None:
    """Load a data set, fetching it where it is not on this machine, and describe it."""
    from graphopt import datasets

    typer.echo(repr(datasets.load(name)))


def main() -> None:
    """Run the command line; a request that cannot be met ends with one line and exit code 1."""
    try:
        app()
    except (GraphoptError, ValueError) as error:
        message = escape(" ".join(str(error).split()))
        notes.print(f"[bold red]error:[/bold red] {message}", soft_wrap=True, highlight=False)
        raise SystemExit(1) from None
