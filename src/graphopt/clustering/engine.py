"""The iteration of soft k-means on arrays that have been checked: what NumPy and torch share."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from graphopt._native import _core
from graphopt._validation import WORTH_ASKING, check_memory
from graphopt.clustering.settings import SoftKMeansSettings

Array = NDArray[Any]

_MOST_CHUNKS = 128  # of the rows of a graph, which threads share


class Problem(NamedTuple):
    """Rows of a batch of graphs, x (N, p) and offsets (B + 1,) int64, both C-contiguous."""

    x: Array
    offsets: NDArray[np.int64]
    settings: SoftKMeansSettings
    num_threads: int


class Trajectory(NamedTuple):
    """What a run leaves: the result and the iterates that a gradient will need.

    centers (B, K, p), assignment (N, K); the last iterates before the result, history
    (kept, B, K, p), and their R, mass (kept, B, K).
    """

    centers: Array
    assignment: Array
    history: Array
    mass: Array


def scaled(problem: Problem) -> tuple[Problem, Array]:
    """Return the problem with its rows scaled to unit length, and their lengths, (N,)."""
    unit, lengths = _core.unit_rows(problem.x, problem.num_threads)
    return problem._replace(x=unit, settings=replace(problem.settings, normalize=False)), lengths


def run(problem: Problem, start: Array, kept: int = 0) -> Trajectory:
    """Make the iterations from `start`, (B, K, p); keep the last `kept` iterates.

    Rows that are to be scaled to unit length are scaled on the way and not written anywhere.
    """
    x, offsets, settings, num_threads = problem
    _check_size(problem, start, kept)
    return Trajectory(
        *_core.soft_kmeans(
            x,
            offsets,
            start,
            settings.temperature,
            settings.iterations,
            kept,
            True,
            settings.normalize,
            num_threads,
        )
    )


def update(problem: Problem, centers: Array) -> tuple[Array, Array]:
    """Return F(centers), (B, K, p), and R(centers), (B, K)."""
    x, offsets, settings, num_threads = problem
    image, _, _, mass = _core.soft_kmeans(
        x, offsets, centers, settings.temperature, 1, 1, False, settings.normalize, num_threads
    )
    return image, mass[0]


def centers_jacobian(x: Array, centers: Array, temperature: float, num_threads: int) -> Array:
    """Return dF/dmu of one graph in float64, (Kp, Kp); x (n, p), centers (K, p)."""
    rows = np.ascontiguousarray(x, dtype=np.float64)
    at = np.ascontiguousarray(centers[None], dtype=np.float64)
    settings = SoftKMeansSettings(temperature, iterations=0, normalize=False)
    one = Problem(rows, np.array([0, len(rows)], np.int64), settings, num_threads)
    image, mass = update(one, at)
    assignment = run(one, at).assignment
    return _core.soft_kmeans_jacobian(rows, at, image, mass, assignment, temperature, num_threads)


def _check_size(problem: Problem, start: Array, kept: int) -> None:
    _, n_clusters, width = start.shape
    n_rows, threads = len(problem.x), min(problem.num_threads, _MOST_CHUNKS)
    n_values = n_rows * n_clusters + (kept + 1) * start.size
    # The kernel's own: rows and centres, with sums of them for each thread, and panels of rows.
    n_values += (width + 8) * (n_rows + n_clusters * (6 + 2 * threads)) + 32 * n_clusters * threads
    n_bytes = start.itemsize * n_values
    if n_bytes > WORTH_ASKING:
        check_memory(
            f"the assignment of {n_rows:,} rows to {n_clusters:,} centres "
            f"and {kept:,} earlier sets of centres",
            n_bytes,
            "use fewer clusters, float32, a part of the graphs at a time or, "
            'where gradient="unrolled" keeps every iterate, another gradient',
        )
