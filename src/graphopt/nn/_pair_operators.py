"""Scores of pairs of nodes as an operator: its gradient is one sparse product."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from graphopt._loading import load_whole
from graphopt._native import _core
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
    ends = pairs.T.reshape(-1).numpy()
    indptr, order = _grouped(ends, len(embedding))
    others = pairs.T.flip(0).reshape(-1).numpy()
    values = torch.cat([upstream, upstream]).detach().numpy()
    around = torch.from_numpy(
        _core.spmm(
            indptr,
            others[order].astype(np.int32),
            values[order],
            len(embedding),
            embedding.detach().contiguous().numpy(),
            num_threads,
        )
    )
    return around * relation.detach(), 0.5 * (embedding.detach() * around).sum(dim=0)


def _grouped(
    numbers: NDArray[np.int64], n_groups: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return where the places of each number begin and end, and the places, number by number.

    Within a number they keep their order: a counting sort, which SciPy does as a transposition.
    """
    if numbers.size and not 0 <= numbers.min() <= numbers.max() < n_groups:
        raise IndexError(f"pairs must hold node numbers in 0..{n_groups - 1}")
    load_whole("scipy.sparse")
    from scipy.sparse import csr_array

    places = np.arange(len(numbers) + 1)
    rows = csr_array((places[:-1], numbers, places), shape=(len(numbers), n_groups))
    columns = rows.tocsc()
    return columns.indptr.astype(np.int64, copy=False), columns.data


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
