"""Files and folders that commands cannot use: one sentence that names them, no traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from graphopt import cli
from graphopt.datasets.archive import write_arrays


@pytest.fixture
def graph(tmp_path: Path) -> Path:
    file = tmp_path / "ring.txt"
    file.write_text("".join(f"{i} {(i + j) % 12}\n" for i in range(12) for j in (1, 2)))
    return file


@pytest.fixture
def failure(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Return a function that runs a command and returns the line that it ends with."""

    def run(*arguments: object) -> str:
        monkeypatch.setattr(sys, "argv", ["graphopt", *(str(argument) for argument in arguments)])
        with pytest.raises(SystemExit) as stop:
            cli.main()
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


def test_edges_without_an_end(failure) -> None:
    assert failure("run", "--edges", "/dev/zero") == (
        "/dev/zero, line 1: longer than 1,048,576 bytes; this is not a text file"
    )


def test_features_that_are_no_file(failure, graph: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "f.npy")
    message = failure("run", "--edges", graph, "--features", tmp_path / "f.npy")
    assert message.endswith("f.npy must be a regular file, not a pipe or a device")


def test_names_are_shown_and_not_obeyed(failure, tmp_path: Path) -> None:
    file = tmp_path / "[red]\x1b[2J.txt"
    file.write_text("a b c\x1b[31m\n")
    message = failure("run", "--edges", file)
    assert message.endswith(r"[red]\x1b[2J.txt, line 1: two nodes wanted, not 'a b c\x1b[31m'")


def test_a_damaged_data_set(failure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHOPT_DATA", str(tmp_path))
    file = tmp_path / "cora.npz"
    write_arrays(file, {"edges": np.zeros((1000, 2), np.int32)})
    whole = file.read_bytes()
    assert "should have the digest" in failure("data", "show", "cora")
    file.write_bytes(whole[:-30])
    for command in (["data", "show", "cora"], ["run", "--dataset", "cora"]):
        assert "cora.npz is not a readable .npz archive: " in failure(*command)
    np.savez_compressed(file, edges=np.zeros(10**6, np.int32))
    assert "are larger than 1,000,000 bytes" in failure("data", "show", "cora")


def test_output_that_cannot_be_written() -> None:
    """Not even Python's last attempt, at exit, says more."""
    command = [sys.executable, "-c", "from graphopt.cli import main; main()", "data", "list"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "error: No space left on device\n")


def test_json_is_escaped(graph: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = graph.with_name("a\x1b[2J\u202e.txt")
    graph.rename(file)
    with pytest.raises(SystemExit):
        cli.app(["run", "--edges", str(file), "--k", "2", "--iterations", "2", "--json"])
    output = capsys.readouterr().out
    assert output.isascii()
    assert "\x1b" not in output
    assert json.loads(output)["name"] == file.stem
