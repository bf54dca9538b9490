"""Sparse matrices for networks, and products with sparse and dense matrices."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from graphopt._loading import load_whole
from graphopt._native import _core
from graphopt._sparse import checked_rows
from graphopt._threads import resolve_num_threads
from graphopt._validation import check_memory
from graphopt.nn.functional import dropout
from graphopt.nn.operators import spmm, tall_product


class SparseMatrix:
    """A constant sparse matrix that multiplies dense tensors, with gradients for the dense side.

    Holds compressed rows of the matrix and of its transpose (for the gradient), as CPU tensors.

    Parameters
    ----------
    indptr, indices, values : Tensor
        Compressed rows: int64 of shape (n_rows + 1,), int32 and float32 / float64 of shape
        (n_entries,). Index tensors are copied, so later changes in them have no effect here.
    transposed : tuple of Tensor
        The same three for the transpose.

    Raises
    ------
    TypeError
        For another dtype.
    ValueError
        If the two do not have the same number of entries, or an index is out of range.

    Notes
    -----
    :meth:`from_scipy` is the usual way to make one.
    """

    def __init__(
        self,
        indptr: Tensor,
        indices: Tensor,
        values: Tensor,
        transposed: tuple[Tensor, Tensor, Tensor],
    ) -> None:
        rows, columns = _kept(indptr, indices, values), _kept(*transposed)
        if len(rows[2]) != len(columns[2]):
            raise ValueError("transposed must have as many entries as the matrix")
        for (pointers, numbers, _), (others, _, _) in ((rows, columns), (columns, rows)):
            _core.check_sparse(pointers.numpy(), numbers.numpy(), len(others) - 1)
        self._rows, self._columns = rows, columns
        self._order: Tensor | None = None

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore a pickled matrix; its tensors are checked like any others."""
        rows, columns = state["_rows"], state["_columns"]
        self.__init__(*rows, columns)  # type: ignore[misc]

    @classmethod
    def from_scipy(cls, matrix: Any, dtype: torch.dtype = torch.float32) -> SparseMatrix:
        """Copy a SciPy sparse array or matrix of any format.

        Raises
        ------
        ValueError
            If an entry is NaN or infinite, or the index arrays contradict each other or the shape.
        graphopt.errors.MemoryLimitError
            If the matrix and its transpose do not fit in memory.
        """
        load_whole("scipy.sparse")
        from scipy.sparse import csr_array

        rows = checked_rows("matrix", matrix)
        if not np.isfinite(rows.data).all():
            raise ValueError("matrix must be finite")
        check_memory(
            f"a matrix of {rows.nnz:,} entries and {rows.shape[1]:,} columns with its transpose",
            32 * rows.nnz + 16 * rows.shape[1],
            "leave out empty columns, or pass a part of the rows",
        )
        return cls(*_as_tensors(rows, dtype), _as_tensors(csr_array(rows.T), dtype))

    def with_values(self, values: Tensor, transposed_values: Tensor) -> SparseMatrix:
        """Return a matrix of the same pattern, whose values and transposed values must agree.

        That they agree is not checked.
        """
        if values.shape != self._rows[2].shape or transposed_values.shape != values.shape:
            raise ValueError(f"values must have shape {tuple(self._rows[2].shape)}")
        other = SparseMatrix.__new__(SparseMatrix)
        other._rows = (*self._rows[:2], values)
        other._columns = (*self._columns[:2], transposed_values)
        other._order = self._order
        return other

    def dropout(self, share: float) -> SparseMatrix:
        """Return the matrix with each entry set to 0 with probability `share`, the rest scaled up.

        Draws from PyTorch's global generator.
        """
        values = dropout(self._rows[2], share)
        by_column = torch.index_select(values, 0, self._transposed_entry())
        return self.with_values(values, by_column)

    def _transposed_entry(self) -> Tensor:
        """Return, for each entry of the transpose, which entry of the rows it is."""
        if self._order is None:
            # Rows in order, so a stable sort by column lists each column's rows in order too.
            self._order = torch.argsort(self._rows[1], stable=True)
        return self._order

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and columns."""
        return len(self._rows[0]) - 1, len(self._columns[0]) - 1

    @property
    def dtype(self) -> torch.dtype:
        """Type of the values, float32 or float64."""
        return self._rows[2].dtype

    @property
    def T(self) -> SparseMatrix:  # the mathematical name
        """The transpose; shares memory."""
        other = SparseMatrix.__new__(SparseMatrix)
        other._rows, other._columns, other._order = self._columns, self._rows, None
        return other

    def to(self, dtype: torch.dtype) -> SparseMatrix:
        """Return the matrix with values of `dtype`."""
        if dtype == self.dtype:
            return self
        return self.with_values(self._rows[2].to(dtype), self._columns[2].to(dtype))

    def to_dense(self) -> Tensor:
        """Return an ordinary tensor, shape (n_rows, n_columns).

        Raises
        ------
        graphopt.errors.MemoryLimitError
            If it does not fit in memory.
        """
        check_memory(
            f"a dense matrix of shape {self.shape} ({self.dtype})",
            self.shape[0] * self.shape[1] * self.dtype.itemsize,
            "multiply by the sparse one with @",
        )
        indptr, indices, values = self._rows
        dense = torch.zeros(self.shape, dtype=self.dtype)
        row = torch.repeat_interleave(torch.arange(self.shape[0]), indptr.diff())
        return dense.index_put_((row, indices.long()), values, accumulate=True)

    def __matmul__(self, dense: Tensor) -> Tensor:
        """Multiply a dense tensor of shape (n_columns, width); differentiable in it.

        Raises
        ------
        TypeError
            If the dtypes differ.
        ValueError
            If `dense` is not on the CPU or has another number of rows.
        """
        self.check_operand("dense", dense)
        result: Tensor = spmm(*self.operands, dense, resolve_num_threads(None))
        return result

    def check_operand(self, name: str, dense: Tensor) -> None:
        """Check that this matrix can multiply `dense`; errors call it `name`.

        Parameters
        ----------
        name : str
        dense : Tensor
        """
        if dense.dtype != self.dtype:
            raise TypeError(f"{name} must have the dtype of the matrix, {self.dtype}")
        if dense.device.type != "cpu":
            raise ValueError(f"{name} must be on the CPU, not on {dense.device}")
        if dense.ndim != 2 or dense.shape[0] != self.shape[1]:
            raise ValueError(
                f"{name} must have shape ({self.shape[1]}, width), not {tuple(dense.shape)}"
            )

    def check_square(self, name: str) -> None:
        """Check that there are as many rows as columns; the error calls the matrix `name`.

        Parameters
        ----------
        name : str
        """
        if self.shape[0] != self.shape[1]:
            raise ValueError(f"{name} must be square, not {self.shape}")

    @property
    def operands(self) -> tuple[Tensor, ...]:
        """What operators take: compressed rows of the matrix, then of its transpose."""
        return *self._rows, *self._columns

    def __repr__(self) -> str:
        n_rows, n_columns = self.shape
        return f"SparseMatrix({n_rows} x {n_columns}, {len(self._rows[2])} entries, {self.dtype})"


def _kept(indptr: Tensor, indices: Tensor, values: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return compressed rows with copies of the index tensors; their bounds are not checked."""
    for name, tensor, dtypes in (
        ("indptr", indptr, (torch.int64,)),
        ("indices", indices, (torch.int32,)),
        ("values", values, (torch.float32, torch.float64)),
    ):
        if tensor.dtype not in dtypes:
            raise TypeError(f"{name} must be {' or '.join(map(str, dtypes))}, not {tensor.dtype}")
        if tensor.ndim != 1:
            raise ValueError(f"{name} must be 1D, not {tensor.ndim}D")
        if tensor.device.type != "cpu":
            raise ValueError(f"{name} must be on the CPU, not on {tensor.device}")
    if len(indptr) == 0:
        raise ValueError("indptr must start at 0, and is empty")
    if len(indices) != len(values):
        raise ValueError(f"values must be as long as indices, {len(indices)}, not {len(values)}")
    return (
        indptr.clone(memory_format=torch.contiguous_format),
        indices.clone(memory_format=torch.contiguous_format),
        values.contiguous(),
    )


def _as_tensors(rows: Any, dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor]:
    return (
        torch.from_numpy(rows.indptr.astype(np.int64)),
        torch.from_numpy(rows.indices.astype(np.int32)),
        torch.from_numpy(np.array(rows.data)).to(dtype),
    )


def check_inputs(features: object, adjacency: object) -> None:
    """Check the types of the operands of an encoder.

    A SciPy matrix would multiply too, but its index arrays are not checked.
    """
    if not isinstance(features, Tensor | SparseMatrix):
        raise TypeError(
            f"features must be a Tensor or SparseMatrix, not {type(features).__name__}; "
            "SparseMatrix.from_scipy makes one"
        )
    if not isinstance(adjacency, SparseMatrix):
        raise TypeError(f"adjacency must be a SparseMatrix, not {type(adjacency).__name__}")


def product(left: Tensor | SparseMatrix, right: Tensor) -> Tensor:
    """Return ``left @ right``, where `right` has few columns; differentiable.

    The same bits come out at any number of threads, which torch's own product does not promise.

    Parameters
    ----------
    left : Tensor or SparseMatrix, shape (n_rows, n_steps)
    right : Tensor, shape (n_steps, width)

    Returns
    -------
    Tensor, shape (n_rows, width)
    """
    if isinstance(left, SparseMatrix) or not _fit(left, right):
        return left @ right
    result: Tensor = tall_product(left, right, resolve_num_threads(None))
    return result


def _fit(left: Tensor, right: Tensor) -> bool:
    """Return whether the kernel takes these; torch computes the rest, or refuses it."""
    return (
        left.dtype in (torch.float32, torch.float64)
        and left.dtype == right.dtype
        and left.is_cpu
        and right.is_cpu
        and left.ndim == right.ndim == 2
        and left.shape[1] == right.shape[0]
    )
