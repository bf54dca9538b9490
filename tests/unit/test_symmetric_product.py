"""A symmetric matrix times a vector: against the twin and NumPy, from half of the matrix."""

from __future__ import annotations

import numpy as np
import pytest

from graphopt._native import _core
from tests.reference.symmetric_product import symmetric_product as twin

# One chunk of the triangle, two, several; steps of rows and vectors that end early, or not at all.
SIZES = [0, 1, 2, 3, 7, 8, 9, 16, 31, 64, 150, 723, 1024, 1451]


def problem(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(n, n))
    return matrix + matrix.T, rng.normal(size=n)


@pytest.mark.parametrize("n", [n for n in SIZES if n <= 150])
def test_the_kernel_is_its_twin(n: int) -> None:
    matrix, vector = problem(n)
    product = _core.symmetric_product(matrix, vector, 2)
    assert product.shape == (n,)
    np.testing.assert_allclose(product, twin(matrix, vector), atol=1e-12)


@pytest.mark.parametrize("n", SIZES)
def test_the_kernel_is_numpys_product(n: int) -> None:
    matrix, vector = problem(n, 1)
    product = _core.symmetric_product(matrix, vector, 2)
    np.testing.assert_allclose(product, matrix @ vector, atol=1e-11)


@pytest.mark.parametrize("n", SIZES)
def test_below_the_diagonal_nothing_is_read(n: int) -> None:
    matrix, vector = problem(n, 2)
    expected = _core.symmetric_product(matrix, vector, 1)
    matrix[np.tril_indices(n, -1)] = np.nan
    assert np.array_equal(_core.symmetric_product(matrix, vector, 1), expected)


@pytest.mark.parametrize("n", [500, 1024, 1451])
def test_threads_leave_the_bits_as_they_are(n: int) -> None:
    matrix, vector = problem(n, 3)
    alone, *more = (
        _core.symmetric_product(matrix, vector, threads).tobytes() for threads in (1, 2, 3, 4)
    )
    assert more == [alone] * 3


def test_columns_of_the_identity_give_the_columns() -> None:
    matrix, _ = problem(45, 4)
    for j, column in enumerate(np.eye(45)):
        assert np.array_equal(_core.symmetric_product(matrix, column, 1), matrix[:, j])


def test_read_only_arrays_will_do() -> None:
    matrix, vector = problem(20, 5)
    matrix.flags.writeable = vector.flags.writeable = False
    np.testing.assert_allclose(_core.symmetric_product(matrix, vector, 1), matrix @ vector)


@pytest.mark.parametrize(
    ("matrix", "vector", "error", "message"),
    [
        (np.ones(4), np.ones(4), ValueError, "matrix must be 2D, not 1D"),
        (np.ones((2, 3)), np.ones(2), ValueError, "matrix must be square, not 2 x 3"),
        (np.ones((2, 2)), np.ones(3), ValueError, "vector must have 2 elements, not 3"),
        (np.ones((2, 2)), np.ones((2, 1)), ValueError, "vector must be 1D, not 2D"),
        (np.ones((2, 2), np.float32), np.ones(2), TypeError, "incompatible function arguments"),
        (np.ones((4, 4))[::2, ::2], np.ones(2), TypeError, "incompatible function arguments"),
        (np.ones((2, 2)), np.ones(4)[::2], TypeError, "incompatible function arguments"),
    ],
    ids=["vector", "oblong", "long", "column", "float32", "strided matrix", "strided vector"],
)
def test_arrays_that_do_not_fit_are_refused(
    matrix: np.ndarray, vector: np.ndarray, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        _core.symmetric_product(matrix, vector, 1)
