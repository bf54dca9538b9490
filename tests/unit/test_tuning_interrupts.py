"""Ctrl-C waits until no transaction is under way."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tuning_fakes import SPACE, Fake

from graphopt.tuning import Search
from graphopt.tuning.interrupts import Interrupts


@pytest.fixture(autouse=True)
def _python_handles_it() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    signal.signal(signal.SIGINT, before)


def ctrl_c() -> None:
    signal.raise_signal(signal.SIGINT)


def steps(*programs: Callable[[Interrupts], Iterator[str]]) -> list[str]:
    """Return what was done before each program was interrupted."""
    done: list[str] = []
    for program in programs:
        with pytest.raises(KeyboardInterrupt):
            _run(program, done)
    return done


def _run(program: Callable[[Interrupts], Iterator[str]], done: list[str]) -> None:
    with Interrupts() as interrupts:
        done.extend(program(interrupts))


def test_it_waits_for_a_place_that_allows_it() -> None:
    def program(interrupts: Interrupts) -> Iterator[str]:
        ctrl_c()
        yield "transaction"
        with interrupts.allowed():
            yield "waiting"

    assert steps(program) == ["transaction"]


def test_where_it_is_allowed_it_comes_at_once_except_where_held() -> None:
    def held(interrupts: Interrupts) -> Iterator[str]:
        with interrupts.allowed():
            with interrupts.held():
                ctrl_c()
                yield "transaction"
            yield "more"

    def at_once(interrupts: Interrupts) -> Iterator[str]:
        with interrupts.allowed():
            ctrl_c()
            yield "more"

    assert steps(held, at_once) == ["transaction"]


def test_a_second_one_does_not_wait() -> None:
    def program(interrupts: Interrupts) -> Iterator[str]:
        ctrl_c()
        yield "slow transaction"
        ctrl_c()
        yield "more"

    assert steps(program) == ["slow transaction"]


def test_it_is_not_lost_where_no_place_follows() -> None:
    def program(interrupts: Interrupts) -> Iterator[str]:
        ctrl_c()
        yield "last"

    assert steps(program) == ["last"]


def test_an_error_comes_first() -> None:
    def program(interrupts: Interrupts) -> Iterator[str]:
        ctrl_c()
        yield str(1 / 0)

    with pytest.raises(ZeroDivisionError):
        _run(program, [])


def test_who_ignores_it_is_left_alone() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with Interrupts() as interrupts, interrupts.allowed():
        ctrl_c()
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_search_is_interrupted_between_transactions(tmp_path: Path, jobs: int) -> None:
    fake = Fake(tmp_path / "log")

    def search() -> Search:
        return Search(
            fake, SPACE, tmp_path / "tune.sqlite", "study", trials=8, sampler="grid", prune=False
        )

    with search() as interrupted:
        assert interrupted.run(jobs=jobs, notify=lambda trial: ctrl_c()) is True
    finished = []
    with search() as resumed:
        assert resumed.run(notify=lambda trial: finished.append(trial.number)) is False
    assert 1 <= len(finished) < 8
