"""Other libraries, loaded when they are first needed, and never by half.

A library whose import Ctrl-C has broken off cannot be used, nor imported again, for the rest of the
process: some of its modules are there, others are not, and compiled ones start only once.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import FrameType, ModuleType


def load_whole(name: str) -> ModuleType:
    """Import a module; Ctrl-C waits until all of it is there.

    On the calling thread, since igraph reports errors and hears Ctrl-C on the thread that has
    imported it.
    """
    module = sys.modules.get(name)
    if module is not None and not getattr(module.__spec__, "_initializing", False):
        return module
    with interrupts_held():
        return import_module(name)


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back for the length of a block; its handler runs at the end.

    Without effect outside the main thread, which alone Ctrl-C reaches, and where it is ignored or
    not handled in Python.
    """
    handler = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(handler):
        yield
        return
    pending = False

    def hold(number: int, frame: FrameType | None) -> None:
        nonlocal pending
        pending = True

    signal.signal(signal.SIGINT, hold)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if pending:
            signal.raise_signal(signal.SIGINT)
