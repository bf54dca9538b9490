"""Modularity of a soft assignment and its gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphopt.bench import workloads
from graphopt.bench.contest import Call, Contest, Contestant, Faster, LineUp
from graphopt.bench.workloads import like, size_of

K = 10


def same_value(ours: tuple[Any, Any], theirs: tuple[Any, Any]) -> None:
    """Compare values and gradients in float32."""
    np.testing.assert_allclose(theirs[0], ours[0], rtol=1e-4, atol=1e-6)
    largest = float(np.abs(np.asarray(ours[1])).max())
    np.testing.assert_allclose(theirs[1], ours[1], rtol=1e-4, atol=1e-4 * largest)


def _modularity(name: str, size: tuple[int, int], scale: float) -> LineUp:
    n, source = like(name, size, scale)

    def assignment() -> Any:
        import torch

        return torch.from_numpy(workloads.assignment(n, K))

    def ours() -> Call:
        from graphopt.bench.torch_peers import value_and_gradient
        from graphopt.objectives import Modularity

        objective, r = Modularity(), assignment()
        problem = objective.prepare(source()[0])
        return lambda: value_and_gradient(lambda at: objective.loss(at, problem), r)

    def torch_sparse() -> Call:
        from graphopt.bench.torch_peers import SparseModularity, value_and_gradient

        loss, r = SparseModularity(source()[0]), assignment()
        return lambda: value_and_gradient(loss, r)

    contestants = (
        Contestant("graphopt", ours, peer=False),
        Contestant("torch, sparse", torch_sparse),
    )
    return LineUp(size_of(source), contestants, same_value)


def modularity(scale: float) -> LineUp:
    """Race on cora."""
    return _modularity("cora", workloads.CORA, scale)


def modularity_20k(scale: float) -> LineUp:
    """Race on pubmed."""
    return _modularity("pubmed", workloads.PUBMED, scale)


CONTESTS = (
    Contest("modularity", "modularity and its gradient", modularity, (Faster(3.0),), quick=True),
    Contest(
        "modularity-20k", "modularity and its gradient", modularity_20k, (Faster(3.0),), quick=True
    ),
)
