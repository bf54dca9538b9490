"""The weight within groups of a full matrix: against the twin and NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from graphopt._native import _core
from tests.reference.weight_within import weight_within as twin

SIZES = [0, 1, 2, 7, 8, 17, 33, 64, 150]  # one chunk of the triangle
LARGE = [1024, 1451]  # two, and several


def problem(n: int, n_groups: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(n)
    return rng.random((n, n)), rng.integers(n_groups, size=n)


@pytest.mark.parametrize("n", SIZES)
def test_the_kernel_is_its_twin(n: int) -> None:
    matrix, group = problem(n)
    assert _core.weight_within(matrix, group, 2) == pytest.approx(twin(matrix, group), rel=1e-12)


@pytest.mark.parametrize("n_groups", [1, 5, 4000])
@pytest.mark.parametrize("n", [*SIZES, *LARGE])
def test_the_kernel_is_numpys_sum(n: int, n_groups: int) -> None:
    matrix, group = problem(n, n_groups)
    expected = np.triu(matrix * (group[:, None] == group), 1).sum()
    assert _core.weight_within(matrix, group, 2) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("n", [*SIZES, *LARGE])
def test_only_the_upper_triangle_is_read(n: int) -> None:
    matrix, group = problem(n)
    expected = _core.weight_within(matrix, group, 1)
    matrix[np.tril_indices(n)] = np.nan
    assert _core.weight_within(matrix, group, 1) == expected


@pytest.mark.parametrize("n", [500, *LARGE])
def test_threads_leave_the_bits_as_they_are(n: int) -> None:
    matrix, group = problem(n)
    assert len({_core.weight_within(matrix, group, threads) for threads in (1, 2, 3, 4)}) == 1


def test_the_names_of_the_groups_do_not_count() -> None:
    matrix, group = problem(100)
    names = np.array([2**40, -1, -(2**63)])
    assert _core.weight_within(matrix, names[group], 1) == _core.weight_within(matrix, group, 1)


@pytest.mark.parametrize(
    ("matrix", "group", "error", "message"),
    [
        (np.ones(4), np.ones(4, np.int64), ValueError, "matrix must be 2D, not 1D"),
        (np.ones((2, 3)), np.ones(2, np.int64), ValueError, "matrix must be square, not 2 x 3"),
        (np.ones((2, 2)), np.ones(3, np.int64), ValueError, "group must have 2 elements, not 3"),
        (np.ones((2, 2)), np.ones((2, 1), np.int64), ValueError, "group must be 1D, not 2D"),
        (np.ones((2, 2)), np.ones(2, np.int32), TypeError, "incompatible function arguments"),
        (np.ones((2, 2), np.float32), np.ones(2, np.int64), TypeError, "incompatible function"),
        (np.ones((4, 4))[::2, ::2], np.ones(2, np.int64), TypeError, "incompatible function"),
    ],
    ids=["vector", "oblong", "long", "column", "int32", "float32", "strided"],
)
def test_arrays_that_do_not_fit_are_refused(
    matrix: np.ndarray, group: np.ndarray, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        _core.weight_within(matrix, group, 1)
