"""Processes that tests start. They wait for lines and ends, never for a time.

What hangs is ended by pytest's own limit (``timeout`` in ``pyproject.toml``), which is far above
what any test takes on a busy machine.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO


@contextmanager
def running(
    program: str, *arguments: str, stdin: int | None = None, one_thread: bool = False
) -> Iterator[subprocess.Popen[str]]:
    """Run a Python program beside the test; its process is gone after the block."""
    process = subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | ({"OMP_NUM_THREADS": "1"} if one_thread else {}),
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def next_line(stream: IO[str] | None) -> str:
    """Wait for the next line; empty where the process has ended."""
    assert stream is not None
    return stream.readline()
