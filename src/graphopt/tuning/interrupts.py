"""Ctrl-C where it does no harm: not in the middle of a transaction."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from types import FrameType, TracebackType


class Interrupts:
    """While it is entered, Ctrl-C waits for a place that allows it; a second one does not wait.

    An exception in the middle of a transaction leaves the file of trials locked, and then what is
    unfinished cannot be put back either. This class has no effect if another handler than Python's
    own answers Ctrl-C, or outside the main thread, which is the only one that hears it.
    """

    def __init__(self) -> None:
        self._installed = False
        self._open = False
        self._pending = False

    def __enter__(self) -> Interrupts:
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            with suppress(ValueError):  # not the main thread
                signal.signal(signal.SIGINT, self._handle)
                self._installed = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._installed:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        if kind is None and self._pending:
            raise KeyboardInterrupt

    def allowed(self) -> AbstractContextManager[None]:
        """Let Ctrl-C through, one that has been waiting too."""
        return self._switched(True)

    def held(self) -> AbstractContextManager[None]:
        """Keep it back within :meth:`allowed`, and let it through afterwards."""
        return self._switched(False)

    @contextmanager
    def _switched(self, to: bool) -> Iterator[None]:
        before = self._open
        try:
            self._open = to
            self._raise_pending()
            yield
        finally:
            self._open = before
        self._raise_pending()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        second = self._pending
        self._pending = True
        if second:
            self._open = False  # what is unfinished is put back now
            raise KeyboardInterrupt
        self._raise_pending()

    def _raise_pending(self) -> None:
        if self._open and self._pending:
            self._open = self._pending = False
            raise KeyboardInterrupt
