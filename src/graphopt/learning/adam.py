"""Adam for the trainer: torch's update without what torch's optimizers bring along."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from graphopt._native import _core
from graphopt._threads import get_num_threads


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
