"""Scores of pairs of nodes as an operator: its gradient is one sparse product."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from graphopt import _core
from graphopt._operators import operator


@operator("graphopt::pair_scores")
def pair_scores(embedding: Tensor, relation: Tensor, pairs: Tensor, num_threads: int) -> Tensor:
    """Return ``sum_d e_id r_d e_jd`` for every pair (i, j)."""
    heads = torch.index_select(embedding.detach(), 0, pairs[:, 0])
    tails = torch.index_select(embedding.detach(), 0, pairs[:, 1])
    return heads.mul_(tails).mul_(relation.detach()).sum(dim=1)


@pair_scores.register_fake
def _(embedding: Tensor, relation: Tensor, pairs: Tensor, num_threads: int) -> Tensor:
    return embedding.new_empty(pairs.shape[0])


@operator("graphopt::pair_scores_backward")
def pair_scores_backward(
    embedding: Tensor, relation: Tensor, pairs: Tensor, upstream: Tensor, num_threads: int
) -> tuple[Tensor, Tensor]:
    """Return the gradients for the embedding and for the relation.

    With M the symmetric matrix that holds the upstream gradient of each pair, and H = M E, they
    are ``H * r`` and half the column sums of ``E * H``. The entries of M are summed in the order of
    the pairs, so the bits do not depend on threads, which torch's own scatter would make slow.
    """
    n_nodes = len(embedding)
    rows, order = torch.sort(torch.cat([pairs[:, 0], pairs[:, 1]]), stable=True)
    columns = torch.cat([pairs[:, 1], pairs[:, 0]])[order]
    values = torch.cat([upstream, upstream])[order]
    indptr = torch.searchsorted(rows, torch.arange(n_nodes + 1))
    around = torch.from_numpy(
        _core.spmm(
            indptr.numpy(),
            columns.to(torch.int32).numpy(),
            values.detach().numpy(),
            n_nodes,
            embedding.detach().contiguous().numpy(),
            num_threads,
        )
    )
    return around * relation.detach(), 0.5 * (embedding.detach() * around).sum(dim=0)


@pair_scores_backward.register_fake
def _(
    embedding: Tensor, relation: Tensor, pairs: Tensor, upstream: Tensor, num_threads: int
) -> tuple[Tensor, Tensor]:
    return torch.empty_like(embedding), torch.empty_like(relation)


def _keep(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    ctx.save_for_backward(*inputs[:3])
    ctx.num_threads = inputs[3]


def _backward(ctx: Any, upstream: Tensor) -> tuple[Any, ...]:
    gradients = pair_scores_backward(*ctx.saved_tensors, upstream.contiguous(), ctx.num_threads)
    return *gradients, None, None


pair_scores.register_autograd(_backward, setup_context=_keep)
