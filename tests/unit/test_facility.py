from __future__ import annotations

import numpy as np
import pytest

from graphopt.facility import expected_distances, expected_distances_gradient
from tests.reference import facility as twin

THREADS = (1, 2, 3, 8)


def lengths_and_hops(n_customers, n_sites, n_levels, seed, dtype=np.uint8, unreachable=0.15):
    """Return the same whole distances as float64 (inf) and as unsigned hops (maximum)."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(0, n_levels, (n_customers, n_sites)).astype(float)
    lengths[rng.random(lengths.shape) < unreachable] = np.inf
    hops = np.where(np.isinf(lengths), np.iinfo(dtype).max, np.nan_to_num(lengths, posinf=0))
    return lengths, hops.astype(dtype)


def mixed_opening(n_sites, seed, dtype=np.float64):
    """Return openings with exact zeros and ones among them."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(0, 0.6, n_sites)
    x[rng.random(n_sites) < 0.15] = 0.0
    x[rng.random(n_sites) < 0.15] = 1.0
    return x.astype(dtype)


def test_the_twin_is_the_average_over_all_open_sets():
    lengths, _ = lengths_and_hops(5, 7, 6, seed=0)
    for opening in (mixed_opening(7, 1), np.full(7, 0.3)):
        expected = twin.expected_distances_by_enumeration(lengths, opening, 6.0)
        np.testing.assert_allclose(twin.expected_distances(lengths, opening, 6.0), expected)


@pytest.mark.parametrize("kind", ["uint8", "uint16", "uint32", "float32", "float64"])
@pytest.mark.parametrize("charge", [1, 3, 6, 50])
@pytest.mark.parametrize("shape", [(1, 1), (3, 9), (9, 3), (70, 20)], ids=str)
def test_equals_the_twin(kind, charge, shape):
    hop_dtype = np.dtype(kind) if kind.startswith("u") else np.uint8
    lengths, hops = lengths_and_hops(*shape, 6, seed=2, dtype=hop_dtype)
    distances = hops if kind.startswith("u") else lengths.astype(kind)
    upstream = np.random.default_rng(3).normal(size=shape[0])
    for seed in range(4):
        opening = mixed_opening(shape[1], seed)
        np.testing.assert_allclose(
            expected_distances(distances, opening, charge=charge),
            twin.expected_distances(lengths, opening, charge),
            rtol=1e-12,
        )
        np.testing.assert_allclose(
            expected_distances_gradient(distances, opening, upstream, charge=charge),
            twin.expected_distances_gradient(lengths, opening, upstream, charge),
            rtol=1e-10,
            atol=1e-11,
        )


def test_real_lengths_equal_the_twin():
    rng = np.random.default_rng(5)
    lengths = rng.uniform(0, 3, (40, 15))
    lengths[rng.random(lengths.shape) < 0.2] = np.inf
    upstream = rng.normal(size=40)
    for charge in (0.5, 2.5, 10.0):
        opening = mixed_opening(15, 6)
        np.testing.assert_allclose(
            expected_distances(lengths, opening, charge=charge),
            twin.expected_distances(lengths, opening, charge),
            rtol=1e-12,
        )
        np.testing.assert_allclose(
            expected_distances_gradient(lengths, opening, upstream, charge=charge),
            twin.expected_distances_gradient(lengths, opening, upstream, charge),
            atol=1e-11,
        )


def test_gradient_equals_finite_differences():
    _, hops = lengths_and_hops(30, 12, 5, seed=7)
    rng = np.random.default_rng(8)
    opening, upstream, step = rng.uniform(0.1, 0.9, 12), rng.normal(size=30), 1e-6

    def value(x):
        return upstream @ expected_distances(hops, x)

    gradient = expected_distances_gradient(hops, opening, upstream)
    for i, along in enumerate(np.eye(12) * step):
        slope = (value(opening + along) - value(opening - along)) / (2 * step)
        assert slope == pytest.approx(gradient[i], abs=1e-7)


def test_float32_keeps_its_dtype_and_is_accurate():
    lengths, hops = lengths_and_hops(100, 300, 12, seed=9)
    opening = mixed_opening(300, 10, np.float32) * np.float32(0.02)
    upstream = np.ones(100, np.float32)
    exact = opening.astype(np.float64)
    for distances in (hops, lengths):
        expected = expected_distances(distances, opening)
        gradient = expected_distances_gradient(distances, opening, upstream)
        assert expected.dtype == gradient.dtype == np.float32
        np.testing.assert_allclose(expected, expected_distances(distances, exact), rtol=1e-6)
        np.testing.assert_allclose(
            gradient, expected_distances_gradient(distances, exact, np.ones(100)), rtol=2e-6
        )


def test_open_or_shut_for_sure_gives_plain_distances():
    lengths, hops = lengths_and_hops(20, 8, 6, seed=11)
    for distances in (hops, lengths):
        nothing = expected_distances(distances, np.zeros(8), charge=9)
        np.testing.assert_array_equal(nothing, np.full(20, 9.0))
        for site in range(8):
            only = expected_distances(distances, np.eye(8)[site], charge=9)
            np.testing.assert_array_equal(only, np.minimum(lengths[:, site], 9.0))


def test_many_almost_sure_sites_underflow_quietly():
    _, hops = lengths_and_hops(10, 400, 4, seed=12)
    for x in (1 - 1e-12, 0.9):
        expected = expected_distances(hops, np.full(400, x))
        gradient = expected_distances_gradient(hops, np.full(400, x), np.ones(10))
        assert np.isfinite(expected).all()
        assert np.isfinite(gradient).all()
    np.testing.assert_allclose(expected, 0.0, atol=1e-12)


def test_a_long_path_has_many_levels():
    n = 700
    path = np.abs(np.subtract.outer(np.arange(n), np.arange(n))).astype(np.uint16)
    opening = np.zeros(n)
    opening[[0, n - 1]] = 0.5
    at_end = expected_distances(path, opening)[0]
    assert at_end == pytest.approx(0.5 * 0 + 0.25 * (n - 1) + 0.25 * n)
    np.testing.assert_allclose(
        expected_distances_gradient(path, opening, np.ones(n)),
        expected_distances_gradient(path.astype(float), opening, np.ones(n)),
        rtol=1e-10,
    )


def test_default_charge_is_the_largest_distance_plus_one():
    hops = np.array([[0, 4], [255, 0]], np.uint8)
    np.testing.assert_array_equal(expected_distances(hops, [0.0, 0.0]), [5.0, 5.0])
    nobody = np.full((2, 2), 255, np.uint8)
    np.testing.assert_array_equal(expected_distances(nobody, [0.5, 1.0]), [1.0, 1.0])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float64], ids=lambda d: d.__name__)
def test_no_sites_or_no_customers(dtype):
    no_sites, no_customers = np.empty((3, 0), dtype), np.empty((0, 3), dtype)
    np.testing.assert_array_equal(expected_distances(no_sites, np.empty(0), charge=4), [4, 4, 4])
    assert expected_distances_gradient(no_sites, np.empty(0), np.ones(3)).shape == (0,)
    assert expected_distances(no_customers, np.ones(3)).shape == (0,)
    nothing = expected_distances_gradient(no_customers, np.array([0, 0.5, 1]), np.empty(0))
    np.testing.assert_array_equal(nothing, np.zeros(3))


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=lambda d: d.__name__)
@pytest.mark.parametrize("weighted", [False, True], ids=["hops", "lengths"])
def test_same_bits_at_any_number_of_threads(dtype, weighted):
    lengths, hops = lengths_and_hops(300, 170, 9, seed=13)
    distances = lengths if weighted else hops
    opening = mixed_opening(170, 14, dtype)
    upstream = np.random.default_rng(15).normal(size=300).astype(dtype)
    values = [expected_distances(distances, opening, num_threads=t) for t in THREADS]
    slopes = [
        expected_distances_gradient(distances, opening, upstream, num_threads=t) for t in THREADS
    ]
    for value, slope in zip(values, slopes, strict=True):
        assert value.tobytes() == values[0].tobytes()
        assert slope.tobytes() == slopes[0].tobytes()


def test_read_only_and_strided_input_is_left_alone():
    _, hops = lengths_and_hops(20, 10, 5, seed=16)
    opening = mixed_opening(10, 17)
    wide, long = np.repeat(hops, 2, axis=1), np.repeat(opening, 2)
    for array in (wide, long):
        array.flags.writeable = False
    np.testing.assert_array_equal(
        expected_distances(wide[:, ::2], long[::2]), expected_distances(hops, opening)
    )
    np.testing.assert_array_equal(
        expected_distances(np.asfortranarray(hops), opening), expected_distances(hops, opening)
    )


HOPS = np.array([[0, 1], [1, 0]], np.uint8)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((HOPS.astype(np.int64), [0, 1]), TypeError, "distances must be uint8, uint16 or uint32"),
        ((HOPS[0], [0, 1]), ValueError, "distances must be 2D, not 1D"),
        ((-1.0 * HOPS, [0, 1]), ValueError, r"distances must be at least 0; distances\[0, 1\]"),
        ((np.array([[np.nan]]), [0]), ValueError, "distances must be at least 0"),
        ((HOPS, [0.5]), ValueError, r"opening must have shape \(2,\)"),
        ((HOPS, [0.5, 1.5]), ValueError, r"opening must be within \[0, 1\]; opening\[1\] is 1.5"),
        ((HOPS, [-0.5, 0.5]), ValueError, r"opening\[0\] is -0.5"),
        ((HOPS, [np.nan, 0.5]), ValueError, "opening must be finite"),
        ((HOPS, ["a", "b"]), TypeError, "opening must be a numeric array"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_bad_input_is_named(arguments, error, message):
    with pytest.raises(error, match=message):
        expected_distances(*arguments)


def test_bad_charges_and_upstreams_are_named():
    with pytest.raises(ValueError, match="charge must be at least 1, not 0"):
        expected_distances(HOPS, [0, 1], charge=0)
    with pytest.raises(TypeError, match="charge must be an integer, not float"):
        expected_distances(HOPS, [0, 1], charge=2.5)
    with pytest.raises(ValueError, match="charge must be greater than 0, not 0"):
        expected_distances(HOPS.astype(float), [0, 1], charge=0.0)
    with pytest.raises(ValueError, match=r"upstream must have shape \(2,\), one per customer"):
        expected_distances_gradient(HOPS, [0, 1], [1.0])
    with pytest.raises(TypeError, match="upstream must have the dtype of opening, float64"):
        expected_distances_gradient(HOPS, [0.0, 1.0], np.ones(2, np.float32))
