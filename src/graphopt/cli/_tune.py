"""``graphopt tune``: the arguments, the progress and the output of a hyperparameter search."""

from __future__ import annotations

import json
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from graphopt._escaping import for_markup, for_terminal
from graphopt._optional import require
from graphopt._text import counted
from graphopt.cli._choices import FeaturesFile, Goal, check_source
from graphopt.cli._terminal import notes, output

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

    from graphopt.tuning import Findings, HiddenEdges, Space

_SHOWN = 10


class Sampler(str, Enum):
    """How settings are proposed."""

    tpe = "tpe"
    grid = "grid"
    random = "random"


Edges = Annotated[
    Path | None,
    typer.Option(
        help="Your graph, as far as it is seen: a text file with two nodes a line.",
        exists=True,
        dir_okay=False,
    ),
]
GoalOption = Annotated[Goal, typer.Option(help="Groups, or centres.")]
Groups = Annotated[int, typer.Option(help="Number of groups or centres.", min=1)]
Trials = Annotated[
    int | None, typer.Option(help="Settings to try, those of earlier runs included.", min=1)
]
Jobs = Annotated[int, typer.Option(help="Processes, among which the threads are divided.", min=1)]
SamplerOption = Annotated[Sampler, typer.Option(help="How settings are proposed.")]
Hide = Annotated[float, typer.Option(help="Share of the seen edges to hide and judge on.", max=1.0)]
Repeats = Annotated[int, typer.Option(help="Trainings per setting.", min=1)]
Prune = Annotated[
    bool, typer.Option("--prune/--no-prune", help="Stop trainings worse than the median.")
]
Quick = Annotated[
    bool, typer.Option("--quick", help="Trainings of a tenth of the length, few trials.")
]
Storage = Annotated[Path, typer.Option(help="SQLite file that keeps the trials.", dir_okay=False)]
Study = Annotated[
    str | None, typer.Option(help="Name in the file; by default made of what is searched.")
]
Seed = Annotated[int, typer.Option(help="Seed of everything random.", min=0)]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
STORAGE = Path("graphopt-tune.sqlite")


def tune(
    dataset: Annotated[
        str | None, typer.Option(help="A published data set of one graph instead of your own.")
    ] = None,
    edges: Edges = None,
    features: FeaturesFile = None,
    objective: GoalOption = Goal.modularity,
    k: Groups = 10,
    trials: Trials = None,
    jobs: Jobs = 1,
    sampler: SamplerOption = Sampler.tpe,
    hide: Hide = 0.4,
    repeats: Repeats = 1,
    prune: Prune = True,
    quick: Quick = False,
    storage: Storage = STORAGE,
    study: Study = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Search hyperparameters of ClusterNet for your graph.

    Part of the *seen* edges is hidden from training, and decisions are judged on all seen edges.
    The default settings are evaluated first. A search that was stopped, or killed, goes on where it
    was when the same command is given again. Needs `pip install 'graphopt[tune]'`.
    """
    if (dataset is None) == (edges is None):
        raise typer.BadParameter("give either --edges or --dataset")
    check_source(dataset, edges, features)
    check_hidden(hide)
    require("optuna", "graphopt tune")  # before anything is loaded
    from graphopt.tuning import SingleGraph, default_space

    task = "community" if objective is Goal.modularity else "facility"
    space = default_space(task)
    evaluation = SingleGraph(
        **graph_to_search(dataset, edges, features),
        task=task,
        space=space.quick() if quick else space,
        n_clusters=k,
        hidden_fraction=hide,
        repeats=repeats,
        random_state=seed,
    )
    found, interrupted = search(
        evaluation,
        storage,
        study,
        trials=trials if trials is not None else (5 if quick else 50),
        jobs=jobs,
        sampler=sampler.value,
        seed=seed,
        prune=prune,
    )
    if as_json:
        typer.echo(json.dumps({**found.as_dict(), "interrupted": interrupted}, indent=2))
    else:
        print_findings(found, evaluation.space)
    end(interrupted)


def check_hidden(hide: float) -> None:
    """Raise BadParameter unless a share of the edges can be hidden."""
    if not 0.0 < hide < 1.0:
        raise typer.BadParameter("--hide must be between 0 and 1")


def graph_to_search(
    dataset: str | None, edges: Path | None, features: Path | None
) -> dict[str, Any]:
    """Return what is seen of a graph, its features and its name."""
    if edges is not None:
        from graphopt.cli._problems import file_case

        mine = file_case(edges, features, "modularity", "optimization", 1, 1.0, 0)
        return {"seen": mine.full, "features": mine.problem.features, "name": mine.name}
    from graphopt import datasets

    data = datasets.load(dataset or "")
    if isinstance(data, datasets.InductiveDataset):
        raise ValueError(f"{dataset} holds many graphs; graphopt tune searches for one")
    return {"seen": data.observed, "features": data.observed_features, "name": data.name}


def search(
    evaluation: HiddenEdges, storage: Path, study: str | None, *, jobs: int, **settings: Any
) -> tuple[Findings, bool]:
    """Run a search and print its trials; return the findings and whether Ctrl-C ended it."""
    from graphopt.tuning import Search, default_study, findings

    name = study if study is not None else default_study(evaluation.protocol)
    with Search(evaluation, evaluation.space, storage, name, **settings) as running:

        def tell(trial: FrozenTrial) -> None:
            line = for_terminal(_line(trial, settings["trials"]))
            notes.print(line, markup=False, highlight=False, soft_wrap=True)

        with notes.status("training ..."):
            interrupted = running.run(jobs=jobs, notify=tell)
        return findings(running), interrupted


def end(interrupted: bool) -> None:
    """Exit with the code of Ctrl-C if it ended the search."""
    if interrupted:
        notes.print("interrupted; the same command goes on from here")
        raise typer.Exit(130)


def _line(trial: FrozenTrial, wanted: int) -> str:
    """Return a finished trial in a line."""
    words = f"trial {trial.number + 1}/{wanted}"
    if "error" in trial.user_attrs:
        return f"{words}: failed, {trial.user_attrs['error']}"
    outcome = trial.user_attrs["outcome"]
    scores, steps = outcome["scores"], outcome["iterations"]
    cut = (
        f", cut short after {counted(int(list(scores)[-1]), 'step')}"
        if trial.state.name == "PRUNED"
        else ""
    )
    settings = " ".join(f"{name}={value}" for name, value in trial.params.items())
    return (
        f"{words}: {scores[str(steps)]:.4f} after {counted(steps, 'step')}{cut} "
        f"({outcome['seconds']:.1f} s): {settings}"
    )


_HEADS = {
    "temperature": "β",
    "learning_rate": "rate",
    "kmeans_updates": "updates",
    "kmeans_rise": "to 5",
    "hidden_features": "hidden",
    "embedding_features": "embed",
    "weight_decay": "decay",
    "feature_dropout": "f. drop",
    "dropout": "drop",
    "smoothing": "smooth",
    "masking": "mask",
    "completion": "compl.",
}


def print_findings(found: Findings, space: Space) -> None:
    """Print the best settings, where the landmarks stand, and code for the best."""
    facts = found.protocol
    kinds = ("group", "groups") if facts["task"] == "community" else ("facility", "facilities")
    of = "the validation graphs of " if facts["kind"] == "inductive" else ""
    output.print(
        f"[bold]{for_markup(found.study)}[/bold]: {counted(facts['k'], *kinds)} "
        f"on the seen edges of {of}"
        f"{for_markup(facts['graph'])}, {facts['hidden_fraction']:.0%} of them hidden",
        highlight=False,
        soft_wrap=True,
    )
    if found.tried:
        output.print(_table(found, space))
        _print_landmarks(found)
    else:
        output.print("no setting has been tried to the end yet")
    if found.importances is not None:
        shares = ", ".join(f"{name} {share:.0%}" for name, share in found.importances.items())
        output.print(f"importance: {shares}", highlight=False, soft_wrap=True)
    if found.tried:
        from graphopt.tuning import as_code

        best = found.tried[0]
        code = as_code(space, best.params, best.iterations, facts["k"])
        output.print(f"use it: {code}", markup=False, highlight=False, soft_wrap=True)
    measure = (
        "modularity of all seen edges, higher is better"
        if found.greater_is_better
        else "distance charged on the seen graph, lower is better"
    )
    others = [
        f"{number} {what}"
        for number, what in (
            (found.n_pruned, "cut short"),
            (found.n_failed, "failed"),
            (found.n_lost, "lost and tried again"),
        )
        if number
    ]
    quick = "; quick: trainings of a tenth of the length" if "quick" in space.name else ""
    counts = f"; {', '.join(others)}" if others else ""
    output.print(f"[dim]Score: {measure}{counts}{quick}.[/dim]", highlight=False, soft_wrap=True)


def _table(found: Findings, space: Space) -> Table:
    table = Table(title=f"best of {counted(len(found.tried), 'setting')} trained to the end")
    for head in ("", "score", "steps", *(_HEADS[name] for name in space.choices)):
        table.add_column(head, justify="right" if head else "left")
    for rank, one in enumerate(found.tried, 1):
        if rank > _SHOWN and one.landmark is None:
            continue
        values = [_value(one.params[name]) for name in space.choices]
        name = f"{rank}. {one.landmark}" if one.landmark else f"{rank}."
        table.add_row(
            name,
            f"{one.score:.4f}",
            str(one.iterations),
            *values,
            style="bold green" if rank == 1 else "",
        )
    return table


def _print_landmarks(found: Findings) -> None:
    best = found.tried[0]
    for standing in found.landmarks:
        ours = (
            "nothing better was found"
            if standing.rank == 1
            else f"the best: {best.score:.4f} after {best.iterations} (trial {best.trial + 1})"
        )
        output.print(
            f"{standing.name} choice: rank {standing.rank} of {standing.of}, score "
            f"{standing.score:.4f} after its {counted(standing.iterations, 'step')}; {ours}",
            highlight=False,
            soft_wrap=True,
        )


def _value(value: float) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}"
