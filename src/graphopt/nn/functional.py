"""Functions of tensors that networks are made of."""

from __future__ import annotations

import torch
from torch import Tensor

from graphopt._threads import resolve_num_threads
from graphopt._validation import check_number
from graphopt.nn import operators


def dropout(values: Tensor, share: float, training: bool = True) -> Tensor:
    """Set each value to 0 with probability `share` and divide the rest by ``1 - share``.

    Like :func:`torch.nn.functional.dropout`, but several times faster on the CPU: the mask is a
    hash of the position and of a seed drawn from PyTorch's global generator, so the backward pass
    draws it again instead of reading it.

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
    if type(share) is not float:  # what kernels check, and torch.compile traces
        share = check_number("share", share, minimum=0.0, maximum=1.0)
    seed = torch.randint(2**62, ())
    result: Tensor = operators.dropout(values, seed, share, resolve_num_threads(None))
    return result


def check_dropped_share(name: str, share: float) -> float:
    """Return `share` as a float in [0, 1), or raise an error that names it `name`."""
    number = check_number(name, share, minimum=0.0)
    if number >= 1.0:
        raise ValueError(f"{name} must be less than 1, not {number:g}")
    return number


def standardised(outputs: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return `outputs` with mean 0 and spread 1 in each column; fit the layer accordingly.

    Parameters
    ----------
    outputs : Tensor, shape (n, width)
        What the layer puts out for some data without its bias.
    weight, bias : Tensor, shapes (n_inputs, width) and (width,)
        Of the layer; changed in place. The bias is overwritten.

    Returns
    -------
    Tensor, shape of `outputs`
        A column that is constant is only shifted.
    """
    if len(outputs) == 0:
        return outputs  # no data to fit to
    spread, mean = torch.std_mean(outputs, dim=0, correction=0)
    scale = torch.where(spread > 1e-6, 1.0 / spread.clamp_min(1e-6), torch.ones_like(spread))
    weight.mul_(scale)
    bias.copy_(-mean * scale)
    return outputs * scale + bias


def group_means(rows: Tensor, labels: Tensor, n_groups: int) -> tuple[Tensor, Tensor]:
    """Return the mean row of every group, zeros for one without rows, and the groups' sizes.

    Parameters
    ----------
    rows : Tensor, shape (n, width)
    labels : Tensor of int64, shape (n,)
        Groups, ``0 .. n_groups - 1``.
    n_groups : int

    Returns
    -------
    means : Tensor, shape (n_groups, width)
        Differentiable in `rows`.
    sizes : Tensor of int64, shape (n_groups,)
    """
    sizes = torch.bincount(labels, minlength=n_groups)
    sums = rows.new_zeros((n_groups, rows.shape[1])).index_add(0, labels, rows)
    return sums / sizes.clamp_min(1)[:, None], sizes
