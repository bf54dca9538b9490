"""Gradient descent on a decision: the loop, its settings and what it returns."""

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

from graphopt._validation import check_integer, check_number
from graphopt.nn import Adjacency, ClusterNet, SparseMatrix
from graphopt.objectives import Objective


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """How to train; the defaults were chosen over all single-graph data sets together.

    Parameters
    ----------
    iterations : int
        Steps of Adam.
    learning_rate, weight_decay : float
        Of Adam.
    kmeans_schedule : tuple of (float, int)
        (share of the training done, updates of soft k-means from then on), ascending. The paper's
        schedule is one update, five in the second half (appendix, 2.1).
    masking : float
        Share of the edges hidden from the encoder at each step, drawn anew; the loss sees all.
    check_every : int
        Steps between looks at the decoded decision, the best of which is kept.
    """

    iterations: int = 1000
    learning_rate: float = 0.01
    weight_decay: float = 0.0
    kmeans_schedule: tuple[tuple[float, int], ...] = ((0.0, 1), (0.5, 5))
    masking: float = 0.4
    check_every: int = 20

    def __post_init__(self) -> None:
        check_integer("iterations", self.iterations, minimum=1)
        check_number("learning_rate", self.learning_rate, minimum=0.0, open_minimum=True)
        check_number("weight_decay", self.weight_decay, minimum=0.0)
        check_number("masking", self.masking, minimum=0.0, maximum=1.0)
        check_integer("check_every", self.check_every, minimum=1)
        starts = [start for start, _ in self.kmeans_schedule]
        if not starts or starts[0] != 0.0 or starts != sorted(starts):
            raise ValueError("kmeans_schedule must start at 0 and ascend")
        for _, updates in self.kmeans_schedule:
            check_integer("kmeans_schedule", updates, minimum=1)

    def kmeans_updates(self, iteration: int) -> int:
        """Return how many soft k-means updates step `iteration` makes."""
        share = iteration / self.iterations
        return [updates for start, updates in self.kmeans_schedule if start <= share][-1]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The network at its best look.

    Attributes
    ----------
    value : float
        Training value of the decoded decision (:meth:`Objective.training_value`).
    iteration : int
        Steps made before.
    decision : array of int
        What the objective decoded.
    state : dict
        Parameters and buffers of the network.
    kmeans_updates : int
        Updates of soft k-means in force.
    """

    value: float
    iteration: int
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
        (steps made, training value) of every look.
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


def train(
    network: ClusterNet,
    features: Tensor | SparseMatrix,
    adjacency: Adjacency,
    objective: Objective,
    problem: Any,
    settings: TrainingSettings,
    random_state: np.random.Generator,
    progress: Progress | None = None,
) -> TrainingRun:
    """Train `network`, already initialised, and keep its best state.

    The training value of the decoded decision decides which state is best; nothing outside
    `problem` is looked at. The network is left in its best state, in evaluation mode.

    Parameters
    ----------
    network : ClusterNet
    features : Tensor or SparseMatrix, shape (n_nodes, n_features)
    adjacency : Adjacency
        Of the graph that the encoder sees.
    objective : Objective
    problem : object
        ``objective.prepare(graph)`` of the graph that the loss sees.
    settings : TrainingSettings
    random_state : numpy.random.Generator
        Draws masks, dropout and roundings.
    progress : callable, optional

    Returns
    -------
    TrainingRun
    """
    start = time.perf_counter()
    generator = torch.Generator().manual_seed(int(random_state.integers(2**63)))
    optimizer = torch.optim.Adam(
        network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
    )

    def look(iteration: int) -> Checkpoint:
        network.eval()
        with torch.no_grad():
            relaxed = objective.relax(network(features, adjacency.whole))
        decision = objective.decode(relaxed, problem, random_state=random_state)
        value = objective.training_value(decision, problem)
        state = copy.deepcopy(network.state_dict())
        return Checkpoint(value, iteration, decision, state, network.cluster.iterations)

    network.cluster.iterations = settings.kmeans_updates(0)
    run = TrainingRun(best=look(0))
    with torch.random.fork_rng(devices=[]):  # dropout draws from the global generator
        torch.manual_seed(int(random_state.integers(2**63)))
        try:
            for done in range(1, settings.iterations + 1):
                network.train()
                network.cluster.iterations = settings.kmeans_updates(done - 1)
                seen = adjacency.whole
                if settings.masking > 0.0:
                    seen = adjacency.masked(1.0 - settings.masking, generator)
                optimizer.zero_grad()
                loss = objective.loss(objective.relax(network(features, seen)), problem)
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                run.losses.append(loss.item())
                if done % settings.check_every == 0 or done == settings.iterations:
                    candidate = look(done)
                    run.checks.append((done, candidate.value))
                    if _better(objective, candidate.value, run.best.value):
                        run.best = candidate
                if progress is not None:
                    progress(done, run.losses[-1], run.best.value)
        except KeyboardInterrupt:
            run.interrupted = True
    network.load_state_dict(run.best.state)
    network.cluster.iterations = run.best.kmeans_updates
    network.eval()
    run.seconds = time.perf_counter() - start
    return run


def _better(objective: Objective, value: float, than: float) -> bool:
    return value > than if objective.greater_is_better else value < than
