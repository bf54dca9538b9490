"""SQLite files that keep results: whose they are is asked before anything is written."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from graphopt._files import regular_size
from graphopt.errors import DamagedFileError, GraphoptError

RESULTS = 0x676F7072
"""Mark (SQLite's ``application_id``) of a store of results."""
TRIALS = 0x676F7074
"""Mark of a file of trials."""
_HEADER = 100  # bytes
_PATIENCE = 10.0  # seconds that another program may keep the file locked


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Raise SQLite's errors as our own, which name the file.

    Raises
    ------
    DamagedFileError
        If it is not a database, or a damaged one.
    GraphoptError
        If it cannot be opened or written to: locked, read-only, no room on the disk.
    """
    try:
        yield
    except sqlite3.OperationalError as error:
        raise GraphoptError(f"{path} cannot be used: {error}") from error
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:  # a name that is no text
        raise DamagedFileError(f"{path} is damaged or something else: {error}") from error


@contextmanager
def opened_to_read(path: Path) -> Iterator[sqlite3.Connection | None]:
    """Give a connection that writes nothing; None if there is no file yet, or an empty one.

    Raises
    ------
    GraphoptError, ValueError
        If it is no database, or locked for long.
    """
    if not path.exists() or regular_size(path) == 0:
        yield None
        return
    address = f"{path.absolute().as_uri()}?{_way_to_read(path)}"
    with (
        explained(path),
        closing(sqlite3.connect(address, uri=True, timeout=_PATIENCE)) as database,
    ):
        is_empty = not tables(database) and mark_of(database) == 0 and version_of(database) == 0
        yield None if is_empty else database


def _way_to_read(path: Path) -> str:
    """Return how to open a database so that nothing changes, not even the files beside it."""
    with path.open("rb") as file:
        header = file.read(_HEADER)
    if len(header) < _HEADER or not header.startswith(b"SQLite format 3\0"):
        raise DamagedFileError(f"{path} is damaged or something else: file is not a database")
    if Path(f"{path}-journal").exists():
        # A reader must first roll back what a killed process left half done.
        return "mode=rw"
    written_ahead = header[18] == 2
    if written_ahead and not Path(f"{path}-wal").exists():
        return "immutable=1"  # else SQLite makes that file and leaves it
    return "mode=ro"


def tables(database: sqlite3.Connection) -> dict[str, list[str]]:
    """Return the columns of each table, SQLite's own left out."""
    found = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    return {
        name: [row[0] for row in database.execute("SELECT name FROM pragma_table_info(?)", (name,))]
        for (name,) in found
        if not name.startswith("sqlite_")
    }


def mark_of(database: sqlite3.Connection) -> int:
    """Return whose the file is said to be; 0 if nobody said so."""
    (number,) = database.execute("PRAGMA application_id").fetchone()
    return int(number)


def version_of(database: sqlite3.Connection) -> int:
    """Return the ``user_version``, 0 if none was set."""
    (number,) = database.execute("PRAGMA user_version").fetchone()
    return int(number)


def set_mark(path: Path, mark: int) -> None:
    """Write down whose the file is; it is made if it is missing."""
    with explained(path), closing(sqlite3.connect(path, timeout=_PATIENCE)) as database:
        database.execute(f"PRAGMA application_id = {mark}")
