"""Training: the one loop that lowers a loss, what watches it, and what it leaves behind."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, TypeAlias

import numpy as np
import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor, nn

from graphopt._native import _core
from graphopt._threads import get_num_threads
from graphopt.learning.inputs import Batch, EncoderInputs
from graphopt.learning.recipes import COMMUNITIES, Recipe
from graphopt.nn import ClusterNet, DirectGCN, SoftKMeansOutput
from graphopt.objectives import Objective

DecidingNetwork: TypeAlias = ClusterNet | DirectGCN

OnIteration: TypeAlias = Callable[[int, Any, float], "bool | None"]
"""Called before the first step and after every step with (steps made, decision, value).

The decision is the one decoded at the last look, every ``check_every`` steps, and the value is its
training value. Of several graphs, the decision is a list and the value a mean. Training ends if it
returns True.
"""

Report: TypeAlias = Callable[[int, float, float], None]
"""Called after every step with (steps made, loss, best value so far)."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The network at its best look.

    Attributes
    ----------
    value : float
        Training value of the decoded decision (:meth:`Objective.training_value`), or the mean over
        several graphs.
    step : int
        Steps made before.
    decision : array of int
        What the objective decoded; of several graphs, a list of arrays.
    state : dict
        Parameters and buffers of the network.
    kmeans_updates : int
        Updates of soft k-means in force; 0 for a network without it.
    """

    value: float
    step: int
    decision: Any
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


# --- the loop -------------------------------------------------------------------------------------


def descend(
    network: nn.Module,
    loss: Callable[[int], Tensor],
    recipe: Recipe,
    *,
    keeper: Keeper | None = None,
    after: Callable[[int, float], bool | None] | None = None,
) -> tuple[list[float], bool]:
    """Lower a loss by Adam.

    Parameters
    ----------
    network : Module
        Left in training mode.
    loss : callable
        Takes the number of steps made and returns the loss of the next.
    recipe : Recipe
        ``iterations``, ``learning_rate``, ``weight_decay`` and ``check_every`` count.
    keeper : Keeper, optional
        Looks at the network after every ``check_every`` steps and after the last.
    after : callable
        Called after every step with (steps made, loss); training ends if it returns True.

    Returns
    -------
    losses : list of float
    interrupted : bool
        Whether `after` or Ctrl-C ended it; neither is raised again.
    """
    optimizer = Adam(network.parameters(), recipe.learning_rate, recipe.weight_decay)
    losses: list[float] = []
    network.train()
    try:
        for done in range(1, recipe.iterations + 1):
            optimizer.zero_grad()
            present = loss(done - 1)
            present.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            losses.append(present.item())
            if keeper is not None and (done % recipe.check_every == 0 or done == recipe.iterations):
                keeper.look(done)
            if after is not None and after(done, losses[-1]):
                return losses, True
    except KeyboardInterrupt:
        return losses, True
    return losses, False


@contextmanager
def seeded(random_state: np.random.Generator) -> Iterator[None]:
    """Let PyTorch's global generator, from which dropout draws, follow `random_state`."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(random_state.integers(2**63)))
        yield


class Keeper:
    """Looks at what a network decides and keeps its best state.

    Parameters
    ----------
    network : Module
    judge : callable
        Returns the present decision's value and the decision. Called in evaluation mode and
        without gradients.
    better : callable
        Whether one value is strictly better than another.

    Attributes
    ----------
    best : Checkpoint
        After a look.
    checks : list of (int, float)
        (steps made, value) of every look.
    decision, value
        Of the last look.
    """

    best: Checkpoint
    decision: Any
    value: float

    def __init__(
        self,
        network: nn.Module,
        judge: Callable[[], tuple[float, Any]],
        better: Callable[[float, float], bool],
    ) -> None:
        self._network, self._judge, self._better = network, judge, better
        self.checks: list[tuple[int, float]] = []

    def look(self, step: int) -> None:
        """Judge the network after `step` steps; it is in training mode afterwards."""
        self._network.eval()
        with torch.no_grad():
            self.value, self.decision = self._judge()
        self._network.train()
        self.checks.append((step, self.value))
        if len(self.checks) == 1 or self._better(self.value, self.best.value):
            state = copy.deepcopy(self._network.state_dict())
            updates = kmeans_updates(self._network)
            self.best = Checkpoint(self.value, step, self.decision, state, updates)

    def restore(self) -> None:
        """Put the network back into its best state, in evaluation mode."""
        self._network.load_state_dict(self.best.state)
        set_kmeans_updates(self._network, self.best.kmeans_updates)
        self._network.eval()


# --- training for a decision ----------------------------------------------------------------------


def train(
    network: DecidingNetwork,
    inputs: EncoderInputs,
    objective: Objective,
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
    objective : Objective
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


def train_on(
    network: DecidingNetwork,
    batch: Batch,
    objective: Objective,
    recipe: Recipe,
    random_state: np.random.Generator,
    *,
    judged_on: Batch | None = None,
    on_iteration: OnIteration | None = None,
    report: Report | None = None,
) -> TrainingRun:
    """Train one network on all graphs of a batch, and keep its best state; see :func:`train`.

    Every step lowers the mean loss over all graphs. The best state is the one whose decoded
    decisions have the best mean training value on `judged_on`.

    Parameters
    ----------
    network : ClusterNet or DirectGCN
    batch : Batch
    objective : Objective
    recipe : Recipe
        Complete.
    random_state : numpy.random.Generator
    judged_on : Batch, optional
        Default: `batch`.
    on_iteration, report : callable, optional

    Returns
    -------
    TrainingRun
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
    objective: Objective,
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


def kmeans_updates(network: nn.Module) -> int:
    """Return how many updates of soft k-means a forward pass makes; 0 where there is none."""
    return int(network.cluster.iterations) if isinstance(network, ClusterNet) else 0


def set_kmeans_updates(network: nn.Module, updates: int) -> None:
    """Set the updates of soft k-means; nothing happens where there is none."""
    if isinstance(network, ClusterNet):
        network.cluster.iterations = updates


# --- progress -------------------------------------------------------------------------------------


class ProgressBar:
    """Shows steps, loss and best value on standard error; a context manager.

    Parameters
    ----------
    total : int
        Steps over all restarts.
    shown : bool
        False: does nothing.
    """

    def __init__(self, total: int, shown: bool) -> None:
        self._total, self._shown = total, shown
        self._done_before = 0

    def __enter__(self) -> ProgressBar:
        if self._shown:
            self._bar = Progress(
                TextColumn("training"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeRemainingColumn(),
                TextColumn("loss {task.fields[loss]:.4f}  best {task.fields[best]:.4f}"),
                console=Console(stderr=True),
                transient=True,
            )
            self._task = self._bar.add_task("", total=self._total, loss=0.0, best=0.0)
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._shown:
            self._bar.stop()

    def __call__(self, done: int, loss: float, best: float) -> None:
        """Report `done` steps of the present restart."""
        if self._shown:
            completed = self._done_before + done
            self._bar.update(self._task, completed=completed, loss=loss, best=best)

    def next_restart(self, steps: int) -> None:
        """Count the `steps` of a finished restart."""
        self._done_before += steps


# --- Adam -----------------------------------------------------------------------------------------


class Adam:
    """Kingma and Ba's Adam on float32 or float64 parameters on the CPU.

    The same update as :class:`torch.optim.Adam`, whose first construction in a process takes about
    a second (it loads torch's compiler) and whose step, even fused, costs several times the
    arithmetic of a small network.

    Parameters
    ----------
    parameters : iterable of Tensor
        Contiguous.
    learning_rate, weight_decay : float
        The decay is added to the gradient, as in the original paper.
    """

    def __init__(
        self, parameters: Iterable[Tensor], learning_rate: float, weight_decay: float = 0.0
    ) -> None:
        self._learning_rate, self._weight_decay = learning_rate, weight_decay
        self._steps = 0
        self._parameters = list(parameters)
        # Views on the parameters' memory, and the running means.
        self._arrays = [
            (value.detach().numpy(), *(torch.zeros_like(value.detach()).numpy() for _ in range(2)))
            for value in self._parameters
        ]

    def zero_grad(self) -> None:
        """Forget all gradients."""
        for parameter in self._parameters:
            parameter.grad = None

    def step(self) -> None:
        """Update every parameter that has a gradient."""
        self._steps += 1
        num_threads = get_num_threads()
        for parameter, (value, first, second) in zip(self._parameters, self._arrays, strict=True):
            if parameter.grad is None:
                continue
            _core.adam_step(
                value,
                parameter.grad.contiguous().numpy(),
                first,
                second,
                self._learning_rate,
                self._weight_decay,
                0.9,
                0.999,
                1e-8,
                self._steps,
                num_threads,
            )
            torch.autograd.graph.increment_version(parameter)
