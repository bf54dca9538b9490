"""Distances and k-center beside their peers.

The contests are in ``benchmarks.race.contests``.
Run with ``pytest benchmarks/test_bench_paths.py``; the ratios come at the end.
"""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.race.contest import Contest

SUBJECTS = ("paths", "centers")


def test_race(compete: Callable[[Contest, str], None], contest: Contest, contestant: str) -> None:
    compete(contest, contestant)
