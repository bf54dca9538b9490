"""Hyperparameter search (appendix, 2.1): trials in a SQLite file, resumable, by several processes.

The process that searches is the only one that writes; workers only compute (:mod:`.workers`). So a
dying worker cannot damage anything, and with one job everything happens in one process.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from benchmarks.paper.databases import TRIALS, mark_of, opened_to_read, set_mark, tables
from benchmarks.paper.search.claims import Claims
from benchmarks.paper.search.interrupts import Interrupts
from benchmarks.paper.search.proposals import (
    SAMPLERS,
    distributions,
    key,
    propose,
    trial_params,
)
from benchmarks.paper.search.spaces import Space
from benchmarks.paper.search.workers import Died, Failed, Finished, Worker, wait_for
from graphopt._escaping import shortened
from graphopt._files import check_folder
from graphopt._loading import load_whole
from graphopt._optional import require
from graphopt._threads import get_num_threads
from graphopt._validation import check_choice, check_integer
from graphopt.errors import GraphoptError

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial, Trial

    from benchmarks.paper.search.selection import Evaluation

_LOST = "lost"  # attribute of the study: the trials whose process ended before they did, and why

_PROTOCOL = "protocol"  # attribute of the study: what its scores depend on
_MOST_RETRIES = 2
_HOPELESS = 3  # failures before the first success that end the search
_STARTUP = 5  # full trainings before any is cut short

Notify = Callable[["FrozenTrial"], None]


def required_optuna() -> ModuleType:
    """Return Optuna, or raise an error that says how to install it."""
    return require("optuna", "the search of hyperparameters")


class Search:
    """A study on disk and the rules by which trials are added to it; a context manager.

    Parameters
    ----------
    evaluation : Evaluation
    space : Space
    storage : path
        SQLite file; made where it is missing. On a local disk.
    study : str
        Name inside the file.
    trials : int
        How many the study shall have in the end, by whomever; trials that were lost with their
        process do not count.
    sampler : {"tpe", "grid", "random"}
        See :func:`benchmarks.paper.search.proposals.propose`.
    seed : int
    prune : bool
        Stop a training that, after as many steps, is worse than the median of the others.

    Raises
    ------
    GraphoptError
        Without Optuna, or if the study was made with something else in `evaluation.protocol`.
    """

    def __init__(
        self,
        evaluation: Evaluation,
        space: Space,
        storage: str | Path,
        study: str,
        *,
        trials: int,
        sampler: str = "tpe",
        seed: int = 0,
        prune: bool = True,
    ) -> None:
        self.evaluation, self.space = evaluation, space
        self.trials = check_integer("trials", trials, minimum=1)
        self.sampler = check_choice("sampler", sampler, SAMPLERS)
        self.seed = check_integer("seed", seed, minimum=0)
        self._storage, self._name, self._prune = Path(storage), study, prune
        self._distributions: dict[str, Any] = {}
        self._database: Any = None
        self._landmarks = {key(landmark.params) for landmark in space.landmarks}

    def __enter__(self) -> Search:
        optuna = required_optuna()
        if not self._storage.parent.is_dir():
            raise ValueError(f"storage must lie in a folder that is there, not {self._storage}")
        check_folder(self._storage.parent)
        if "?" in str(self._storage):
            raise ValueError(f"storage must be a path without a question mark, not {self._storage}")
        self._distributions = distributions(self.space)
        _is_ours(self._storage)  # before the file of claims is made
        self._claims = Claims(f"{self._storage}.{zlib.crc32(self._name.encode()):08x}.lock")
        self._claims.__enter__()
        try:
            with self._claims.alone(), _quiet(optuna):
                self._study: Study = self._open(optuna)
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(self, *error: Any) -> None:
        self._close()

    def _close(self) -> None:
        if self._database is not None:
            self._database.remove_session()
            self._database.engine.dispose()
        self._claims.__exit__(None, None, None)

    def _open(self, optuna: ModuleType) -> Study:
        load_whole("sqlalchemy.exc")
        from sqlalchemy.exc import SQLAlchemyError

        if not _is_ours(self._storage):
            set_mark(self._storage, TRIALS)
        with opened_to_read(self._storage) as database:
            # The last that is made: without it, whoever made them was stopped.
            has_tables = database is not None and "alembic_version" in tables(database)
        pruner: Any = optuna.pruners.NopPruner()
        if self._prune:
            warm_up = self.space.iterations[len(self.space.iterations) // 5]
            pruner = optuna.pruners.MedianPruner(_STARTUP, n_warmup_steps=warm_up - 1)
        try:
            self._database = optuna.storages.RDBStorage(
                f"sqlite:///{self._storage}",
                engine_kwargs={"connect_args": {"timeout": 60}},
                skip_table_creation=has_tables,  # of a later Optuna's they would be others
            )
            study: Study = optuna.create_study(
                storage=self._database,
                study_name=self._name,
                direction="maximize" if self.evaluation.greater_is_better else "minimize",
                pruner=pruner,
                load_if_exists=True,
            )
        except (SQLAlchemyError, optuna.exceptions.OptunaError, RuntimeError) as error:
            raise self._unusable(error) from error
        self._check_protocol(study)
        return study

    def _unusable(self, error: Exception) -> GraphoptError:
        reason = shortened(str(error).splitlines()[0])
        return GraphoptError(f"{self._storage} cannot hold studies: {reason}")

    def _check_protocol(self, study: Study) -> None:
        """Write down what scores depend on, or refuse to mix them with others."""
        protocol = self.evaluation.protocol
        made_with = study.user_attrs.get(_PROTOCOL)
        if made_with is None and not study.get_trials(deepcopy=False):
            study.set_user_attr(_PROTOCOL, protocol)
            return
        made_with = made_with or {}
        names = sorted({*made_with, *protocol})
        differing = [name for name in names if made_with.get(name) != protocol.get(name)]
        if differing:
            raise GraphoptError(
                f"study {self._name!r} in {self._storage} was made with another "
                f"{', '.join(differing)}; choose another name for this one"
            )

    # --- the trials ---------------------------------------------------------------------------

    @property
    def study(self) -> Study:
        """Optuna's study."""
        return self._study

    def counted(self) -> list[FrozenTrial]:
        """Return the trials that count: all but those that were lost with their process."""
        lost = self._study.user_attrs.get(_LOST, {})
        return [
            trial
            for trial in self._study.get_trials(deepcopy=False)
            if str(trial.number) not in lost
        ]

    def next(self) -> Trial | None:
        """Begin the next trial; None where there are as many as wanted, or nothing is left."""
        with self._claims.alone():
            self._recover()
            trials = self.counted()
            waiting = [trial for trial in trials if trial.state.name == "WAITING"]
            if len(trials) - len(waiting) >= self.trials:
                return None
            if not waiting:
                params = propose(
                    self.space,
                    trials,
                    sampler=self.sampler,
                    seed=self.seed,
                    greater_is_better=self.evaluation.greater_is_better,
                )
                if params is None:
                    return None
                self._study.enqueue_trial(params)
            trial = self._study.ask(self._distributions)
            self._claims.take(trial.number)
        return trial

    def should_stop(self, trial: Trial, step: int, score: float) -> bool:
        """Record an intermediate score; return whether the training is not worth going on with."""
        trial.report(score, step)
        return key(trial.params) not in self._landmarks and trial.should_prune()

    def finish(self, trial: Trial, scores: dict[int, float], seconds: float) -> FrozenTrial:
        """Record what came out: the best score over all lengths of training, and all of them."""
        load_whole("optuna.trial")
        from optuna.trial import TrialState

        best = max if self.evaluation.greater_is_better else min
        step = best(scores, key=lambda at: scores[at])
        by_length = {str(at): score for at, score in scores.items()}
        outcome = {"iterations": step, "scores": by_length, "seconds": round(seconds, 3)}
        trial.set_user_attr("outcome", outcome)
        complete = self.space.iterations[-1] in scores
        if complete:
            return self._told(trial, values=scores[step])
        return self._told(trial, state=TrialState.PRUNED)

    def fail(self, trial: Trial, error: str) -> FrozenTrial:
        """Record that a setting cannot be evaluated."""
        load_whole("optuna.trial")
        from optuna.trial import TrialState

        trial.set_user_attr("error", error)
        told = self._told(trial, state=TrialState.FAIL)
        # In the order they were proposed: failing is faster than training, in another process.
        first = [one.state for one in self.counted()][: min(_HOPELESS, self.trials)]
        if first == [TrialState.FAIL] * min(_HOPELESS, self.trials):
            raise GraphoptError(f"the first {len(first)} settings failed; the last said: {error}")
        return told

    def lose(self, trial: Trial, reason: str) -> None:
        """Record that a trial's process was lost, and put its setting back to be tried again."""
        with self._claims.alone():
            self._put_back(self._study.get_trials(deepcopy=False)[trial.number], reason)
        self._claims.give_back(trial.number)

    def _told(self, trial: Trial, **outcome: Any) -> FrozenTrial:
        told = self._study.tell(trial, **outcome)
        self._claims.give_back(trial.number)
        return told

    def _recover(self) -> None:
        """Put back what processes that were killed have left behind."""
        for trial in self._study.get_trials(deepcopy=False):
            if trial.state.name != "RUNNING" or self._claims.held(trial.number):
                continue
            # A trial ends before its claim does: what runs even now has lost its process.
            now = self._study.get_trials(deepcopy=False)[trial.number]
            if now.state.name == "RUNNING":
                self._put_back(now, "its search was killed")

    def _put_back(self, trial: FrozenTrial, reason: str) -> None:
        load_whole("optuna.trial")
        from optuna.trial import TrialState

        # In this order: killed in between, the trial still runs and is put back once more.
        retries = trial.user_attrs.get("retries", 0)
        if retries < _MOST_RETRIES:
            lost = self._study.user_attrs.get(_LOST, {})
            self._study.set_user_attr(_LOST, {**lost, str(trial.number): reason})
            self._study.enqueue_trial(trial_params(trial), user_attrs={"retries": retries + 1})
        self._study.tell(trial.number, state=TrialState.FAIL)

    # --- running them -------------------------------------------------------------------------

    def run(self, *, jobs: int = 1, notify: Notify = lambda trial: None) -> bool:
        """Evaluate settings until the study has its trials.

        Parameters
        ----------
        jobs : int
            Processes, among which the threads are divided; 1: this one. More are spawned, so a
            script that asks for them guards its main part by ``if __name__ == "__main__":``.
        notify : callable
            Told of every trial that has ended.

        Returns
        -------
        bool
            Whether Ctrl-C ended the search; unfinished trials are put back.

        Raises
        ------
        GraphoptError
            If the first settings all fail.
        """
        check_integer("jobs", jobs, minimum=1)
        optuna = required_optuna()
        load_whole("optuna.exceptions")
        from optuna.exceptions import OptunaError

        load_whole("sqlalchemy.exc")
        from sqlalchemy.exc import SQLAlchemyError

        with _quiet(optuna):
            try:
                with Interrupts() as interrupts:
                    if jobs == 1:
                        self._run_here(notify, interrupts)
                    else:
                        self._run_by_workers(jobs, notify, interrupts)
            except KeyboardInterrupt:
                return True
            except (SQLAlchemyError, OptunaError) as error:
                raise self._unusable(error) from error
        return False

    def _run_here(self, notify: Notify, interrupts: Interrupts) -> None:
        while (trial := self.next()) is not None:
            running, start = trial, time.perf_counter()

            def report(step: int, score: float, running: Trial = running) -> bool:
                with interrupts.held():
                    return self.should_stop(running, step, score)

            try:
                with interrupts.allowed():
                    scores = self.evaluation(trial.params, report)
            except KeyboardInterrupt:
                self.lose(trial, "interrupted")
                raise
            except Exception as error:
                notify(self.fail(trial, f"{type(error).__name__}: {error}"))
            else:
                notify(self.finish(trial, scores, time.perf_counter() - start))

    def _run_by_workers(self, jobs: int, notify: Notify, interrupts: Interrupts) -> None:
        threads = max(1, get_num_threads() // jobs)
        idle: list[Worker] = []
        busy: dict[Worker, tuple[Trial, float]] = {}
        try:
            while True:
                while len(busy) < jobs and (trial := self.next()) is not None:
                    worker = idle.pop() if idle else Worker(self.evaluation, threads)
                    busy[worker] = trial, time.perf_counter()
                    worker.start(trial.params)
                if not busy:
                    return
                with interrupts.allowed():
                    ready = wait_for(list(busy))
                for news in map(Worker.news, ready):
                    worker = news.worker
                    trial, start = busy[worker]
                    if isinstance(news, Finished | Failed | Died):
                        del busy[worker]
                    if isinstance(news, Finished):
                        idle.append(worker)
                        notify(self.finish(trial, news.scores, time.perf_counter() - start))
                    elif isinstance(news, Failed):
                        idle.append(worker)
                        notify(self.fail(trial, news.error))
                    elif isinstance(news, Died):
                        worker.end()
                        self.lose(trial, f"its process ended with exit code {news.exit_code}")
                    else:
                        worker.answer(self.should_stop(trial, news.step, news.score))
        finally:
            for worker in (*idle, *busy):
                worker.end()
            for trial, _ in busy.values():
                self.lose(trial, "interrupted")


def _is_ours(storage: Path) -> bool:
    """Return whether there is a file of trials of such a search; nothing is written.

    Raises
    ------
    ValueError
        If it is there and belongs to another program: to whoever uses Optuna, maybe.
    """
    with opened_to_read(storage) as database:
        if database is None:
            return False
        if (mark := mark_of(database)) == TRIALS:
            return True
        # Files had no mark at first, but every study had a protocol.
        found = tables(database)
        if mark == 0 and {"studies", "study_user_attributes", "alembic_version"} <= found.keys():
            query = "SELECT 1 FROM study_user_attributes WHERE key = ? LIMIT 1"
            if database.execute(query, (_PROTOCOL,)).fetchone():
                return True
    raise ValueError(
        f"storage must be a new file or one of such a search; {storage} belongs to another "
        "program, and nothing was written to it"
    )


def default_study(protocol: dict[str, Any]) -> str:
    """Return a name that tells what is searched for."""
    return "-".join(str(protocol[part]) for part in ("graph", "task", "k", "space"))


@contextmanager
def _quiet(optuna: ModuleType) -> Iterator[None]:
    """Keep Optuna from telling of every trial: we do."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
