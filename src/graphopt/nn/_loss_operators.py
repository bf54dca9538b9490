"""The kernels as PyTorch operators: CPU, float32 and float64, without copies.

Each takes what its gradient needs through its outputs, so that nothing is hidden from
``torch.compile``; the gradients are operators too, and not differentiable again.
"""

from __future__ import annotations

from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from graphopt._native import _core
from graphopt._operators import operator
from graphopt._threads import get_num_threads


def shared_tensor(array: NDArray[Any]) -> Tensor:
    """Return a tensor on the memory of `array`, a copy where it is read-only or runs backwards.

    PyTorch has neither; an axis of length 1 may have a negative stride and be contiguous.
    """
    shared = array.flags.writeable and min(array.strides, default=0) >= 0
    return torch.from_numpy(array if shared else array.copy())


def _array(tensor: Tensor) -> NDArray[Any]:
    array: NDArray[Any] = tensor.detach().contiguous().numpy()
    return array


def _real_array(name: str, tensor: Tensor) -> NDArray[Any]:
    if tensor.dtype not in (torch.float32, torch.float64):
        raise TypeError(f"{name} must be float32 or float64, not {tensor.dtype}")
    return _array(tensor)


# --- modularity ---------------------------------------------------------------------------------


@operator(
    "graphopt::modularity",
    schema="(Tensor assignment, Tensor indptr, Tensor indices, Tensor? weights, float resolution)"
    " -> (Tensor, Tensor)",
)
def modularity(
    assignment: Tensor, indptr: Tensor, indices: Tensor, weights: Tensor | None, resolution: float
) -> tuple[Tensor, Tensor]:
    """Return the modularity of a soft assignment and its gradient, from one pass."""
    value, gradient = _core.modularity_gradient(
        _array(indptr),
        _array(indices),
        None if weights is None else _array(weights),
        _real_array("assignment", assignment),
        resolution,
        get_num_threads(),
    )
    return torch.tensor(value, dtype=assignment.dtype), torch.from_numpy(gradient)


@modularity.register_fake
def _(
    assignment: Tensor, indptr: Tensor, indices: Tensor, weights: Tensor | None, resolution: float
) -> tuple[Tensor, Tensor]:
    return assignment.new_empty(()), assignment.new_empty(assignment.shape)


def _keep_gradient(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    ctx.n_others = len(inputs) - 1
    ctx.mark_non_differentiable(output[1])
    ctx.save_for_backward(output[1])


@torch.autograd.function.once_differentiable
def _scale_gradient(ctx: Any, upstream: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:
    (gradient,) = ctx.saved_tensors
    return upstream * gradient, *(None,) * ctx.n_others


modularity.register_autograd(_scale_gradient, setup_context=_keep_gradient)


# --- expected distances in hops -----------------------------------------------------------------


@operator(
    "graphopt::mean_expected_hops",
    schema="(Tensor opening, Tensor distances, Tensor steps) -> (Tensor, Tensor)",
)
def mean_expected_hops(opening: Tensor, distances: Tensor, steps: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean of the expected distances and its gradient, from one pass."""
    value, gradient = _core.mean_expected_hops(
        _array(distances), _real_array("opening", opening), _array(steps), get_num_threads()
    )
    return torch.tensor(value, dtype=opening.dtype), torch.from_numpy(gradient)


@mean_expected_hops.register_fake
def _(opening: Tensor, distances: Tensor, steps: Tensor) -> tuple[Tensor, Tensor]:
    return opening.new_empty(()), opening.new_empty(opening.shape)


mean_expected_hops.register_autograd(_scale_gradient, setup_context=_keep_gradient)


@operator(
    "graphopt::expected_hops",
    schema="(Tensor opening, Tensor distances, Tensor steps) -> Tensor",
)
def expected_hops(opening: Tensor, distances: Tensor, steps: Tensor) -> Tensor:
    """Return every customer's expected distance."""
    x = _real_array("opening", opening)
    return torch.from_numpy(
        _core.expected_hops(_array(distances), x, _array(steps), get_num_threads())
    )


@expected_hops.register_fake
def _(opening: Tensor, distances: Tensor, steps: Tensor) -> Tensor:
    return opening.new_empty(distances.shape[0])


@operator(
    "graphopt::expected_hops_gradient",
    schema="(Tensor upstream, Tensor opening, Tensor distances, Tensor steps) -> Tensor",
)
def expected_hops_gradient(
    upstream: Tensor, opening: Tensor, distances: Tensor, steps: Tensor
) -> Tensor:
    """Return the gradient of the expected distances weighted by `upstream`."""
    _, gradient = _core.expected_hops_gradient(
        _array(distances), _array(opening), _array(upstream), _array(steps), get_num_threads()
    )
    return torch.from_numpy(gradient)


@expected_hops_gradient.register_fake
def _(upstream: Tensor, opening: Tensor, distances: Tensor, steps: Tensor) -> Tensor:
    return opening.new_empty(opening.shape)


def _keep_hops(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    ctx.save_for_backward(*inputs)


def _hops_backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
    return expected_hops_gradient(upstream, *ctx.saved_tensors), None, None


expected_hops.register_autograd(_hops_backward, setup_context=_keep_hops)


# --- expected distances as real lengths ---------------------------------------------------------


@operator(
    "graphopt::expected_lengths",
    schema="(Tensor opening, Tensor distances, Tensor order, float charge) -> Tensor",
)
def expected_lengths(opening: Tensor, distances: Tensor, order: Tensor, charge: float) -> Tensor:
    """Return expected distances, given every customer's order of the sites."""
    x = _real_array("opening", opening)
    threads = get_num_threads()
    return torch.from_numpy(
        _core.expected_lengths(_array(distances), _array(order), x, charge, threads)
    )


@expected_lengths.register_fake
def _(opening: Tensor, distances: Tensor, order: Tensor, charge: float) -> Tensor:
    return opening.new_empty(distances.shape[0])


@operator(
    "graphopt::expected_lengths_gradient",
    schema="(Tensor upstream, Tensor opening, Tensor distances, Tensor order, float charge)"
    " -> Tensor",
)
def expected_lengths_gradient(
    upstream: Tensor, opening: Tensor, distances: Tensor, order: Tensor, charge: float
) -> Tensor:
    """Return the gradient of the expected distances weighted by `upstream`."""
    gradient = _core.expected_lengths_gradient(
        _array(distances),
        _array(order),
        _array(opening),
        _array(upstream),
        charge,
        get_num_threads(),
    )
    return torch.from_numpy(gradient)


@expected_lengths_gradient.register_fake
def _(upstream: Tensor, opening: Tensor, distances: Tensor, order: Tensor, charge: float) -> Tensor:
    return opening.new_empty(opening.shape)


def _keep_lengths(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    opening, distances, order, ctx.charge = inputs
    ctx.save_for_backward(opening, distances, order)


def _lengths_backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
    gradient = expected_lengths_gradient(upstream, *ctx.saved_tensors, ctx.charge)
    return gradient, None, None, None


expected_lengths.register_autograd(_lengths_backward, setup_context=_keep_lengths)


__all__ = [
    "expected_hops",
    "expected_hops_gradient",
    "expected_lengths",
    "expected_lengths_gradient",
    "mean_expected_hops",
    "modularity",
    "shared_tensor",
]
