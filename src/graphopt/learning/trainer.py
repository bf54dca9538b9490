"""Training a network for a decision: from one start, or from several, the best of which is kept."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor

from graphopt.learning.descent import (
    Checkpoint,
    Keeper,
    OnIteration,
    Report,
    descend,
    progress_bar,
    seeded,
    set_kmeans_updates,
)
from graphopt.learning.inputs import Batch, EncoderInputs
from graphopt.learning.recipes import COMMUNITIES, Recipe
from graphopt.nn import ClusterNet, DirectGCN, SoftKMeansOutput
from graphopt.nn.losses import Loss

DecidingNetwork: TypeAlias = ClusterNet | DirectGCN


@dataclass(slots=True)
class TrainingRun:
    """What happened in one training from one start.

    Attributes
    ----------
    best : Checkpoint
    losses : list of float
        Loss of every step, on the masked graph.
    checks : list of (int, float)
        (steps made, training value) of every look, including the one before the first step.
    seconds : float
    interrupted : bool
        Whether Ctrl-C or a callback ended it early; `best` is the best so far.
    """

    best: Checkpoint
    losses: list[float] = field(default_factory=list)
    checks: list[tuple[int, float]] = field(default_factory=list)
    seconds: float = 0.0
    interrupted: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """The best of several trainings.

    Attributes
    ----------
    network : ClusterNet or DirectGCN
        In its best state.
    best : Checkpoint
        Of that network.
    runs : list of TrainingRun
        One per restart.
    interrupted : bool
        Whether Ctrl-C or a callback ended the last of them early.
    """

    network: DecidingNetwork
    best: Checkpoint
    runs: list[TrainingRun]
    interrupted: bool


def train(
    network: DecidingNetwork,
    inputs: EncoderInputs,
    objective: Loss,
    problem: Any,
    recipe: Recipe,
    random_state: np.random.Generator,
    on_iteration: OnIteration | None = None,
) -> TrainingRun:
    """Train `network`, already initialised, on one graph, and keep its best state.

    The training value of the decoded decision says which state is best; nothing outside `inputs`
    and `problem` is looked at. The network is left in its best state, in evaluation mode.

    Parameters
    ----------
    network : ClusterNet or DirectGCN
    inputs : EncoderInputs
        What the encoder sees.
    objective : Loss
    problem : object
        ``objective.prepare(graph)`` of the graph that the loss sees.
    recipe : Recipe
        What it leaves out is as usual for communities.
    random_state : numpy.random.Generator
        Draws masks, dropout and roundings.
    on_iteration : callable, optional
        Called with (steps made, decision, value) before the first step and after every step; the
        decision is the one decoded at the last look. Training ends if it returns True.

    Returns
    -------
    TrainingRun
        Ctrl-C ends the training early and is not raised again: see ``interrupted``.
    """
    batch = Batch(inputs, (problem,))
    recipe = recipe.over(COMMUNITIES)
    return train_on(network, batch, objective, recipe, random_state, on_iteration=on_iteration)


def train_restarts(
    new_network: Callable[[], DecidingNetwork],
    batch: Batch,
    objective: Loss,
    recipe: Recipe,
    random_state: np.random.Generator,
    *,
    judged_on: Batch | None = None,
    on_iteration: OnIteration | None = None,
    verbose: bool = False,
) -> Trained:
    """Train as often as the recipe says, by :func:`train_on`, and keep the best.

    `new_network` returns an initialised network; with `verbose` a progress bar is shown.

    Raises
    ------
    KeyboardInterrupt
        Only before there is anything to keep.
    """
    networks: list[DecidingNetwork] = []
    runs: list[TrainingRun] = []
    interrupted = False
    with progress_bar(recipe.n_restarts * recipe.iterations, verbose) as report:
        while len(runs) < recipe.n_restarts and not interrupted:
            try:
                network = new_network()
                run = train_on(
                    network,
                    batch,
                    objective,
                    recipe,
                    random_state,
                    judged_on=judged_on,
                    on_iteration=on_iteration,
                    report=report,
                )
            except KeyboardInterrupt:  # between two trainings
                if not runs:
                    raise
                interrupted = True
            else:
                networks.append(network)
                runs.append(run)
                interrupted = run.interrupted
    chosen = 0
    for i, run in enumerate(runs):
        if objective.better(run.best.value, runs[chosen].best.value):
            chosen = i
    return Trained(networks[chosen], runs[chosen].best, runs, interrupted)


def train_on(
    network: DecidingNetwork,
    batch: Batch,
    objective: Loss,
    recipe: Recipe,
    random_state: np.random.Generator,
    *,
    judged_on: Batch | None = None,
    on_iteration: OnIteration | None = None,
    report: Report | None = None,
) -> TrainingRun:
    """Train one network on all graphs of a batch, and keep its best state; see :func:`train`.

    Every step lowers the mean loss over all graphs. The best state is the one whose decoded
    decisions have the best mean training value on `judged_on`, by default the batch itself. The
    recipe is complete.
    """
    start = time.perf_counter()
    judged = batch if judged_on is None else judged_on

    def loss(step: int) -> Tensor:
        set_kmeans_updates(network, recipe.kmeans_updates(step))
        relaxed = relax(network, batch, objective, recipe.feature_dropout, recipe.masking)
        losses = [objective.loss(r, p) for r, p in zip(relaxed, batch.problems, strict=True)]
        return torch.stack(losses).mean()

    def judge() -> tuple[float, Any]:
        decisions, values = [], []
        for relaxed, problem in zip(
            relax(network, judged, objective), judged.problems, strict=True
        ):
            decisions.append(objective.decode(relaxed, problem, random_state=random_state))
            values.append(objective.training_value(decisions[-1], problem))
        return float(np.mean(values)), decisions[0] if judged.offsets is None else decisions

    def after(step: int, loss: float) -> bool | None:
        if report is not None:
            report(step, loss, keeper.best.value)
        return on_iteration is not None and on_iteration(step, keeper.decision, keeper.value)

    keeper = Keeper(network, judge, objective.better)
    set_kmeans_updates(network, recipe.kmeans_updates(0))
    keeper.look(0)
    losses: list[float] = []
    interrupted = bool(on_iteration and on_iteration(0, keeper.decision, keeper.value))
    if not interrupted:
        with seeded(random_state):
            losses, interrupted = descend(network, loss, recipe, keeper=keeper, after=after)
    keeper.restore()
    seconds = time.perf_counter() - start
    return TrainingRun(keeper.best, losses, keeper.checks, seconds, interrupted)


def relax(
    network: DecidingNetwork,
    batch: Batch,
    objective: Loss,
    feature_dropout: float = 0.0,
    masking: float = 0.0,
) -> list[Tensor]:
    """Return the relaxed decision on every graph, with what the encoder sees perturbed.

    It is the network's own, or what the objective makes of its clusters.
    """
    features, adjacency = batch.inputs.perturbed(feature_dropout, masking)
    if batch.offsets is None:
        output = network(features, adjacency)
        return [output if isinstance(output, Tensor) else objective.relax(output)]
    output = network(features, adjacency, offsets=batch.offsets)
    sizes = batch.offsets.diff().tolist()
    if isinstance(output, Tensor):
        return list(torch.split(output, sizes))
    parts = (
        output.centers,
        torch.split(output.assignment, sizes),
        torch.split(output.embedding, sizes),
    )
    return [objective.relax(SoftKMeansOutput(*part)) for part in zip(*parts, strict=True)]
