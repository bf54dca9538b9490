"""Run the jobs that are not done yet, here or wherever joblib takes them."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import torch
from joblib import Parallel, delayed

from benchmarks.paper.jobs.execution import Finished, execute
from benchmarks.paper.jobs.specs import Job
from benchmarks.paper.jobs.store import Store
from graphopt import _threads


class Watcher(Protocol):
    """What is told how a run goes on; calls may come from another thread."""

    def started(self, job: Job) -> None:
        """Take note that a job was handed to a worker."""

    def finished(self, result: Finished, seconds_left: float | None) -> None:
        """Take note of a result; the time left is None where nothing is known yet."""


class _Silence:
    def started(self, job: Job) -> None: ...

    def finished(self, result: Finished, seconds_left: float | None) -> None: ...


def run(
    jobs: Sequence[Job],
    store: Store,
    *,
    n_jobs: int | None = None,
    threads: int | None = None,
    watcher: Watcher | None = None,
) -> list[Finished]:
    """Run the jobs that the store has no result of, and write each result when it is there.

    Parameters
    ----------
    jobs : sequence of Job
    store : Store
        Written by this process only.
    n_jobs : int, optional
        Jobs at the same time, as joblib counts. None: what :func:`joblib.parallel_config` says,
        whose backend is used too, so that a Dask or Ray cluster can take the jobs; without it 1,
        in this process.
    threads : int, optional
        Of each job. None: all that this process may use, divided by the jobs at the same time, at
        least 1.
    watcher : Watcher, optional

    Returns
    -------
    list of Finished
        Of this run, in the order they finished; an error in a job is recorded, and others go on.

    Raises
    ------
    KeyboardInterrupt
        For Ctrl-C. What was finished before is in the store; the same call goes on from there.
    """
    watcher = watcher or _Silence()
    pending = store.pending(jobs)
    if not pending:
        return []
    parallel = Parallel(
        n_jobs=n_jobs,
        return_as="generator_unordered",
        pre_dispatch="n_jobs",  # so that what was handed out is what runs
        batch_size=1,
    )
    workers = _effective(parallel)
    share = threads or max(1, _threads.get_num_threads() // workers)
    clock = _Clock(pending, store.rows(jobs), workers)
    results: list[Finished] = []
    before = _threads.chosen(), torch.get_num_threads()
    generator = parallel(delayed(execute)(job, share) for job in _announced(pending, watcher))
    try:
        for result in generator:
            store.add(result)
            results.append(result)
            watcher.finished(result, clock.tick(result))
    finally:
        generator.close()
        _threads.set_num_threads(before[0])
        torch.set_num_threads(before[1])
    return results


def _effective(parallel: Parallel) -> int:
    """Return how many jobs run at the same time."""
    return max(1, int(parallel._effective_n_jobs()))


def _announced(jobs: Iterable[Job], watcher: Watcher) -> Iterator[Job]:
    for job in jobs:
        watcher.started(job)
        yield job


class _Clock:
    """Guesses the time left from finished jobs of the same kind.

    Parameters
    ----------
    pending : sequence of Job
    known : iterable of stored rows
        Of earlier runs.
    workers : int
    """

    def __init__(self, pending: Sequence[Job], known: Iterable[object], workers: int) -> None:
        self._left = dict.fromkeys(pending)
        self._workers = workers
        self._seconds: dict[tuple[object, ...], list[float]] = defaultdict(list)
        for row in known:
            if getattr(row, "error", None) is None:
                self._learn(row.job, row.seconds)  # type: ignore[attr-defined]

    def tick(self, result: Finished) -> float | None:
        """Take note of a result and return the seconds left."""
        self._left.pop(result.job, None)
        if result.error is None:
            self._learn(result.job, result.seconds)
        if not self._seconds:
            return None
        total = sum(self._guess(job) for job in self._left)
        return total / min(self._workers, max(1, len(self._left)))

    def _learn(self, job: Job, seconds: float) -> None:
        for kind in _kinds(job):
            self._seconds[kind].append(seconds)

    def _guess(self, job: Job) -> float:
        for kind in _kinds(job):
            if kind in self._seconds:
                return statistics.fmean(self._seconds[kind])
        return 0.0


def _kinds(job: Job) -> list[tuple[object, ...]]:
    """Return what jobs are alike in, from the most telling to nothing."""
    return [
        (job.system, job.task, job.setting, job.dataset),
        (job.system, job.task, job.setting),
        (job.system,),
        (),
    ]
