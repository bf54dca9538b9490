"""Sparse products: the kernel, and the operand that torch modules multiply."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
import torch

from graphopt._native import _core
from graphopt.nn import SparseMatrix
from graphopt.nn.operators import spmm
from tests.reference.spmm import spmm as twin

WIDTHS = [0, 1, 7, 8, 16, 17, 50, 63, 64, 65, 130, 200]


def random_rows(n_rows: int, n_columns: int, dtype: type, seed: int = 0) -> scipy.sparse.csr_array:
    rng = np.random.default_rng(seed)
    dense = rng.normal(size=(n_rows, n_columns)) * (rng.random((n_rows, n_columns)) < 0.2)
    dense[n_rows // 2] = 0.0
    return scipy.sparse.csr_array(dense.astype(dtype))


def kernel_arrays(matrix: scipy.sparse.csr_array) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32), matrix.data


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("width", WIDTHS)
def test_kernel_equals_twin_and_scipy(width: int, dtype: type) -> None:
    matrix = random_rows(40, 23, dtype)
    dense = np.random.default_rng(1).normal(size=(23, width)).astype(dtype)
    product = _core.spmm(*kernel_arrays(matrix), 23, dense, 2)
    tolerance = 1e-5 if dtype is np.float32 else 1e-13
    assert product.dtype == dtype
    np.testing.assert_allclose(product, twin(*kernel_arrays(matrix), dense), atol=tolerance)
    np.testing.assert_allclose(product, matrix @ dense, atol=tolerance)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_same_bits_at_any_number_of_threads(dtype: type) -> None:
    matrix = random_rows(500, 300, dtype)
    dense = np.random.default_rng(1).normal(size=(300, 50)).astype(dtype)
    one, *more = (
        _core.spmm(*kernel_arrays(matrix), 300, dense, threads) for threads in (1, 2, 3, 8)
    )
    for product in more:
        assert product.tobytes() == one.tobytes()


def test_an_empty_matrix_is_fine() -> None:
    matrix = SparseMatrix.from_scipy(scipy.sparse.csr_array((0, 4), dtype=np.float32))
    assert (matrix @ torch.ones(4, 3)).shape == (0, 3)
    assert (matrix.T @ torch.ones(0, 3)).tolist() == [[0.0] * 3] * 4


def test_kernel_refuses_what_it_cannot_read_safely() -> None:
    indptr, indices, values = kernel_arrays(random_rows(6, 5, np.float64))
    with pytest.raises(ValueError, match="dense must have 5 rows, not 4"):
        _core.spmm(indptr, indices, values, 5, np.ones((4, 2)), 1)
    with pytest.raises(ValueError, match="values must have"):
        _core.spmm(indptr, indices, values[:-1].copy(), 5, np.ones((5, 2)), 1)
    with pytest.raises(ValueError, match="indices must be at least 0 and less than 3"):
        _core.check_sparse(indptr, indices, 3)
    with pytest.raises(ValueError, match="indptr must"):
        _core.check_sparse(indptr[:-1].copy(), indices, 5)
    with pytest.raises(ValueError, match="indptr must not decrease"):
        _core.check_sparse(np.array([0, 3, 2]), np.zeros(2, np.int32), 5)
    with pytest.raises(TypeError):
        _core.spmm(indptr, indices, values, 5, np.ones((5, 2), np.float32), 1)


@pytest.mark.parametrize("kind", ["csr", "csc", "coo"])
def test_any_scipy_format_is_read(kind: str) -> None:
    rows = random_rows(9, 6, np.float64)
    matrix = SparseMatrix.from_scipy(rows.asformat(kind), torch.float64)
    assert matrix.shape == (9, 6)
    assert torch.equal(matrix.to_dense(), torch.from_numpy(rows.toarray()))
    assert torch.equal(matrix.T.to_dense(), torch.from_numpy(rows.toarray().T))
    assert matrix.to(torch.float32).dtype == torch.float32


def test_infinite_entries_are_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        SparseMatrix.from_scipy(scipy.sparse.csr_array([[np.nan, 1.0]]))


def test_operand_mismatches_are_named() -> None:
    matrix = SparseMatrix.from_scipy(random_rows(6, 5, np.float32))
    with pytest.raises(TypeError, match=r"torch\.float32"):
        matrix @ torch.ones(5, 2, dtype=torch.float64)
    with pytest.raises(ValueError, match=r"\(5, width\), not \(4, 2\)"):
        matrix @ torch.ones(4, 2)
    with pytest.raises(ValueError, match="CPU"):
        matrix @ torch.ones(5, 2, device="meta")
    with pytest.raises(ValueError, match="values must have shape"):
        matrix.with_values(torch.ones(1), torch.ones(1))


def test_strided_operands_are_read_right() -> None:
    matrix = SparseMatrix.from_scipy(random_rows(6, 5, np.float64), torch.float64)
    wide = torch.randn(5, 8, dtype=torch.float64)
    assert torch.allclose(matrix @ wide[:, ::2], matrix.to_dense() @ wide[:, ::2])
    assert torch.allclose(matrix @ wide[:, :3].T.T, matrix.to_dense() @ wide[:, :3])


def test_gradient_and_registration() -> None:
    matrix = SparseMatrix.from_scipy(random_rows(8, 5, np.float64), torch.float64)
    dense = torch.randn(5, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda d: matrix @ d, (dense,))
    torch.library.opcheck(spmm.registered, (*matrix.operands, dense, 2))


def test_compiles_without_a_graph_break() -> None:
    matrix = SparseMatrix.from_scipy(random_rows(8, 5, np.float32))

    @torch.compile(backend="aot_eager", fullgraph=True)
    def twice(dense: torch.Tensor) -> torch.Tensor:
        return 2.0 * spmm(*matrix.operands, dense, 1)

    dense = torch.randn(5, 3)
    assert torch.equal(twice(dense), 2.0 * (matrix @ dense))


def test_dropout_drops_the_same_entries_in_the_transpose() -> None:
    matrix = SparseMatrix.from_scipy(random_rows(60, 40, np.float32))
    torch.manual_seed(0)
    dropped = matrix.dropout(0.5)
    assert torch.equal(dropped.to_dense().T, dropped.T.to_dense())
    kept = dropped.to_dense()[matrix.to_dense() != 0] != 0
    assert 0.35 < kept.float().mean() < 0.65
    ratio = (dropped.to_dense() / matrix.to_dense())[dropped.to_dense() != 0]
    assert torch.allclose(ratio, torch.full_like(ratio, 2.0))


def test_repeated_entries_add_up_and_the_given_matrix_stays() -> None:
    data, indices = np.array([1.0, 2.0, 4.0]), np.array([1, 0, 1], np.int32)
    repeated = scipy.sparse.csr_array((data, indices, np.array([0, 3, 3])), shape=(2, 2))
    assert SparseMatrix.from_scipy(repeated).to_dense().tolist() == [[2.0, 5.0], [0.0, 0.0]]
    assert repeated.data.tolist() == [1.0, 2.0, 4.0]
    assert repeated.indices.tolist() == [1, 0, 1]
