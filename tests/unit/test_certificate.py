"""The certificate: what it measures, what it promises, and where the printed bound fails."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graphopt import soft_kmeans
from graphopt.nn import SoftKMeans, gradient_certificate
from tests.reference import soft_kmeans as reference


def certify(x, centers, temperature, **settings):
    assignment = reference.assign(x, centers, temperature)
    return gradient_certificate(x, centers, assignment, temperature, **settings)


def separated(n_clusters, p, noise, seed, n=60):
    """Rows around random directions, and the directions."""
    rng = np.random.default_rng(seed)
    centers = reference.unit_rows(rng.normal(size=(n_clusters, p)))
    x = centers[np.arange(n) % n_clusters] + noise * rng.normal(size=(n, p))
    return reference.unit_rows(x), centers


def test_measures_what_it_says():
    x, centers = separated(3, 5, 0.3, seed=0)
    found = certify(x, centers, 6.0)
    jacobian = reference.centers_jacobian(x, centers, 6.0).reshape(15, 15)
    assert found.measured_norm == pytest.approx(np.abs(jacobian).sum(axis=0).max())
    inverse = np.linalg.inv(np.eye(15) - jacobian)
    assert found.measured_inverse_distance == pytest.approx(
        np.abs(inverse - np.eye(15)).sum(axis=0).max()
    )
    similarity = np.sort(x @ centers.T, axis=1)
    assert found.margin == pytest.approx((similarity[:, -1] - similarity[:, -2]).min())
    assert found.mass == pytest.approx(reference.assign(x, centers, 6.0).sum(axis=0).min() / 60)


@given(
    n_clusters=st.integers(1, 6),
    p=st.integers(1, 30),
    noise=st.floats(0, 0.5),
    temperature=st.floats(0, 200),
    seed=st.integers(0, 10**6),
)
def test_bounds_hold_on_any_rows(n_clusters, p, noise, temperature, seed):
    x, centers = separated(n_clusters, p, noise, seed, n=30)
    x[::7] = 0
    found = certify(x, centers, temperature)
    slack = 1 + 1e-9
    assert found.measured_norm <= found.bound * slack
    assert found.bound <= found.margin_bound
    assert found.certified == (found.bound < 1)
    if found.certified:
        assert found.measured_norm < 1
        assert found.measured_inverse_distance <= found.inverse_bound * slack
    else:
        assert found.inverse_bound == np.inf


@given(seed=st.integers(0, 10**6), scale=st.floats(0.1, 10), temperature=st.floats(0, 50))
def test_bounds_hold_on_rows_of_any_length(seed, scale, temperature):
    x, centers = separated(3, 8, 0.2, seed, n=20)
    x = scale * x * np.random.default_rng(seed).uniform(0.1, 1, (20, 1))
    found = certify(x, centers, temperature)
    assert found.measured_norm <= found.bound * (1 + 1e-9)


def test_well_separated_rows_are_certified_in_both_precisions():
    x, centers = separated(5, 40, 0.01, seed=1)
    found = certify(x, centers, 60.0)
    assert found.certified
    assert found.inverse_bound < 1e-3
    single = certify(x.astype(np.float32), centers.astype(np.float32), 60.0)
    assert single.certified
    assert single.measured_norm <= single.bound
    assert not certify(x, centers, 1.0).certified


def test_the_printed_bound_can_be_exceeded():
    """Two clusters at (e_1 +- d) / sqrt(2), d dense: rows' entries sum to far more than 1."""
    p = 401
    dense = np.full(p, 1 / np.sqrt(p - 1))
    dense[0] = 0
    first = np.zeros(p)
    first[0] = 1
    centers = np.stack([first + dense, first - dense]) / np.sqrt(2)
    x = np.repeat(centers, 20, axis=0)
    temperature = 6.0
    found = certify(x, centers, temperature, max_size=2000)
    assert found.margin == pytest.approx(1.0)
    # The proposition's condition holds, so the paper promises the printed bound.
    assert temperature * found.margin > np.log(2 * temperature * 2**2 / found.mass)
    assert found.paper_bound < 1
    assert found.measured_norm > found.paper_bound
    assert found.measured_norm <= found.bound <= found.margin_bound


def test_edge_cases():
    one = certify(np.eye(3), np.ones((1, 3)), 5.0)  # one centre: r = 1 whatever it is
    assert (one.bound, one.measured_norm, one.margin) == (0.0, 0.0, np.inf)
    flat = certify(np.eye(3), np.eye(3), 0.0)
    assert (flat.bound, flat.measured_norm) == (0.0, 0.0)
    empty = gradient_certificate(np.empty((0, 2)), np.eye(2), np.empty((0, 2)), 3.0)
    assert (empty.bound, empty.measured_norm) == (0.0, 0.0)
    tied = certify(np.eye(3), np.ones((2, 3)), 1e5)
    assert (tied.margin, tied.certified) == (0.0, False)
    lonely = certify(np.eye(2)[[0, 0]], np.eye(2)[[0]] * [[1.0], [-1.0]], 1e4)
    assert (lonely.mass, lonely.certified) == (0.0, False)
    assert certify(np.eye(3), np.eye(3), 3.0, max_size=8).measured_norm is None


def test_takes_tensors():
    x = torch.randn(30, 4, generator=torch.Generator().manual_seed(0), requires_grad=True)
    centers, assignment, embedding = SoftKMeans(3, 10.0, 5)(x)
    found = gradient_certificate(embedding, centers, assignment, 10.0)
    same = soft_kmeans(
        embedding.detach().numpy(), centers.detach().numpy(), temperature=10.0, iterations=0
    )
    wanted = gradient_certificate(embedding.detach().numpy(), same.centers, same.assignment, 10.0)
    assert found == wanted


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"x": np.ones(3)}, ValueError, "x must be 2D"),
        ({"x": torch.ones(4, 3, device="meta")}, ValueError, "x must be on the CPU, not on meta"),
        ({"centers": np.ones((2, 2))}, ValueError, r"centers must have shape \(n_clusters, 3\)"),
        ({"centers": np.eye(3, dtype=np.float32)}, TypeError, "centers must have the dtype of x"),
        ({"assignment": np.ones((4, 2))}, ValueError, r"assignment must have shape \(4, 3\)"),
        ({"assignment": np.eye(4, 3)}, ValueError, "assignment must be softmax"),
        ({"temperature": -1.0}, ValueError, "temperature must be at least 0"),
        ({"max_size": -1}, ValueError, "max_size must be at least 0"),
    ],
)
def test_bad_input_is_named(change, error, message):
    good = {
        "x": np.ones((4, 3)),
        "centers": np.eye(3),
        "assignment": np.full((4, 3), 1 / 3),
        "temperature": 1.0,
    }
    with pytest.raises(error, match=message):
        gradient_certificate(**{**good, **change})
