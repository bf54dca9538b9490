"""Who works on what, between processes: locks that end with the process that holds them."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

_GATE = 0


class Claims:
    """Claims on numbered pieces of work; a context manager.

    One byte of a file stands for each piece. The system lifts a lock when its process ends, however
    it ends, so a claim that can be taken belongs to nobody alive: no heartbeats, no waiting.

    Parameters
    ----------
    path : path
        A file that only this class uses; made where it is missing. On this machine's own disk, as
        locks over a network file system are not to be relied on.

    Notes
    -----
    POSIX record locks. One object per file and process: closing another one lifts its locks too.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        self._own: set[int] = set()

    def __enter__(self) -> Claims:
        self._file = self._path.open("ab+")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._own.clear()
        self._file.close()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Wait until no other process is in here."""
        fcntl.lockf(self._file, fcntl.LOCK_EX, 1, _GATE)
        try:
            yield
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, _GATE)

    def take(self, number: int) -> None:
        """Claim a piece of work, numbered from 0, that nobody else has."""
        fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 1 + number)
        self._own.add(number)

    def give_back(self, number: int) -> None:
        """End a claim."""
        fcntl.lockf(self._file, fcntl.LOCK_UN, 1, 1 + number)
        self._own.discard(number)

    def held(self, number: int) -> bool:
        """Return whether this process or another that lives has claimed a piece of work."""
        if number in self._own:
            return True
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 1 + number)
        except OSError:
            return True
        fcntl.lockf(self._file, fcntl.LOCK_UN, 1, 1 + number)
        return False
