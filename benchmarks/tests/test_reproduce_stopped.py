"""A run that is killed or interrupted goes on where it stopped, and ends as an unbroken one."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from processes import next_line, running

from benchmarks.paper.jobs.store import Store

# Jobs on a graph that is drawn here. Half of them ask before they go on, and wait for the answer.
PROGRAM = """
import signal, sys
from graphopt import datasets
from benchmarks.paper.jobs import systems

signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in background jobs
drawn = datasets.synthetic(80, random_state=0)
datasets.load = lambda name: drawn
solve = systems.leiden


def asking(*args, **settings):
    print("may I?", file=sys.stderr, flush=True)
    sys.stdin.readline()
    return solve(*args, **settings)


systems.leiden = asking
from benchmarks.paper.__main__ import app
from benchmarks.paper.jobs import specs
from benchmarks.paper.report import layouts, render
from graphopt.cli import run_app
render.as_html = lambda report: ""  # drawing takes seconds, and other tests look at it
specs.SYSTEMS["community"] = ("Leiden", "Train-CNM")
keep = ("Leiden", "Train-CNM")
layouts.LAYOUTS = tuple(
    layouts.replace(one, rows=tuple(row for row in one.rows if row.system in keep))
    for one in layouts.LAYOUTS
)
options = ["--table", "1", "--seeds", "2", "--threads", "1", "--output", sys.argv[1]]
sys.argv[1:] = ["tables", *options]
run_app(app)
"""
N_JOBS = 2 * 3 * 5 * 2  # systems, settings, data sets, seeds


def finish(folder: Path) -> str:
    with running(PROGRAM, str(folder), stdin=subprocess.DEVNULL, one_thread=True) as process:
        _, errors = process.communicate()
    assert process.returncode == 0, errors
    return errors


def stop(folder: Path, number: int, after: int) -> tuple[int, str]:
    """Send a signal in a job, after others are done; return the exit code and what was said."""
    said = ""
    with running(PROGRAM, str(folder), stdin=subprocess.PIPE, one_thread=True) as process:
        assert process.stdin is not None
        while True:
            line = next_line(process.stderr)
            assert line, said
            said += line
            if line == "may I?\n":
                if f"{after}/{N_JOBS} " in said:
                    break
                process.stdin.write("go on\n")
                process.stdin.flush()
        process.send_signal(number)
        _, rest = process.communicate()
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
