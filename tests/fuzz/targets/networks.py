"""Modules and functions of graphopt.nn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from graphopt import Graph, nn
from graphopt.nn import Adjacency, SparseMatrix

from ..draw import INF, NAN, Draw
from ..registry import Call, target

SHAPES: tuple[type[Exception], ...] = (RuntimeError, IndexError, NotImplementedError)
"""What PyTorch itself says of tensors that do not fit, which its users know."""

_NO_TENSORS: tuple[Any, ...] = (
    torch.zeros(3, dtype=torch.int64),
    torch.zeros(2, 2, dtype=torch.complex64),
    torch.zeros(2, 2, dtype=torch.bool),
    torch.zeros(2, 3, 4),
    torch.zeros(0),
    torch.tensor(1.0),
    torch.zeros(2, 2, dtype=torch.float16),
    torch.zeros(3, 3, device="meta"),
)


def tensor(draw: Draw, values: Any = None, *shape: int, plain: bool = False) -> Any:
    """Return a tensor as an argument: in another layout, or odd unless `plain`."""
    if values is None:
        values = torch.from_numpy(draw.numbers(*shape, dtype=np.float32))
    if plain:
        return values
    if draw.odd():
        kind = draw.random.randrange(8)
        if kind < 3:
            return draw.pick(*_NO_TENSORS)
        if kind == 3:
            return values[:-1]
        if kind == 4:
            return values[..., None]
        if kind == 5:
            return values.double() if values.dtype == torch.float32 else values.float()
        if kind == 6 and values.numel() and values.dtype.is_floating_point:
            spoilt = values.clone()
            spoilt.view(-1)[0] = draw.pick(NAN, INF, 1e38, -1.0)
            return spoilt
        return values.T if values.ndim == 2 else values.to(torch.int32)
    kind = draw.random.randrange(5)
    if kind == 0:
        return values.repeat_interleave(2, dim=0)[::2]
    if kind == 1 and values.ndim == 2:
        return values.T.contiguous().T
    if kind == 2 and values.dtype.is_floating_point:
        return values.clone().requires_grad_()
    return values


class _Sizes:
    """A graph, and how wide a network is."""

    def __init__(self, draw: Draw) -> None:
        self.graph = draw.plain_graph(1, 9)
        self.n = self.graph.n_nodes
        self.width, self.hidden, self.out = draw.size(1, 4), draw.size(1, 5), draw.size(1, 4)
        self.adjacency = Adjacency(self.graph).whole

    def features(self, draw: Draw) -> Any:
        if draw.chance(0.3):
            dense = draw.numbers(self.n, self.width, dtype=np.float32)
            return SparseMatrix.from_scipy(draw.sparse(dense))
        return tensor(draw, None, self.n, self.width)

    def square(self, draw: Draw) -> Any:
        if draw.odd(0.1):
            other = draw.plain_graph(1, 9)
            return draw.pick(
                Adjacency(other).whole,
                SparseMatrix.from_scipy(draw.sparse(draw.numbers(self.n, self.n + 1))),
                Adjacency(self.graph, dtype=torch.float64).whole,
            )
        return self.adjacency


def _encoders() -> dict[str, tuple[Any, Callable[[Draw], dict[str, Any]]]]:
    def widths(draw: Draw) -> dict[str, Any]:
        return {
            "in_features": draw.integer(1, 4),
            "hidden_features": draw.integer(1, 5),
            "out_features": draw.integer(1, 4),
            **draw.some(dropout=lambda: draw.number(0.0, 0.9, odd=(1.0, 1.5))),
        }

    def appnp(draw: Draw) -> dict[str, Any]:
        return widths(draw) | draw.some(
            steps=lambda: draw.integer(0, 3, costly=True),
            teleport=lambda: draw.number(0.0, 1.0, odd=(1.5,)),
        )

    def sgc(draw: Draw) -> dict[str, Any]:
        return {
            "in_features": draw.integer(1, 4),
            "out_features": draw.integer(1, 4),
            **draw.some(steps=lambda: draw.integer(0, 3, costly=True)),
        }

    def clusternet(draw: Draw) -> dict[str, Any]:
        return {
            "in_features": draw.integer(1, 4),
            "n_clusters": draw.integer(1, 4),
            "hidden_features": draw.integer(1, 5),
            "embedding_features": draw.integer(1, 4),
            **draw.some(
                dropout=lambda: draw.number(0.0, 0.9, odd=(1.0,)),
                temperature=lambda: draw.number(0.0, 50.0, odd=(1e300,)),
                iterations=lambda: draw.integer(0, 3, costly=True),
                gradient=lambda: draw.choice("one-step", "implicit", "unrolled", "auto", "dense"),
                encoder=lambda: draw.choice("gcn", "sgc", "appnp"),
            ),
        }

    def direct(draw: Draw) -> dict[str, Any]:
        return {
            "in_features": draw.integer(1, 4),
            "n_clusters": draw.integer(1, 4),
            "hidden_features": draw.integer(1, 5),
            **draw.some(
                decides=lambda: draw.choice("labels", "centers"),
                dropout=lambda: draw.number(0.0, 0.9, odd=(1.0,)),
            ),
        }

    def predictor(draw: Draw) -> dict[str, Any]:
        return {
            "in_features": draw.integer(1, 4),
            "hidden_features": draw.integer(1, 5),
            "embedding_features": draw.integer(1, 4),
            **draw.some(dropout=lambda: draw.number(0.0, 0.9, odd=(1.0,))),
        }

    return {
        "GCN": (nn.GCN, widths),
        "APPNP": (nn.APPNP, appnp),
        "SGC": (nn.SGC, sgc),
        "ClusterNet": (nn.ClusterNet, clusternet),
        "DirectGCN": (nn.DirectGCN, direct),
        "LinkPredictor": (nn.LinkPredictor, predictor),
    }


_ENCODERS = _encoders()


def network(draw: Draw, kind: str, sizes: _Sizes) -> Any:
    """Return an initialised module in evaluation mode that nothing is wrong with."""
    maker, settings = _ENCODERS[kind]
    odd, draw.valid = draw.valid, True
    made = maker(**settings(draw) | {"in_features": sizes.width}).eval()
    draw.valid = odd
    rows = torch.from_numpy(draw.numbers(sizes.n, sizes.width, dtype=np.float32))
    made.initialize(rows, sizes.adjacency, np.random.default_rng(draw.size(0, 9)))
    return made


def _register(kind: str) -> None:
    maker, settings = _ENCODERS[kind]
    prefix = f"graphopt.nn.{kind}"
    words = ("features", "adjacency", "dense", "out_features", "steps", "propagation_steps")

    @target(prefix, words=words, weight=0.5)
    def construct(draw: Draw) -> Call:
        draw.repeatable = False  # parameters come from PyTorch's generator
        return Call(maker, (), settings(draw), repr)

    @target(
        f"{prefix}.forward", words=(*words, "x", "offsets", "centers"), errors=SHAPES, weight=0.5
    )
    def forward(draw: Draw) -> Call:
        sizes = _Sizes(draw)
        made = network(draw, kind, sizes)
        kwargs: dict[str, Any] = {}
        if kind in ("ClusterNet", "DirectGCN") and draw.chance(0.2):
            cut = draw.size(0, sizes.n)
            kwargs["offsets"] = tensor(draw, torch.tensor([0, cut, sizes.n]))
        args = (sizes.features(draw), sizes.square(draw))
        return Call(made.forward, args, kwargs, changes=True)

    @target(f"{prefix}.initialize", words=(*words, "x"), errors=SHAPES, weight=0.5)
    def initialize(draw: Draw) -> Call:
        sizes = _Sizes(draw)
        args = (sizes.features(draw), sizes.square(draw), np.random.default_rng(0))
        return Call(network(draw, kind, sizes).initialize, args, changes=True)

    if hasattr(maker, "calibrate"):

        @target(f"{prefix}.calibrate", words=words, errors=SHAPES, weight=0.5)
        def calibrate(draw: Draw) -> Call:
            sizes = _Sizes(draw)
            args = (sizes.features(draw), sizes.square(draw))
            return Call(network(draw, kind, sizes).calibrate, args, changes=True)

        @target(f"{prefix}.reset_parameters", words=words, errors=SHAPES, weight=0.5)
        def reset_parameters(draw: Draw) -> Call:
            generator = torch.Generator().manual_seed(draw.size(0, 9))
            sizes = _Sizes(draw)
            return Call(network(draw, kind, sizes).reset_parameters, (generator,), changes=True)

    if kind in ("APPNP", "SGC"):

        @target(f"{prefix}.extra_repr", weight=0.5)
        def extra_repr(draw: Draw) -> Call:
            return Call(network(draw, kind, _Sizes(draw)).extra_repr)


for _kind in _ENCODERS:
    _register(_kind)


@target("graphopt.nn.APPNP.propagate", words=("features",), errors=SHAPES)
def propagate(draw: Draw) -> Call:
    sizes = _Sizes(draw)
    rows = tensor(draw, None, sizes.n, 3)
    return Call(network(draw, "APPNP", sizes).propagate, (rows, sizes.square(draw)))


@target("graphopt.nn.ClusterNet.draw_centers", errors=SHAPES)
def draw_centers(draw: Draw) -> Call:
    sizes = _Sizes(draw)
    made = network(draw, "ClusterNet", sizes)
    rows = torch.from_numpy(draw.numbers(sizes.n, made.initial_centers.shape[1], dtype=np.float32))
    return Call(made.draw_centers, (rows, np.random.default_rng(0)))


@target("graphopt.nn.ClusterNet.start_from", errors=SHAPES, words=("embedding",))
def start_from(draw: Draw) -> Call:
    sizes = _Sizes(draw)
    made = network(draw, "ClusterNet", sizes)
    labels = torch.from_numpy(draw.generator.integers(0, made.cluster.n_clusters, sizes.n))
    args = (sizes.features(draw), sizes.adjacency, tensor(draw, labels), np.random.default_rng(0))
    return Call(made.start_from, args, changes=True)


@target("graphopt.nn.DirectGCN.decision", errors=SHAPES)
def decision(draw: Draw) -> Call:
    sizes = _Sizes(draw)
    made = network(draw, "DirectGCN", sizes)
    width = made.n_clusters if made.decides == "labels" else 1
    return Call(made.decision, (tensor(draw, None, sizes.n, width),))


def _pairs(draw: Draw, n: int) -> Any:
    return tensor(draw, torch.from_numpy(draw.generator.integers(0, n, (draw.size(1, 5), 2))))


@target("graphopt.nn.LinkPredictor.score", errors=SHAPES, words=("relation", "left", "right"))
def score(draw: Draw) -> Call:
    sizes = _Sizes(draw)
    made = network(draw, "LinkPredictor", sizes)
    embedding = tensor(draw, None, sizes.n, len(made.relation))
    return Call(made.score, (embedding, _pairs(draw, sizes.n)))


@target("graphopt.nn.LinkPredictor.loss", errors=SHAPES, words=("relation", "pairs"))
def loss(draw: Draw) -> Call:
    sizes = _Sizes(draw)
    made = network(draw, "LinkPredictor", sizes)
    embedding = tensor(draw, None, sizes.n, len(made.relation))
    return Call(made.loss, (embedding, _pairs(draw, sizes.n), _pairs(draw, sizes.n)))


# --- soft k-means ---------------------------------------------------------------------------------


def _soft(draw: Draw) -> dict[str, Any]:
    return {
        "n_clusters": draw.integer(1, 4),
        **draw.some(
            temperature=lambda: draw.number(0.0, 50.0, odd=(1e300,)),
            iterations=lambda: draw.integer(0, 4, costly=True),
            gradient=lambda: draw.choice("one-step", "implicit", "unrolled", "auto", "dense"),
            normalize=draw.flag,
            tolerance=lambda: draw.number(1e-8, 0.1, odd=(0.0,)),
            max_solver_iterations=lambda: draw.integer(1, 20, costly=True),
            random_state=draw.seed,
            num_threads=draw.num_threads,
        ),
    }


@target("graphopt.nn.SoftKMeans")
def soft_kmeans(draw: Draw) -> Call:
    return Call(nn.SoftKMeans, (), _soft(draw), repr)


def _layer(draw: Draw) -> nn.SoftKMeans:
    odd, draw.valid = draw.valid, True
    made = nn.SoftKMeans(**_soft(draw))
    draw.valid = odd
    return made


@target("graphopt.nn.SoftKMeans.forward", errors=SHAPES, words=("x", "centers"))
def soft_forward(draw: Draw) -> Call:
    layer = _layer(draw)
    n, p = draw.size(0, 8), draw.size(1, 4)
    x = tensor(draw, None, n, p)
    args: tuple[Any, ...] = (x,)
    if draw.chance(0.5):
        args = (x, tensor(draw, None, layer.n_clusters, p))

    def forward(*args: Any) -> Any:
        output = layer(*args)
        if output.centers.requires_grad:
            (output.centers.sum() + output.assignment.square().sum()).backward()
        return output

    return Call(forward, args)


@target("graphopt.nn.SoftKMeans.extra_repr")
def soft_extra_repr(draw: Draw) -> Call:
    return Call(_layer(draw).extra_repr)


@target("graphopt.nn.gradient_certificate", weight=0.5, errors=SHAPES)
def gradient_certificate(draw: Draw) -> Call:
    n, k, p = draw.size(1, 8), draw.size(1, 3), draw.size(1, 4)
    x, centers = draw.numbers(n, p), draw.numbers(k, p)
    assignment = draw.generator.dirichlet(np.ones(k), n)
    args = (draw.array(x, lists=False), draw.array(centers, lists=False))
    kwargs = draw.some(max_size=lambda: draw.integer(1, 20), num_threads=draw.num_threads)
    temperature = draw.number(0.0, 30.0, odd=(1e300,))
    rest = (draw.array(assignment, lists=False), temperature)
    return Call(nn.gradient_certificate, (*args, *rest), kwargs)


@target("graphopt.nn.dropout", errors=SHAPES)
def dropout(draw: Draw) -> Call:
    torch.manual_seed(draw.size(0, 9))
    share = draw.number(0.0, 0.99, odd=(1.0, 1.5))
    draw.repeatable = False  # draws from PyTorch's generator
    return Call(nn.dropout, (tensor(draw, None, draw.size(0, 5), 3), share, draw.flag()))


# --- sparse matrices ------------------------------------------------------------------------------


@target("graphopt.nn.Adjacency")
def adjacency(draw: Draw) -> Call:
    graph = draw.graph(1, 9)
    n = graph.n_nodes if isinstance(graph, Graph) else 5
    missing = draw.graph(n, n, kinds="float") if draw.chance(0.3) else None
    kwargs = draw.some(dtype=lambda: draw.pick(torch.float32, torch.float64))
    return Call(Adjacency, (graph, missing), kwargs, lambda made: made.whole.to_dense())


@target("graphopt.nn.Adjacency.masked")
def masked(draw: Draw) -> Call:
    draw.repeatable = False
    return Call(Adjacency(draw.plain_graph(1, 9)).masked, (draw.number(0.0, 0.99, odd=(1.5,)),))


def _sparse(draw: Draw) -> SparseMatrix:
    dense = draw.numbers(draw.size(0, 6), draw.size(0, 6), dtype=np.float32)
    return SparseMatrix.from_scipy(draw.sparse(dense))


@target(
    "graphopt.nn.SparseMatrix",
    errors=SHAPES,
    words=("n_columns", "columns", "rows"),
)
def sparse_matrix(draw: Draw) -> Call:
    made = _sparse(draw)
    arrays = [part.clone() for part in made.operands]
    if draw.odd(0.6):
        at = draw.size(0, 5)
        part = arrays[at]
        if part.numel() and draw.chance(0.6):
            part.view(-1)[draw.random.randrange(part.numel())] = draw.pick(-1, 2**30, 100)
        else:
            arrays[at] = tensor(draw, part)
    return Call(SparseMatrix, (*arrays[:3], tuple(arrays[3:])), {}, repr)


@target("graphopt.nn.SparseMatrix.from_scipy", words=("matrix",))
def from_scipy(draw: Draw) -> Call:
    dense = draw.numbers(draw.size(0, 6), draw.size(0, 6))
    matrix: Any = draw.sparse(dense)
    if draw.odd():
        matrix = draw.broken_sparse(dense) if draw.chance(0.5) else draw.odd_array(dense)
    kwargs = draw.some(dtype=lambda: draw.pick(torch.float32, torch.float64))
    return Call(SparseMatrix.from_scipy, (matrix,), kwargs, lambda made: made.to_dense())


@target("graphopt.nn.SparseMatrix.check_operand", words=("dense",))
def check_operand(draw: Draw) -> Call:
    made = _sparse(draw)
    return Call(made.check_operand, ("dense", tensor(draw, None, made.shape[1], 3)))


@target("graphopt.nn.SparseMatrix.check_square", words=("adjacency",))
def check_square(draw: Draw) -> Call:
    made = _sparse(draw) if draw.odd(0.5) else Adjacency(draw.plain_graph(1, 5)).whole
    return Call(made.check_square, ("adjacency",))


@target("graphopt.nn.SparseMatrix.dropout")
def sparse_dropout(draw: Draw) -> Call:
    draw.repeatable = False
    return Call(_sparse(draw).dropout, (draw.number(0.0, 0.99, odd=(1.0, 1.5)),))


@target("graphopt.nn.SparseMatrix.to")
def to(draw: Draw) -> Call:
    return Call(_sparse(draw).to, (draw.pick(torch.float32, torch.float64),))


@target("graphopt.nn.SparseMatrix.to_dense")
def to_dense(draw: Draw) -> Call:
    return Call(_sparse(draw).to_dense)


@target("graphopt.nn.SparseMatrix.with_values", errors=SHAPES)
def with_values(draw: Draw) -> Call:
    made = _sparse(draw)
    values, others = made.operands[2], made.operands[5]
    return Call(made.with_values, (tensor(draw, values), tensor(draw, others)))
