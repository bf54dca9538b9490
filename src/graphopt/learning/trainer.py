"""Gradient descent on a decision: the loop and what it returns."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from graphopt.learning.adam import Adam
from graphopt.learning.inputs import EncoderInputs
from graphopt.learning.recipes import Recipe
from graphopt.nn import ClusterNet, DirectGCN, SparseMatrix
from graphopt.nn.losses import Loss


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The network at its best look.

    Attributes
    ----------
    value : float
        Training value of the decoded decision (:meth:`Loss.training_value`), or the mean over
        several graphs.
    step : int
        Steps made before.
    decision : array of int
        What the objective decoded; of several graphs, one after another.
    state : dict
        Parameters and buffers of the network.
    kmeans_updates : int
        Updates of soft k-means in force; 0 for a network without it.
    """

    value: float
    step: int
    decision: NDArray[Any]
    state: dict[str, Tensor]
    kmeans_updates: int


@dataclass(slots=True)
class TrainingRun:
    """What happened in one training from one start.

    Attributes
    ----------
    best : Checkpoint
    losses : list of float
        Loss of every step, on the masked graph.
    checks : list of (int, float)
        (steps made, training value) of every look, the one before the first step included.
    seconds : float
    interrupted : bool
        Whether Ctrl-C ended it early; `best` is the best so far.
    """

    best: Checkpoint
    losses: list[float] = field(default_factory=list)
    checks: list[tuple[int, float]] = field(default_factory=list)
    seconds: float = 0.0
    interrupted: bool = False


Progress = Callable[[int, float, float], None]
"""Called after every step with (steps made, loss, best training value so far)."""


def decide(
    network: ClusterNet | DirectGCN,
    objective: Loss,
    features: SparseMatrix | Tensor,
    adjacency: SparseMatrix,
) -> Tensor:
    """Return the relaxed decision: the network's own, or what the objective makes of clusters."""
    output = network(features, adjacency)
    return output if isinstance(output, Tensor) else objective.relax(output)


def kmeans_updates(network: ClusterNet | DirectGCN) -> int:
    """Return how many updates of soft k-means a forward pass makes; 0 where there is none."""
    return int(network.cluster.iterations) if isinstance(network, ClusterNet) else 0


def set_kmeans_updates(network: ClusterNet | DirectGCN, updates: int) -> None:
    """Set the updates of soft k-means; nothing happens where there is none."""
    if isinstance(network, ClusterNet):
        network.cluster.iterations = updates


def train(
    network: ClusterNet | DirectGCN,
    inputs: EncoderInputs,
    objective: Loss,
    problem: Any,
    recipe: Recipe,
    random_state: np.random.Generator,
    progress: Progress | None = None,
) -> TrainingRun:
    """Train `network`, already initialised, and keep its best state.

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
    random_state : numpy.random.Generator
        Draws masks, dropout and roundings.
    progress : callable, optional

    Returns
    -------
    TrainingRun
        Ctrl-C ends the training early and is not raised again: see ``interrupted``.
    """

    def loss() -> Tensor:
        features, adjacency = inputs.perturbed(recipe.feature_dropout, recipe.masking)
        return objective.loss(decide(network, objective, features, adjacency), problem)

    def judge() -> tuple[float, NDArray[Any]]:
        relaxed = decide(network, objective, inputs.features, inputs.adjacency.whole)
        decision = objective.decode(relaxed, problem, random_state=random_state)
        return objective.training_value(decision, problem), decision

    return descend(network, loss, judge, objective.better, recipe, random_state, progress)


def descend(
    network: ClusterNet | DirectGCN,
    loss: Callable[[], Tensor],
    judge: Callable[[], tuple[float, NDArray[Any]]],
    better: Callable[[float, float], bool],
    recipe: Recipe,
    random_state: np.random.Generator,
    progress: Progress | None = None,
) -> TrainingRun:
    """Lower a loss and keep the state of the network that is judged best; see :func:`train`.

    Parameters
    ----------
    network : ClusterNet or DirectGCN
    loss : callable
        Returns the loss of a step.
    judge : callable
        Returns the present decision's value and the decision.
    better : callable
        Whether one value is strictly better than another.
    recipe : Recipe
    random_state : numpy.random.Generator
    progress : callable, optional

    Returns
    -------
    TrainingRun
    """
    start = time.perf_counter()
    optimizer = Adam(network.parameters(), recipe.learning_rate, recipe.weight_decay)

    def look(step: int, best: Checkpoint | None) -> tuple[float, Checkpoint]:
        """Decide, and return the decision's value and the better of it and `best`."""
        network.eval()
        with torch.no_grad():
            value, decision = judge()
        network.train()
        if best is not None and not better(value, best.value):
            return value, best
        state = copy.deepcopy(network.state_dict())
        return value, Checkpoint(value, step, decision, state, kmeans_updates(network))

    set_kmeans_updates(network, recipe.kmeans_updates(0))
    value, best = look(0, None)
    run = TrainingRun(best, checks=[(0, value)])
    with torch.random.fork_rng(devices=[]):  # dropout draws from the global generator
        torch.manual_seed(int(random_state.integers(2**63)))
        try:
            for done in range(1, recipe.iterations + 1):
                set_kmeans_updates(network, recipe.kmeans_updates(done - 1))
                optimizer.zero_grad()
                present = loss()
                present.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                run.losses.append(present.item())
                if done % recipe.check_every == 0 or done == recipe.iterations:
                    value, run.best = look(done, run.best)
                    run.checks.append((done, value))
                if progress is not None:
                    progress(done, run.losses[-1], run.best.value)
        except KeyboardInterrupt:
            run.interrupted = True
    network.load_state_dict(run.best.state)
    set_kmeans_updates(network, run.best.kmeans_updates)
    network.eval()
    run.seconds = time.perf_counter() - start
    return run
