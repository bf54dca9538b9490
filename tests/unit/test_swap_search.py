"""The kernel of swaps: against the twin, on whole costs, so that ties are ties in any order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from graphopt._native import _core
from tests.reference import swap_search as twin

TYPES = [np.uint8, np.uint16, np.uint32, np.float32, np.float64]
LEVELS = np.array([0.0, 1, 4, 9, 16, 50])


def search(
    table: NDArray[Any],
    start: list[int],
    *,
    costs: NDArray[np.float64] | None = None,
    lost: float = LEVELS[-1],
    weights: NDArray[np.float64] | None = None,
    n_scenarios: int = 1,
    tail: float = 1.0,
    may_open: NDArray[np.uint8] | None = None,
    n_fixed: int = 0,
    first_site: int = 0,
    max_swaps: int = 2**62,
    num_threads: int = 1,
) -> tuple[NDArray[np.int32], float, int, bool]:
    return _core.swap_search(
        table,
        costs,
        lost,
        weights,
        n_scenarios,
        tail,
        np.array(start, np.int32),
        may_open,
        n_fixed,
        first_site,
        max_swaps,
        np.inf,
        num_threads,
    )


def instance(
    seed: int, n_sites: int, n_customers: int, dtype: Any
) -> tuple[NDArray[Any], NDArray[np.float64] | None, NDArray[np.float64]]:
    """Return a table, the costs of hops (None for floats), and the costs themselves."""
    hops = np.random.default_rng(seed).integers(0, len(LEVELS), (n_sites, n_customers))
    costs = LEVELS[hops]
    if np.dtype(dtype).kind == "f":
        return np.where(hops == len(LEVELS) - 1, np.inf, costs).astype(dtype), None, costs
    largest = np.iinfo(dtype).max  # the last level is for all entries beyond
    return np.where(hops == len(LEVELS) - 1, largest, hops).astype(dtype), LEVELS, costs


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("seed", range(12))
def test_equals_the_twin(seed: int, dtype: Any) -> None:
    rng = np.random.default_rng(seed)
    n_sites, n_scenarios = int(rng.integers(2, 24)), int(rng.integers(1, 4))
    n_customers = n_scenarios * int(rng.integers(1, 90))
    table, levels, costs = instance(seed, n_sites, n_customers, dtype)
    weights = rng.integers(0, 3, n_customers).astype(float)
    k = int(rng.integers(1, n_sites))
    start = rng.permutation(n_sites)[:k].tolist()
    may_open = rng.integers(0, 2, n_sites).astype(np.uint8)
    rules = {
        "n_scenarios": n_scenarios,
        "tail": [float(n_scenarios), 1.0, 0.5 + n_scenarios / 2][seed % 3],
        "n_fixed": int(rng.integers(0, k + 1)) if seed % 2 else 0,
        "first_site": int(rng.integers(n_sites)),
    }
    found, value, n_swaps, finished = search(
        table, start, costs=levels, weights=weights, may_open=may_open, **rules
    )
    expected = twin.swap_search(
        costs * weights, start, may_open=set(np.flatnonzero(may_open).tolist()), **rules
    )
    assert finished
    assert (found.tolist(), n_swaps) == (expected[0], expected[2])
    assert value == pytest.approx(expected[1], rel=1e-14)


@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
def test_blocks_of_sites_equal_the_twin(dtype: Any) -> None:
    table, levels, costs = instance(5, 2 * twin.SITES_PER_BLOCK + 30, 40, dtype)
    start = [7, 400, 33]
    for first_site in (0, 300):
        found = search(table, start, costs=levels, first_site=first_site)
        expected = twin.swap_search(costs, start, first_site=first_site)
        assert (found[0].tolist(), found[1], found[2]) == expected
        assert found[2] > 1
        one = search(table, start, costs=levels, first_site=first_site, max_swaps=1)
        once = twin.swap_search(costs, start, first_site=first_site, max_swaps=1)
        assert (one[0].tolist(), one[2], one[3]) == (once[0], 1, False)


def test_differences_far_below_the_largest_cost_are_seen() -> None:
    # A customer whom nobody serves must not drown the others in rounding.
    x = 255
    table = np.array([[0, 1, x, x], [1, 1, x, x], [x, x, 0, x], [x, x, x, x]], np.uint8)
    costs = np.array([1e-3, 2e-3])
    for start, best in ([1], [0]), ([2, 1], [2, 0]):
        assert search(table, start, costs=costs, lost=1e18)[0].tolist() == best


def test_weights_that_are_not_whole_do_not_lead_in_circles() -> None:
    # Sites 0 and 8 are alike, but for the rounding of the weights of those whom neither reaches.
    table = np.full((10, 10), np.inf)
    np.fill_diagonal(table, 1e-28)
    table[0, 8] = table[8, 0] = 1e-21
    weights = np.full(10, 1024.0)
    weights[9] = np.sqrt(2.0) * 1024
    found = search(table, [7], lost=11.0, weights=weights, max_swaps=100)
    assert found[3]
    assert found[0].tolist() in ([0], [8])


def call(**changed: Any) -> object:
    settings: dict[str, Any] = {
        "table": np.zeros((3, 4), np.uint8),
        "costs": np.zeros(2),
        "lost": 1.0,
        "weights": None,
        "n_scenarios": 1,
        "tail": 1.0,
        "start": np.array([0, 1], np.int32),
        "may_open": None,
        "n_fixed": 0,
        "first_site": 0,
        "max_swaps": 1,
        "seconds": 1.0,
        "num_threads": 1,
    }
    return _core.swap_search(**(settings | changed))


@pytest.mark.parametrize(
    ("changed", "error", "message"),
    [
        ({"table": np.zeros(3, np.uint8)}, ValueError, "table must be 2D"),
        ({"table": np.zeros((3, 4), np.int8)}, TypeError, "incompatible"),
        ({"table": np.zeros((4, 3), np.uint8).T}, TypeError, "incompatible"),
        ({"costs": None}, ValueError, "costs must be given for integers"),
        ({"table": np.zeros((3, 4))}, ValueError, "costs must be given for integers"),
        ({"weights": np.zeros(3)}, ValueError, "weights must have 4 elements"),
        ({"n_scenarios": 3}, ValueError, "n_scenarios must divide"),
        ({"n_scenarios": 0}, ValueError, "n_scenarios must divide"),
        ({"tail": 0.0}, ValueError, "tail must be positive"),
        ({"tail": np.nan}, ValueError, "tail must be positive"),
        ({"start": np.array([1, 1], np.int32)}, ValueError, "distinct"),
        ({"start": np.array([3], np.int32)}, ValueError, "distinct"),
        ({"start": np.array([-1], np.int32)}, ValueError, "distinct"),
        ({"start": np.array([], np.int32)}, ValueError, "at least one site"),
        ({"may_open": np.ones(4, np.uint8)}, ValueError, "may_open must have 3"),
        ({"n_fixed": 3}, ValueError, "n_fixed must be at most"),
    ],
)
def test_the_binding_refuses_what_would_be_unsafe(
    changed: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        call(**changed)
