"""Products of a tall matrix: against the twin and NumPy, their bits, their gradients."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.sparse import eye_array
from torch_operations import moved

from graphopt._native import _core
from graphopt.nn.operators import tall_product, transposed_tall_product
from graphopt.nn.sparse import SparseMatrix, product
from tests.reference import tall_product as twin

DTYPES = [np.float32, np.float64]
# Chunks, blocks and tiles that end early, or not at all; no rows, no columns.
SHAPES = [(0, 3, 2), (3, 0, 2), (4, 5, 0), (1, 1, 1), (7, 13, 5), (48, 64, 16), (49, 65, 17)]
LARGE = [(300, 200, 50), (1000, 97, 33), (97, 1000, 64), (150, 1600, 100)]


def matrices(
    shape: tuple[int, int, int], dtype: type, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a tall matrix, what multiplies it and what multiplies its transpose."""
    rng = np.random.default_rng(seed)
    n_rows, n_columns, width = shape
    sizes = (n_rows, n_columns), (n_columns, width), (n_rows, width)
    tall, other, upstream = (rng.normal(size=size).astype(dtype) for size in sizes)
    return tall, other, upstream


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_the_kernels_are_their_twins(shape: tuple[int, int, int], dtype: type) -> None:
    tall, other, upstream = matrices(shape, dtype)
    tolerance = 100 * np.finfo(dtype).eps
    found = _core.tall_product(tall, other, 2)
    assert found.dtype == dtype
    np.testing.assert_allclose(found, twin.tall_product(tall, other), atol=tolerance)
    found = _core.transposed_tall_product(tall, upstream, 2)
    expected = twin.transposed_tall_product(tall, upstream)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, atol=tolerance)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", LARGE)
def test_the_kernels_are_numpys_products(shape: tuple[int, int, int], dtype: type) -> None:
    tall, other, upstream = matrices(shape, dtype, 1)
    tolerance = 2000 * np.finfo(dtype).eps
    exact = tall.astype(np.float64), other.astype(np.float64), upstream.astype(np.float64)
    found = _core.tall_product(tall, other, 3)
    np.testing.assert_allclose(found, exact[0] @ exact[1], atol=tolerance)
    found = _core.transposed_tall_product(tall, upstream, 3)
    np.testing.assert_allclose(found, exact[0].T @ exact[2], atol=tolerance)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", LARGE)
def test_neither_threads_nor_the_place_in_memory_change_a_bit(
    shape: tuple[int, int, int], dtype: type
) -> None:
    tall, other, upstream = matrices(shape, dtype, 2)
    for kernel, right in (
        (_core.tall_product, other),
        (_core.transposed_tall_product, upstream),
    ):
        first = kernel(moved(tall, 0), moved(right, 0), 1).tobytes()
        for threads in (1, 2, 3, 8):
            for offset in (0, 16, 48):
                again = kernel(moved(tall, offset), moved(right, 64 - offset), threads)
                assert again.tobytes() == first


@pytest.mark.parametrize("kernel", [_core.tall_product, _core.transposed_tall_product])
def test_what_is_not_a_number_stays_visible(kernel: Callable[..., np.ndarray]) -> None:
    tall, other = np.ones((60, 60)), np.ones((60, 3))
    tall[7, 7] = np.nan
    assert np.isnan(kernel(tall, other, 1)).sum() == 3


@pytest.mark.parametrize(
    ("tall", "other", "error", "message"),
    [
        (np.ones(4), np.ones((4, 1)), ValueError, "tall must be 2D, not 1D"),
        (np.ones((4, 4)), np.ones(4), ValueError, "other must be 2D, not 1D"),
        (np.ones((4, 4)), np.ones((3, 2)), ValueError, "other must have 4 rows, not 3"),
        (np.ones((4, 4), np.float32), np.ones((4, 2)), TypeError, "incompatible function"),
        (np.ones((8, 8))[::2, ::2], np.ones((4, 2)), TypeError, "incompatible function"),
    ],
    ids=["vector", "other vector", "rows", "dtypes", "strided"],
)
@pytest.mark.parametrize("kernel", [_core.tall_product, _core.transposed_tall_product])
def test_arrays_that_do_not_fit_are_refused(
    kernel: Callable[..., np.ndarray],
    tall: np.ndarray,
    other: np.ndarray,
    error: type[Exception],
    message: str,
) -> None:
    with pytest.raises(error, match=message):
        kernel(tall, other, 1)


# --- in torch -------------------------------------------------------------------------------------


def test_gradients_are_exact_twice() -> None:
    torch.manual_seed(0)
    left = torch.randn(7, 5, dtype=torch.float64, requires_grad=True)
    right = torch.randn(5, 3, dtype=torch.float64, requires_grad=True)
    other = torch.randn(7, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(product, (left, right))
    assert torch.autograd.gradgradcheck(product, (left, right))
    assert torch.autograd.gradcheck(lambda a, b: transposed_tall_product(a, b, 1), (left, other))


@pytest.mark.parametrize("operator", [tall_product, transposed_tall_product])
def test_torch_knows_the_operators(operator: object) -> None:
    left = torch.randn(6, 6, requires_grad=True)
    right = torch.randn(6, 3, requires_grad=True)
    torch.library.opcheck(operator.registered, (left, right, 1))  # type: ignore[attr-defined]


def test_sparse_matrices_and_strided_tensors_will_do() -> None:
    left, right = torch.randn(8, 6), torch.randn(3, 6)
    torch.testing.assert_close(product(left, right.T), left @ right.T)
    torch.testing.assert_close(product(left[::2], right.T), left[::2] @ right.T)
    sparse = SparseMatrix.from_scipy(eye_array(6, dtype=np.float32))
    assert torch.equal(product(sparse, right.T.contiguous()), right.T)


def test_what_does_not_fit_is_refused_as_torch_does() -> None:
    with pytest.raises(RuntimeError, match="same dtype"):
        product(torch.ones(2, 2), torch.ones(2, 2, dtype=torch.float64))
    with pytest.raises(RuntimeError, match="cannot be multiplied"):
        product(torch.ones(2, 3), torch.ones(2, 2))
