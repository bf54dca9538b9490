"""Every sparse matrix that a user gives comes in here.

SciPy does not check the index arrays of a matrix, and its conversions, products and even
``sum_duplicates`` read and write wherever these point. So nothing of SciPy runs on a matrix before
private copies of its arrays have been checked.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from graphopt._loading import load_whole
from graphopt._native import _core
from graphopt._validation import WORTH_ASKING, check_integer, check_memory, empty_as

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_MAX_SIZE = 2**31 - 1  # of a side: kernels have columns in int32
Shape = tuple[int, int]


def is_sparse(value: object) -> bool:
    """Return whether `value` is a sparse matrix: of SciPy, or one that SciPy's can be made of."""
    return hasattr(value, "tocsr")


def checked_rows(
    name: str, matrix: Any, dtype: type[np.floating[Any]] | None = None
) -> csr_array[Any, Shape]:
    """Return a sparse matrix as compressed rows that share no memory with it and are safe to use.

    Parameters
    ----------
    name : str
        The argument, for errors.
    matrix : SciPy sparse array or matrix of any format, or an object that has ``tocsr``
        The arrays it holds are not trusted.
    dtype : type, optional
        Of the values; booleans stay. Default: as they are.

    Returns
    -------
    csr_array
        Rows are sorted; what `matrix` lists twice is added up. NaN and infinity are kept.

    Raises
    ------
    ValueError
        If the matrix is not 2D or its arrays contradict each other or its shape.
    TypeError
        If it holds no numbers, or is of an unknown format.
    MemoryLimitError
        If the copy does not fit in memory; nothing was allocated.
    """
    load_whole("scipy.sparse")
    from scipy.sparse import issparse

    if not is_sparse(matrix):
        raise TypeError(f"{name} must be a SciPy sparse array, not {type(matrix).__name__}")
    if not issparse(matrix):
        matrix = matrix.tocsr()  # another library's own code
    kind = str(getattr(matrix, "format", ""))
    if not issparse(matrix) or kind not in _READERS:
        raise TypeError(f"{name} must be a SciPy sparse array, not {type(matrix).__name__}")
    try:
        rows: csr_array[Any, Shape] = _READERS[kind](matrix, _shape(matrix), dtype)
    except (ValueError, AttributeError) as error:  # attributes: not all of a matrix is there
        raise ValueError(f"{name} must be a valid {kind} matrix: {error}") from None
    except TypeError as error:
        raise TypeError(f"{name} must be a valid {kind} matrix: {error}") from None
    rows.sum_duplicates()
    return rows


def _shape(matrix: Any) -> Shape:
    shape = tuple(matrix.shape)
    if len(shape) != 2:
        raise ValueError(f"it must be 2D, not {len(shape)}D")
    n_rows, n_columns = (
        check_integer(side, size, minimum=0, maximum=_MAX_SIZE)
        for side, size in zip(("rows", "columns"), shape, strict=True)
    )
    _check_fits(
        f"a sparse matrix of {n_rows:,} rows and {n_columns:,} columns",
        16 * (n_rows + n_columns),  # compressed rows and columns, and their copies
        "leave out rows and columns that hold nothing",
    )
    return n_rows, n_columns


def _check_fits(what: str, n_bytes: int, way_around: str) -> None:
    if n_bytes > WORTH_ASKING:
        check_memory(what, n_bytes, way_around)


# --- arrays ---------------------------------------------------------------------------------------


def _copied(what: str, array: NDArray[Any], dtype: Any) -> NDArray[Any]:
    """Return a private copy: what is checked stays as it is."""
    n_bytes = array.size * np.dtype(dtype).itemsize
    _check_fits(f"a copy of {what}", 2 * n_bytes, "pass a part of the rows at a time")
    return np.array(array, dtype=dtype, order="C")


def _indices(what: str, values: Any) -> NDArray[Any]:
    """Return a copy as int32 or int64."""
    array = empty_as(np.asarray(values), np.int64)
    if array.ndim != 1:
        raise ValueError(f"{what} must be 1D, not {array.ndim}D")
    if array.dtype.kind not in "iu":
        raise TypeError(f"{what} must hold integers, not {array.dtype}")
    if array.dtype == np.uint64 and array.size and array.max() > np.iinfo(np.int64).max:
        raise ValueError(f"{what} must fit int64, not {array.max()}")
    return _copied(what, array, np.int32 if array.dtype == np.int32 else np.int64)


def _numbers(values: Any, ndim: int, dtype: type[np.floating[Any]] | None) -> NDArray[Any]:
    """Return a copy of the values, in a type that SciPy computes with."""
    array = np.asarray(values)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"it must hold numbers, not {array.dtype}")
    if array.ndim != ndim:
        raise ValueError(f"data must be {ndim}D, not {array.ndim}D")
    wanted: Any = array.dtype.newbyteorder("=")
    if wanted == np.float16:
        wanted = np.float32
    if dtype is not None and wanted != np.bool_:
        wanted = dtype
    return _copied("data", array, wanted)


def _same_length(what: str, n_entries: int, other: str, n_others: int) -> None:
    if n_entries != n_others:
        raise ValueError(f"{what} must be as long as {other}, {n_others}, not {n_entries}")


# --- formats --------------------------------------------------------------------------------------


def _compressed_arrays(
    matrix: Any, data: NDArray[Any], n_major: int, n_minor: int
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return data, indices and indptr of a matrix of that many compressed rows, checked."""
    indptr, indices = _indices("indptr", matrix.indptr), _indices("indices", matrix.indices)
    if indptr.dtype != indices.dtype:
        indptr, indices = indptr.astype(np.int64), indices.astype(np.int64)
    if len(indptr) != n_major + 1:
        raise ValueError(
            f"indptr must have {n_major + 1} entries, as the shape says, not {len(indptr)}"
        )
    _same_length("data", len(data), "indices", len(indices))
    end = int(indptr[-1])
    if 0 <= end < len(indices):  # SciPy leaves room behind the last row
        indices, data = indices[:end], data[:end]
    _core.check_sparse(indptr, indices, n_minor)
    return data, indices, indptr


def _from_csr(matrix: Any, shape: Shape, dtype: Any) -> Any:
    load_whole("scipy.sparse")
    from scipy.sparse import csr_array

    arrays = _compressed_arrays(matrix, _numbers(matrix.data, 1, dtype), *shape)
    return csr_array(arrays, shape=shape)


def _from_csc(matrix: Any, shape: Shape, dtype: Any) -> Any:
    load_whole("scipy.sparse")
    from scipy.sparse import csc_array

    arrays = _compressed_arrays(matrix, _numbers(matrix.data, 1, dtype), *shape[::-1])
    return csc_array(arrays, shape=shape).tocsr()


def _from_bsr(matrix: Any, shape: Shape, dtype: Any) -> Any:
    load_whole("scipy.sparse")
    from scipy.sparse import bsr_array

    blocks = _numbers(matrix.data, 3, dtype)
    height, width = blocks.shape[1:]
    if height < 1 or width < 1 or shape[0] % height or shape[1] % width:
        raise ValueError(f"blocks of {height} x {width} must fill the shape {shape}")
    arrays = _compressed_arrays(matrix, blocks, shape[0] // height, shape[1] // width)
    return bsr_array(arrays, shape=shape).tocsr()


def _from_coo(matrix: Any, shape: Shape, dtype: Any) -> Any:
    data = _numbers(matrix.data, 1, dtype)
    return _from_entries(data, _indices("row", matrix.row), _indices("col", matrix.col), shape)


def _from_dok(matrix: Any, shape: Shape, dtype: Any) -> Any:
    places = np.array(list(matrix.keys())) if len(matrix.keys()) else np.empty((0, 2), np.int64)
    if places.ndim != 2 or places.shape[1] != 2:
        raise ValueError("every key must be a row and a column")
    data = _listed_numbers(list(matrix.values()), matrix.dtype, dtype)
    return _from_entries(data, _indices("row", places[:, 0]), _indices("col", places[:, 1]), shape)


def _from_lil(matrix: Any, shape: Shape, dtype: Any) -> Any:
    columns, values = list(matrix.rows), list(matrix.data)
    _same_length("rows", len(columns), "the shape", shape[0])
    _same_length("data", len(values), "rows", len(columns))
    lengths = [len(row) for row in columns]
    if lengths != [len(row) for row in values]:
        raise ValueError("every row must have as many values as columns")
    data = _listed_numbers(list(chain.from_iterable(values)), matrix.dtype, dtype)
    row = np.repeat(np.arange(shape[0]), lengths)
    return _from_entries(
        data, row, _indices("rows", np.array(list(chain.from_iterable(columns)))), shape
    )


def _from_dia(matrix: Any, shape: Shape, dtype: Any) -> Any:
    diagonals = _numbers(matrix.data, 2, dtype)
    offsets = _indices("offsets", matrix.offsets).astype(np.int64)
    _same_length("data", len(diagonals), "offsets", len(offsets))
    if len(np.unique(offsets)) != len(offsets):
        raise ValueError("offsets must not repeat")
    row, col, data = [], [], []
    for offset, diagonal in zip(offsets.tolist(), diagonals, strict=True):
        # Entry j stands in column j, of row j - offset.
        first = max(0, offset)
        inside = diagonal[first : max(0, min(shape[1], shape[0] + offset))]
        kept = np.flatnonzero(inside)
        row.append(kept + (first - offset))
        col.append(kept + first)
        data.append(inside[kept])
    if not data:
        row, col, data = [offsets], [offsets], [diagonals.reshape(0)]
    return _from_entries(np.concatenate(data), np.concatenate(row), np.concatenate(col), shape)


def _listed_numbers(values: list[Any], stored: Any, dtype: Any) -> NDArray[Any]:
    kind = np.dtype(stored)
    if kind.kind not in "fiub":
        raise TypeError(f"it must hold numbers, not {kind}")
    return _numbers(np.array(values, dtype=kind), 1, dtype)


def _from_entries(data: NDArray[Any], row: NDArray[Any], col: NDArray[Any], shape: Shape) -> Any:
    load_whole("scipy.sparse")
    from scipy.sparse import coo_array

    _same_length("row", len(row), "data", len(data))
    _same_length("col", len(col), "data", len(data))
    _core.check_indices(row, shape[0], "row")
    _core.check_indices(col, shape[1], "col")
    return coo_array((data, (row, col)), shape=shape).tocsr()


_READERS: dict[str, Callable[[Any, Shape, Any], Any]] = {
    "csr": _from_csr,
    "csc": _from_csc,
    "bsr": _from_bsr,
    "coo": _from_coo,
    "dok": _from_dok,
    "lil": _from_lil,
    "dia": _from_dia,
}
