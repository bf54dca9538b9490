"""The differentiable objectives and rounding beside plain PyTorch and Python; answers must agree.

Run with ``pytest benchmarks/test_bench_objectives.py``; compare medians within a run.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture
from scipy.sparse import csr_array
from scipy.sparse.csgraph import shortest_path
from torch import Tensor

import graphopt
from graphopt import Graph, pipage_rounding
from graphopt.objectives import FacilityLocation, FacilityProblem, Modularity
from graphopt.reference import rounding as twin

N_NODES, N_EDGES, N_GROUPS = 2_485, 5_069, 10  # those of cora's largest component


def sparse_graph(seed: int) -> Graph:
    """Return a connected graph: a random tree of moderate depth and uniform pairs."""
    rng = np.random.default_rng(seed)
    child = np.arange(1, N_NODES)
    tree = np.column_stack([child, (rng.random(N_NODES - 1) * child).astype(np.int64)])
    pairs = rng.integers(0, N_NODES, (2 * N_EDGES, 2))
    pairs = pairs[pairs[:, 0] != pairs[:, 1]][: N_EDGES - len(tree)]
    return Graph.from_edges(np.concatenate([tree, pairs]), N_NODES)


@pytest.fixture(scope="module")
def graph() -> Graph:
    return sparse_graph(seed=0)


@pytest.fixture(scope="module")
def hops(graph: Graph) -> NDArray[np.uint8]:
    ones = np.ones(len(graph.indices))
    matrix = csr_array((ones, graph.indices, graph.indptr), shape=(N_NODES, N_NODES))
    return shortest_path(matrix, unweighted=True).astype(np.uint8)


def opening_probabilities() -> Tensor:
    x = np.random.default_rng(1).gamma(0.3, size=N_NODES)
    return torch.tensor(np.minimum(N_GROUPS * x / x.sum(), 1.0), dtype=torch.float32)


class SortedFacility:
    """The expected distances as PyTorch users write them: sorted sites, cumulative products."""

    def __init__(self, hops: NDArray[np.uint8], charge: float) -> None:
        self.distance, self.order = torch.from_numpy(hops.astype(np.float32)).sort(dim=1)
        self.charge = charge

    def __call__(self, opening: Tensor) -> Tensor:
        x = opening[self.order]
        closed = torch.cumprod(1.0 - x, dim=1)
        before = torch.cat([torch.ones_like(closed[:, :1]), closed[:, :-1]], dim=1)
        return ((before * x * self.distance).sum(dim=1) + closed[:, -1] * self.charge).mean()


class SparseModularity:
    """Modularity by torch.sparse and autograd."""

    def __init__(self, graph: Graph) -> None:
        ones = torch.ones(len(graph.indices))
        indptr, indices = torch.tensor(graph.indptr), torch.tensor(graph.indices.astype(np.int64))
        self.adjacency = torch.sparse_csr_tensor(
            indptr, indices, ones, (N_NODES, N_NODES), check_invariants=True
        )
        self.degrees = torch.tensor(graph.degrees, dtype=torch.float32)
        self.total = float(self.degrees.sum())

    def __call__(self, assignment: Tensor) -> Tensor:
        inside = (assignment * (self.adjacency @ assignment)).sum()
        volume = self.degrees @ assignment
        return -(inside - volume @ volume / self.total) / self.total


def value_and_gradient(loss: Any, decision: Tensor) -> tuple[Tensor, Tensor]:
    decision = decision.detach().requires_grad_()
    value = loss(decision)
    value.backward()
    assert decision.grad is not None
    return value.detach(), decision.grad


def record(benchmark: BenchmarkFixture, graph: Graph, threads: int) -> None:
    benchmark.extra_info.update(
        n=graph.n_nodes, m=graph.n_edges, threads=threads, isa=graphopt.build_config()["isa"]
    )


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("peer", ["graphopt", "torch-sorted"])
@pytest.mark.benchmark(group="facility loss and gradient")
def test_facility(
    benchmark: BenchmarkFixture, graph: Graph, hops: NDArray[np.uint8], peer: str, threads: int
) -> None:
    problem = FacilityProblem.from_distances(hops)
    objective = FacilityLocation(N_GROUPS)
    opening = opening_probabilities()

    def ours(x: Tensor) -> Tensor:
        return objective.loss(x, problem)

    theirs = SortedFacility(hops, problem.charge)
    before = torch.get_num_threads()
    try:
        graphopt.set_num_threads(threads)
        torch.set_num_threads(threads)
        record(benchmark, graph, threads)
        loss = ours if peer == "graphopt" else theirs
        benchmark(value_and_gradient, loss, opening)
        for mine, other in zip(
            value_and_gradient(ours, opening), value_and_gradient(theirs, opening), strict=True
        ):
            torch.testing.assert_close(mine, other, rtol=1e-3, atol=1e-3)
    finally:
        graphopt.set_num_threads(None)
        torch.set_num_threads(before)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("peer", ["graphopt", "torch-sparse"])
# Sparse CSR is what multiplies fast in torch, which says once that it is beta.
@pytest.mark.filterwarnings("ignore:Sparse")
@pytest.mark.benchmark(group="modularity loss and gradient")
def test_modularity(benchmark: BenchmarkFixture, graph: Graph, peer: str, threads: int) -> None:
    objective = Modularity()
    problem = objective.prepare(graph)
    generator = torch.Generator().manual_seed(2)
    assignment = torch.randn(N_NODES, N_GROUPS, generator=generator).softmax(dim=1)

    def ours(r: Tensor) -> Tensor:
        return objective.loss(r, problem)

    theirs = SparseModularity(graph)
    before = torch.get_num_threads()
    try:
        graphopt.set_num_threads(threads)
        torch.set_num_threads(threads)
        record(benchmark, graph, threads)
        loss = ours if peer == "graphopt" else theirs
        benchmark(value_and_gradient, loss, assignment)
        for mine, other in zip(
            value_and_gradient(ours, assignment),
            value_and_gradient(theirs, assignment),
            strict=True,
        ):
            torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-6)
    finally:
        graphopt.set_num_threads(None)
        torch.set_num_threads(before)


@pytest.mark.parametrize("peer", ["graphopt", "python"])
@pytest.mark.benchmark(group="50 roundings")
def test_rounding(benchmark: BenchmarkFixture, graph: Graph, peer: str) -> None:
    opening = opening_probabilities().double().numpy()
    opening *= (N_GROUPS - 0.5) / opening.sum()
    seed = int(np.random.default_rng(0).integers(0, 2**64, dtype=np.uint64))

    def ours() -> NDArray[np.int32]:
        return pipage_rounding(opening, k=N_GROUPS, draws=50, random_state=0, num_threads=1)

    def theirs() -> NDArray[np.int32]:
        return twin.pipage_rounding(opening, N_GROUPS, 50, 1e-8, seed)

    record(benchmark, graph, 1)
    draws = benchmark(ours) if peer == "graphopt" else benchmark.pedantic(theirs, rounds=2)
    np.testing.assert_array_equal(draws, ours())


@pytest.mark.benchmark(group="decode")
def test_decode(benchmark: BenchmarkFixture, graph: Graph, hops: NDArray[np.uint8]) -> None:
    problem = FacilityProblem.from_distances(hops)
    objective = FacilityLocation(N_GROUPS)
    record(benchmark, graph, graphopt.get_num_threads())
    opening = opening_probabilities()
    sites = benchmark(objective.decode, opening, problem, random_state=0)
    nearest = hops[sites].min(axis=0)
    np.testing.assert_array_equal(problem.paid(sites), nearest)
    assert objective.training_value(sites, problem) == pytest.approx(nearest.mean())
