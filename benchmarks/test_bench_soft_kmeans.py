"""Soft k-means against plain PyTorch on the same rows, in the same process."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from graphopt import build_config, get_num_threads, soft_kmeans
from graphopt.clustering import soft_kmeans_vjp

TEMPERATURE = 30.0
N_CLUSTERS = 10
WIDTH = 50


def problem(n: int, dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows around ten directions, of unit length, and ten of the rows."""
    generator = torch.Generator().manual_seed(n)
    groups = torch.randn(N_CLUSTERS, WIDTH, dtype=dtype, generator=generator)
    labels = torch.arange(n) % N_CLUSTERS
    x = groups[labels] + 2.0 * torch.randn(n, WIDTH, dtype=dtype, generator=generator)
    x = torch.nn.functional.normalize(x)
    return x, x[:N_CLUSTERS].clone()


def torch_update(x: torch.Tensor, mu: torch.Tensor) -> torch.Tensor:
    r = torch.softmax(TEMPERATURE * x @ mu.T, dim=1)
    return r.T @ x / r.sum(0)[:, None]


def torch_soft_kmeans(
    x: torch.Tensor, mu: torch.Tensor, iterations: int
) -> tuple[torch.Tensor, torch.Tensor]:
    for _ in range(iterations):
        mu = torch_update(x, mu)
    return mu, torch.softmax(TEMPERATURE * x @ mu.T, dim=1)


def record(benchmark, n: int) -> None:
    benchmark.extra_info.update(
        n=n,
        m=None,  # rows alone, no graph
        n_clusters=N_CLUSTERS,
        width=WIDTH,
        threads=get_num_threads(),
        torch_threads=torch.get_num_threads(),
        isa=build_config()["isa"],
    )


@pytest.mark.parametrize("n", [500, 2708])
@pytest.mark.parametrize("who", ["graphopt", "torch"])
def test_forward(benchmark, who, n):
    benchmark.group = f"soft k-means, 10 iterations, n={n}"
    x, start = problem(n, torch.float32)
    record(benchmark, n)
    rows, centers = x.numpy(), start.numpy()

    def ours():
        result = soft_kmeans(rows, centers, temperature=TEMPERATURE, iterations=10, normalize=False)
        return result.centers, result.assignment

    with torch.no_grad():
        found = benchmark(ours if who == "graphopt" else lambda: torch_soft_kmeans(x, start, 10))
        wanted = torch_soft_kmeans(x.double(), start.double(), 10)
    for part, truth in zip(found, wanted, strict=True):
        np.testing.assert_allclose(part, truth, atol=1e-3)


def explicit_gradient(x: torch.Tensor, mu: torch.Tensor, v: torch.Tensor) -> np.ndarray:
    """Form dF/dmu by autograd, solve, and pull back to the rows."""
    size = mu.numel()
    jacobian = torch.autograd.functional.jacobian(lambda at: torch_update(x, at), mu)
    transposed = jacobian.reshape(size, size).T
    u = torch.linalg.solve(torch.eye(size, dtype=mu.dtype) - transposed, v.reshape(size))
    rows = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(torch_update(rows, mu), rows, u.reshape(mu.shape))
    return gradient.numpy()


@pytest.mark.parametrize("who", ["implicit", "dense", "torch, explicit Jacobian"])
def test_exact_gradient(benchmark, who):
    n = 2708
    benchmark.group = f"exact gradient at the fixed point, n={n}"
    x, start = problem(n, torch.float64)
    settled = soft_kmeans(
        x.numpy(), start.numpy(), temperature=TEMPERATURE, iterations=3000, normalize=False
    ).centers
    mu = torch.from_numpy(settled)
    v = torch.randn(mu.shape, dtype=mu.dtype, generator=torch.Generator().manual_seed(1))
    wanted = explicit_gradient(x, mu, v)
    record(benchmark, n)

    def ours():
        return soft_kmeans_vjp(
            x.numpy(),
            settled,
            temperature=TEMPERATURE,
            iterations=1,
            grad_centers=v.numpy(),
            gradient=who,
            tolerance=1e-10,
            normalize=False,
        )

    if who.startswith("torch"):
        found = benchmark.pedantic(lambda: explicit_gradient(x, mu, v), rounds=2)
    else:
        result = benchmark(ours)
        benchmark.extra_info["iterations"] = result.report.iterations
        found = result.x
    assert np.abs(found - wanted).max() < 1e-8 * np.abs(wanted).max()
