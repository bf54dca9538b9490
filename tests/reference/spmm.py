"""Sparse times dense, entry by entry."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def spmm(
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    values: NDArray[np.float64],
    dense: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the product of a matrix in compressed rows and a dense matrix."""
    product = np.zeros((len(indptr) - 1, dense.shape[1]), dtype=dense.dtype)
    for row in range(len(indptr) - 1):
        for entry in range(indptr[row], indptr[row + 1]):
            product[row] += values[entry] * dense[indices[entry]]
    return product
