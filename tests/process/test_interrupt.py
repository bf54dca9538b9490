"""Ctrl-C ends every public function, and the next call works."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import interrupted_calls
import pytest

import graphopt

# Only against hanging: a call that does not hear Ctrl-C takes longer.
PATIENCE = 240.0

# Returns at once, whatever it is given.
AT_ONCE = {"build_config", "get_num_threads", "set_num_threads"}


def test_every_public_function_is_interrupted() -> None:
    names = {name for name in graphopt.__all__ if callable(getattr(graphopt, name))}
    results = {name for name in names if name.endswith("Result")}
    covered = {name.split(".")[0] for name in interrupted_calls.CALLS}
    assert names - results - AT_ONCE <= covered


def lines_of(process: subprocess.Popen[str]) -> Iterator[str]:
    """Yield what a process prints, as long as it does not keep us waiting for ever."""
    lines: queue.Queue[str] = queue.Queue()

    def read() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            lines.put(line.strip())
        lines.put("")

    threading.Thread(target=read, daemon=True).start()
    while line := lines.get(timeout=PATIENCE):
        yield line


@pytest.mark.parametrize("threads", [1, 2])
def test_ctrl_c_ends_a_call(threads: int) -> None:
    """One process, so that each call also follows interrupted ones; no thread may be lost."""
    names = list(interrupted_calls.CALLS)
    learning = [name for name in names if name[0].isupper() and "." not in name]
    names = names if threads == 2 else [name for name in names if name not in learning]
    process = subprocess.Popen(
        [sys.executable, str(Path(interrupted_calls.__file__)), *names],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": str(threads)},
    )
    try:
        lines = lines_of(process)
        for name in names:
            assert next(lines, None) == "begun", (name, process.communicate()[1])
            process.send_signal(signal.SIGINT)
            assert next(lines, None) == "interrupted", (name, process.communicate()[1])
            assert next(lines, None) == "right", (name, process.communicate()[1])
        assert process.wait() == 0
    except queue.Empty:
        pytest.fail(f"{name} does not hear Ctrl-C")
    finally:
        process.kill()
        process.communicate()
