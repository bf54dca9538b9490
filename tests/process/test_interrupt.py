"""Ctrl-C ends every public function, and the next call works."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import interrupted_calls
import pytest
from processes import next_line

import graphopt

# Returns at once, whatever it is given.
AT_ONCE = {"build_config", "get_num_threads", "set_num_threads"}


def test_every_public_function_is_interrupted() -> None:
    names = {name for name in graphopt.__all__ if callable(getattr(graphopt, name))}
    results = {name for name in names if name.endswith("Result")}
    covered = {name.split(".")[0] for name in interrupted_calls.CALLS}
    assert names - results - AT_ONCE <= covered


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
        for name in names:
            assert next_line(process.stdout) == "begun\n", (name, process.communicate()[1])
            process.send_signal(signal.SIGINT)
            assert next_line(process.stdout) == "interrupted\n", (name, process.communicate()[1])
            assert next_line(process.stdout) == "right\n", (name, process.communicate()[1])
        assert process.wait() == 0
    finally:
        process.kill()
        process.communicate()
