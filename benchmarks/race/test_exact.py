"""Exact k-center on the published graphs, OR-Library instances and graphs of 20,000 nodes.

Run with ``pytest benchmarks/race/test_exact.py``. ``python -m benchmarks.race --exact --save
benchmarks/results`` measures the same beside spopt and writes ``exact.md`` and ``exact.json``.
"""

from __future__ import annotations

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import graphopt
from benchmarks.race import exact
from benchmarks.race.exact import Instance, Row

RADII = {
    "cora_connected": {5: 8, 10: 6},
    "citeseer_connected": {5: 11, 10: 9},
    "protein_vidal_connected": {5: 6, 10: 5},
    "moreno": {5: 5, 10: 4},
    "fb_small": {5: 2, 10: 1},
}
KNOWN = {f"{name}, K = {k}": radius for name, of in RADII.items() for k, radius in of.items()}
KNOWN.update(zip(exact.ORLIB, (127, 98, 93, 74, 48, 84, 64, 55, 37, 20), strict=True))


@pytest.mark.parametrize(
    "instance",
    [
        pytest.param(one, marks=[pytest.mark.slow] if one.large else [], id=one.name)
        for one in exact.instances()
    ],
)
def test_exact_k_center(benchmark: BenchmarkFixture, instance: Instance) -> None:
    rows: list[Row] = []

    def solve() -> None:
        rows.extend(exact.run([instance], threads=graphopt.get_num_threads(), peer_seconds=None))

    benchmark.pedantic(solve, rounds=1)
    (row,) = rows
    benchmark.extra_info.update(seconds=row.seconds, search_seconds=row.search_seconds)
    assert 0 < row.lower_bound <= row.radius
    if instance.name in KNOWN:
        assert (row.radius, row.status) == (KNOWN[instance.name], "optimal")
