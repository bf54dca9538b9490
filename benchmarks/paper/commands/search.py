"""``search``: arguments, progress and what is printed of a hyperparameter search."""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from benchmarks.paper.problems import Task
from graphopt._escaping import for_markup, for_terminal
from graphopt._optional import require
from graphopt._text import counted
from graphopt.cli._choices import FeaturesFile, check_source
from graphopt.cli._terminal import notes, output

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

    from benchmarks.paper.search.confirmation import Confirmed
    from benchmarks.paper.search.findings import Findings
    from benchmarks.paper.search.selection import HiddenEdges
    from benchmarks.paper.search.spaces import Space


_SHOWN = 10


class Extent(str, Enum):
    """How far the search goes."""

    paper = "paper"
    extended = "extended"


class Sampler(str, Enum):
    """How settings are proposed."""

    tpe = "tpe"
    grid = "grid"
    random = "random"


def tune(
    dataset: Annotated[
        str | None,
        typer.Option(
            help="A published data set; pubmed if nothing is said. One that holds many graphs "
            "is searched on its validation graphs."
        ),
    ] = None,
    graph: Annotated[
        int | None,
        typer.Option(
            help="Number of a graph in a data set of many: search for this one alone.", min=0
        ),
    ] = None,
    edges: Annotated[
        Path | None,
        typer.Option(
            help="Your graph, as far as it is seen: a text file with two nodes a line.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    features: FeaturesFile = None,
    task: Annotated[Task, typer.Option(help="Groups, or facilities.")] = Task.community,
    k: Annotated[int, typer.Option(help="Number of groups or facilities.", min=1)] = 10,
    space: Annotated[
        Extent, typer.Option(help="The paper's grid, or one that holds our own settings too.")
    ] = Extent.paper,
    trials: Annotated[
        int | None,
        typer.Option(help="Settings to try, those of earlier runs included.", min=1),
    ] = None,
    jobs: Annotated[
        int, typer.Option(help="Processes, among which the threads are divided.", min=1)
    ] = 1,
    sampler: Annotated[Sampler, typer.Option(help="How settings are proposed.")] = Sampler.tpe,
    hide: Annotated[
        float, typer.Option(help="Share of the seen edges to hide and judge on.", max=1.0)
    ] = 0.4,
    repeats: Annotated[int, typer.Option(help="Trainings per setting.", min=1)] = 1,
    confirm: Annotated[
        int,
        typer.Option(
            help="In the end, trainings of the best and the published choice on edges hidden anew.",
            min=0,
        ),
    ] = 0,
    prune: Annotated[
        bool, typer.Option("--prune/--no-prune", help="Stop trainings worse than the median.")
    ] = True,
    quick: Annotated[
        bool, typer.Option("--quick", help="Trainings of a tenth of the length, few trials.")
    ] = False,
    storage: Annotated[
        Path, typer.Option(help="SQLite file that keeps the trials.", dir_okay=False)
    ] = Path("graphopt-tune.sqlite"),
    study: Annotated[
        str | None, typer.Option(help="Name in the file; else made of what is searched.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything random.", min=0)] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Search the hyperparameters of ClusterNet, as in the paper's appendix 2.1.

    Edges that a data set holds out and its test graphs are never looked at: part of the *seen*
    edges is hidden once more and judged on. The published choice is always evaluated too. The best
    of many scores is too high by its luck: `--confirm` judges it again. A search that was stopped,
    or killed, goes on where it was when the same command is given again. Needs
    `pip install 'graphopt[tune]'`.
    """
    check_source(dataset, edges, features)
    if graph is not None and dataset is None:
        raise typer.BadParameter("--graph belongs to --dataset")
    if not 0.0 < hide < 1.0:
        raise typer.BadParameter("--hide must be between 0 and 1")
    require("optuna", "python -m benchmarks.paper search")  # before anything is loaded
    from benchmarks.paper.search.findings import findings
    from benchmarks.paper.search.search import Search, default_study

    evaluation = _evaluation(
        dataset,
        graph,
        edges,
        features,
        extent=space.value,
        quick=quick,
        task=task.value,
        n_clusters=k,
        hidden_fraction=hide,
        repeats=repeats,
        random_state=seed,
    )
    wanted = trials if trials is not None else (5 if quick else 50)
    name = study if study is not None else default_study(evaluation.protocol)
    with Search(
        evaluation,
        evaluation.space,
        storage,
        name,
        trials=wanted,
        sampler=sampler.value,
        seed=seed,
        prune=prune,
    ) as search:

        def tell(trial: FrozenTrial) -> None:
            line = for_terminal(_line(trial, wanted))
            notes.print(line, markup=False, highlight=False, soft_wrap=True)

        with notes.status("training ..."):
            interrupted = search.run(jobs=jobs, notify=tell)
        found = findings(search)
    confirmed: list[Confirmed] = []
    if confirm and not interrupted:
        confirmed, interrupted = _confirm(evaluation, found, confirm)
    if as_json:
        more = {"confirmed": [one.as_dict() for one in confirmed], "interrupted": interrupted}
        typer.echo(json.dumps({**found.as_dict(), **more}, indent=2))
    else:
        _print(found, evaluation.space)
        _print_confirmed(confirmed, found)
    if interrupted:
        notes.print("interrupted; the same command goes on from here")
        raise typer.Exit(130)


def _confirm(evaluation: HiddenEdges, found: Findings, draws: int) -> tuple[list[Confirmed], bool]:
    """Return what was judged again, and whether Ctrl-C ended it before all was."""
    from benchmarks.paper.search.confirmation import confirm

    with notes.status("judging again ...") as status:
        try:
            return confirm(evaluation, found, draws, status.update), False
        except KeyboardInterrupt:
            return [], True


def _evaluation(
    dataset: str | None,
    graph: int | None,
    edges: Path | None,
    features: Path | None,
    *,
    extent: str,
    quick: bool,
    task: str,
    **settings: Any,
) -> HiddenEdges:
    from benchmarks.paper.search import selection
    from benchmarks.paper.search.spaces import choose_space
    from graphopt.cli._problems import file_case

    if edges is not None:
        mine = file_case(edges, features, "modularity", "optimization", 1, 1.0, 0)
        return selection.SingleGraph(
            seen=mine.full,
            features=mine.problem.features,
            name=mine.name,
            task=task,
            space=choose_space(extent, "single", task, quick=quick),
            **settings,
        )
    from graphopt import datasets

    data = datasets.load(dataset or "pubmed")
    return selection.of_dataset(
        data, extent=extent, quick=quick, task=task, graph=graph, **settings
    )


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


def _print(found: Findings, space: Space) -> None:
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
        from benchmarks.paper.search.findings import as_code

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


def _print_confirmed(confirmed: Sequence[Confirmed], found: Findings) -> None:
    from benchmarks.paper.search.confirmation import summary

    if not confirmed:
        return
    draws = len(confirmed[0].scores)
    output.print(f"On edges hidden anew, {counted(draws, 'draw')}:")
    for line in summary(confirmed, found.greater_is_better):
        output.print(f"  {line}", highlight=False, soft_wrap=True)


def _value(value: float) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}"
