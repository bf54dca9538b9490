"""Randomised pipage rounding, one draw at a time, with the same random numbers as the kernel."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_MASK = 2**64 - 1


class SplitMix64:
    """Steele, Lea and Flood's generator (OOPSLA 2014)."""

    def __init__(self, state: int) -> None:
        self.state = state

    @classmethod
    def of_draw(cls, seed: int, draw: int) -> SplitMix64:
        """Return the generator of one draw."""
        return cls(cls(seed ^ cls(draw).next()).next())

    def next(self) -> int:
        """Return the next 64 bits."""
        self.state = (self.state + 0x9E3779B97F4A7C15) & _MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        return z ^ (z >> 31)

    def uniform(self) -> float:
        """Return a number in [0, 1)."""
        return (self.next() >> 11) * 2.0**-53

    def shuffled(self, items: Sequence[int]) -> list[int]:
        """Return the items in random order (Fisher and Yates)."""
        order = list(items)
        for last in range(len(order) - 1, 0, -1):
            other = int(self.uniform() * (last + 1))
            order[last], order[other] = order[other], order[last]
        return order


def pipage_rounding(
    opening: NDArray[np.float64], n_chosen: int, n_draws: int, tolerance: float, seed: int
) -> NDArray[np.int32]:
    """Return the sites of each draw, ascending, shape (n_draws, n_chosen)."""
    draws = [
        _one_draw(opening, n_chosen, tolerance, SplitMix64.of_draw(seed, draw))
        for draw in range(n_draws)
    ]
    return np.array(draws, dtype=np.int32).reshape(n_draws, n_chosen)


def _one_draw(
    opening: NDArray[np.float64], n_chosen: int, tolerance: float, random: SplitMix64
) -> list[int]:
    mass = opening.copy()
    fractional = random.shuffled([i for i, x in enumerate(opening) if 0.0 < x < 1.0])
    while len(fractional) >= 2:
        a, b = fractional[:2]
        total = mass[a] + mass[b]
        if total <= 1.0:  # one of the two takes everything
            winner, loser = (a, b) if random.uniform() * total < mass[a] else (b, a)
            mass[winner], mass[loser] = total, 0.0
            fractional[:2] = [winner]  # its mass may be 1: then the next exchange leaves it whole
        else:  # one of the two is full, the other keeps the rest
            full = random.uniform() * (2.0 - total) < 1.0 - mass[b]
            winner, loser = (a, b) if full else (b, a)
            mass[winner], mass[loser] = 1.0, total - 1.0
            fractional[:2] = [loser]
    for last in fractional:
        whole = mass[last] <= tolerance or mass[last] >= 1.0 - tolerance
        up = mass[last] > 0.5 if whole else random.uniform() < mass[last]
        mass[last] = 1.0 if up else 0.0
    chosen = [i for i, x in enumerate(mass) if x == 1.0]
    if len(chosen) < n_chosen:
        rest = [i for i in random.shuffled(range(len(opening))) if i not in chosen]
        rest.sort(key=lambda i: -opening[i])
        chosen += rest[: n_chosen - len(chosen)]
    return sorted(chosen)
