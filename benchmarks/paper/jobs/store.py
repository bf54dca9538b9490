"""The results: one SQLite file, one row for each finished job."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import Any

from benchmarks.paper.jobs.execution import Finished
from benchmarks.paper.jobs.measurement import Values
from benchmarks.paper.jobs.specs import Job
from graphopt._databases import (
    RESULTS,
    explained,
    mark_of,
    opened_to_read,
    tables,
    version_of,
)
from graphopt._escaping import csv_table, quoted
from graphopt._files import make_folder, write_text
from graphopt.errors import DamagedFileError

_FORMAT = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS machines (
    id TEXT PRIMARY KEY,
    description TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS jobs (
    key TEXT PRIMARY KEY,
    system TEXT NOT NULL,
    dataset TEXT NOT NULL,
    task TEXT NOT NULL,
    setting TEXT NOT NULL,
    seed INTEGER NOT NULL,
    parameters TEXT NOT NULL,
    version TEXT NOT NULL,
    machine TEXT NOT NULL REFERENCES machines (id),
    threads INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('done', 'failed')),
    "values" TEXT NOT NULL,
    decisions TEXT NOT NULL,
    seconds REAL NOT NULL,
    peak_bytes INTEGER,
    error TEXT,
    finished_at TEXT NOT NULL
);
"""
_WAIT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Stored:
    """A row: what :class:`Finished` holds, the machine by its id, and the version that ran it."""

    job: Job
    outcomes: dict[str, Values]
    decisions: dict[str, list[int]]
    error: str | None
    seconds: float
    peak_bytes: int | None
    threads: int
    machine: str
    version: str
    finished_at: str

    @property
    def status(self) -> str:
        """``"done"`` or ``"failed"``."""
        return "done" if self.error is None else "failed"


class Store:
    """Keeps finished jobs in a SQLite file; a context manager.

    Every row is written in a transaction of its own, so that a run that is killed at any time
    leaves the rows of the jobs it finished and nothing else. Until it is closed, or opened again
    after a kill, a file with ``-wal`` at the end of its name belongs to it.

    Parameters
    ----------
    path : path
        Made if it is not there, with its folder.

    Raises
    ------
    ValueError
        If the file is there and is something else; nothing was written to it then.
    GraphoptError
        If it is locked, or cannot be written to.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        make_folder(path.parent)
        _check_whose(path)
        with explained(path):
            self._database = sqlite3.connect(path, timeout=_WAIT_SECONDS)
            try:
                # Written ahead, rows need not reach the disk one by one.
                self._database.execute("PRAGMA journal_mode = WAL")
                self._database.execute("PRAGMA synchronous = NORMAL")
                self._database.executescript(
                    f"BEGIN IMMEDIATE; {_SCHEMA} PRAGMA application_id = {RESULTS}; "
                    f"PRAGMA user_version = {_FORMAT}; COMMIT;"
                )
            except BaseException:
                self.close()
                raise

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    # --- writing ----------------------------------------------------------------------------------

    def add(self, finished: Finished) -> None:
        """Write a finished job, in the place of an earlier attempt at it."""
        job = finished.job
        machine = hashlib.sha256(finished.machine.encode()).hexdigest()[:12]
        with explained(self.path), self._database:
            self._database.execute(
                "INSERT OR IGNORE INTO machines VALUES (?, ?)", (machine, finished.machine)
            )
            self._database.execute(
                f"INSERT OR REPLACE INTO jobs VALUES ({', '.join('?' * 17)})",
                (
                    job.key,
                    job.system,
                    job.dataset,
                    job.task,
                    job.setting,
                    job.seed,
                    json.dumps(job.parameters, sort_keys=True),
                    metadata.version("graphopt"),
                    machine,
                    finished.threads,
                    "done" if finished.error is None else "failed",
                    json.dumps(finished.outcomes, sort_keys=True),
                    json.dumps(finished.decisions, sort_keys=True),
                    finished.seconds,
                    finished.peak_bytes,
                    finished.error,
                    finished.finished_at,
                ),
            )

    # --- reading ----------------------------------------------------------------------------------

    def rows(self, jobs: Iterable[Job] | None = None) -> Iterator[Stored]:
        """Yield the stored rows of some jobs, in their order; without `jobs` all rows."""
        if jobs is None:
            found = self._fetched(
                f"SELECT {_COLUMNS} FROM jobs ORDER BY task, setting, dataset, system, seed, key"
            )
            yield from (self._stored(row) for row in found)
            return
        for job in jobs:
            for row in self._fetched(f"SELECT {_COLUMNS} FROM jobs WHERE key = ?", job.key):
                yield self._stored(row)

    def look_up(self) -> Callable[[Job], Stored | None]:
        """Return a function from a job to its row, None without one, that reads a row once."""
        return cache(lambda job: next(self.rows([job]), None))

    def pending(self, jobs: Iterable[Job]) -> list[Job]:
        """Return the jobs that are not done: never run, or failed."""
        done = {key for (key,) in self._fetched("SELECT key FROM jobs WHERE error IS NULL")}
        return [job for job in jobs if job.key not in done]

    def machines(self) -> dict[str, dict[str, Any]]:
        """Return what the jobs ran on: id to description."""
        found = self._fetched("SELECT id, description FROM machines ORDER BY id")
        with self._whole():
            return {name: json.loads(text) for name, text in found}

    def _fetched(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with explained(self.path):
            return self._database.execute(query, values).fetchall()

    def _stored(self, row: tuple[Any, ...]) -> Stored:
        system, dataset, task, setting, seed, parameters, values, decisions, *rest = row
        with self._whole():
            job = Job(system, dataset, task, setting, seed, **json.loads(parameters))
            return Stored(job, json.loads(values), json.loads(decisions), *rest)

    @contextmanager
    def _whole(self) -> Iterator[None]:
        """Name the file where what it holds cannot be read."""
        try:
            yield
        except (ValueError, TypeError, RecursionError) as error:
            reason = quoted(f"{type(error).__name__}: {error}")
            raise DamagedFileError(f"{self.path} holds a row that is damaged: {reason}") from error


_COLUMNS = (
    "system, dataset, task, setting, seed, parameters, "
    '"values", decisions, error, seconds, peak_bytes, threads, machine, version, finished_at'
)


def _check_whose(path: Path) -> None:
    """Raise unless a file is a store, or there is none yet; nothing is written."""
    with opened_to_read(path) as database:
        if database is None:
            return
        mark, version, found = mark_of(database), version_of(database), tables(database)
    if mark == RESULTS and version > _FORMAT:
        raise ValueError(
            f"{path} is a store of results of format {version}, which a later graphopt wrote; "
            f"this one reads format {_FORMAT}"
        )
    with closing(sqlite3.connect(":memory:")) as empty:
        empty.executescript(_SCHEMA)
        ours = tables(empty)
    # Stores had no mark at first.
    if mark not in (RESULTS, 0) or version != _FORMAT or found != ours:
        raise ValueError(
            f"{path} is not a store of results of format {_FORMAT}; "
            "name another file, or move it away"
        )


def export_csv(rows: Iterable[Stored], path: Path) -> None:
    """Write rows as a table: a line for each job and row of the paper's tables that it fills."""
    lines: list[dict[str, Any]] = []
    names: dict[str, None] = {}  # of values, in the order of their first appearance
    for row in rows:
        job = row.job
        known = {
            "row": None,
            "system": job.system,
            "dataset": job.dataset,
            "task": job.task,
            "setting": job.setting,
            "seed": job.seed,
            "parameters": json.dumps(job.parameters, sort_keys=True),
            "version": row.version,
            "machine": row.machine,
            "threads": row.threads,
            "status": row.status,
            "job_seconds": round(row.seconds, 3),
            "peak_bytes": row.peak_bytes,
            "error": None if row.error is None else row.error.strip().splitlines()[-1],
        }
        for name, values in row.outcomes.items() or [(job.system, {})]:
            lines.append(known | {"row": name} | values)
            names |= dict.fromkeys(values)
    head = list(lines[0])[:14] if lines else []
    write_text(path, csv_table([*head, *names], lines))
