"""Exchanges on the cover of the next smaller radius."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from graphopt import exact_k_center, local_search_k_center
from graphopt.centers import _local_search
from graphopt.centers._local_search import cover_below
from graphopt.centers._problem import Clock, KCenterProblem


def points(seed: int, n: int = 60) -> NDArray[np.float64]:
    at = np.random.default_rng(seed).random((n, 2))
    distances: NDArray[np.float64] = np.linalg.norm(at[:, None] - at[None], axis=2)
    return distances


def look(
    costs: NDArray[np.float64],
    radius: float,
    *,
    candidates: NDArray[np.int64] | None = None,
    needed: NDArray[np.bool_] | None = None,
    n_fixed: int = 2,
    n_steps: int = 500,
    clock: Clock | None = None,
) -> NDArray[np.int32] | None:
    start = np.arange(7, dtype=np.int32)
    may_open = np.zeros(len(costs), np.uint8)
    may_open[np.arange(len(costs)) if candidates is None else candidates] = 1
    demand = None if needed is None else needed.astype(float)
    problem = KCenterProblem(costs, 7, may_open, start[:n_fixed], demand, 1)
    generator = np.random.default_rng(0)
    clock = clock or Clock()
    return cover_below(
        problem, costs, start, radius, n_steps=n_steps, generator=generator, clock=clock
    )


@pytest.mark.parametrize("most", [64, 3], ids=["all-candidates", "drawn-candidates"])
@pytest.mark.parametrize("seed", range(10))
def test_finds_a_cover_where_there_is_one(
    seed: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_local_search, "_MOST_CANDIDATES", most)
    costs = points(seed)
    needed = np.arange(60) % 9 > 0
    best = exact_k_center(costs, 7, must_open=[0, 1], forbidden=[5, 6], demand=needed.astype(float))
    candidates = np.setdiff1d(np.arange(60), [5, 6])
    above = np.nextafter(best.radius, 9.0)
    found = look(costs, above, needed=needed, candidates=candidates, n_steps=5_000)
    assert found is not None
    assert found[:2].tolist() == [0, 1]
    assert len(set(found.tolist())) == 7
    # Sites of the start that may not be opened may stay.
    assert set(found.tolist()) <= {*candidates.tolist(), *range(7)}
    assert costs[found].min(axis=0)[needed].max() <= best.radius
    # Strictly below the optimum there is none.
    assert look(costs, best.radius, needed=needed, candidates=candidates[4:], n_steps=50) is None


def test_says_nothing_without_time_or_steps() -> None:
    costs = points(0)
    assert look(costs, 0.3, clock=Clock(0.0)) is None
    assert look(costs, 0.3, n_steps=0) is None
    assert look(costs, np.inf, n_steps=1) is not None


def test_nothing_to_exchange() -> None:
    costs = points(0)
    assert look(costs, 0.3, n_fixed=7, n_steps=20) is None
    assert look(costs, 0.3, candidates=np.arange(2), n_steps=20) is None


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32, np.float32, np.float64])
def test_local_search_gains_by_it(dtype: type, monkeypatch: pytest.MonkeyPatch) -> None:
    tables = [np.round(150 * points(seed, 120)).astype(dtype) for seed in range(6)]

    def radii(steps: int) -> list[float]:
        monkeypatch.setattr(_local_search, "_STEPS_PER_ROUND", steps)
        rules = {"n_starts": 1, "n_rounds": 1, "random_state": 0}
        return [local_search_k_center(one, 9, **rules).radius for one in tables]  # type: ignore[arg-type]

    optima = [exact_k_center(table, 9).radius for table in tables]
    assert radii(400) == optima
    assert sum(radii(0)) > sum(optima)
