"""Products of a tall matrix with one of few columns, by their definition."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Real = TypeVar("Real", np.float32, np.float64)


def tall_product(tall: NDArray[Real], other: NDArray[Real]) -> NDArray[Real]:
    """Return ``tall @ other``."""
    n_rows, n_columns = tall.shape
    product = np.zeros((n_rows, other.shape[1]), tall.dtype)
    for i in range(n_rows):
        for j in range(n_columns):
            product[i] += tall[i, j] * other[j]
    return product


def transposed_tall_product(tall: NDArray[Real], other: NDArray[Real]) -> NDArray[Real]:
    """Return ``tall.T @ other``."""
    n_rows, n_columns = tall.shape
    product = np.zeros((n_columns, other.shape[1]), tall.dtype)
    for i in range(n_rows):
        for j in range(n_columns):
            product[j] += tall[i, j] * other[i]
    return product
