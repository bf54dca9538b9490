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


def gonzalez(
    distances: NDArray[np.float64],
    k: int,
    first: int | None,
    *,
    must_open: tuple[int, ...] = (),
    may_open: set[int] | None = None,
) -> list[int]:
    """Return those that must open, `first` (if any), and the farthest from those before it.

    Of those that may open (None: all); ties: the smallest node.
    """
    allowed = set(range(len(distances))) if may_open is None else may_open
    centers = list(must_open)
    if first is not None and first not in centers and len(centers) < k:
        centers.append(first)
    while len(centers) < k:
        far = nearest_distances(distances, centers)
        centers.append(min(allowed - set(centers), key=lambda node: (-far[node], node)))
    return centers


def greedy_k_center(
    distances: NDArray[np.float64],
    k: int,
    *,
    must_open: tuple[int, ...] = (),
    may_open: set[int] | None = None,
) -> list[int]:
    """Return k nodes, those that must open and then each the best addition to those before it.

    Best, of those that may open (None: all): smallest largest distance, then fewest nodes at it,
    then smallest sum of the finite distances, then smallest node.
    """
    allowed = set(range(len(distances))) if may_open is None else may_open
    centers = list(must_open)
    while len(centers) < k:
        best = None
        for c in sorted(allowed - set(centers)):
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
