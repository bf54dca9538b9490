"""The contests of `benchmarks.race` as pytest-benchmark's: one benchmark per contestant.

``pytest benchmarks/`` runs all of it; ``-m "not slow"`` leaves out what takes longer, ``-k NAME``
picks contests. At the end the ratios of the medians are printed.
"""

from __future__ import annotations

import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import graphopt
from benchmarks.race import workloads
from benchmarks.race.contest import Contest, LineUp, NotAvailable
from benchmarks.race.contests import SUBJECTS
from benchmarks.race.machine import describe_machine
from benchmarks.race.memory import peak_memory
from benchmarks.race.peers import threads_for_all
from benchmarks.race.race import Outcome, Timing, plan
from benchmarks.race.table import as_table, footnotes, headline

_timings: dict[str, list[Timing]] = defaultdict(list)
_outcomes: dict[str, Outcome] = {}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a module's race the contestants of all contests in its ``SUBJECTS``."""
    if "contestant" not in metafunc.fixturenames:
        return
    found = []
    for contest in (one for subject in metafunc.module.SUBJECTS for one in SUBJECTS[subject]):
        for contestant in contest.line_up(1.0).contestants:
            marks = [pytest.mark.slow] if contestant.slow or not contest.quick else []
            name = f"{contest.name}: {contestant.name}"
            found.append(pytest.param(contest, contestant.name, marks=marks, id=name))
    metafunc.parametrize(("contest", "contestant"), found)


class Arena:
    """The contest going on: its line-up, our answer, and how long everybody took."""

    def __init__(self) -> None:
        self.contest: Contest | None = None
        self.line_up: LineUp | None = None
        self.answer: Any = None

    def enter(self, contest: Contest) -> LineUp:
        """Return the line-up of a contest, making our answer if it is another than before."""
        if self.line_up is None or self.contest is not contest:
            self.answer = None
            workloads.forget()
            self.contest, self.line_up = contest, contest.line_up(1.0)
            self.answer = self.line_up.contestants[0].prepare()()
        return self.line_up


@pytest.fixture(scope="session")
def arena() -> Iterator[Arena]:
    with threads_for_all(graphopt.get_num_threads()):
        yield Arena()


@pytest.fixture
def compete(benchmark: BenchmarkFixture, arena: Arena) -> Callable[[Contest, str], None]:
    """Return what times one contestant, after comparing its answer with ours."""

    def run(contest: Contest, name: str) -> None:
        line_up = arena.enter(contest)
        contestant = line_up.named(name)
        ours = contestant is line_up.contestants[0]
        benchmark.group = contest.name
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # peers' own
            try:
                call = contestant.prepare()
            except (ImportError, NotAvailable) as error:
                pytest.skip(f"{name}: {error}")
            start = time.perf_counter()
            answer = call()
            first = time.perf_counter() - start
            if not ours:
                line_up.agreement(contestant, arena.answer, answer)
            del answer
            rounds, calls = plan(call, first)
            benchmark.pedantic(call, rounds=rounds, iterations=calls, warmup_rounds=0)
        seconds = tuple(second / contestant.share for second in benchmark.stats.stats.data)
        timing = Timing(name, seconds, contestant.share, contestant.note, contestant.peer)
        _timings[contest.name].append(timing)
        size, threads = line_up.size(), graphopt.get_num_threads()
        benchmark.extra_info.update(
            n=size.n,
            m=size.m,
            data=size.data,
            threads=threads,
            isa=graphopt.build_config()["isa"],
            share=contestant.share,
            median_of_the_whole_work=timing.median,
        )
        if ours:
            found = peak_memory(contest.name, name, threads=threads)
            memory = None if found is None else found.extra
            benchmark.extra_info["peak_memory"] = memory
            _outcomes[contest.name] = Outcome(contest, size, 1.0, threads, (timing,), memory)

    return run


def pytest_benchmark_update_machine_info(config: Any, machine_info: dict[str, Any]) -> None:
    machine_info["graphopt"] = describe_machine()


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print what `python -m benchmarks.race` prints, of the contests that ran whole."""
    outcomes = [
        replace(outcome, timings=tuple(_timings[name]))
        for name, outcome in _outcomes.items()
        if len(_timings[name]) > 1
    ]
    if not outcomes:
        return
    from rich.console import Console

    console = Console(file=terminalreporter._tw._file, width=110)
    threads = graphopt.get_num_threads()
    console.print(as_table(outcomes, headline(describe_machine(), threads)))
    for note in footnotes(outcomes):
        console.print(note, markup=False, highlight=False)
