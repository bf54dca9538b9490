"""``python -m benchmarks.paper search``: the paper's hyperparameter search."""

from __future__ import annotations

import json
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchmarks.paper.problems import Task
from graphopt._optional import require
from graphopt._text import counted
from graphopt.cli._choices import FeaturesFile, check_source
from graphopt.cli._terminal import notes, output
from graphopt.cli._tune import (
    STORAGE,
    AsJson,
    Edges,
    Groups,
    Hide,
    Jobs,
    Prune,
    Quick,
    Repeats,
    Sampler,
    SamplerOption,
    Seed,
    Storage,
    Study,
    Trials,
    check_hidden,
    end,
    graph_to_search,
    print_findings,
    search,
)

if TYPE_CHECKING:
    from benchmarks.paper.search.confirmation import Confirmed
    from graphopt.tuning import Findings, HiddenEdges


class Extent(str, Enum):
    """How far the search goes."""

    paper = "paper"
    extended = "extended"


def tune(
    dataset: Annotated[
        str | None,
        typer.Option(
            help="A published data set, by default pubmed. One that holds many graphs is searched "
            "on its validation graphs."
        ),
    ] = None,
    graph: Annotated[
        int | None,
        typer.Option(
            help="Number of a graph in a data set of many: search for this one alone.", min=0
        ),
    ] = None,
    edges: Edges = None,
    features: FeaturesFile = None,
    task: Annotated[Task, typer.Option(help="Groups, or facilities.")] = Task.community,
    k: Groups = 10,
    space: Annotated[
        Extent, typer.Option(help="The paper's grid, or one that holds our own settings too.")
    ] = Extent.paper,
    trials: Trials = None,
    jobs: Jobs = 1,
    sampler: SamplerOption = Sampler.tpe,
    hide: Hide = 0.4,
    repeats: Repeats = 1,
    confirm: Annotated[
        int,
        typer.Option(
            help="In the end, trainings of the best and the published choice on edges hidden anew.",
            min=0,
        ),
    ] = 0,
    prune: Prune = True,
    quick: Quick = False,
    storage: Storage = STORAGE,
    study: Study = None,
    seed: Seed = 0,
    as_json: AsJson = False,
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
    check_hidden(hide)
    require("optuna", "python -m benchmarks.paper search")  # before anything is loaded
    judging = {"n_clusters": k, "hidden_fraction": hide, "repeats": repeats, "random_state": seed}
    evaluation = _evaluation(
        dataset, graph, edges, features, extent=space.value, quick=quick, task=task.value, **judging
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
    confirmed: list[Confirmed] = []
    if confirm and not interrupted:
        confirmed, interrupted = _confirm(evaluation, found, confirm)
    if as_json:
        more = {"confirmed": [one.as_dict() for one in confirmed], "interrupted": interrupted}
        typer.echo(json.dumps({**found.as_dict(), **more}, indent=2))
    else:
        print_findings(found, evaluation.space)
        _print_confirmed(confirmed, found)
    end(interrupted)


def _evaluation(
    dataset: str | None,
    graph: int | None,
    edges: Path | None,
    features: Path | None,
    *,
    extent: str,
    quick: bool,
    task: str,
    **judging: Any,
) -> HiddenEdges:
    from benchmarks.paper.search.spaces import choose_space, of_dataset
    from graphopt import datasets
    from graphopt.tuning import SingleGraph

    if edges is None:
        data = datasets.load(dataset or "pubmed")
        return of_dataset(data, extent=extent, quick=quick, task=task, graph=graph, **judging)
    return SingleGraph(
        **graph_to_search(None, edges, features),
        task=task,
        space=choose_space(extent, "single", task, quick=quick),
        **judging,
    )


def _confirm(evaluation: HiddenEdges, found: Findings, draws: int) -> tuple[list[Confirmed], bool]:
    """Return what was judged again, and whether Ctrl-C ended it before all was."""
    from benchmarks.paper.search.confirmation import confirm

    with notes.status("judging again ...") as status:
        try:
            return confirm(evaluation, found, draws, status.update), False
        except KeyboardInterrupt:
            return [], True


def _print_confirmed(confirmed: list[Confirmed], found: Findings) -> None:
    from benchmarks.paper.search.confirmation import summary

    if not confirmed:
        return
    draws = len(confirmed[0].scores)
    output.print(f"On edges hidden anew, {counted(draws, 'draw')}:")
    for line in summary(confirmed, found.greater_is_better):
        output.print(f"  {line}", highlight=False, soft_wrap=True)
