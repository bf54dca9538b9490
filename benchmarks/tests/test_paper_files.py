"""Files and folders that a laboratory command cannot use: one sentence that names them."""

from __future__ import annotations

import errno
import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks.paper import ablation
from benchmarks.paper.__main__ import app
from benchmarks.paper.proposition import measurement
from graphopt import _databases as databases
from graphopt import datasets
from graphopt.cli import run_app


@pytest.fixture
def failure(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Return a function that runs a command and returns the line that it ends with."""

    def run(*arguments: object) -> str:
        monkeypatch.setattr(sys, "argv", ["paper", *(str(argument) for argument in arguments)])
        with pytest.raises(SystemExit) as stop:
            run_app(app)
        assert stop.value.code == 1
        output, errors = capsys.readouterr()
        assert output == ""
        assert "Traceback" not in errors
        assert "\x1b" not in errors
        last = errors.splitlines()[-1]
        assert last.startswith("error: ")
        assert len(last) < 2500
        return last.removeprefix("error: ")

    return run


@pytest.mark.parametrize(
    "command",
    [
        ["ablation", "--datasets", "cora", "--output"],
        ["tables", "--quick", "--output"],
        ["tables", "--quick", "--store"],
        ["proposition", "--quick", "--output"],
        ["search", "--dataset", "cora", "--quick", "--storage"],
    ],
    ids=lambda words: f"{words[0]} {words[-1]}",
)
def test_folders_that_are_files(
    command: list[str], failure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command fails before anything is computed."""

    def compute(*_: object, **__: object) -> None:
        raise AssertionError("nothing may be computed")

    file = tmp_path / "file"
    file.write_text("words")
    monkeypatch.setattr(datasets, "load", lambda name: datasets.synthetic(60, random_state=0))
    monkeypatch.setattr(ablation, "run", compute)
    monkeypatch.setattr(measurement, "measure_proposition", compute)
    message = failure(*command, file / "inside")
    assert message.startswith((f"{file}: Not a directory", "storage must be in a folder that"))


def test_databases_of_others(failure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(databases, "_PATIENCE", 0.01)
    file = tmp_path / "other.sqlite"
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("CREATE TABLE cats (name)")
        before = file.read_bytes()
        assert "other.sqlite" in failure("tables", "--store", file)
        other.execute("BEGIN EXCLUSIVE")
        message = failure("tables", "--store", file)
        assert "other.sqlite cannot be used: database is locked" in message
    assert file.read_bytes() == before
    file.write_bytes(b"no database " * 99)
    message = failure("tables", "--store", file)
    assert "is damaged or something else: file is not a database" in message
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other.sqlite"]


def test_a_full_disk_is_reported_in_a_sentence(
    failure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ablation, "jobs", lambda *_, **__: [])
    page = tmp_path / "ablation.md"
    page.write_text("older")

    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    assert failure("ablation", "--output", tmp_path) == f"{page}: No space left on device"
    assert page.read_text() == "older"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ablation.md", "ablation.sqlite"]
