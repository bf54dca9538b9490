"""Processes that evaluate settings; one of them may die without taking the others along."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any

from benchmarks.paper.search.spaces import Params
from graphopt import set_num_threads

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

    from benchmarks.paper.search.selection import Evaluation

_PATIENCE = 5.0  # seconds for a process to end


@dataclass(frozen=True, slots=True)
class Progress:
    """A worker has come so far and waits to hear whether to go on: :meth:`Worker.answer`."""

    worker: Worker
    step: int
    score: float


@dataclass(frozen=True, slots=True)
class Finished:
    """A worker has scored a setting."""

    worker: Worker
    scores: dict[int, float]


@dataclass(frozen=True, slots=True)
class Failed:
    """Evaluating a setting raised an exception."""

    worker: Worker
    error: str


@dataclass(frozen=True, slots=True)
class Died:
    """A worker's process ended in the middle of its work."""

    worker: Worker
    exit_code: int | None


News = Progress | Finished | Failed | Died


class Worker:
    """A process that evaluates one setting after the other.

    Parameters
    ----------
    evaluation : Evaluation
        Is sent to the process once.
    num_threads : int
        That its kernels may use.
    """

    def __init__(self, evaluation: Evaluation, num_threads: int) -> None:
        context = multiprocessing.get_context("spawn")  # threads do not survive a fork
        self._connection, theirs = context.Pipe()
        self._process: BaseProcess = context.Process(
            target=_serve, args=(theirs, evaluation, num_threads), daemon=True
        )
        self._process.start()
        theirs.close()

    @property
    def pid(self) -> int | None:
        """Number of the process."""
        return self._process.pid

    @property
    def connection(self) -> Connection[Any, Any]:
        """Where its messages arrive."""
        return self._connection

    def start(self, params: Params) -> None:
        """Let it evaluate a setting."""
        with suppress(OSError):  # a dead one is found out when its news is asked for
            self._connection.send(params)

    def answer(self, stop: bool) -> None:
        """Tell it whether to stop the evaluation, after a :class:`Progress`."""
        with suppress(OSError):
            self._connection.send(stop)

    def news(self) -> News:
        """Return the next message, waiting for it."""
        try:
            kind, *content = self._connection.recv()
        except (EOFError, OSError):
            self._process.join(_PATIENCE)
            return Died(self, self._process.exitcode)
        made: type[Any] = {"progress": Progress, "finished": Finished, "failed": Failed}[kind]
        news: News = made(self, *content)
        return news

    def end(self) -> None:
        """End the process, whatever it does."""
        self._connection.close()
        self._process.terminate()
        self._process.join(_PATIENCE)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def wait_for(workers: list[Worker]) -> list[Worker]:
    """Wait until any of the workers has news, and return those that have."""
    by_connection = {worker.connection: worker for worker in workers}
    return [by_connection[ready] for ready in wait(list(by_connection))]  # type: ignore[index]


def _serve(connection: Connection[Any, Any], evaluation: Evaluation, num_threads: int) -> None:
    """Evaluate what comes in until the other side is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the parent ends its workers
    set_num_threads(num_threads)
    os.environ["OMP_NUM_THREADS"] = str(num_threads)  # for libraries not yet loaded
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(num_threads)

    def report(step: int, score: float) -> bool:
        try:
            connection.send(("progress", step, score))
            stop: bool = connection.recv()
        except (EOFError, OSError):
            raise _ParentGoneError from None
        return stop

    with suppress(EOFError, OSError, _ParentGoneError):
        while True:
            params = connection.recv()
            answer: tuple[Any, ...]
            try:
                answer = ("finished", evaluation(params, report))
            except _ParentGoneError:
                raise
            except Exception as error:
                answer = ("failed", f"{type(error).__name__}: {error}")
            connection.send(answer)


class _ParentGoneError(Exception):
    """Nobody waits for the answer any more."""
