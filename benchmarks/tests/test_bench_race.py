"""Races between contestants of known speed, on a clock that only they move."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from benchmarks.race.contest import (
    AtMostTimes,
    Contest,
    Contestant,
    Faster,
    LineUp,
    NotAvailable,
    Size,
    Within,
    WithinMemory,
)
from benchmarks.race.race import LONG, Outcome, Timing, plan, race


class Clock:
    """Stands still but for what contestants take."""

    def __init__(self) -> None:
        self.now = 0.0
        self.log: list[str] = []

    def __call__(self) -> float:
        return self.now

    def contestant(self, name: str, *seconds: float, answer: int = 1, **options: Any) -> Contestant:
        """Takes these seconds, the last of them for ever."""
        runs = list(seconds)

        def call() -> int:
            self.now += runs.pop(0) if len(runs) > 1 else runs[0]
            self.log.append(name)
            return answer

        return Contestant(name, lambda: call, **options)


def equal(ours: int, theirs: int) -> None:
    assert ours == theirs, f"{theirs} is not {ours}"


def contest(*contestants: Contestant, goals: tuple[Any, ...] = ()) -> Contest:
    line_up = LineUp(lambda: Size(7, 9, "made up"), contestants, equal)
    return Contest("sums", "adding", lambda scale: line_up, goals)


def absent(error: Exception) -> Callable[[], Any]:
    def prepare() -> Any:
        raise error

    return prepare


def test_medians_and_ratios() -> None:
    clock = Clock()
    ours = clock.contestant("graphopt", 2.0, 0.1, 0.1, 0.5, 0.1, 0.2)
    outcome = race(contest(ours, clock.contestant("peer", 4.0)), threads=2, clock=clock)
    assert outcome.ours.seconds == pytest.approx((0.1, 0.1, 0.5, 0.1, 0.2))  # not the first run
    assert outcome.ours.median == pytest.approx(0.1)
    assert outcome.others[0].seconds == (4.0,) * 5
    assert clock.log.count("peer") == 5  # the first run of a long call is a turn
    assert outcome.ratio(outcome.others[0]) == pytest.approx(40.0)
    assert outcome.size == Size(7, 9, "made up")


def test_turns_are_taken_in_turn() -> None:
    clock = Clock()
    contestants = [clock.contestant(name, 1.0) for name in ("graphopt", "a", "b")]
    race(contest(*contestants), threads=1, rounds=3, clock=clock)
    assert clock.log == ["graphopt", "a", "b"] * 4


def test_a_share_of_the_work_counts_as_such() -> None:
    clock = Clock()
    contestants = (
        clock.contestant("graphopt", 1.0),
        clock.contestant("tenth", 1.0, share=0.1),
        clock.contestant("fiftyfold", 1.0, share=50.0),
    )
    outcome = race(contest(*contestants), threads=1, clock=clock)
    assert [outcome.ratio(timing) for timing in outcome.others] == pytest.approx([10.0, 0.02])


def test_short_calls_are_repeated_and_long_ones_are_not() -> None:
    clock = Clock()
    contestants = (
        clock.contestant("graphopt", 0.01),
        clock.contestant("25 s", 25.0),
        clock.contestant("70 s", 70.0),
    )
    outcome = race(contest(*contestants), threads=1, clock=clock)
    assert outcome.ours.seconds == pytest.approx((0.01,) * 5)
    assert 1 + 5 + 5 * 4 <= clock.log.count("graphopt") <= 1 + 5 + 5 * 6
    assert [len(timing.seconds) for timing in outcome.others] == [2, 1]
    assert clock.log.count("25 s") == 2  # the first run was the first turn
    assert clock.log.count("70 s") == 1
    assert plan(lambda: None, LONG) == (3, 1)
    assert plan(lambda: None, LONG, rounds=1) == (1, 1)


def test_who_is_not_there_is_named() -> None:
    clock = Clock()
    missing = ImportError("no", name="fastlib")
    outcome = race(
        contest(
            clock.contestant("graphopt", 1.0),
            Contestant("fastlib", absent(missing)),
            Contestant("compiled", absent(NotAvailable("no compiler"))),
            clock.contestant("slow", 2.0, slow=True),
        ),
        threads=1,
        clock=clock,
        without=lambda contestant: contestant.slow,
    )
    assert [(timing.name, timing.absent) for timing in outcome.others] == [
        ("fastlib", "fastlib is not installed"),
        ("compiled", "no compiler"),
    ]
    assert math.isnan(outcome.others[0].median)
    assert outcome.fastest_peer is None
    assert outcome.as_dict()["contestants"][1]["median"] is None


def test_ours_must_be_there() -> None:
    with pytest.raises(ImportError):
        race(contest(Contestant("graphopt", absent(ImportError("no")))), threads=1)


def test_a_wrong_answer_ends_the_race() -> None:
    clock = Clock()
    wrong = clock.contestant("peer", 1.0, answer=2)
    with pytest.raises(AssertionError, match="peer and graphopt differ: 2 is not 1"):
        race(contest(clock.contestant("graphopt", 1.0), wrong), threads=1, clock=clock)


def test_a_contestant_may_be_compared_in_its_own_way() -> None:
    clock = Clock()
    other = clock.contestant("other", 1.0, answer=2, agree=lambda ours, theirs: None)
    race(contest(clock.contestant("graphopt", 1.0), other), threads=1, clock=clock)


def judged(goal: Any, memory: int | None = None) -> Any:
    timings = (
        Timing("graphopt", (1.0,), 1.0, "", peer=False),
        Timing("variant", (0.5,), 1.0, "", peer=False),
        Timing("a", (8.0,), 1.0, "", peer=True),
        Timing("b", (12.0,), 1.0, "", peer=True),
        Timing("c", (), 1.0, "", peer=True, absent="c is not installed"),
    )
    outcome = Outcome(contest(goals=(goal,)), Size(1), 1.0, 2, timings, memory)
    reached = outcome.reached()
    return (reached[0].measured, reached[0].met) if reached else None


@pytest.mark.parametrize(
    ("goal", "verdict"),
    [
        (Faster(8.0), ("8x", True)),
        (Faster(9.0), ("8x", False)),
        (Faster(9.0, "b"), ("12x", True)),
        (Faster(9.0, "c"), None),
        (AtMostTimes(3.0, "variant"), ("2 times", True)),
        (AtMostTimes(1.5, "variant"), ("2 times", False)),
        (AtMostTimes(1.5, "c"), None),
        (Within(1.0), ("1 s", True)),
        (Within(0.9), ("1 s", False)),
        (WithinMemory(10), None),
    ],
)
def test_goals(goal: Any, verdict: Any) -> None:
    assert judged(goal) == verdict


def test_goals_of_memory() -> None:
    assert judged(WithinMemory(2_000_000), memory=1_500_000) == ("1.5 MB", True)
    assert judged(WithinMemory(1_000_000), memory=1_500_000) == ("1.5 MB", False)


def test_names_of_contestants() -> None:
    line_up = contest(Contestant("graphopt", lambda: lambda: 1)).line_up(1.0)
    assert line_up.named("graphopt").name == "graphopt"
    with pytest.raises(ValueError, match="contestant must be one of graphopt, not 'x'"):
        line_up.named("x")


def test_an_outcome_is_plain_values() -> None:
    clock = Clock()
    contestants = clock.contestant("graphopt", 1.0), clock.contestant("peer", np.float64(3.0))
    found = race(contest(*contestants, goals=(Faster(2.0),)), threads=2, clock=clock).as_dict()
    assert (found["name"], found["n"], found["m"], found["data"]) == ("sums", 7, 9, "made up")
    assert (found["fastest_peer"], found["ratio"], found["threads"]) == ("peer", 3.0, 2)
    goal = {"goal": "2x the fastest peer", "measured": "3x", "met": True}
    assert found["goals"] == [goal]
