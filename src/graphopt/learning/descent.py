"""The one training loop: Adam lowers a loss, and what watches may keep the best state or stop."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor, nn

from graphopt._native import _core
from graphopt._threads import get_num_threads
from graphopt.learning.recipes import Recipe
from graphopt.nn import ClusterNet

OnIteration: TypeAlias = Callable[[int, Any, float], "bool | None"]
"""Called before the first step and after every step with (steps made, decision, value).

The decision is the one decoded at the last look, every ``check_every`` steps, and the value is its
training value. Of several graphs, the decision is a list and the value a mean. Training ends if it
returns True.
"""

Report: TypeAlias = Callable[[int, float, float], None]
"""Called after every step with (steps made, loss, best value so far)."""


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


@contextmanager
def progress_bar(total: int, shown: bool) -> Iterator[Report]:
    """Show steps, loss and best value on standard error, if `shown`, while a block runs.

    Yields what to call after every one of `total` steps.
    """
    if not shown:
        yield lambda step, loss, best: None
        return
    columns = (
        TextColumn("training"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("loss {task.fields[loss]:.4f}  best {task.fields[best]:.4f}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=total, loss=0.0, best=0.0)
        yield lambda step, loss, best: bar.update(task, advance=1, loss=loss, best=best)


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


def kmeans_updates(network: nn.Module) -> int:
    """Return how many updates of soft k-means a forward pass makes; 0 where there is none."""
    return int(network.cluster.iterations) if isinstance(network, ClusterNet) else 0


def set_kmeans_updates(network: nn.Module, updates: int) -> None:
    """Set the updates of soft k-means; nothing happens where there is none."""
    if isinstance(network, ClusterNet):
        network.cluster.iterations = updates


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
