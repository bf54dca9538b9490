"""The trials of a search: an Optuna study in a SQLite file that several processes work on."""

from __future__ import annotations

import os
import sqlite3
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, Any

from graphopt._databases import TRIALS, mark_of, opened_to_read, set_mark, tables
from graphopt._escaping import shortened
from graphopt._files import check_folder
from graphopt._loading import load_whole
from graphopt._optional import require
from graphopt.errors import GraphoptError
from graphopt.tuning.proposals import trial_params
from graphopt.tuning.spaces import Params

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial, Trial

HEARTBEAT, GRACE = 10, 60
"""Seconds between two signs of life of a running trial, and without one until it is given up."""
_PATIENCE = 60.0  # seconds that another process may keep a file locked
_MOST_DEATHS = 3  # processes that may die in a setting before it counts as failed

_PROTOCOL = "protocol"  # attribute of the study: what its scores depend on
_BEGUN = "begun"  # of a trial: its own number and the process that evaluates it
_ERROR = "error"  # of a trial that cannot be evaluated
_EARLIER = "earlier"  # of a trial that repeats others whose processes ended: their numbers
_DEATHS = "deaths"  # of a trial: how many processes died in it and in those that it repeats


def required_optuna() -> ModuleType:
    """Return Optuna, or raise an error that says how to install it."""
    return require("optuna", "the search of hyperparameters")


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Optuna from reporting every trial, and from warning that heartbeats are new."""
    optuna = required_optuna()
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(before)


class Trials:
    """A study on disk, and the rules by which trials are begun and repeated; a context manager.

    Every trial is enqueued before it is begun, by one process at a time. While it runs, Optuna
    records heartbeats. A trial that ended without a result and without an error was lost with its
    process (killed or interrupted): its setting is enqueued again, however often that happens.
    A setting is given up only after several processes of a running search have died in it.

    Parameters
    ----------
    path : Path
        SQLite file; made where it is missing. On a local disk. A file beside it, with ``.lock`` at
        the end of its name, lets one process at a time begin a trial.
    name : str
        Of the study inside the file.
    protocol : dict
        What scores depend on besides the setting.
    greater_is_better : bool
    pruner : Optuna's pruner

    Raises
    ------
    GraphoptError
        Without Optuna, or if the study was made with another protocol.
    ValueError
        If the file belongs to another program; nothing is written to it.
    """

    def __init__(
        self,
        path: Path,
        name: str,
        *,
        protocol: dict[str, Any],
        greater_is_better: bool,
        pruner: Any,
    ) -> None:
        self._path, self._name = path, name
        self._protocol, self._greater_is_better, self._pruner = protocol, greater_is_better, pruner
        self._database: Any = None
        self._gate: sqlite3.Connection | None = None

    def __enter__(self) -> Trials:
        if not self._path.parent.is_dir():
            raise ValueError(f"storage must be in a folder that exists, not {self._path}")
        check_folder(self._path.parent)
        if "?" in str(self._path):
            raise ValueError(f"storage must be a path without a question mark, not {self._path}")
        is_new = not self._is_ours()
        self._close_gate()
        try:
            if is_new:
                set_mark(self._path, TRIALS)
            self._open()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        self.open_gate()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.open_gate()
        if self._database is not None:
            self._database.remove_session()
            self._database.engine.dispose()

    def _is_ours(self) -> bool:
        """Return whether there is a file of trials already; nothing is written."""
        with opened_to_read(self._path) as database:
            if database is None:
                return False
            if mark_of(database) == TRIALS:
                return True
        raise ValueError(
            f"storage must be a new file or one of such a search; {self._path} belongs to another "
            "program, and nothing was written to it"
        )

    def _open(self) -> None:
        optuna = required_optuna()
        with opened_to_read(self._path) as database:
            # The last that is made: without it, the process that made them was stopped.
            has_tables = database is not None and "alembic_version" in tables(database)
        with self.explained(), quiet():
            self._database = optuna.storages.RDBStorage(
                f"sqlite:///{self._path}",
                engine_kwargs={"connect_args": {"timeout": _PATIENCE}},
                heartbeat_interval=HEARTBEAT,
                grace_period=GRACE,
                skip_table_creation=has_tables,  # a later version of Optuna would make others
            )
            self.study: Study = optuna.create_study(
                storage=self._database,
                study_name=self._name,
                direction="maximize" if self._greater_is_better else "minimize",
                pruner=self._pruner,
                load_if_exists=True,
            )
        made_with = self.study.user_attrs.get(_PROTOCOL)
        if made_with is None and not self.study.get_trials(deepcopy=False):
            self.study.set_user_attr(_PROTOCOL, self._protocol)
            return
        made_with = made_with or {}
        names = sorted({*made_with, *self._protocol})
        differing = [name for name in names if made_with.get(name) != self._protocol.get(name)]
        if differing:
            raise GraphoptError(
                f"study {self._name!r} in {self._path} was made with another "
                f"{', '.join(differing)}; choose another name for this one"
            )

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Raise errors of Optuna and of its database as our own, which name the file."""
        load_whole("sqlalchemy.exc")
        from sqlalchemy.exc import SQLAlchemyError

        failures = (SQLAlchemyError, required_optuna().exceptions.OptunaError, RuntimeError)
        try:
            yield
        except failures as error:
            if isinstance(error, GraphoptError):
                raise
            reason = shortened(str(error).splitlines()[0])
            raise GraphoptError(f"{self._path} cannot hold studies: {reason}") from error

    # --- one process at a time ------------------------------------------------------------------

    def _close_gate(self) -> None:
        """Wait until no other process is in here; the system opens the gate of a killed one."""
        path = f"{self._path}.lock"
        try:
            self._gate = sqlite3.connect(path, isolation_level=None, timeout=_PATIENCE)
            self._gate.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error as error:
            self.open_gate()
            raise GraphoptError(f"{path} cannot be used: {error}") from error

    def open_gate(self) -> None:
        """Let other processes begin trials; without effect where the gate is open."""
        if self._gate is not None:
            self._gate.close()
            self._gate = None

    # --- trials ---------------------------------------------------------------------------------

    def counted(self) -> list[FrozenTrial]:
        """Return the trials that count: all but those that were lost with their process."""
        return [trial for trial in self._all() if not is_lost(trial)]

    def n_lost(self) -> int:
        """Return how many trials were lost with their process."""
        return sum(map(is_lost, self._all()))

    def _all(self) -> list[FrozenTrial]:
        return self.study.get_trials(deepcopy=False)

    def prepare(
        self, wanted: int, propose: Callable[[Sequence[FrozenTrial]], Params | None]
    ) -> bool | None:
        """Enqueue the next setting unless one waits.

        Parameters
        ----------
        wanted : int
            Trials that the study shall have.
        propose : callable
            Takes the trials that count; returns a setting, or None where all were tried.

        Returns
        -------
        bool or None
            True: a setting waits, and no other process can begin it before :meth:`begun` is
            called; None: other processes are still at work on the last ones; False: all is done.
        """
        self._close_gate()
        waits = False
        try:
            self._repeat_lost()
            trials = self.counted()
            waiting = sum(trial.state.name == "WAITING" for trial in trials)
            if len(trials) - waiting < wanted:
                waits = waiting > 0
                if not waits and (params := propose(trials)) is not None:
                    self.study.enqueue_trial(params)
                    waits = True
        finally:
            if not waits:
                self.open_gate()
        if waits:
            return True
        return None if any(trial.state.name == "RUNNING" for trial in trials) else False

    def begun(self, trial: Trial) -> None:
        """Record that this process evaluates a trial, and let others begin theirs."""
        self._database.record_heartbeat(self._id(trial.number))  # Optuna's own may come later
        trial.set_user_attr(_BEGUN, [trial.number, os.getpid()])
        self.open_gate()

    def lose(self, pid: int | None) -> None:
        """End what a process that exists no more was at; its setting will be tried again."""
        for trial in self._begun_by(pid):
            self._fail(trial)

    def bury(self, pid: int | None, exit_code: int | None) -> None:
        """End what a process was at that died by itself.

        Raises
        ------
        GraphoptError
            If it had begun nothing: another process would die as well.
        """
        trials = self._begun_by(pid)
        if not trials and (exit_code or 0) > 0:
            raise GraphoptError(f"a process of the search ended with exit code {exit_code}")
        for trial in trials:
            deaths = trial.user_attrs.get(_DEATHS, 0) + 1
            self._database.set_trial_user_attr(self._id(trial.number), _DEATHS, deaths)
            if deaths >= _MOST_DEATHS:
                error = f"{deaths} processes died in it, the last with exit code {exit_code}"
                self._database.set_trial_user_attr(self._id(trial.number), _ERROR, error)
            self._fail(trial)

    def _begun_by(self, pid: int | None) -> list[FrozenTrial]:
        return [
            trial
            for trial in self._all()
            if trial.state.name == "RUNNING" and trial.user_attrs.get(_BEGUN) == [trial.number, pid]
        ]

    def _repeat_lost(self) -> None:
        """Enqueue again the settings of trials that were lost with their process."""
        load_whole("optuna")
        import optuna

        with quiet():
            optuna.storages.fail_stale_trials(self.study)
        for trial in self._all():
            # Nobody else is between beginning a trial and saying so: its process was killed there.
            if trial.state.name == "RUNNING" and trial.user_attrs.get(_BEGUN, [])[:1] != [
                trial.number
            ]:
                self._fail(trial)
        trials = self._all()
        repeated = {number for trial in trials for number in trial.user_attrs.get(_EARLIER, [])}
        for trial in trials:
            if is_lost(trial) and trial.number not in repeated:
                history = [*trial.user_attrs.get(_EARLIER, []), trial.number]
                deaths = trial.user_attrs.get(_DEATHS, 0)
                self.study.enqueue_trial(
                    trial_params(trial), user_attrs={_EARLIER: history, _DEATHS: deaths}
                )

    def _fail(self, trial: FrozenTrial) -> None:
        load_whole("optuna.trial")
        from optuna.trial import TrialState

        self.study.tell(trial.number, state=TrialState.FAIL, skip_if_finished=True)

    def _id(self, number: int) -> int:
        study = self._database.get_study_id_from_name(self._name)
        found: int = self._database.get_trial_id_from_study_id_trial_number(study, number)
        return found


def is_lost(trial: FrozenTrial) -> bool:
    """Return whether a trial ended with its process: without a result and without an error."""
    return trial.state.name == "FAIL" and _ERROR not in trial.user_attrs
