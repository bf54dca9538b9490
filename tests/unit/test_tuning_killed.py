"""A search that is killed or interrupted goes on where it was."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import pytest
from processes import next_line, running
from tuning_fakes import SPACE, Fake

from graphopt.tuning import Findings, Search, findings, trials

PROGRAM = """
import signal, sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, {tests!r})
from tuning_fakes import SPACE, Fake
from graphopt.tuning import Search

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in background jobs
    folder = Path({folder!r})
    with Search(
        Fake(folder / "log", {fake}),
        SPACE,
        folder / "tune.sqlite",
        "study",
        trials=8,
        sampler="grid",
        prune=False,
    ) as search:
        interrupted = search.run(
            jobs={jobs}, notify=lambda trial: print("finished", trial.number, flush=True)
        )
    print("interrupted", interrupted, flush=True)
"""


# Two settings are tried; from the third on nothing is ever done.
STUCK = "finishes=2"


def started(
    folder: Path, jobs: int, fake: str = STUCK
) -> AbstractContextManager[subprocess.Popen[str]]:
    tests = str(Path(__file__).parents[1])
    program = PROGRAM.format(tests=tests, folder=str(folder), jobs=jobs, fake=fake)
    return running(program, one_thread=True)


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
def test_a_killed_search_goes_on(
    tmp_path: Path, jobs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trials, "GRACE", 2)  # only the search that goes on looks for stale trials
    with started(tmp_path, jobs) as process:
        assert next_line(process.stdout).startswith("finished ")
        assert next_line(process.stdout).startswith("finished ")
    found = go_on(tmp_path)
    assert len(found.tried) == 8
    assert 0 <= found.n_lost <= jobs
    unbroken = [SPACE.landmarks[0].params, *(SPACE.point(i) for i in range(7))]
    key = str
    assert sorted((one.params for one in found.tried), key=key) == sorted(
        map(dict, unbroken), key=key
    )
    # Workers notice that nobody waits for them.
    workers = processes_of(tmp_path) - {os.getpid()}
    while not all(map(gone, workers)):
        time.sleep(0.05)


@pytest.mark.parametrize("jobs", [1, 2])
def test_ctrl_c_ends_a_search(tmp_path: Path, jobs: int) -> None:
    with started(tmp_path, jobs) as process:
        assert next_line(process.stdout).startswith("finished ")  # another may be by now
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate()
    assert process.returncode == 0, errors
    assert output.splitlines()[-1] == "interrupted True"
    assert errors == ""
    assert len(go_on(tmp_path).tried) == 8


def test_two_searches_at_once_share_the_work(tmp_path: Path) -> None:
    with ExitStack() as stack:
        both = [stack.enter_context(started(tmp_path, 1, "company=2")) for _ in range(2)]
        for process in both:
            _, errors = process.communicate()
            assert process.returncode == 0, errors
    found = go_on(tmp_path)
    assert (len(found.tried), found.n_lost) == (8, 0)
    assert len(processes_of(tmp_path)) == 2
    assert len((tmp_path / "log").read_text().splitlines()) == 8
