"""A search that is killed or interrupted goes on where it was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from search_fakes import SPACE, Fake

from graphopt.experiments.search.findings import Findings, findings
from graphopt.experiments.search.search import Search

PROGRAM = """
import signal, sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, {tests!r})
from search_fakes import SPACE, Fake
from graphopt.experiments.search.search import Search

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in background jobs
    folder = Path({folder!r})
    slow = Fake(folder / "log", seconds=0.3)
    with Search(
        slow, SPACE, folder / "tune.sqlite", "study", trials=8, sampler="grid", prune=False
    ) as search:
        interrupted = search.run(
            jobs={jobs}, notify=lambda trial: print("finished", trial.number, flush=True)
        )
    print("interrupted", interrupted, flush=True)
"""


def start(folder: Path, jobs: int) -> subprocess.Popen[str]:
    program = PROGRAM.format(tests=str(Path(__file__).parents[1]), folder=str(folder), jobs=jobs)
    return subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )


def go_on(folder: Path) -> Findings:
    with Search(
        Fake(folder / "log"),
        SPACE,
        folder / "tune.sqlite",
        "study",
        trials=8,
        sampler="grid",
        prune=False,
    ) as search:
        assert search.run() is False
        return findings(search)


def processes_of(folder: Path) -> set[int]:
    """Return the processes that evaluated settings."""
    lines = (folder / "log").read_text().splitlines()
    return {int(line.split()[0]) for line in lines}


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "State:\tZ" in status.read_text()


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_killed_search_goes_on(tmp_path: Path, jobs: int) -> None:
    process = start(tmp_path, jobs)
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("finished ")
        assert process.stdout.readline().startswith("finished ")
        time.sleep(0.1)
    finally:
        process.kill()
        process.communicate()
    found = go_on(tmp_path)
    assert len(found.tried) == 8
    assert 0 <= found.n_lost <= jobs
    unbroken = [SPACE.landmarks[0].params, *(SPACE.point(i) for i in range(7))]
    key = str
    assert sorted((one.params for one in found.tried), key=key) == sorted(
        map(dict, unbroken), key=key
    )
    # Workers notice that nobody waits for them.
    deadline = time.monotonic() + 20
    workers = processes_of(tmp_path) - {os.getpid()}
    while not all(map(gone, workers)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert all(map(gone, workers))


@pytest.mark.parametrize("jobs", [1, 2])
def test_ctrl_c_ends_a_search_soon(tmp_path: Path, jobs: int) -> None:
    process = start(tmp_path, jobs)
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("finished ")  # one may be by now
        start_of_end = time.monotonic()
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=20)
        assert time.monotonic() - start_of_end < 15
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 0, errors
    assert output.splitlines()[-1] == "interrupted True"
    assert errors == ""
    assert len(go_on(tmp_path).tried) == 8


def test_two_searches_at_once_share_the_work(tmp_path: Path) -> None:
    both = [start(tmp_path, 1) for _ in range(2)]
    for process in both:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    found = go_on(tmp_path)
    assert (len(found.tried), found.n_lost) == (8, 0)
    assert len(processes_of(tmp_path)) == 2
    assert len((tmp_path / "log").read_text().splitlines()) == 8
