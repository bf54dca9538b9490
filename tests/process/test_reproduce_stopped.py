"""A run that is killed or interrupted goes on where it stopped, and ends as an unbroken one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from graphopt.experiments.jobs.store import Store

# Jobs on a graph that is drawn here, each long enough to be killed in.
PROGRAM = """
import signal, sys, time
from graphopt import cli, datasets
from graphopt.experiments.jobs import systems

signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in background jobs
drawn = datasets.synthetic(80, random_state=0)
datasets.load = lambda name: drawn
solve = systems.leiden
systems.leiden = lambda *a, **k: (time.sleep(0.15), solve(*a, **k))[1]
from graphopt.experiments.jobs import specs
from graphopt.experiments.report import layouts
specs.SYSTEMS["community"] = ("Leiden", "Train-CNM")
keep = ("Leiden", "Train-CNM")
layouts.LAYOUTS = tuple(
    layouts.replace(one, rows=tuple(row for row in one.rows if row.system in keep))
    for one in layouts.LAYOUTS
)
options = ["--table", "1", "--seeds", "2", "--threads", "1", "--output", sys.argv[1]]
sys.argv[1:] = ["reproduce", *options]
cli.main()
"""
N_JOBS = 2 * 3 * 5 * 2  # systems, settings, data sets, seeds


def start(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(folder)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )


def finish(folder: Path) -> str:
    process = start(folder)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return errors


def stop(folder: Path, number: int, after: int) -> tuple[int, str]:
    """Send a signal after some jobs are done; return the exit code and what was said."""
    process = start(folder)
    assert process.stderr is not None
    said = ""
    try:
        while f"{after}/{N_JOBS} " not in said:
            line = process.stderr.readline()
            assert line, said
            said += line
        time.sleep(0.07)
        process.send_signal(number)
        _, rest = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    return process.returncode, said + rest


def contents(folder: Path) -> dict[str, Any]:
    """Return all rows but what time and place had a say in."""
    measured = ("seconds", "peak_bytes")
    with Store(folder / "results.sqlite") as store:
        return {
            row.job.key: (
                row.job,
                row.status,
                row.version,
                row.threads,
                row.decisions,
                {
                    outcome: {
                        name: value for name, value in values.items() if not name.endswith(measured)
                    }
                    for outcome, values in row.outcomes.items()
                },
            )
            for row in store.rows()
        }


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("unbroken")
    assert f"{N_JOBS} jobs, 0 of them done before" in finish(folder)
    found = contents(folder)
    assert len(found) == N_JOBS
    return found


def test_killed_and_run_again(tmp_path: Path, unbroken: dict[str, Any]) -> None:
    code, _ = stop(tmp_path, signal.SIGKILL, after=3)
    assert code == -signal.SIGKILL
    rows = contents(tmp_path)
    assert 3 <= len(rows) < N_JOBS
    assert rows.items() <= unbroken.items()
    said = finish(tmp_path)
    assert f"{N_JOBS} jobs, {len(rows)} of them done before" in said
    assert contents(tmp_path) == unbroken
    assert f"{N_JOBS} jobs, {N_JOBS} of them done before" in finish(tmp_path)


def test_interrupted_and_run_again(tmp_path: Path, unbroken: dict[str, Any]) -> None:
    code, said = stop(tmp_path, signal.SIGINT, after=2)
    assert code == 130
    left = N_JOBS - len(contents(tmp_path))
    last = said.strip().splitlines()[-1]
    assert last.startswith(f"stopped with {left} of {N_JOBS} jobs left; the same command goes on")
    assert not (tmp_path / "tables.md").exists()
    finish(tmp_path)
    assert contents(tmp_path) == unbroken
