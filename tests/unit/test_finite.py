"""Whether all numbers are finite: against NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from graphopt._native import _core

DTYPES = ["float32", "float64"]
NOT_FINITE = [np.nan, -np.nan, np.inf, -np.inf]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [0, 1, 5, 63, 1000, 100_003])
def test_every_finite_number_is_let_through(size: int, dtype: str) -> None:
    limits = np.finfo(dtype)
    edge = [0.0, -0.0, limits.max, limits.min, limits.smallest_subnormal, limits.tiny]
    assert _core.all_finite(np.resize(np.array(edge, dtype), size))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bad", NOT_FINITE)
@pytest.mark.parametrize("size", [1, 5, 63, 1000, 100_003])
def test_one_other_is_found(size: int, bad: float, dtype: str) -> None:
    values = np.zeros(size, dtype)
    for place in {0, size // 3, size // 2, size - 1}:
        values[place] = bad
        assert _core.all_finite(values) == np.isfinite(values).all() == False  # noqa: E712
        values[place] = 0.0


@pytest.mark.parametrize("dtype", DTYPES)
def test_random_bits_are_judged_as_numpy_does(dtype: str) -> None:
    bits = np.random.default_rng(0).bytes(8 * 20_000)
    with np.errstate(invalid="ignore"):
        rows = np.frombuffer(bits, dtype).reshape(-1, 40)
    assert not np.isfinite(rows).all()
    for row in rows:
        assert _core.all_finite(row) == np.isfinite(row).all()


@pytest.mark.parametrize("shape", [(), (3, 4), (2, 3, 4), (0, 5)])
def test_arrays_of_every_shape_are_taken(shape: tuple[int, ...]) -> None:
    assert _core.all_finite(np.ones(shape))


@pytest.mark.parametrize(
    "values",
    [np.ones(4, np.int64), np.ones(4, np.float16), np.ones((4, 4)).T[::2], np.ones(4, ">f8")],
    ids=["int64", "float16", "strided", "big-endian"],
)
def test_other_arrays_are_refused(values: np.ndarray) -> None:
    with pytest.raises(TypeError, match="incompatible function arguments"):
        _core.all_finite(values)
