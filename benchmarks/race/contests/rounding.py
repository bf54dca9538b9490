"""Pipage rounding."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.race import workloads
from benchmarks.race.contest import Call, Contest, Contestant, Faster, LineUp, Size
from graphopt import pipage_rounding
from tests.reference.rounding import pipage_rounding as slow

K, DRAWS, TWIN_DRAWS, SEED = 10, 50, 2, 0


def same_draws(ours: NDArray[Any], theirs: NDArray[Any]) -> None:
    """Compare sites; the same random numbers give the same draws, however many there are."""
    np.testing.assert_array_equal(theirs, ours[: len(theirs)])


def rounding_20k(scale: float) -> LineUp:
    """Race through 50 draws, the twin through 2 of them."""
    n = max(60, round(scale * 20_000))

    def ours() -> Call:
        opening = workloads.opening_probabilities(n, K)
        return lambda: pipage_rounding(opening, k=K, draws=DRAWS, random_state=SEED)

    def twin() -> Call:
        opening = workloads.opening_probabilities(n, K)
        seed = int(np.random.default_rng(SEED).integers(0, 2**64, dtype=np.uint64))
        return lambda: slow(opening, K, TWIN_DRAWS, 1e-8, seed)

    contestants = (
        Contestant("graphopt", ours, peer=False),
        Contestant("python twin", twin, share=TWIN_DRAWS / DRAWS),
    )
    return LineUp(lambda: Size(n), contestants, same_draws)


CONTESTS = (
    Contest(
        "rounding-20k",
        "pipage rounding, 50 draws of 10 sites",
        rounding_20k,
        (Faster(100.0),),
        quick=True,
    ),
)
