"""The layers of a GCN as a torch operator: one call forward, one back."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from graphopt._native import _core
from graphopt._operators import operator
from graphopt.nn.sparse import spmm


def _array(tensor: Tensor) -> Any:
    return tensor.detach().contiguous().numpy()


@operator("graphopt::gcn_layers")
def gcn_layers(
    indptr: Tensor,
    indices: Tensor,
    values: Tensor,
    indptr_t: Tensor,
    indices_t: Tensor,
    values_t: Tensor,
    projected: Tensor,
    hidden_bias: Tensor,
    out_weight: Tensor,
    out_bias: Tensor,
    seed: Tensor,
    dropout: float,
    num_threads: int,
) -> tuple[Tensor, Tensor]:
    """Return ``A hidden W2 + b2`` and ``hidden = dropout(relu(A projected + b1))``."""
    out, hidden = _core.gcn_layers(
        indptr.numpy(),
        indices.numpy(),
        values.detach().numpy(),
        len(indptr_t) - 1,
        _array(projected),
        _array(hidden_bias),
        _array(out_weight),
        _array(out_bias),
        dropout,
        int(seed),
        num_threads,
    )
    return torch.from_numpy(out), torch.from_numpy(hidden)


@gcn_layers.register_fake
def _(
    indptr: Tensor,
    indices: Tensor,
    values: Tensor,
    indptr_t: Tensor,
    indices_t: Tensor,
    values_t: Tensor,
    projected: Tensor,
    hidden_bias: Tensor,
    out_weight: Tensor,
    out_bias: Tensor,
    seed: Tensor,
    dropout: float,
    num_threads: int,
) -> tuple[Tensor, Tensor]:
    n_nodes = indptr.shape[0] - 1
    return (
        projected.new_empty((n_nodes, out_bias.shape[0])),
        projected.new_empty((n_nodes, hidden_bias.shape[0])),
    )


@operator("graphopt::gcn_layers_backward")
def gcn_layers_backward(
    indptr_t: Tensor,
    indices_t: Tensor,
    values_t: Tensor,
    hidden: Tensor,
    out_weight: Tensor,
    upstream: Tensor,
    dropout: float,
    num_threads: int,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the gradients by ``projected``, ``b1``, ``W2`` and ``b2``."""
    gradients = _core.gcn_layers_gradient(
        indptr_t.numpy(),
        indices_t.numpy(),
        values_t.detach().numpy(),
        len(hidden),
        _array(hidden),
        _array(out_weight),
        dropout,
        _array(upstream),
        num_threads,
    )
    return tuple(torch.from_numpy(g) for g in gradients)  # type: ignore[return-value]


@gcn_layers_backward.register_fake
def _(
    indptr_t: Tensor,
    indices_t: Tensor,
    values_t: Tensor,
    hidden: Tensor,
    out_weight: Tensor,
    upstream: Tensor,
    dropout: float,
    num_threads: int,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    width, out_width = out_weight.shape
    return (
        hidden.new_empty(hidden.shape),
        hidden.new_empty(width),
        hidden.new_empty((width, out_width)),
        hidden.new_empty(out_width),
    )


def _keep(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    ctx.save_for_backward(*inputs[:6], output[1], inputs[8])
    ctx.dropout, ctx.num_threads = inputs[11:]
    ctx.set_materialize_grads(False)  # hardly anybody differentiates `hidden`


def _backward(ctx: Any, upstream: Tensor | None, on_hidden: Tensor | None) -> tuple[Any, ...]:
    *matrix, hidden, out_weight = ctx.saved_tensors
    if upstream is None:
        upstream = hidden.new_zeros((len(hidden), out_weight.shape[1]))
    if torch.is_grad_enabled() or on_hidden is not None:
        gradients = _differentiable(ctx, matrix, hidden, out_weight, upstream, on_hidden)
    else:
        gradients = gcn_layers_backward(
            *matrix[3:], hidden, out_weight, upstream, ctx.dropout, ctx.num_threads
        )
    return *(None for _ in matrix), *gradients, None, None, None


def _differentiable(
    ctx: Any,
    matrix: list[Tensor],
    hidden: Tensor,
    out_weight: Tensor,
    upstream: Tensor,
    on_hidden: Tensor | None,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the same gradients by operations that have gradients themselves."""
    transposed = (*matrix[3:], *matrix[:3])
    by_weighted = spmm(*transposed, upstream, ctx.num_threads)
    by_hidden = by_weighted @ out_weight.T
    if on_hidden is not None:
        by_hidden = by_hidden + on_hidden
    by_sum = torch.where(hidden == 0.0, 0.0, by_hidden / (1.0 - ctx.dropout))
    by_projected = spmm(*transposed, by_sum, ctx.num_threads)
    return by_projected, by_sum.sum(dim=0), hidden.T @ by_weighted, upstream.sum(dim=0)


gcn_layers.register_autograd(_backward, setup_context=_keep)
