"""Products of dense matrices as torch operators.

torch leaves them to a BLAS library, which splits them by the number of threads and rounds
accordingly. Here the same bits come out at any number of threads.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from graphopt._native import _core
from graphopt._operators import operator
from graphopt._threads import resolve_num_threads
from graphopt.nn.sparse import SparseMatrix

_REAL = (torch.float32, torch.float64)


def product(left: Tensor | SparseMatrix, right: Tensor) -> Tensor:
    """Return ``left @ right``, where `right` has few columns; differentiable.

    Parameters
    ----------
    left : Tensor or SparseMatrix, shape (n_rows, n_steps)
    right : Tensor, shape (n_steps, width)

    Returns
    -------
    Tensor, shape (n_rows, width)
    """
    if isinstance(left, SparseMatrix) or not _fit(left, right):
        return left @ right
    result: Tensor = tall_product(left, right, resolve_num_threads(None))
    return result


def _fit(left: Tensor, right: Tensor) -> bool:
    """Return whether the kernel takes these; torch does or refuses the rest."""
    return (
        left.dtype in _REAL
        and left.dtype == right.dtype
        and left.is_cpu
        and right.is_cpu
        and left.ndim == right.ndim == 2
        and left.shape[1] == right.shape[0]
    )


def _array(tensor: Tensor) -> Any:
    return tensor.detach().contiguous().numpy()


@operator("graphopt::tall_product")
def tall_product(tall: Tensor, other: Tensor, num_threads: int) -> Tensor:
    """Return ``tall @ other``."""
    return torch.from_numpy(_core.tall_product(_array(tall), _array(other), num_threads))


@tall_product.register_fake
def _(tall: Tensor, other: Tensor, num_threads: int) -> Tensor:
    return tall.new_empty((tall.shape[0], other.shape[1]))


@operator("graphopt::transposed_tall_product")
def transposed_tall_product(tall: Tensor, other: Tensor, num_threads: int) -> Tensor:
    """Return ``tall.T @ other``."""
    return torch.from_numpy(_core.transposed_tall_product(_array(tall), _array(other), num_threads))


@transposed_tall_product.register_fake
def _(tall: Tensor, other: Tensor, num_threads: int) -> Tensor:
    return tall.new_empty((tall.shape[1], other.shape[1]))


def _keep(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    ctx.save_for_backward(*inputs[:2])
    ctx.num_threads = inputs[2]


def _backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
    tall, other = ctx.saved_tensors
    by_tall, by_other = ctx.needs_input_grad[:2]
    return (
        tall_product(upstream, other.T, ctx.num_threads) if by_tall else None,
        transposed_tall_product(tall, upstream, ctx.num_threads) if by_other else None,
        None,
    )


def _transposed_backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
    tall, other = ctx.saved_tensors
    by_tall, by_other = ctx.needs_input_grad[:2]
    return (
        tall_product(other, upstream.T, ctx.num_threads) if by_tall else None,
        tall_product(tall, upstream, ctx.num_threads) if by_other else None,
        None,
    )


tall_product.register_autograd(_backward, setup_context=_keep)
transposed_tall_product.register_autograd(_transposed_backward, setup_context=_keep)
