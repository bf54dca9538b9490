"""The weight between nodes of the same group, from a full matrix of weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def weight_within(matrix: NDArray[np.float64], group: NDArray[np.int64]) -> float:
    """Return the sum of the matrix over the pairs within groups, every pair once."""
    total = 0.0
    for i in range(len(group)):
        for j in range(i + 1, len(group)):
            if group[i] == group[j]:
                total += float(matrix[i, j])
    return total
