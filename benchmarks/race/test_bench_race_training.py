"""Training ClusterNet beside the same in plain PyTorch.

The contests are in ``benchmarks.race.contests``.
Run with ``pytest benchmarks/test_bench_race_training.py``; the ratios come at the end.
"""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.race.contest import Contest

SUBJECTS = ("training",)


def test_race(compete: Callable[[Contest, str], None], contest: Contest, contestant: str) -> None:
    compete(contest, contestant)
