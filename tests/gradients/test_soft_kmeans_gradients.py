"""Every gradient of soft k-means against finite differences of the map it claims to be of."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from graphopt import soft_kmeans
from graphopt.clustering import fixed_point_residual, soft_kmeans_vjp
from graphopt.nn import SoftKMeans, gradient_certificate
from tests.reference import soft_kmeans as reference

TEMPERATURE = 3.0
SETTLED = 600  # iterations to a fixed point at this temperature


@pytest.fixture(scope="module")
def settled():
    """Three loose groups of rows with a fixed point that is reached, and weights of a loss."""
    rng = np.random.default_rng(0)
    groups = rng.normal(size=(3, 4))
    x = groups[rng.integers(0, 3, 24)] + 0.3 * rng.normal(size=(24, 4))
    start = soft_kmeans(x, groups, temperature=TEMPERATURE, iterations=SETTLED).centers
    assert fixed_point_residual(x, start, temperature=TEMPERATURE)[0] < 1e-14
    return x, start, rng.normal(size=(3, 4)), rng.normal(size=(24, 3))


def loss(x, start, weights, iterations):
    result = soft_kmeans(x, start, temperature=TEMPERATURE, iterations=iterations)
    return float((result.centers * weights[0]).sum() + (result.assignment * weights[1]).sum())


def finite_differences(function, at, step=1e-5):
    gradient = np.zeros_like(at)
    for index in np.ndindex(at.shape):
        up, down = at.copy(), at.copy()
        up[index] += step
        down[index] -= step
        gradient[index] = (function(up) - function(down)) / (2 * step)
    return gradient


def gradient(settled, method, iterations, **settings):
    x, start, weight, weight_r = settled
    return soft_kmeans_vjp(
        x,
        start,
        temperature=TEMPERATURE,
        iterations=iterations,
        grad_centers=weight,
        grad_assignment=weight_r,
        gradient=method,
        **settings,
    )


@pytest.mark.parametrize(
    ("method", "iterations"), [("implicit", 1), ("dense", 1), ("unrolled", SETTLED), ("auto", 1)]
)
def test_exact_gradients_are_those_of_the_fixed_point(settled, method, iterations):
    x, start, *weights = settled
    found = gradient(settled, method, iterations, tolerance=1e-12)
    wanted = finite_differences(lambda at: loss(at, start, weights, SETTLED), x)
    np.testing.assert_allclose(found.x, wanted, atol=1e-7)
    assert found.report.method == ("implicit" if method == "auto" else method)


def test_one_step_is_of_the_last_update_and_differs_from_the_exact_one(settled):
    x, start, *weights = settled
    found = gradient(settled, "one-step", 20)
    # At a fixed point the centres before the last update are `start`; they are held.
    wanted = finite_differences(lambda at: loss(at, start, weights, 1), x)
    np.testing.assert_allclose(found.x, wanted, atol=1e-7)
    np.testing.assert_array_equal(found.centers, 0)
    exact = gradient(settled, "dense", 1)
    result = soft_kmeans(x, start, temperature=TEMPERATURE, iterations=1)
    certificate = gradient_certificate(
        reference.unit_rows(x), result.centers, result.assignment, TEMPERATURE
    )
    assert not certificate.certified
    assert certificate.measured_inverse_distance > 0.1
    assert np.abs(found.x - exact.x).max() > 0.01 * np.abs(exact.x).max()


def test_one_step_is_close_where_it_is_certified():
    rng = np.random.default_rng(1)
    x = np.repeat(np.eye(4), 15, axis=0) + 0.02 * rng.normal(size=(60, 4))
    settings = {
        "temperature": 25.0,
        "iterations": 60,
        "grad_centers": rng.normal(size=(4, 4)),
    }
    result = soft_kmeans(x, np.eye(4), temperature=25.0, iterations=60)
    certificate = gradient_certificate(
        reference.unit_rows(x), result.centers, result.assignment, 25.0
    )
    assert certificate.certified
    assert certificate.inverse_bound < 0.01
    one_step = soft_kmeans_vjp(x, np.eye(4), gradient="one-step", **settings)
    exact = soft_kmeans_vjp(x, np.eye(4), gradient="dense", **settings)
    assert np.abs(one_step.x - exact.x).max() <= 0.01 * np.abs(exact.x).max()
    auto = soft_kmeans_vjp(x, np.eye(4), gradient="auto", **settings)
    np.testing.assert_array_equal(auto.x, one_step.x)


def test_implicit_and_dense_agree(settled):
    implicit = gradient(settled, "implicit", 1, tolerance=1e-12)
    dense = gradient(settled, "dense", 1)
    assert np.abs(implicit.x - dense.x).max() < 1e-8


@pytest.mark.parametrize("n_clusters", [2, 10, 17])
def test_implicit_and_dense_agree_away_from_a_fixed_point(n_clusters):
    rng = np.random.default_rng(n_clusters)
    x, start = rng.normal(size=(150, 9)), rng.normal(size=(n_clusters, 9))
    settings = {"temperature": 8.0, "iterations": 3, "grad_centers": rng.normal(size=start.shape)}
    implicit = soft_kmeans_vjp(x, start, gradient="implicit", tolerance=1e-12, **settings)
    dense = soft_kmeans_vjp(x, start, gradient="dense", **settings)
    assert np.abs(implicit.x - dense.x).max() < 1e-8 * max(1.0, np.abs(dense.x).max())


@pytest.mark.parametrize("iterations", [0, 1, 3])
def test_unrolled_is_exact_anywhere_and_by_the_start_too(iterations):
    rng = np.random.default_rng(2)
    x, start = rng.normal(size=(9, 3)), rng.normal(size=(2, 3))
    weights = rng.normal(size=(2, 3)), rng.normal(size=(9, 2))
    found = soft_kmeans_vjp(
        x,
        start,
        temperature=TEMPERATURE,
        iterations=iterations,
        grad_centers=weights[0],
        grad_assignment=weights[1],
        gradient="unrolled",
    )
    by_x = finite_differences(lambda at: loss(at, start, weights, iterations), x)
    by_start = finite_differences(lambda at: loss(x, at, weights, iterations), start)
    np.testing.assert_allclose(found.x, by_x, atol=1e-7)
    np.testing.assert_allclose(found.centers, by_start, atol=1e-7)


def test_float32_follows_float64(settled):
    x, start, weight, weight_r = (part.astype(np.float32) for part in settled)
    for method in ("one-step", "implicit", "dense", "unrolled"):
        single = gradient((x, start, weight, weight_r), method, 5, tolerance=1e-5)
        double = gradient(settled, method, 5, tolerance=1e-12)
        assert single.x.dtype == np.float32
        np.testing.assert_allclose(single.x, double.x, atol=2e-4 * np.abs(double.x).max())


# --- torch's own check ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "iterations"),
    [("one-step", 1), ("implicit", SETTLED), ("dense", SETTLED), ("unrolled", 4), ("auto", 600)],
)
def test_gradcheck_by_rows(settled, method, iterations):
    x = torch.from_numpy(settled[0][:12].copy()).requires_grad_()
    start = torch.from_numpy(
        soft_kmeans(
            x.detach().numpy(), settled[1], temperature=TEMPERATURE, iterations=SETTLED
        ).centers
    )
    layer = SoftKMeans(3, TEMPERATURE, iterations, method, tolerance=1e-12)
    assert torch.autograd.gradcheck(lambda x: tuple(layer(x, start)), (x,), atol=1e-6)


def test_gradcheck_by_rows_and_start_of_a_batch():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(11, 3, dtype=torch.float64, generator=generator).requires_grad_()
    start = torch.randn(3, 2, 3, dtype=torch.float64, generator=generator).requires_grad_()
    layer = SoftKMeans(2, TEMPERATURE, 3, "unrolled")
    offsets = torch.tensor([0, 4, 4, 11])
    assert torch.autograd.gradcheck(lambda x, mu: tuple(layer(x, mu, offsets=offsets)), (x, start))
