"""The contests of `benchmarks.race` as pytest-benchmark's: one benchmark for each contestant.

``pytest benchmarks/race`` runs all of them, ``-m "not slow"`` leaves out what takes longer, and
``-k NAME`` picks contests. Contestants of a contest are a group, so that pytest-benchmark's table
compares them; the share of the work that a contestant does is in its ``extra_info``.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import graphopt
from benchmarks.race import workloads
from benchmarks.race.contest import Contest, Contestant, LineUp, NotAvailable
from benchmarks.race.contests import CONTESTS
from benchmarks.race.race import plan


def everybody() -> list[Any]:
    return [
        pytest.param(
            contest,
            contestant.name,
            marks=[pytest.mark.slow] if contestant.slow or not contest.quick else [],
            id=f"{contest.name}: {contestant.name}",
        )
        for contest in CONTESTS.values()
        for contestant in contest.line_up(1.0).contestants
    ]


@lru_cache(maxsize=1)
def entered(name: str) -> tuple[LineUp, Any]:
    """Return a contest's line-up and our answer, which the others are compared with."""
    workloads.forget()
    line_up = CONTESTS[name].line_up(1.0)
    return line_up, line_up.contestants[0].prepare()()


def prepared(contestant: Contestant) -> Callable[[], Any]:
    try:
        return contestant.prepare()
    except (ImportError, NotAvailable) as error:
        pytest.skip(f"{contestant.name}: {error}")


@pytest.mark.parametrize(("contest", "name"), everybody())
def test_race(benchmark: BenchmarkFixture, contest: Contest, name: str) -> None:
    line_up, ours = entered(contest.name)
    contestant = line_up.named(name)
    benchmark.group = contest.name
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # peers' own
        call = prepared(contestant)
        start = time.perf_counter()
        answer = call()
        first = time.perf_counter() - start
        line_up.agreement(contestant, ours, answer)
        del answer
        rounds, calls = plan(call, first)
        benchmark.pedantic(call, rounds=rounds, iterations=calls)
    size = line_up.size()
    benchmark.extra_info.update(
        n=size.n,
        m=size.m,
        data=size.data,
        threads=graphopt.get_num_threads(),
        isa=graphopt.build_config()["isa"],
        share=contestant.share,
    )
