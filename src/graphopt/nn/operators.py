"""The kernels that networks call, as PyTorch operators: CPU, float32 and float64, without copies.

Whatever a gradient needs goes through an operator's outputs, and gradients are operators too, so
that nothing is hidden from ``torch.compile``. The last argument of an operator, `num_threads`, does
not change a bit of what comes out.
"""

from __future__ import annotations

import itertools
import math
import weakref
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from graphopt._loading import load_whole
from graphopt._native import _core
from graphopt._operators import operator
from graphopt._threads import resolve_num_threads
from graphopt.clustering import GradientReport, SoftKMeansSettings
from graphopt.clustering import kmeans_plus_plus as draw_start
from graphopt.clustering.engine import Problem, Trajectory, run
from graphopt.clustering.gradients import vjp
from graphopt.clustering.settings import GRADIENTS

_MATRIX = (
    "Tensor indptr, Tensor indices, Tensor values, "
    "Tensor indptr_t, Tensor indices_t, Tensor values_t"
)
_SETTINGS = (
    "float temperature, int iterations, str gradient, float tolerance, int max_solver_iterations, "
    "int num_threads"
)


def _array(tensor: Tensor) -> Any:
    return tensor.detach().contiguous().numpy()


def _tensors(arrays: Iterable[NDArray[Any]]) -> tuple[Tensor, ...]:
    return tuple(torch.from_numpy(array) for array in arrays)


# --- sparse products ------------------------------------------------------------------------------


def _spmm_gradient(ctx: Any, upstream: Tensor) -> dict[str, Tensor]:
    rows, columns = ctx.saved_tensors[:3], ctx.saved_tensors[3:]
    return {"dense": spmm(*columns, *rows, upstream, *ctx.plain)}


@operator(
    "graphopt::spmm",
    f"({_MATRIX}, Tensor dense, int num_threads) -> Tensor",
    fake=lambda indptr, *rest: rest[-2].new_empty((indptr.shape[0] - 1, rest[-2].shape[1])),
    saves=lambda inputs, output: inputs[:6],
    gradient=_spmm_gradient,
)
def spmm(*inputs: Any) -> Tensor:
    """Return a sparse matrix, given with its transpose, times a dense one."""
    indptr, indices, values, indptr_t, _, _, dense, num_threads = inputs
    product = _core.spmm(
        indptr.numpy(),
        indices.numpy(),
        values.detach().numpy(),
        len(indptr_t) - 1,
        _array(dense),
        num_threads,
    )
    return torch.from_numpy(product)


# --- products of dense matrices -------------------------------------------------------------------
#
# torch leaves them to a BLAS library, which splits them by the number of threads and rounds
# accordingly.


def _tall_product_gradient(ctx: Any, upstream: Tensor) -> dict[str, Tensor | None]:
    tall, other = ctx.saved_tensors
    by_tall, by_other = ctx.needs_input_grad[:2]
    return {
        "tall": tall_product(upstream, other.T, *ctx.plain) if by_tall else None,
        "other": transposed_tall_product(tall, upstream, *ctx.plain) if by_other else None,
    }


@operator(
    "graphopt::tall_product",
    fake=lambda tall, other, _: tall.new_empty((tall.shape[0], other.shape[1])),
    saves=lambda inputs, output: inputs[:2],
    gradient=_tall_product_gradient,
)
def tall_product(tall: Tensor, other: Tensor, num_threads: int) -> Tensor:
    """Return ``tall @ other``."""
    return torch.from_numpy(_core.tall_product(_array(tall), _array(other), num_threads))


def _transposed_gradient(ctx: Any, upstream: Tensor) -> dict[str, Tensor | None]:
    tall, other = ctx.saved_tensors
    by_tall, by_other = ctx.needs_input_grad[:2]
    return {
        "tall": tall_product(other, upstream.T, *ctx.plain) if by_tall else None,
        "other": tall_product(tall, upstream, *ctx.plain) if by_other else None,
    }


@operator(
    "graphopt::transposed_tall_product",
    fake=lambda tall, other, _: tall.new_empty((tall.shape[1], other.shape[1])),
    saves=lambda inputs, output: inputs[:2],
    gradient=_transposed_gradient,
)
def transposed_tall_product(tall: Tensor, other: Tensor, num_threads: int) -> Tensor:
    """Return ``tall.T @ other``."""
    return torch.from_numpy(_core.transposed_tall_product(_array(tall), _array(other), num_threads))


# --- dropout --------------------------------------------------------------------------------------


def _dropout_gradient(ctx: Any, upstream: Tensor) -> dict[str, Tensor]:
    # The same entries, scaled alike: dropout is linear in its values.
    return {"values": dropout(upstream, *ctx.saved_tensors, *ctx.plain)}


@operator(
    "graphopt::dropout",
    fake=lambda values, *_: values.new_empty(values.shape),
    saves=lambda inputs, output: inputs[1:2],
    gradient=_dropout_gradient,
)
def dropout(values: Tensor, seed: Tensor, share: float, num_threads: int) -> Tensor:
    """Return `values` with a share of them set to 0 and the others scaled up."""
    return torch.from_numpy(_core.dropout(_array(values), share, int(seed), num_threads))


# --- the layers of a GCN --------------------------------------------------------------------------


def _gcn_shapes(indptr: Tensor, *rest: Any) -> tuple[Tensor, Tensor]:
    projected, hidden_bias, _, out_bias = rest[5:9]
    n_nodes = indptr.shape[0] - 1
    return (
        projected.new_empty((n_nodes, out_bias.shape[0])),
        projected.new_empty((n_nodes, hidden_bias.shape[0])),
    )


def _gcn_gradient(
    ctx: Any, upstream: Tensor | None, on_hidden: Tensor | None
) -> dict[str, Tensor | None]:
    *matrix, hidden, out_weight = ctx.saved_tensors
    if upstream is None:
        upstream = hidden.new_zeros((len(hidden), out_weight.shape[1]))
    if torch.is_grad_enabled() or on_hidden is not None:
        found = _differentiable(matrix, hidden, out_weight, upstream, on_hidden, *ctx.plain)
    else:
        found = gcn_layers_backward(*matrix[3:], hidden, out_weight, upstream, *ctx.plain)
    return dict(zip(("projected", "hidden_bias", "out_weight", "out_bias"), found, strict=True))


def _differentiable(
    matrix: list[Tensor],
    hidden: Tensor,
    out_weight: Tensor,
    upstream: Tensor,
    on_hidden: Tensor | None,
    dropout: float,
    num_threads: int,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return the same gradients by operations that have gradients themselves."""
    transposed = (*matrix[3:], *matrix[:3])
    by_weighted = spmm(*transposed, upstream, num_threads)
    by_hidden = by_weighted @ out_weight.T
    if on_hidden is not None:
        by_hidden = by_hidden + on_hidden
    by_sum = torch.where(hidden == 0.0, 0.0, by_hidden / (1.0 - dropout))
    by_projected = spmm(*transposed, by_sum, num_threads)
    return by_projected, by_sum.sum(dim=0), hidden.T @ by_weighted, upstream.sum(dim=0)


@operator(
    "graphopt::gcn_layers",
    f"({_MATRIX}, Tensor projected, Tensor hidden_bias, Tensor out_weight, Tensor out_bias, "
    "Tensor seed, float dropout, int num_threads) -> (Tensor, Tensor)",
    fake=_gcn_shapes,
    saves=lambda inputs, output: (*inputs[:6], output[1], inputs[8]),
    gradient=_gcn_gradient,
    materialize_grads=False,  # `hidden` is hardly ever differentiated
)
def gcn_layers(*inputs: Any) -> tuple[Tensor, Tensor]:
    """Return ``A hidden W2 + b2`` and ``hidden = dropout(relu(A projected + b1))``."""
    indptr, indices, values, indptr_t = inputs[:4]
    projected, hidden_bias, out_weight, out_bias, seed, dropout, num_threads = inputs[6:]
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


def _gcn_gradient_shapes(*inputs: Any) -> tuple[Tensor, ...]:
    hidden, out_weight = inputs[3:5]
    width, out_width = out_weight.shape
    shapes = (hidden.shape, (width,), (width, out_width), (out_width,))
    return tuple(hidden.new_empty(shape) for shape in shapes)


@operator("graphopt::gcn_layers_backward", fake=_gcn_gradient_shapes)
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
    """Return the gradients with respect to ``projected``, ``b1``, ``W2`` and ``b2``."""
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
    return _tensors(gradients)  # type: ignore[return-value]


# --- scores of pairs of nodes ---------------------------------------------------------------------


def _pair_gradient(ctx: Any, upstream: Tensor) -> dict[str, Tensor]:
    embedding, relation = pair_scores_backward(
        *ctx.saved_tensors, upstream.contiguous(), *ctx.plain
    )
    return {"embedding": embedding, "relation": relation}


@operator(
    "graphopt::pair_scores",
    fake=lambda embedding, relation, pairs, _: embedding.new_empty(pairs.shape[0]),
    saves=lambda inputs, output: inputs[:3],
    gradient=_pair_gradient,
)
def pair_scores(embedding: Tensor, relation: Tensor, pairs: Tensor, num_threads: int) -> Tensor:
    """Return ``sum_d e_id r_d e_jd`` for every pair (i, j)."""
    heads = torch.index_select(embedding.detach(), 0, pairs[:, 0])
    tails = torch.index_select(embedding.detach(), 0, pairs[:, 1])
    return heads.mul_(tails).mul_(relation.detach()).sum(dim=1)


@operator(
    "graphopt::pair_scores_backward",
    fake=lambda embedding, relation, *_: (torch.empty_like(embedding), torch.empty_like(relation)),
)
def pair_scores_backward(
    embedding: Tensor, relation: Tensor, pairs: Tensor, upstream: Tensor, num_threads: int
) -> tuple[Tensor, Tensor]:
    """Return the gradients with respect to the embedding and the relation.

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
            _array(embedding),
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


# --- soft k-means ---------------------------------------------------------------------------------


def _threads(num_threads: int) -> int:
    """Return the threads to use; 0 is the default, which may change between compiled calls."""
    return resolve_num_threads(num_threads or None)


def _no_second_derivative(ctx: Any, *upstream: Tensor) -> Any:
    raise RuntimeError(
        "soft k-means can be differentiated once; its gradient has no derivative of its own"
    )


def _unit_rows_gradient(ctx: Any, grad_unit: Tensor, _: Tensor) -> dict[str, Tensor]:
    return {"x": unit_rows_backward(*ctx.saved_tensors, grad_unit, *ctx.plain)}


@operator(
    "graphopt::unit_rows",
    fake=lambda x, _: (x.new_empty(x.shape), x.new_empty(x.shape[:1])),
    saves=lambda inputs, output: output,
    gradient=_unit_rows_gradient,
    constant=(1,),
)
def unit_rows(x: Tensor, num_threads: int) -> tuple[Tensor, Tensor]:
    """Return rows scaled to unit length (zero rows stay zero) and their lengths."""
    unit, lengths = _core.unit_rows(_array(x), _threads(num_threads))
    return torch.from_numpy(unit), torch.from_numpy(lengths)


@operator(
    "graphopt::unit_rows_backward",
    fake=lambda unit, *_: unit.new_empty(unit.shape),
    gradient=_no_second_derivative,
)
def unit_rows_backward(unit: Tensor, lengths: Tensor, grad: Tensor, num_threads: int) -> Tensor:
    """Return the gradient with respect to the x of :func:`unit_rows`."""
    return torch.from_numpy(
        _core.unit_rows_vjp(_array(unit), _array(lengths), _array(grad), _threads(num_threads))
    )


@lru_cache(typed=True)
def _settings(*packed: Any) -> SoftKMeansSettings:
    """Return the settings, checked once: to check them takes as long as to cluster a few rows."""
    return SoftKMeansSettings.unpack(packed)


def _problem(x: Tensor, offsets: Tensor, *plain: Any) -> Problem:
    *packed, num_threads = plain
    return Problem(_array(x), _array(offsets), _settings(*packed), _threads(num_threads))


def _soft_kmeans_shapes(
    x: Tensor, offsets: Tensor, start: Tensor, *plain: Any
) -> tuple[Tensor, ...]:
    graphs, clusters, _ = start.shape
    kept = _settings(*plain[:-1]).iterates_kept
    return (
        start.new_empty(start.shape),
        x.new_empty((x.shape[0], clusters)),
        start.new_empty((kept, *start.shape)),
        start.new_empty((kept, graphs, clusters)),
    )


def _soft_kmeans_gradient(
    ctx: Any, grad_centers: Tensor, grad_assignment: Tensor, *_: Tensor
) -> dict[str, Tensor]:
    grad_x, grad_start, report = soft_kmeans_backward(
        *ctx.saved_tensors, grad_centers, grad_assignment, *ctx.plain
    )
    listener = getattr(ctx, "listener", lambda: None)()
    if listener is not None:
        listener(report)
    return {"x": grad_x, "start": grad_start}


@operator(
    "graphopt::soft_kmeans",
    f"(Tensor x, Tensor offsets, Tensor start, {_SETTINGS}) -> (Tensor, Tensor, Tensor, Tensor)",
    fake=_soft_kmeans_shapes,
    saves=lambda inputs, output: (*inputs[:2], *output),
    gradient=_soft_kmeans_gradient,
    constant=(2, 3),
)
def soft_kmeans(*inputs: Any) -> tuple[Tensor, ...]:
    """Return centers (B, K, p), assignment (N, K) and the kept iterates, for rows as they are.

    The arguments between `start` and `num_threads` are ``SoftKMeansSettings.packed``.
    """
    x, offsets, start, *plain = inputs
    problem = _problem(x, offsets, *plain)
    return _tensors(run(problem, _array(start), problem.settings.iterates_kept))


@operator(
    "graphopt::soft_kmeans_backward",
    "(Tensor x, Tensor offsets, Tensor centers, Tensor assignment, Tensor history, Tensor mass, "
    f"Tensor grad_centers, Tensor grad_assignment, {_SETTINGS}) -> (Tensor, Tensor, Tensor)",
    fake=lambda x, offsets, centers, *_: (
        x.new_empty(x.shape),
        centers.new_empty(centers.shape),
        centers.new_empty((centers.shape[0] + 1, 3), dtype=torch.float64),
    ),
    gradient=_no_second_derivative,
)
def soft_kmeans_backward(*inputs: Any) -> tuple[Tensor, ...]:
    """Return the gradients with respect to x and start, and a report for :func:`report_in`."""
    x, offsets, *tensors, grad_centers, grad_assignment = inputs[:8]
    grad_x, grad_start, report = vjp(
        _problem(x, offsets, *inputs[8:]),
        Trajectory(*(_array(tensor) for tensor in tensors)),
        _array(grad_centers),
        _array(grad_assignment),
    )
    return _tensors((grad_x, grad_start, _packed(report, len(offsets) - 1)))


def _packed(report: GradientReport, n_graphs: int) -> NDArray[np.float64]:
    """Return a report as an array of shape (n_graphs + 1, 3); NaN is None."""
    array = np.full((n_graphs + 1, 3), np.nan)
    numbers = report.fixed_point_residual, report.certified_error
    array[0] = GRADIENTS.index(report.method), *(np.nan if x is None else x for x in numbers)
    if report.iterations:
        array[1:, 0] = report.iterations
        array[1:, 1] = report.residual
        array[1:, 2] = report.converged
    return array


def report_in(tensor: Tensor) -> GradientReport:
    """Return the report in the last output of :func:`soft_kmeans_backward`."""
    method, *numbers = tensor[0].tolist()
    solved = [row for row in tensor[1:].tolist() if not math.isnan(row[0])]
    return GradientReport(
        GRADIENTS[int(method)],
        tuple(int(row[0]) for row in solved),
        tuple(row[1] for row in solved),
        all(row[2] for row in solved),
        *(None if math.isnan(number) else number for number in numbers),
    )


def report_to(listener: Callable[[Tensor], None], centers: Tensor) -> None:
    """Let each backward pass through the `centers` of :func:`soft_kmeans` call `listener`.

    Parameters
    ----------
    listener : bound method
        Held weakly; takes the report as a tensor. It is not called in a compiled model, whose
        backward pass runs no Python.
    centers : Tensor
    """
    if not torch.compiler.is_compiling() and centers.grad_fn is not None:
        centers.grad_fn.listener = weakref.WeakMethod(listener)  # type: ignore[attr-defined]


@operator(
    "graphopt::kmeans_plus_plus",
    fake=lambda x, offsets, n_clusters, _: x.new_empty(
        (offsets.shape[0] - 1, n_clusters, x.shape[1])
    ),
)
def kmeans_plus_plus(x: Tensor, offsets: Tensor, n_clusters: int, random_state: int) -> Tensor:
    """Return k-means++ centres of each graph, (B, K, p); every graph draws from the same seed."""
    rows, bounds = _array(x), _array(offsets)
    return torch.from_numpy(
        np.stack(
            [
                draw_start(rows[begin:end], n_clusters, random_state=random_state, normalize=False)
                for begin, end in itertools.pairwise(bounds)
            ]
        )
    )
