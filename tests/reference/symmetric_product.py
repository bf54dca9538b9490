"""A symmetric matrix times a vector, from its upper triangle."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def symmetric_product(
    matrix: NDArray[np.float64], vector: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the product; every entry above the diagonal counts for two places."""
    product = np.zeros(len(vector))
    for i in range(len(vector)):
        product[i] += matrix[i, i] * vector[i]
        for j in range(i + 1, len(vector)):
            product[i] += matrix[i, j] * vector[j]
            product[j] += matrix[i, j] * vector[i]
    return product
