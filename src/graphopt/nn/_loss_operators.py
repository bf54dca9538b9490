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


def _scaled(name: str) -> Any:
    """Return the gradient of an operator whose second output is its gradient by `name`."""
    return lambda ctx, upstream, _: {name: upstream * ctx.saved_tensors[0]}


def _value_and_gradient(x: Tensor, *_: Any) -> tuple[Tensor, Tensor]:
    return x.new_empty(()), x.new_empty(x.shape)


def _for_customers(opening: Tensor, distances: Tensor, *_: Any) -> Tensor:
    return opening.new_empty(distances.shape[0])


def _for_sites(upstream: Tensor, opening: Tensor, *_: Any) -> Tensor:
    return opening.new_empty(opening.shape)


# --- modularity ---------------------------------------------------------------------------------


@operator(
    "graphopt::modularity",
    fake=_value_and_gradient,
    saves=lambda inputs, output: output[1:],
    gradient=_scaled("assignment"),
    constant=(1,),
    once=True,
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


# --- expected distances in hops -----------------------------------------------------------------


@operator(
    "graphopt::mean_expected_hops",
    fake=_value_and_gradient,
    saves=lambda inputs, output: output[1:],
    gradient=_scaled("opening"),
    constant=(1,),
    once=True,
)
def mean_expected_hops(opening: Tensor, distances: Tensor, steps: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean of the expected distances and its gradient, from one pass."""
    value, gradient = _core.mean_expected_hops(
        _array(distances), _real_array("opening", opening), _array(steps), get_num_threads()
    )
    return torch.tensor(value, dtype=opening.dtype), torch.from_numpy(gradient)


@operator("graphopt::expected_hops_gradient", fake=_for_sites)
def expected_hops_gradient(
    upstream: Tensor, opening: Tensor, distances: Tensor, steps: Tensor
) -> Tensor:
    """Return the gradient of the expected distances weighted by `upstream`."""
    _, gradient = _core.expected_hops_gradient(
        _array(distances), _array(opening), _array(upstream), _array(steps), get_num_threads()
    )
    return torch.from_numpy(gradient)


@operator(
    "graphopt::expected_hops",
    fake=_for_customers,
    saves=lambda inputs, output: inputs,
    gradient=lambda ctx, upstream: {
        "opening": expected_hops_gradient(upstream, *ctx.saved_tensors)
    },
)
def expected_hops(opening: Tensor, distances: Tensor, steps: Tensor) -> Tensor:
    """Return every customer's expected distance."""
    x = _real_array("opening", opening)
    return torch.from_numpy(
        _core.expected_hops(_array(distances), x, _array(steps), get_num_threads())
    )


# --- expected distances as real lengths ---------------------------------------------------------


@operator("graphopt::expected_lengths_gradient", fake=_for_sites)
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


@operator(
    "graphopt::expected_lengths",
    fake=_for_customers,
    saves=lambda inputs, output: inputs[:3],
    gradient=lambda ctx, upstream: {
        "opening": expected_lengths_gradient(upstream, *ctx.saved_tensors, *ctx.plain)
    },
)
def expected_lengths(opening: Tensor, distances: Tensor, order: Tensor, charge: float) -> Tensor:
    """Return expected distances, given every customer's order of the sites."""
    x = _real_array("opening", opening)
    threads = get_num_threads()
    return torch.from_numpy(
        _core.expected_lengths(_array(distances), _array(order), x, charge, threads)
    )
