"""Soft k-means as torch operators: one call forward, one back, sharing memory with the kernels."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import torch
from torch import Tensor

import graphopt._soft_kmeans as engine
import graphopt.clustering as clustering
from graphopt._native import _core
from graphopt._operators import operator
from graphopt._soft_kmeans import GradientReport, GradientSettings, Problem, Trajectory
from graphopt._threads import resolve_num_threads

# The backward pass leaves its report in the slot of the module that asked, as an operator can
# return tensors only.
reports: dict[int, GradientReport] = {}
_slots = itertools.count()


def new_slot() -> int:
    """Return a number for `reports` that no other module has."""
    return next(_slots)


def _array(tensor: Tensor) -> Any:
    return tensor.detach().contiguous().numpy()


def _threads(num_threads: int) -> int:
    """Return the threads to use; 0 stands for the default, which may change between runs."""
    return resolve_num_threads(num_threads or None)


def _problem(x: Tensor, offsets: Tensor, temperature: float, num_threads: int) -> Problem:
    return Problem(_array(x), _array(offsets), temperature, _threads(num_threads))


def _no_second_derivative(ctx: Any, *grads: Tensor) -> Any:
    raise RuntimeError(
        "soft k-means can be differentiated once; its gradient has no derivative of its own"
    )


# --- rows of unit length --------------------------------------------------------------------------


@operator("graphopt::unit_rows")
def unit_rows(x: Tensor, num_threads: int) -> tuple[Tensor, Tensor]:
    """Return rows scaled to unit length (zero rows stay zero) and their lengths."""
    unit, lengths = _core.unit_rows(_array(x), _threads(num_threads))
    return torch.from_numpy(unit), torch.from_numpy(lengths)


@unit_rows.register_fake
def _(x: Tensor, num_threads: int) -> tuple[Tensor, Tensor]:
    return x.new_empty(x.shape), x.new_empty(x.shape[:1])


@operator("graphopt::unit_rows_backward")
def unit_rows_backward(unit: Tensor, lengths: Tensor, grad: Tensor, num_threads: int) -> Tensor:
    """Return the gradient by x of :func:`unit_rows`."""
    return torch.from_numpy(
        _core.unit_rows_vjp(_array(unit), _array(lengths), _array(grad), _threads(num_threads))
    )


@unit_rows_backward.register_fake
def _(unit: Tensor, lengths: Tensor, grad: Tensor, num_threads: int) -> Tensor:
    return unit.new_empty(unit.shape)


def _save_unit_rows(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    unit, lengths = output
    ctx.mark_non_differentiable(lengths)
    ctx.save_for_backward(unit, lengths)
    ctx.num_threads = inputs[1]


def _unit_rows_gradient(ctx: Any, grad_unit: Tensor, _: Tensor) -> tuple[Tensor, None]:
    return unit_rows_backward(*ctx.saved_tensors, grad_unit, ctx.num_threads), None


unit_rows.register_autograd(_unit_rows_gradient, setup_context=_save_unit_rows)
unit_rows_backward.register_autograd(_no_second_derivative)


# --- the iteration --------------------------------------------------------------------------------


@operator("graphopt::soft_kmeans")
def soft_kmeans(
    x: Tensor,
    offsets: Tensor,
    start: Tensor,
    temperature: float,
    iterations: int,
    gradient: str,
    tolerance: float,
    max_solver_iterations: int,
    report_slot: int,
    num_threads: int,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return centers (B, K, p), assignment (N, K) and what the backward pass needs."""
    problem = _problem(x, offsets, temperature, num_threads)
    kept = engine.iterates_kept(gradient, iterations)
    found = engine.run(problem, _array(start), iterations, kept)
    return (
        torch.from_numpy(found.centers),
        torch.from_numpy(found.assignment),
        torch.from_numpy(found.history),
        torch.from_numpy(found.mass),
    )


@soft_kmeans.register_fake
def _(
    x: Tensor,
    offsets: Tensor,
    start: Tensor,
    temperature: float,
    iterations: int,
    gradient: str,
    tolerance: float,
    max_solver_iterations: int,
    report_slot: int,
    num_threads: int,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    kept = engine.iterates_kept(gradient, iterations)
    graphs, clusters, _ = start.shape
    return (
        start.new_empty(start.shape),
        x.new_empty((x.shape[0], clusters)),
        start.new_empty((kept, *start.shape)),
        start.new_empty((kept, graphs, clusters)),
    )


@operator("graphopt::soft_kmeans_backward")
def soft_kmeans_backward(
    x: Tensor,
    offsets: Tensor,
    centers: Tensor,
    assignment: Tensor,
    history: Tensor,
    mass: Tensor,
    grad_centers: Tensor,
    grad_assignment: Tensor,
    temperature: float,
    iterations: int,
    gradient: str,
    tolerance: float,
    max_solver_iterations: int,
    report_slot: int,
    num_threads: int,
) -> tuple[Tensor, Tensor]:
    """Return the gradients by x and by start; leave the report in its slot."""
    grad_x, grad_start, report = engine.vjp(
        _problem(x, offsets, temperature, num_threads),
        Trajectory(*(_array(saved) for saved in (centers, assignment, history, mass))),
        iterations,
        _array(grad_centers),
        _array(grad_assignment),
        GradientSettings(gradient, tolerance, max_solver_iterations),
    )
    reports[report_slot] = report
    return torch.from_numpy(grad_x), torch.from_numpy(grad_start)


@soft_kmeans_backward.register_fake
def _(x: Tensor, offsets: Tensor, centers: Tensor, *settings: Any) -> tuple[Tensor, Tensor]:
    return x.new_empty(x.shape), centers.new_empty(centers.shape)


def _save_soft_kmeans(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, ...]) -> None:
    x, offsets, _, *ctx.settings = inputs
    ctx.mark_non_differentiable(*output[2:])
    ctx.save_for_backward(x, offsets, *output)


def _soft_kmeans_gradient(
    ctx: Any, grad_centers: Tensor, grad_assignment: Tensor, *_: Tensor
) -> tuple[Any, ...]:
    grad_x, grad_start = soft_kmeans_backward(
        *ctx.saved_tensors, grad_centers, grad_assignment, *ctx.settings
    )
    return grad_x, None, grad_start, *(None for _ in ctx.settings)


soft_kmeans.register_autograd(_soft_kmeans_gradient, setup_context=_save_soft_kmeans)
soft_kmeans_backward.register_autograd(_no_second_derivative)


# --- where it starts ------------------------------------------------------------------------------


@operator("graphopt::kmeans_plus_plus")
def kmeans_plus_plus(x: Tensor, offsets: Tensor, n_clusters: int, random_state: int) -> Tensor:
    """Return k-means++ centres of each graph, (B, K, p); every graph draws from the same seed."""
    rows, bounds = _array(x), _array(offsets)
    return torch.from_numpy(
        np.stack(
            [
                clustering.kmeans_plus_plus(
                    rows[begin:end], n_clusters, random_state=random_state, normalize=False
                )
                for begin, end in itertools.pairwise(bounds)
            ]
        )
    )


@kmeans_plus_plus.register_fake
def _(x: Tensor, offsets: Tensor, n_clusters: int, random_state: int) -> Tensor:
    return x.new_empty((offsets.shape[0] - 1, n_clusters, x.shape[1]))
