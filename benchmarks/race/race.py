"""Run the contestants of a contest turn by turn, compare their answers, and judge the goals."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from statistics import median
from typing import Any

from benchmarks.race import workloads
from benchmarks.race.contest import (
    Call,
    Contest,
    Contestant,
    LineUp,
    Measured,
    NotAvailable,
    Reached,
    Size,
)
from benchmarks.race.memory import peak_memory
from benchmarks.race.peers import threads_for_all

ROUNDS = 5
LONG = 20.0
"""Seconds from which on a contestant runs fewer than the rounds asked for."""

_NO_WARM_UP = 3.0  # seconds from which on the first run counts as a turn
_BUDGET = 60.0  # seconds spent on a long contestant
_TURN = 0.05  # seconds that a turn of a short call is filled with
_MOST_CALLS = 200
_TRIALS = 5

Clock = Callable[[], float]
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Timing:
    """How long one contestant took.

    Attributes
    ----------
    name : str
    seconds : tuple of float
        Of each turn: the median of its calls, for the whole work. Empty: it did not take part.
    share, note, peer
        As in :class:`benchmarks.race.contest.Contestant`.
    absent : str
        Why it did not take part.
    """

    name: str
    seconds: tuple[float, ...]
    share: float
    note: str
    peer: bool
    absent: str = ""

    @property
    def median(self) -> float:
        """Seconds of the middle turn; NaN without one."""
        return median(self.seconds) if self.seconds else float("nan")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a race gave.

    Attributes
    ----------
    contest : Contest
    size : Size
    scale : float
        Size of the input beside the usual one.
    threads : int
    timings : tuple of Timing
        Ours first.
    memory : int or None
        Peak bytes of ours beside input and answer.
    """

    contest: Contest
    size: Size
    scale: float
    threads: int
    timings: tuple[Timing, ...]
    memory: int | None = None

    @property
    def ours(self) -> Timing:
        """Ours."""
        return self.timings[0]

    @property
    def others(self) -> tuple[Timing, ...]:
        """The rest."""
        return self.timings[1:]

    def ratio(self, timing: Timing) -> float:
        """Return how many times faster ours is; NaN where `timing` has no turn."""
        return timing.median / self.ours.median

    @property
    def fastest_peer(self) -> Timing | None:
        """The fastest of the peers that took part."""
        peers = [timing for timing in self.others if timing.peer and timing.seconds]
        return min(peers, key=lambda timing: timing.median, default=None)

    def reached(self) -> tuple[Reached, ...]:
        """Judge the goals that what was measured allows to judge."""
        found = Measured(
            self.ours.median,
            {timing.name: timing.median for timing in self.others if timing.seconds},
            frozenset(timing.name for timing in self.others if timing.peer),
            self.memory,
        )
        judged = (goal.judge(found) for goal in self.contest.goals)
        return tuple(verdict for verdict in judged if verdict is not None)

    def as_dict(self) -> dict[str, Any]:
        """Return everything as plain values, for JSON."""
        fastest = self.fastest_peer
        contestants = [
            {
                **asdict(timing),
                "median": timing.median if timing.seconds else None,
                "ratio": self.ratio(timing) if timing.seconds else None,
            }
            for timing in self.timings
        ]
        return {
            "name": self.contest.name,
            "work": self.contest.work,
            **asdict(self.size),
            "scale": self.scale,
            "threads": self.threads,
            "contestants": contestants,
            "fastest_peer": None if fastest is None else fastest.name,
            "ratio": None if fastest is None else self.ratio(fastest),
            "memory": self.memory,
            "quoted": self.contest.quoted,
            "goals": [asdict(verdict) for verdict in self.reached()],
        }


@dataclass(slots=True)
class _Runner:
    """A contestant that takes part: how often, and what was measured."""

    contestant: Contestant
    call: Call
    turns: int
    calls: int
    seconds: list[float]


def race(
    contest: Contest,
    *,
    scale: float = 1.0,
    rounds: int = ROUNDS,
    threads: int,
    without: Callable[[Contestant], bool] = lambda contestant: False,
    progress: Progress = lambda step: None,
    clock: Clock = time.perf_counter,
) -> Outcome:
    """Run a contest.

    Every contestant prepares, runs once to warm up, and shows that its answer agrees with ours;
    then all take turns. A turn of a short call repeats it for some 50 ms. The first run of one that
    takes 3 s or more counts as a turn, and one that takes 20 s or more has one to three turns.

    Parameters
    ----------
    contest : Contest
    scale : float
        Size of the input beside the usual one.
    rounds : int
        Turns of each contestant.
    threads : int
        What all of them were told to use (:func:`benchmarks.race.peers.threads_for_all`).
    without : callable
        Says who does not take part.
    progress : callable
        Told what happens next.
    clock : callable
        Returns seconds.

    Returns
    -------
    Outcome

    Raises
    ------
    AssertionError
        If an answer differs from ours.
    """
    line_up: LineUp = contest.line_up(scale)
    runners: dict[str, _Runner] = {}
    absent: dict[str, str] = {}
    answer: Any = None
    for i, contestant in enumerate(line_up.contestants):
        if i > 0 and without(contestant):
            continue
        progress(f"{contestant.name}: set-up")
        try:
            call = contestant.prepare()
        except (ImportError, NotAvailable) as error:
            if i == 0:
                raise
            absent[contestant.name] = _reason(error)
            continue
        progress(f"{contestant.name}: first run")
        seconds, found = _timed(call, clock)
        if i == 0:
            answer = found
        else:
            line_up.agreement(contestant, answer, found)
        del found
        turns, calls = plan(call, seconds, rounds, clock)
        counted = [seconds / contestant.share] if seconds >= _NO_WARM_UP else []
        runners[contestant.name] = _Runner(contestant, call, turns, calls, counted)
    size = line_up.size()
    del answer
    for turn in range(max(runner.turns for runner in runners.values())):
        gc.collect()
        for name, runner in runners.items():
            if len(runner.seconds) < runner.turns:
                progress(f"{name}: turn {turn + 1}")
                _take_turn(runner, clock)
    timings = tuple(
        Timing(
            contestant.name,
            tuple(runners[contestant.name].seconds) if contestant.name in runners else (),
            contestant.share,
            contestant.note,
            contestant.peer,
            absent.get(contestant.name, ""),
        )
        for contestant in line_up.contestants
        if contestant.name in runners or contestant.name in absent
    )
    return Outcome(contest, size, scale, threads, timings)


def run(
    contests: Sequence[Contest],
    *,
    scale: float = 1.0,
    rounds: int = ROUNDS,
    threads: int,
    slow: bool = True,
    memory: bool = True,
    progress: Progress = lambda step: None,
) -> Iterator[Outcome]:
    """Run contests and yield what each gave.

    Parameters
    ----------
    contests : sequence of Contest
    scale : float
        Size of the inputs beside the usual one.
    rounds : int
    threads : int
        For every library that can be told.
    slow : bool
        Whether slow contestants take part.
    memory : bool
        Measure the peak memory of ours, in a process of its own.
    progress : callable
        Told what happens next.

    Raises
    ------
    AssertionError
        If an answer differs from ours.
    """
    for contest in contests:

        def step(what: str, name: str = contest.name) -> None:
            progress(f"{name}: {what}")

        with threads_for_all(threads):
            outcome = race(
                contest,
                scale=scale,
                rounds=rounds,
                threads=threads,
                without=lambda contestant: contestant.slow and not slow,
                progress=step,
            )
        workloads.forget()
        gc.collect()
        if memory:
            step("memory")
            found = peak_memory(contest.name, outcome.ours.name, scale=scale, threads=threads)
            outcome = replace(outcome, memory=None if found is None else found.extra)
        yield outcome


def plan(
    call: Call, seconds: float, rounds: int = ROUNDS, clock: Clock = time.perf_counter
) -> tuple[int, int]:
    """Return how many turns a contestant gets, and the calls of each.

    Parameters
    ----------
    call : callable
    seconds : float
        Of its first run. A short call is tried again, for the first may be slow for being the
        first.
    rounds : int
        Turns, but one to three where the first run took 20 s or more.
    clock : callable
    """
    if seconds >= LONG:
        return max(1, min(3, rounds, int(_BUDGET / seconds))), 1
    for _ in range(_TRIALS):
        if seconds >= _TURN:
            break
        seconds = min(seconds, _timed(call, clock)[0])
    return rounds, max(1, min(_MOST_CALLS, int(_TURN / max(seconds, 1e-9))))


def _take_turn(runner: _Runner, clock: Clock) -> None:
    if runner.calls > 1:  # what the others did to caches and threads is not its fault
        runner.call()
    seconds = [_timed(runner.call, clock)[0] for _ in range(runner.calls)]
    runner.seconds.append(median(seconds) / runner.contestant.share)


def _timed(call: Call, clock: Clock) -> tuple[float, Any]:
    """Return the seconds of a call and its answer; freeing the answer is not timed."""
    start = clock()
    answer = call()
    return clock() - start, answer


def _reason(error: Exception) -> str:
    if isinstance(error, ImportError):
        return f"{error.name or error} is not installed"
    return str(error)
