"""The command ``proposition``, from arguments to what is printed and written where."""

from __future__ import annotations

import csv
import json
import math
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from benchmarks.paper.__main__ import app
from benchmarks.paper.proposition import measurement
from graphopt import datasets
from graphopt.cli import run_app
from graphopt.learning import TrainingRun

SOURCES = [
    "training on synthetic",
    "separated rows, noise 0.02",
    "separated rows, noise 0.08",
    "counter-example",
]


@pytest.fixture(autouse=True)
def drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """What every data set is, for a test; one name stands for many graphs."""
    graph = datasets.synthetic(80, features="attributes", random_state=0)
    many = datasets.InductiveDataset("many", (graph,), (0,), (), ())
    monkeypatch.setattr(datasets, "load", lambda name: many if name == "many" else graph)


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["proposition", "--quick", *map(str, arguments)])


def test_lines_and_files(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    result = invoke("--output", folder)
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    for source, line in zip(SOURCES, lines, strict=False):
        assert line.startswith(f"{source}: the hypothesis holds at ")
    assert lines[len(SOURCES) :] == ["quick: a short training"]
    assert f"written to {folder}" in result.stderr.replace("\n", "")
    assert {path.name for path in folder.iterdir()} == {"proposition.png", "proposition.csv"}
    assert (folder / "proposition.png").read_bytes()[:4] == b"\x89PNG"
    with (folder / "proposition.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(dict.fromkeys(row["source"] for row in rows)) == SOURCES
    assert all(float(row["left"]) <= float(row["corrected_step"]) for row in rows)


def test_json_alone_on_standard_output(tmp_path: Path) -> None:
    result = invoke("--json", "--seed", 3, "--output", tmp_path)
    found = json.loads(result.stdout, parse_constant=pytest.fail)  # neither Infinity nor NaN
    assert (found["dataset"], found["quick"], found["seed"]) == ("cora", True, 3)
    assert [one["source"] for one in found["summaries"]] == SOURCES
    assert sum(one["n_rows"] for one in found["summaries"]) == len(found["rows"])
    promised = [row for row in found["rows"] if row["holds"]]
    assert promised
    for row in found["rows"]:
        assert (row["printed_bound"] is not None) == row["holds"]
        assert math.isfinite(row["left"])


def test_a_seed_repeats_the_answer(tmp_path: Path) -> None:
    one, same, other = (
        invoke("--json", "--seed", seed, "--output", tmp_path).stdout for seed in (1, 1, 2)
    )
    assert one == same != other


def test_many_graphs_are_refused_in_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    folder = tmp_path / "nothing"
    arguments = ["proposition", "--dataset", "many", "--output", str(folder)]
    monkeypatch.setattr(sys, "argv", ["graphopt", *arguments])
    with pytest.raises(SystemExit) as stop:
        run_app(app)
    assert stop.value.code == 1
    assert "error: dataset must hold one graph; many holds many" in capsys.readouterr().err
    assert not folder.exists()


def test_half_a_training_is_not_taken_for_all_of_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    original = measurement.train

    def interrupted(*arguments: object) -> TrainingRun:
        run = original(*arguments)  # type: ignore[arg-type]
        run.interrupted = True
        return run

    monkeypatch.setattr(measurement, "train", interrupted)
    result = invoke("--output", tmp_path / "nothing")
    assert result.exit_code not in (0, 2)
    assert result.stdout == ""
    assert not (tmp_path / "nothing").exists()
