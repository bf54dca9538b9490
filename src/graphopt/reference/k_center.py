"""k-center, written for reading. Distances: row c from candidate c, inf for unreachable."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray


def nearest_distances(distances: NDArray[np.float64], centers: list[int]) -> NDArray[np.float64]:
    """Return each node's distance from its nearest centre."""
    return np.array(
        [min(distances[c, j] for c in centers) for j in range(len(distances))], dtype=np.float64
    )


def radius(distances: NDArray[np.float64], centers: list[int]) -> float:
    """Return the largest of them."""
    return float(nearest_distances(distances, centers).max())


def assignment(distances: NDArray[np.float64], centers: list[int]) -> list[int]:
    """Return the position of each node's nearest centre, the first on ties; -1: unreachable."""
    positions = []
    for j in range(len(distances)):
        nearest = min(range(len(centers)), key=lambda i: distances[centers[i], j])
        positions.append(nearest if np.isfinite(distances[centers[nearest], j]) else -1)
    return positions


def gonzalez(distances: NDArray[np.float64], k: int, first: int) -> list[int]:
    """Return `first` and k - 1 nodes, each the farthest from those before it.

    Ties: the smallest node. At distance 0 from all: the smallest node not chosen.
    """
    centers = [first]
    while len(centers) < k:
        far = nearest_distances(distances, centers)
        if far.max() > 0:
            centers.append(int(far.argmax()))
        else:
            centers.append(min(set(range(len(distances))) - set(centers)))
    return centers


def greedy_k_center(distances: NDArray[np.float64], k: int) -> list[int]:
    """Return k nodes, each the best addition to those before it.

    Best: smallest largest distance, then fewest nodes at it, then smallest sum of the finite
    distances, then smallest node.
    """
    centers: list[int] = []
    while len(centers) < k:
        best = None
        for c in range(len(distances)):
            if c in centers:
                continue
            near = nearest_distances(distances, [*centers, c])
            at_largest = int((near == near.max()).sum())
            quality = (near.max(), at_largest, near[np.isfinite(near)].sum(), c)
            if best is None or quality < best:
                best = quality
        assert best is not None
        centers.append(best[3])
    return centers


def optimal_radius(distances: NDArray[np.float64], k: int) -> float:
    """Return the smallest radius of any k nodes, by trying them all."""
    return min(radius(distances, list(c)) for c in combinations(range(len(distances)), k))
