"""Ctrl-C where it does no harm: not in the middle of a transaction."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any


class Interrupts:
    """While it is entered, Ctrl-C waits for a place that allows it; a second one does not wait.

    An exception in the middle of a transaction leaves the file of trials locked, also for who wants
    to put back what is unfinished. Without effect where Ctrl-C does not raise KeyboardInterrupt
    by Python's own handler, and outside the main thread, which alone it reaches.
    """

    def __init__(self) -> None:
        self._before: Any = None
        self._open = False
        self._pending = False

    def __enter__(self) -> Interrupts:
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            try:
                self._before = signal.signal(signal.SIGINT, self._handle)
            except ValueError:  # not the main thread
                self._before = None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
        if kind is None:
            self._raise_pending()

    @contextmanager
    def allowed(self) -> Iterator[None]:
        """Let Ctrl-C through, one that has been waiting too."""
        before = self._open
        try:
            self._open = True
            self._raise_pending()
            yield
        finally:
            self._open = before

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep it back within :meth:`allowed`, and let it through afterwards."""
        before = self._open
        self._open = False
        try:
            yield
        finally:
            self._open = before
        if before:
            self._raise_pending()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._open or self._pending:
            self._open = False  # what is unfinished is put back now
            raise KeyboardInterrupt
        self._pending = True

    def _raise_pending(self) -> None:
        if self._pending:
            self._open = self._pending = False
            raise KeyboardInterrupt
