"""Soft k-means on NumPy arrays: the kernel against its twin, its edge cases and its errors."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest

import graphopt
from graphopt.clustering import (
    SoftKMeansSettings,
    fixed_point_residual,
    kmeans_plus_plus,
    soft_kmeans,
    soft_kmeans_vjp,
    stack_rows,
)
from graphopt.clustering.settings import GRADIENTS
from graphopt.errors import ConvergenceWarning, MemoryLimitError
from tests.reference import soft_kmeans as reference

TOLERANCE = {np.float32: 2e-5, np.float64: 1e-12}
DTYPES = [np.float32, np.float64]
SIZES = [(0, 3, 4), (1, 1, 1), (2, 5, 3), (9, 4, 16), (70, 10, 50), (300, 7, 33), (530, 20, 8)]


def problem(n: int, n_clusters: int, p: int, dtype: type, seed: int = 0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, p)).astype(dtype)
    centers = reference.unit_rows(rng.normal(size=(n_clusters, p)).astype(dtype))
    return x, centers


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("n", "n_clusters", "p"), SIZES)
@pytest.mark.parametrize("iterations", [0, 1, 4])
def test_equals_twin(n, n_clusters, p, iterations, dtype):
    x, centers = problem(n, n_clusters, p, dtype)
    result = soft_kmeans(x, centers, temperature=5.0, iterations=iterations)
    unit = reference.unit_rows(x)
    wanted_centers, wanted = reference.soft_kmeans(unit, centers, 5.0, iterations)
    assert result.centers.dtype == result.assignment.dtype == dtype
    np.testing.assert_allclose(result.centers, wanted_centers, atol=TOLERANCE[dtype])
    np.testing.assert_allclose(result.assignment, wanted, atol=TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", DTYPES)
def test_rows_can_be_used_as_they_are(dtype):
    x, centers = problem(40, 4, 6, dtype)
    result = soft_kmeans(x, centers, temperature=2.0, iterations=3, normalize=False)
    wanted_centers, wanted = reference.soft_kmeans(x, centers, 2.0, 3)
    np.testing.assert_allclose(result.centers, wanted_centers, atol=20 * TOLERANCE[dtype])
    np.testing.assert_allclose(result.assignment, wanted, atol=20 * TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("p", [1, 5, 16, 50])
def test_rows_scaled_on_the_way_give_the_bits_of_rows_scaled_before(p, dtype):
    x, centers = problem(700, 7, p, dtype)
    x *= 10.0 ** np.arange(-3, 4).repeat(100).astype(dtype)[:, None]
    x[[0, 31, 699]] = 0
    unit = graphopt._native._core.unit_rows(x, 1)[0]
    for iterations in (0, 1, 5):
        settings = {"temperature": 9.0, "iterations": iterations}
        found = soft_kmeans(x, centers, **settings)
        before = soft_kmeans(unit, centers, normalize=False, **settings)
        np.testing.assert_array_equal(found.centers, before.centers)
        np.testing.assert_array_equal(found.assignment, before.assignment)


@pytest.mark.parametrize("dtype", DTYPES)
def test_equals_torch(dtype):
    torch = pytest.importorskip("torch")
    x, centers = problem(200, 6, 20, dtype)
    result = soft_kmeans(x, centers, temperature=8.0, iterations=5)
    rows = torch.nn.functional.normalize(torch.from_numpy(x))
    mu = torch.from_numpy(centers)
    for _ in range(5):
        r = torch.softmax(8.0 * rows @ mu.T, dim=1)
        mu = r.T @ rows / r.sum(0)[:, None]
    np.testing.assert_allclose(result.centers, mu.numpy(), atol=TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", DTYPES)
def test_batch_equals_single_calls_to_the_bit(dtype):
    sizes = [5, 0, 700, 256, 1, 33]
    parts = [problem(n, 1, 10, dtype, seed=n)[0] for n in sizes]
    starts = np.stack([problem(1, 4, 10, dtype, seed=n)[1] for n in sizes])
    x, offsets = stack_rows(parts)
    weights = np.random.default_rng(1).normal(size=starts.shape).astype(dtype)
    settings = {"temperature": 6.0, "iterations": 3}
    batch = soft_kmeans(x, starts, offsets=offsets, **settings)
    assert batch.centers.shape == (6, 4, 10)
    for g, (part, start) in enumerate(zip(parts, starts, strict=True)):
        single = soft_kmeans(part, start, **settings)
        np.testing.assert_array_equal(batch.centers[g], single.centers)
        np.testing.assert_array_equal(
            batch.assignment[offsets[g] : offsets[g + 1]], single.assignment
        )
    np.testing.assert_array_equal(batch.centers[1], starts[1])  # no rows: nothing moves
    for method in ("one-step", "unrolled", "dense", "implicit"):
        whole = soft_kmeans_vjp(
            x,
            starts,
            offsets=offsets,
            grad_centers=weights,
            gradient=method,
            tolerance=1e-5,
            **settings,
        )
        for g, (part, start) in enumerate(zip(parts, starts, strict=True)):
            one = soft_kmeans_vjp(
                part, start, grad_centers=weights[g], gradient=method, tolerance=1e-5, **settings
            )
            np.testing.assert_array_equal(whole.x[offsets[g] : offsets[g + 1]], one.x)
            np.testing.assert_array_equal(whole.centers[g], one.centers)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("method", ["one-step", "implicit", "dense", "unrolled", "auto"])
def test_threads_do_not_change_a_bit(method, dtype):
    # Large enough that each of 8 threads gets a share of a pass.
    x, centers = problem(6000, 10, 36, dtype)
    rng = np.random.default_rng(5)
    grad_centers = rng.normal(size=centers.shape).astype(dtype)
    grad_assignment = rng.normal(size=(6000, 10)).astype(dtype)
    answers = []
    for threads in (1, 2, 3, 8):
        settings = {"temperature": 4.0, "iterations": 3, "num_threads": threads}
        forward = soft_kmeans(x, centers, **settings)
        found = soft_kmeans_vjp(
            x,
            centers,
            grad_centers=grad_centers,
            grad_assignment=grad_assignment,
            gradient=method,
            tolerance=1e-5,
            **settings,
        )
        answers.append((forward.centers, forward.assignment, found.x, found.centers))
    for other in answers[1:]:
        for first, second in zip(answers[0], other, strict=True):
            np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("dtype", DTYPES)
def test_strided_and_read_only_input(dtype):
    x, centers = problem(60, 3, 8, dtype)
    wanted = soft_kmeans(x, centers, temperature=3.0, iterations=2)
    wide = np.repeat(x, 2, axis=1)
    frozen = x.copy()
    frozen.flags.writeable = False
    for same in (wide[:, ::2], frozen, np.asfortranarray(x)):
        before = same.copy()
        result = soft_kmeans(same, centers, temperature=3.0, iterations=2)
        np.testing.assert_array_equal(result.centers, wanted.centers)
        np.testing.assert_array_equal(same, before)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("temperature", [0.0, 30.0, 1e5, 1e30])
def test_hard_cases_are_finite(temperature, dtype):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(6, 5)).astype(dtype)
    x[2] = 0
    x[4] = x[3]
    start = np.concatenate([x[:1], x[:1], x[3:5], -x[:6], np.zeros((1, 5))]).astype(dtype)
    result = soft_kmeans(x, start, temperature=temperature, iterations=4)  # K = 11 > n = 6
    assert np.isfinite(result.centers).all()
    np.testing.assert_allclose(result.assignment.sum(axis=1), 1, rtol=1e-5)
    for method in ("one-step", "unrolled"):
        found = soft_kmeans_vjp(
            x,
            start,
            temperature=min(temperature, 1e5),
            iterations=4,
            grad_centers=np.ones_like(start),
            gradient=method,
        )
        assert np.isfinite(found.x).all()
        assert np.isfinite(found.centers).all()
        np.testing.assert_array_equal(found.x[2], 0)  # a row of zeros has no direction


def test_empty_cluster_keeps_its_centre_and_hands_its_gradient_on():
    x = np.array([[1.0, 0.0], [1.0, 0.0]])
    start = np.array([[1.0, 0.0], [-1.0, 0.0]])
    settings = {"temperature": 1000.0, "iterations": 3}
    result = soft_kmeans(x, start, **settings)
    np.testing.assert_array_equal(result.centers, start)
    np.testing.assert_array_equal(result.assignment, [[1, 0], [1, 0]])
    grad = np.array([[0.0, 1.0], [3.0, 4.0]])
    found = soft_kmeans_vjp(x, start, grad_centers=grad, gradient="unrolled", **settings)
    np.testing.assert_array_equal(found.centers, [[0, 0], [3, 4]])
    for method in ("implicit", "dense"):
        found = soft_kmeans_vjp(x, start, grad_centers=grad, gradient=method, **settings)
        assert np.isfinite(found.x).all()


def test_no_iterations_is_the_start_itself():
    x, centers = problem(10, 3, 4, np.float64)
    grad = np.ones_like(centers)
    for method in ("one-step", "implicit", "dense", "unrolled", "auto"):
        found = soft_kmeans_vjp(
            x, centers, temperature=3.0, iterations=0, grad_centers=grad, gradient=method
        )
        np.testing.assert_array_equal(found.centers, grad)
        np.testing.assert_array_equal(found.x, 0)


def test_fixed_point_residual_vanishes():
    x, centers = problem(50, 3, 6, np.float64)
    settled = soft_kmeans(x, centers, temperature=4.0, iterations=2000).centers
    assert fixed_point_residual(x, settled, temperature=4.0).shape == (1,)
    assert fixed_point_residual(x, settled, temperature=4.0)[0] < 1e-12
    assert fixed_point_residual(x, centers, temperature=4.0)[0] > 1e-2


def test_solver_that_stops_short_warns():
    x, centers = problem(200, 5, 10, np.float64)
    with pytest.warns(ConvergenceWarning, match="did not reach the tolerance 1e-12.*of 1 iter"):
        found = soft_kmeans_vjp(
            x,
            centers,
            temperature=8.0,
            iterations=20,
            grad_centers=np.ones_like(centers),
            gradient="implicit",
            tolerance=1e-12,
            max_solver_iterations=1,
        )
    assert not found.report.converged
    assert found.report.iterations == (1,)
    assert found.report.residual[0] > 1e-12


def test_report_of_the_solver():
    x, centers = problem(200, 5, 10, np.float64)
    found = soft_kmeans_vjp(
        x,
        centers,
        temperature=8.0,
        iterations=3000,
        grad_centers=np.ones_like(centers),
        gradient="implicit",
        tolerance=1e-10,
    )
    assert found.report.method == "implicit"
    assert found.report.converged
    assert 0 < found.report.iterations[0] <= 50
    assert found.report.residual[0] <= 1e-10
    assert found.report.fixed_point_residual is not None
    assert found.report.fixed_point_residual < 1e-6


def test_dense_refuses_what_does_not_fit(monkeypatch):
    monkeypatch.setattr("graphopt._validation.available_memory", lambda: 1000)
    x, centers = problem(20, 3, 5, np.float64)
    with pytest.raises(MemoryLimitError, match=r"dense Jacobian of 3 centres .* 5,400 bytes"):
        soft_kmeans_vjp(
            x,
            centers,
            temperature=2.0,
            iterations=1,
            grad_centers=np.ones_like(centers),
            gradient="dense",
        )


def test_auto_says_what_it_chose():
    rng = np.random.default_rng(0)
    tight = np.repeat(np.eye(4), 20, axis=0) + 0.01 * rng.normal(size=(80, 4))
    loose = rng.normal(size=(80, 4))
    chosen = []
    for x in (tight, loose):
        found = soft_kmeans_vjp(
            x,
            np.eye(4),
            temperature=20.0,
            iterations=50,
            grad_centers=np.ones((4, 4)),
            gradient="auto",
        )
        chosen.append(found.report.method)
        assert found.report.certified_error is not None
    assert chosen == ["one-step", "implicit"]


GOOD = {"x": np.ones((4, 3)), "centers": np.eye(3), "temperature": 1.0, "iterations": 1}
BAD = [
    ({"x": np.ones(3)}, ValueError, "x must be 2D, not 1D"),
    ({"x": np.full((4, 3), np.nan)}, ValueError, r"x must be finite; x\[0, 0\] is nan"),
    ({"x": np.ones((4, 0))}, ValueError, "x must have at least one column"),
    ({"x": [["a"]]}, TypeError, "x must be a numeric array"),
    ({"centers": np.array([[np.inf, 0, 0]])}, ValueError, "centers must be finite"),
    ({"centers": np.ones((2, 2))}, ValueError, "centers must have 3 columns, as x has, not 2"),
    ({"centers": np.ones((0, 3))}, ValueError, "centers must have at least one row"),
    ({"centers": np.ones((2, 2, 3))}, ValueError, "one set for each of 1 graphs, not 2"),
    ({"centers": np.ones((2, 3), np.float32)}, TypeError, "centers must have the dtype of x"),
    ({"temperature": -1.0}, ValueError, "temperature must be at least 0, not -1"),
    ({"temperature": np.inf}, ValueError, "temperature must be finite"),
    ({"iterations": -1}, ValueError, "iterations must be at least 0, not -1"),
    ({"iterations": 1.5}, TypeError, "iterations must be an integer"),
    ({"offsets": [0, 3]}, ValueError, "offsets must start at 0, never decrease and end at the 4"),
    ({"offsets": [0, 5, 4]}, ValueError, "offsets must start at 0"),
    ({"offsets": [0.0, 4.0]}, TypeError, "offsets must hold integers"),
    ({"num_threads": 0}, ValueError, "num_threads must be at least 1"),
]


@pytest.mark.parametrize(("change", "error", "message"), BAD, ids=[b[2][:28] for b in BAD])
def test_bad_input_is_named(change, error, message):
    with pytest.raises(error, match=message):
        soft_kmeans(**{**GOOD, **change})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gradient": "exact"}, "gradient must be one of auto, dense, implicit, one-step"),
        ({"tolerance": 0.0}, "tolerance must be greater than 0"),
        ({"max_solver_iterations": 0}, "max_solver_iterations must be at least 1"),
        ({"grad_centers": np.ones((2, 3))}, r"grad_centers must have shape \(3, 3\)"),
        ({"grad_assignment": np.ones((4, 2))}, r"grad_assignment must have shape \(4, 3\)"),
    ],
)
def test_bad_gradient_settings_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        soft_kmeans_vjp(**{**GOOD, **change})


def test_settings_are_checked_and_packed():
    settings = SoftKMeansSettings(np.float32(3.0), np.int64(4), "implicit", 1e-3, 7)
    assert [type(value) for value in settings.packed] == [float, int, str, float, int]
    unpacked = SoftKMeansSettings.unpack(settings.packed)
    assert unpacked == replace(settings, normalize=False)
    with pytest.raises(ValueError, match="iterations must be at least 0, not -1"):
        replace(settings, iterations=-1)
    with pytest.raises(FrozenInstanceError):
        settings.iterations = 5
    kept = {name: replace(settings, gradient=name).iterates_kept for name in GRADIENTS}
    assert kept == {"one-step": 1, "implicit": 0, "dense": 0, "unrolled": 4, "auto": 1}


def test_temperature_must_fit_the_dtype():
    x = np.ones((2, 2), np.float32)
    with pytest.raises(ValueError, match="temperature must be finite in float32"):
        soft_kmeans(x, x, temperature=1e39, iterations=1)


def test_kmeans_plus_plus_spreads_and_repeats():
    x = np.repeat(np.eye(6), 4, axis=0)
    first = kmeans_plus_plus(x, 6, random_state=3)
    np.testing.assert_array_equal(first.sum(axis=0), np.ones(6))
    np.testing.assert_array_equal(first, kmeans_plus_plus(x, 6, random_state=3))
    assert kmeans_plus_plus(x.astype(np.float32), 2, random_state=0).dtype == np.float32


def test_kmeans_plus_plus_when_rows_run_out():
    x = np.array([[0.0, 0, 0], [2, 0, 0], [2, 0, 0], [0, 0, 0]])
    centers = kmeans_plus_plus(x, 4, random_state=0)
    np.testing.assert_array_equal(centers[0], [1, 0, 0])
    np.testing.assert_allclose(np.linalg.norm(centers, axis=1), 1)
    assert len(np.unique(centers.round(6), axis=0)) == 4
    empty = kmeans_plus_plus(np.empty((0, 3)), 2, random_state=0)
    np.testing.assert_allclose(np.linalg.norm(empty, axis=1), 1)
    with pytest.raises(ValueError, match="n_clusters must be at least 1"):
        kmeans_plus_plus(x, 0)


def test_stack_rows_errors():
    with pytest.raises(ValueError, match="at least one array"):
        stack_rows([])
    with pytest.raises(ValueError, match=r"arrays\[1\] must have 2 columns"):
        stack_rows([np.ones((1, 2)), np.ones((1, 3))])
    with pytest.raises(TypeError, match=r"arrays\[1\] must have the dtype of arrays\[0\]"):
        stack_rows([np.ones((1, 2)), np.ones((1, 2), np.float32)])


def test_public_names():
    assert graphopt.soft_kmeans is soft_kmeans
    assert graphopt.SoftKMeansResult.__name__ == "SoftKMeansResult"


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize("iterations", [0, 1, 4])
@pytest.mark.parametrize("temperature", [0.0, 30.0])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_bad_value_anywhere_is_found(bad, normalize, iterations, temperature, dtype):
    rng = np.random.default_rng(3)
    x = np.abs(rng.normal(size=(90, 5))).astype(dtype)
    centers = np.stack([x[:3], x[40:43]])
    x[77, 2] = bad
    with pytest.raises(ValueError, match=rf"x must be finite; x\[77, 2\] is {bad}"):
        soft_kmeans(
            x,
            centers,
            temperature=temperature,
            iterations=iterations,
            offsets=[0, 40, 90],
            normalize=normalize,
        )


@pytest.mark.parametrize("num_threads", [2**29, 2**30, 2**31 - 1])
def test_as_many_threads_as_an_int_holds(num_threads):
    x, start = np.eye(4), np.eye(4)[:2]
    settings = {"temperature": 4.0, "iterations": 2}
    many = soft_kmeans(x, start, **settings, num_threads=num_threads)
    assert np.array_equal(many.centers, soft_kmeans(x, start, **settings).centers)
