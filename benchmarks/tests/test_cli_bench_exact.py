"""``python -m benchmarks.race --exact``, from arguments to what is printed where."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from benchmarks.race import exact
from benchmarks.race.__main__ import app
from benchmarks.race.exact import Instance
from graphopt import Graph

PATH = Graph.from_edges([(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)])
SMALL = (Instance("path", lambda: (PATH, 2)), Instance("edge", lambda: (PATH, 1)))


def invoke(*arguments: object) -> Result:
    command = ["--exact", *(str(argument) for argument in arguments)]
    return CliRunner().invoke(app, command)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exact, "instances", lambda names=(), *, quick=False: SMALL)


def test_list() -> None:
    result = invoke("--list", "--quick")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[:2] == ["cora_connected, K = 5", "cora_connected, K = 10"]
    assert not any(line.startswith("geometric") for line in lines)


def test_an_unknown_name() -> None:
    result = invoke("nothing")
    assert result.exit_code == 2
    assert "no instance begins with 'nothing'" in " ".join(result.stderr.split())


@pytest.mark.parametrize("option", [("--rounds", 3), ("--scale", 0.5), ("--memory",)])
def test_options_of_the_other_contests(option: tuple[object, ...]) -> None:
    result = invoke(*option)
    assert result.exit_code == 2
    assert "does not go with --exact" in result.stderr
    result = CliRunner().invoke(app, ["--peer-seconds", "3", "--list"])
    assert result.exit_code == 2
    assert "goes only with --exact" in result.stderr


@pytest.mark.usefixtures("small")
def test_a_table_and_files(tmp_path: Path) -> None:
    result = invoke("--quick", "--threads", 1, "--save", tmp_path / "results")
    assert result.exit_code == 0, result.stderr
    assert "not asked" in result.stdout
    assert "1/2 path: " in result.stderr
    assert "2/2 edge: " in result.stderr
    found = json.loads((tmp_path / "results" / "exact.json").read_text())
    assert [row["radius"] for row in found["instances"]] == [1.0, 3.0]
    assert (tmp_path / "results" / "exact.md").read_text().startswith("# Exact k-center")


@pytest.mark.usefixtures("small")
def test_json() -> None:
    result = invoke("--quick", "--json")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert list(found) == ["machine", "threads", "instances"]


@pytest.mark.usefixtures("small")
def test_a_contradiction_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def contradict(*_: object, **__: object) -> object:
        raise AssertionError("path: spopt calls 0 optimal")
        yield

    monkeypatch.setattr(exact, "run", contradict)
    result = invoke()
    assert result.exit_code == 1
    assert "spopt calls 0 optimal" in str(result.exception)


@pytest.mark.usefixtures("small")
def test_ctrl_c_keeps_what_was_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    run = exact.run

    def interrupted(*arguments: object, **options: object) -> object:
        yield from list(run(SMALL[:1], threads=1, peer_seconds=None))
        raise KeyboardInterrupt

    monkeypatch.setattr(exact, "run", interrupted)
    result = invoke("--json")
    assert result.exit_code == 130
    assert len(json.loads(result.stdout)["instances"]) == 1
