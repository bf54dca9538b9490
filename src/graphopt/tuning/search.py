"""A search of hyperparameters: trials in a file, by one process or several, stopped and resumed."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import wait
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from graphopt._loading import load_whole
from graphopt._threads import get_num_threads, set_num_threads
from graphopt._validation import check_choice, check_integer
from graphopt.errors import GraphoptError
from graphopt.tuning.interrupts import Interrupts
from graphopt.tuning.proposals import SAMPLERS, key, propose
from graphopt.tuning.spaces import Params, Space
from graphopt.tuning.trials import Trials, quiet, required_optuna

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

    from optuna.study import Study
    from optuna.trial import FrozenTrial, Trial

    from graphopt.tuning.judging import Evaluation

_HOPELESS = 3  # failures before the first success that end the search
_STARTUP = 5  # full trainings before any is cut short
_POLL = 0.2  # seconds between two looks at what other processes do
_PATIENCE = 5.0  # seconds for a process to end

Notify = Callable[["FrozenTrial"], None]


class Search:
    """A study on disk and the rules by which trials are added to it; a context manager.

    Parameters
    ----------
    evaluation : Evaluation
    space : Space
    storage : path
        SQLite file of Optuna; made where it is missing. On a local disk.
    study : str
        Name inside the file.
    trials : int
        How many the study shall have in the end, from all runs; trials that were lost with their
        process do not count.
    sampler : {"tpe", "grid", "random"}
        See :func:`graphopt.tuning.propose`.
    seed : int
    prune : bool
        Stop a training that, after as many steps, is worse than the median of the others.

    Raises
    ------
    GraphoptError
        Without Optuna, or if the study was made with something else in `evaluation.protocol`.
    ValueError
        If the file belongs to another program.

    Notes
    -----
    A search that was killed or interrupted goes on when it is run again: what its processes were at
    is tried once more, however often that happens. Several searches may share a study at once.
    """

    def __init__(
        self,
        evaluation: Evaluation,
        space: Space,
        storage: str | os.PathLike[str],
        study: str,
        *,
        trials: int,
        sampler: Literal["tpe", "grid", "random"] = "tpe",
        seed: int = 0,
        prune: bool = True,
    ) -> None:
        self.evaluation, self.space = evaluation, space
        self._arguments = (evaluation, space, storage, study)
        self._settings: dict[str, Any] = {
            "trials": check_integer("trials", trials, minimum=1),
            "sampler": check_choice("sampler", sampler, SAMPLERS),
            "seed": check_integer("seed", seed, minimum=0),
            "prune": prune,
        }
        self._wanted = trials
        self._landmarks = {key(landmark.params) for landmark in space.landmarks}
        self._interrupts = Interrupts()
        self._told: set[int] = set()

    def __enter__(self) -> Search:
        optuna = required_optuna()
        pruner: Any = optuna.pruners.NopPruner()
        if self._settings["prune"]:
            warm_up = self.space.iterations[len(self.space.iterations) // 5]
            pruner = optuna.pruners.MedianPruner(_STARTUP, n_warmup_steps=warm_up - 1)
        _, _, storage, study = self._arguments
        self._trials = Trials(
            Path(storage),
            study,
            protocol=self.evaluation.protocol,
            greater_is_better=self.evaluation.greater_is_better,
            pruner=pruner,
        )
        self._trials.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._trials.__exit__(None, None, None)

    @property
    def study(self) -> Study:
        """Optuna's study."""
        return self._trials.study

    def counted(self) -> list[FrozenTrial]:
        """Return the trials that count: all but those that were lost with their process."""
        return self._trials.counted()

    def n_lost(self) -> int:
        """Return how many trials were lost with their process."""
        return self._trials.n_lost()

    def run(self, *, jobs: int = 1, notify: Notify = lambda trial: None) -> bool:
        """Evaluate settings until the study has its trials.

        Parameters
        ----------
        jobs : int
            Processes, among which the threads are divided; 1: this one. More are spawned, so a
            script that asks for them guards its main part by ``if __name__ == "__main__":``.
        notify : callable
            Called with every trial that has ended.

        Returns
        -------
        bool
            Whether Ctrl-C ended the search.

        Raises
        ------
        GraphoptError
            If the first settings all fail.
        """
        check_integer("jobs", jobs, minimum=1)
        self._told = {trial.number for trial in self.counted() if trial.state.is_finished()}

        def after() -> None:
            self._tell(notify)
            self._check_hopeless()

        with quiet(), self._trials.explained():
            try:
                if jobs > 1:
                    self._in_processes(jobs, after)
                else:
                    with self._interrupts:
                        self.work(after)
            except KeyboardInterrupt:
                return True
        return False

    def work(self, after: Callable[[], None] = lambda: None) -> None:
        """Evaluate settings in this process until no more is to be done.

        Parameters
        ----------
        after : callable
            Called after every trial.
        """
        while (more := self._trials.prepare(self._wanted, self._propose)) is not False:
            if more is None:
                with self._interrupts.allowed():
                    time.sleep(_POLL)
                _stop_without_parent()
                continue
            try:
                self.study.optimize(self._objective, n_trials=1, catch=(_FailedError,))
            finally:
                self._trials.open_gate()
            after()

    def _propose(self, trials: Sequence[FrozenTrial]) -> Params | None:
        return propose(
            self.space,
            trials,
            sampler=self._settings["sampler"],
            seed=self._settings["seed"],
            greater_is_better=self.evaluation.greater_is_better,
        )

    def _objective(self, trial: Trial) -> float:
        """Evaluate a setting; return the best score over all lengths of training."""
        load_whole("optuna.exceptions")
        from optuna.exceptions import TrialPruned

        params = {
            name: trial.suggest_categorical(name, values)
            for name, values in self.space.choices.items()
        }
        self._trials.begun(trial)
        start = time.perf_counter()
        try:
            with self._interrupts.allowed():
                scores = self.evaluation(
                    params, lambda step, score: self.should_stop(trial, step, score)
                )
        except Exception as error:
            trial.set_user_attr("error", f"{type(error).__name__}: {error}")
            raise _FailedError from error
        best = max if self.evaluation.greater_is_better else min
        step = best(scores, key=lambda at: scores[at])
        outcome = {
            "iterations": step,
            "scores": {str(at): score for at, score in scores.items()},
            "seconds": round(time.perf_counter() - start, 3),
        }
        trial.set_user_attr("outcome", outcome)
        if self.space.iterations[-1] not in scores:
            raise TrialPruned
        return scores[step]

    def should_stop(self, trial: Trial, step: int, score: float) -> bool:
        """Record an intermediate score; return whether the training is not worth going on with."""
        _stop_without_parent()
        with self._interrupts.held():
            trial.report(score, step)
            return key(trial.params) not in self._landmarks and trial.should_prune()

    def _tell(self, notify: Notify) -> None:
        for trial in self.counted():
            if trial.state.is_finished() and trial.number not in self._told:
                self._told.add(trial.number)
                notify(trial)

    def _check_hopeless(self) -> None:
        # In the order they were proposed: failing is faster than training, in another process.
        first = self.counted()[: min(_HOPELESS, self._wanted)]
        if len(first) == min(_HOPELESS, self._wanted) and all(
            trial.state.name == "FAIL" for trial in first
        ):
            error = first[-1].user_attrs["error"]
            raise GraphoptError(f"the first {len(first)} settings failed; the last said: {error}")

    # --- several processes ----------------------------------------------------------------------

    def _in_processes(self, jobs: int, after: Callable[[], None]) -> None:
        threads = max(1, get_num_threads() // jobs)
        workers = [self._started(threads) for _ in range(jobs)]
        try:
            while workers:
                wait([worker.sentinel for worker in workers], timeout=_POLL)
                after()
                for worker in [one for one in workers if one.exitcode is not None]:
                    workers.remove(worker)
                    if worker.exitcode != 0:
                        self._trials.bury(worker.pid, worker.exitcode)
                        workers.append(self._started(threads))
            after()
        finally:
            for worker in workers:
                _end(worker)
                self._trials.lose(worker.pid)

    def _started(self, threads: int) -> BaseProcess:
        context = multiprocessing.get_context("spawn")  # threads do not survive a fork
        arguments = (self._arguments, self._settings, threads)
        worker = context.Process(target=_work, args=arguments, daemon=True)
        worker.start()
        return worker


class _FailedError(Exception):
    """A setting cannot be evaluated."""


def _work(arguments: tuple[Any, ...], settings: dict[str, Any], threads: int) -> None:
    """Work at a search in a process of its own."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the parent ends its workers
    set_num_threads(threads)
    os.environ["OMP_NUM_THREADS"] = str(threads)  # for libraries not yet loaded
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(threads)
    with suppress(KeyboardInterrupt), Search(*arguments, **settings) as search, quiet():
        search.work()


def _end(worker: BaseProcess) -> None:
    """End a process, whatever it does."""
    worker.terminate()
    worker.join(_PATIENCE)
    if worker.is_alive():
        worker.kill()
        worker.join()


def _stop_without_parent() -> None:
    """Stop a worker whose search was killed."""
    parent = multiprocessing.parent_process()
    if parent is not None and not parent.is_alive():
        raise KeyboardInterrupt


def default_study(protocol: dict[str, Any]) -> str:
    """Return a name that tells what is searched for."""
    return "-".join(str(protocol[part]) for part in ("graph", "task", "k", "space"))
