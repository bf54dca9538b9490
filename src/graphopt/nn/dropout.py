"""Dropout as an operator that keeps no mask."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from graphopt._native import _core
from graphopt._operators import operator
from graphopt._threads import resolve_num_threads
from graphopt._validation import check_number


def dropout(values: Tensor, share: float, training: bool = True) -> Tensor:
    """Set each value to 0 with probability `share` and divide the rest by ``1 - share``.

    As :func:`torch.nn.functional.dropout`, several times faster on the CPU: the mask is a hash of
    the position and of a seed drawn from PyTorch's global generator, so the backward pass draws it
    again instead of reading it.

    Parameters
    ----------
    values : Tensor of float32 or float64, on the CPU
    share : float
        In [0, 1).
    training : bool
        False: return `values` as they are.

    Returns
    -------
    Tensor, shape of `values`
    """
    share = check_dropped_share("share", share)
    if values.dtype not in (torch.float32, torch.float64):
        raise TypeError(f"values must be float32 or float64, not {values.dtype}")
    if not training or share == 0.0:
        return values
    if type(share) is not float:  # a float is what kernels check, and torch.compile follows
        share = check_number("share", share, minimum=0.0, maximum=1.0)
    seed = torch.randint(2**62, ())
    result: Tensor = _dropout(values, seed, share, resolve_num_threads(None))
    return result


def check_dropped_share(name: str, share: float) -> float:
    """Return `share` as a float in [0, 1), or raise naming `name`."""
    number = check_number(name, share, minimum=0.0)
    if number >= 1.0:
        raise ValueError(f"{name} must be less than 1, not {number:g}")
    return number


@operator("graphopt::dropout")
def _dropout(values: Tensor, seed: Tensor, share: float, num_threads: int) -> Tensor:
    array = values.detach().contiguous().numpy()
    return torch.from_numpy(_core.dropout(array, share, int(seed), num_threads))


@_dropout.register_fake
def _(values: Tensor, seed: Tensor, share: float, num_threads: int) -> Tensor:
    return values.new_empty(values.shape)


def _keep_seed(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    ctx.save_for_backward(inputs[1])
    ctx.share, ctx.num_threads = inputs[2:]


def _backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
    # The same entries, scaled alike: dropout is linear in its values.
    return _dropout(gradient, ctx.saved_tensors[0], ctx.share, ctx.num_threads), None, None, None


_dropout.register_autograd(_backward, setup_context=_keep_seed)
